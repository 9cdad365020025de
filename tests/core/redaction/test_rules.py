"""One set of masks made ready: who wants what is found, which numbers are looked at, which names betray a field."""

import pytest

from extproc.core.masking import Find, Masks
from extproc.core.redaction.fields import Claim
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
