"""One set of masks made ready: who wants what is found, which numbers are looked at, which names betray a field."""

from typing import Any

import pytest

from extproc.core.masking import Find, Masks
from extproc.core.redaction.fields import Claim, Place
from extproc.core.redaction.rules import Rules
from masks import HASH, KEEP, KEY, REDACT, detect, field, masks


def rules(*parts: object, **more: object) -> Rules:
    return Rules(masks(*parts, **more), KEY)  # type: ignore[arg-type]


def test_a_find_is_masked_for_each_rule_whose_threshold_it_reaches() -> None:
    both = rules(detect("mail", threshold=0.6), detect("mail", mask=HASH, rule="strict", threshold=0.9))
    (span,) = both.spans("x bob", [Find(2, 5, "mail", 0.9)])
    assert (span.found, span.wanted) == ("bob", ((REDACT, "r"), (HASH, "strict")))
    assert both.spans("x bob", [Find(2, 5, "mail", 0.7)])[0].wanted == ((REDACT, "r"),)
    assert both.spans("x bob", [Find(2, 5, "mail", 0.5), Find(2, 2, "mail", 1.0)]) == []


@pytest.mark.parametrize(
    ("number", "digits"),
    [
        (4111111111111111, "4111111111111111"),
        (4.111111111111111e15, "4111111111111111"),
        (-5, "-5"),
        (0, "0"),
        (1.5, "1.5"),
        (1e22, "1e+22"),
        (1234567.0, "1234567"),
    ],
)
def test_every_number_is_a_text_to_an_operators_detector(number: float, digits: str) -> None:
    assert rules(detect("card")).digits(number) == digits


def test_built_in_detectors_look_at_long_numbers_alone() -> None:
    built_in = Rules(Masks(fields=(field("$.a"),)), KEY)
    assert built_in.digits(999_999) is None
    assert built_in.digits(1_000_000) == "1000000"
    assert built_in.digits(-1_000_000.0) == "-1000000"


def test_the_last_name_of_a_path_betrays_a_field_in_text_that_is_no_json() -> None:
    named = rules(field("$.rows[*].ssn"), field("$..card.*"), field("$[0]"))
    for text in ("{'ssn': 1", '"ssn" : 1', '\\"ssn\\": 1', '{"card": 5', "'ssn' :"):
        assert named.names_a_field(text), text
    for text in ("ssn: 1", '"rows": 1', '"ssns": 1', "the ssn"):
        assert not named.names_a_field(text), text
    assert not rules(field("$[0]")).names_a_field('"ssn": 1')


def test_only_another_rule_with_a_stricter_mask_may_overrule_a_claim() -> None:
    claim = Claim(mask=KEEP, rules=frozenset({"r"}))
    assert not rules(detect("mail", rule="r")).may_overrule(claim)
    assert rules(detect("mail", rule="other")).may_overrule(claim)
    assert not rules(detect("mail", rule="other", mask=KEEP)).may_overrule(claim)
    assert not rules(detect("mail", rule="other")).may_overrule(Claim(mask=REDACT, rules=frozenset({"r"})))


def test_what_a_name_says_is_remembered_for_the_names_of_late(monkeypatch: Any) -> None:
    monkeypatch.setattr("extproc.core.redaction.rules._MAX_NAMES", 2)
    of_one = rules(detect("mail"))
    said = [of_one.said(name) for name in ("a", "[mail]", "b [mail] c", "a", "a")]
    assert said == ["a", "\n", "b \n c", "a", "a"]


def test_places_stay_for_one_value_and_are_made_anew_once_they_are_many() -> None:
    of_one = rules(field("$..a.*.*.*.*.*.*.*.*.*.*.*.*.b"))
    root = of_one.root()
    assert of_one.root() is root

    def lead(here: Place, depth: int) -> None:
        for name in ("a", "x") if depth else ():
            lead(here.members()[0].get(name, here.members()[1]), depth - 1)

    lead(root, 13)
    assert root.made > 4096
    assert of_one.root() is not root
    assert of_one.root().made == 1
