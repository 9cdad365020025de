"""The two ends of a walk: what is gathered, and what is given for a text, a number or a claimed value."""

import json
from typing import Any

import pytest

from extproc.core.masking import Mask, Masks, OwnDetector, Style
from extproc.core.redaction.fields import Claim
from extproc.core.redaction.marks import Marks
from extproc.core.redaction.masker import Masker
from extproc.core.redaction.rules import Rules
from extproc.core.redaction.sinks import Gathering
from masks import HASH, KEEP, KEY, OWN, REDACT, detect, field, masker, masks

MARKS = Marks(KEY, OWN, [REDACT, HASH, KEEP])


def claimed(value: Any, mask: Mask, *others: Any) -> Any:
    using = masker(field("$.x", mask), *others)
    found = using.document({"x": value})
    again = using.document(found.value)
    assert again.value == found.value
    assert not again.counts
    return found.value["x"]


@pytest.mark.parametrize(
    ("value", "mask", "expected"),
    [
        ("text", REDACT, "[masked]"),
        (5, REDACT, "[masked]"),
        (True, REDACT, "[masked]"),
        ({"a": 1}, REDACT, "[masked]"),
        ([], REDACT, "[masked]"),
        (None, REDACT, None),
        ("", REDACT, ""),
        ("[masked]", REDACT, "[masked]"),
        ("4111111111111234", KEEP, "****1234"),
        (4111111111111234, KEEP, "****1234"),
        ("****1234", KEEP, "****1234"),
        ([1, 2, 3, 4], KEEP, "[masked]"),
        (False, KEEP, "[masked]"),
        ("text", Mask(Style.REPLACE, text="gone"), "gone"),
        ("text", HASH, MARKS.of("text", "masked", HASH)),
        (5, HASH, MARKS.of("5", "masked", HASH, tag="n")),
        (True, HASH, MARKS.of("true", "masked", HASH, tag="b")),
        ({"b": 1, "a": [2]}, HASH, MARKS.of('{"b":1,"a":[2]}', "masked", HASH, tag="j")),
    ],
)
def test_a_claimed_value_goes_whole(value: Any, mask: Mask, expected: Any) -> None:
    assert claimed(value, mask) == expected


def test_a_field_beats_the_detectors_of_its_own_rule_and_the_stricter_mask_of_another_wins() -> None:
    card = "4111 1111 1111 1234"
    assert claimed(card, KEEP, detect("card")) == "****1234"
    assert claimed(card, KEEP, detect("card", rule="other")) == "[masked]"
    assert claimed(card, KEEP, detect("card", rule="other", mask=KEEP)) == "****1234"
    assert claimed("no card", KEEP, detect("card", rule="other")) == "****ard"
    assert claimed(card, Mask(Style.REPLACE, text="gone"), detect("card", rule="other")) == "[masked]"
    assert claimed(json.dumps({"number": card}), KEEP, detect("card", rule="other")) == "[masked]"
    assert claimed(card, HASH, detect("card", rule="other", mask=Mask(Style.REPLACE, text="gone"))) == "gone"
    assert claimed("", KEEP, detect("card", rule="other")) == ""


def test_a_number_is_masked_whole_under_the_strictest_mask_and_the_widest_finds_type() -> None:
    using = masker(detect("card", mask=HASH), detect("ssn", "card", rule="other"))
    assert using.document([4111111111111111, 4.111111111111111e15, 42]).value == ["[card]", "[card]", 42]
    hashed = masker(detect("card", mask=HASH)).document([4111111111111111, "4111111111111111"]).value
    assert hashed[0] == MARKS.of("4111111111111111", "card", HASH, tag="n") != hashed[1]


def test_a_number_is_not_touched_by_what_is_found_in_an_equal_text_under_another_name() -> None:
    badge = OwnDetector(name="badge", patterns=("[0-9]{7}",), context=("badge",))
    using = Masker(Masks(detections=(detect("badge"),), own=(badge,)), KEY)
    value = {"badge": "1234567", "count": 1234567, "name": {"badge": 1234567}}
    assert using.document(value).value == {"badge": "[badge]", "count": 1234567, "name": {"badge": "[badge]"}}


def test_every_text_number_and_name_is_gathered_once_per_place() -> None:
    gathering = Gathering(Rules(masks(detect("card", rule="other"), field("$.x", KEEP)), KEY))
    for _ in range(2):
        gathering.learn("name")
        gathering.learn("") if "" not in gathering.names else None
    assert gathering.text("text", "n", None) == "text"  # type: ignore[arg-type]
    assert gathering.text("", "n", None) == ""  # type: ignore[arg-type]
    assert gathering.number(5, "n") == 5
    assert (gathering.name("x"), gathering.opaque()) == ("x", "")
    claim = Claim(mask=KEEP, rules=frozenset({"r"}))
    for value in ("value", "", 5):
        assert gathering.claimed(value, claim) == value
    assert [(text, name) for text, name, _ in gathering.keys] == [
        ("name", ""),
        ("name", ""),
        ("text", "n"),
        ("5", "n"),
        ("value", ""),
    ]
    built_in = Gathering(Rules(Masks(), KEY))
    built_in.number(5, "n")
    assert built_in.keys == []
