"""A value of a known column is answered as a search would answer for it; whatever is not sure is searched."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.core.masking import DETECTORS, Mask, Masks, OwnDetector, Style
from extproc.core.redaction.columns import Columns
from extproc.core.redaction.fields import start
from extproc.core.redaction.masker import Masker
from extproc.core.redaction.rules import Rules
from masks import HASH, KEEP, KEY, REDACT, detect

NOWHERE = start(())
SETS = {
    "one rule": Masks(detections=(detect(*DETECTORS),)),
    "low": Masks(detections=(detect(*DETECTORS, threshold=0.2),)),
    "hashes": Masks(detections=(detect(*DETECTORS, mask=HASH),)),
    "a word": Masks(detections=(detect(*DETECTORS, mask=Mask(Style.REPLACE, text="gone")),)),
    "two rules": Masks(
        detections=(
            detect("phone", "us_ssn", "email", "credit_card", "iban", mask=KEEP),
            detect("phone", "date_of_birth", "api_key", "password", rule="s", threshold=0.8),
        )
    ),
}
VALUES = st.sampled_from(
    [
        "bob.1@example.com",
        "4111111111111111",
        "4111 1111 1111 1111",
        "4111 1111 1111 1111 12",
        "536-22-1234",
        "536221234",
        "+49 30 1234567",
        "(212) 555-0123",
        "0412 345 678",
        "DE89370400440532013000",
        "DE89 3704 0044 0532 0130 00",
        "2026-03-11T04:15:00Z",
        "1984-07-12",
        "10.20.30.40",
        "AKIAIOSFODNN7EXAMPLE",
        "X-1234567-L",
        "tel 5551234",
        "ID 12345678Z",
        "no more than words",
        "61626364656667686970",
        base64.b64encode(b"bob@example.com").decode(),
        "****1234",
        "[email]",
        "gone",
        "caf\u00e9 5551234",
        "a\0b 5551234",
        '{"a": "bob@example.com"}',
        "a&#64;b.de",
        "5551234",
    ]
)
NAMES = st.sampled_from(["", "a", "phone", "ssn", "born", "password", "card number", "[phone]", "nhs"])
DIGITS = st.sampled_from("0123456789")


@st.composite
def columns(draw: Any) -> tuple[str, list[str]]:
    """Values of one shape, which differ in their digits."""
    value = draw(VALUES)
    made = ["".join(draw(DIGITS) if char.isdigit() else char for char in value) for _ in range(2)]
    return draw(NAMES), [value, *made]


@pytest.fixture(scope="module", params=SETS)
def both(request: pytest.FixtureRequest) -> tuple[Masker, Masker]:
    """A masker that gets to know columns, and one that is asked for so few values that it never knows any."""
    return Masker(SETS[request.param], KEY), Masker(SETS[request.param], KEY)


@given(columns())
def test_a_known_column_is_masked_as_an_unknown_one(both: tuple[Masker, Masker], column: tuple[str, list[str]]) -> None:
    name, values = column
    knows, searches = both
    searches._rules.detectors._shapes.known.clear()
    searches._rules.detectors._shapes._met.clear()
    for _ in range(6):
        knows.document([{name: value} for value in values])
    for value in values:
        searched = searches.document({name: value})
        known = knows.document({name: value})
        assert (known.value, known.counts) == (searched.value, searched.counts)
        searches._rules.detectors._shapes._met.clear()


def answered(known: Columns, name: str, *values: str) -> tuple[dict[str, str], list[str]]:
    """What stands for each value that is answered, and the values that are left."""
    answers: dict[str, str] = {}
    rest = known.answer(
        [(value, name, NOWHERE) for value in values], lambda key, answer: answers.update({key[0]: answer.text})
    )
    return answers, [key[0] for key in rest]


def learned(made: Masks, *values: str, name: str = "a") -> Columns:
    """The columns of rules that have met the shapes of these values often."""
    using = Rules(made, KEY)
    for _ in range(6):
        using.detectors.find(values, [name] * len(values))
    return Columns(using)


def test_what_is_known_needs_no_search_and_all_else_does() -> None:
    mails, words = ("bob.1@example.com", "bob.2@example.com"), ("Berlin", "Vienna")
    known = learned(SETS["one rule"], *mails, *words)
    assert answered(known, "a", *mails, *words) == (dict.fromkeys(mails, "[email]"), [])
    new, long, odd = "a new shape", "x" * 49, "M\u00fcnchen"
    assert answered(known, "a", new, long, odd, "Berlin") == ({}, [long, new, odd])
    assert answered(known, "a", long) == ({}, [long])


def test_what_is_found_by_more_than_patterns_is_always_searched() -> None:
    known = learned(Masks(detections=(detect(*DETECTORS, "what_no_pattern_finds"),)), "bob@example.com")
    assert answered(known, "a", "bob@example.com") == ({}, ["bob@example.com"])


def test_columns_are_not_kept_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("extproc.core.redaction.columns._KEPT", 2)
    known = learned(SETS["one rule"], "bob@example.com")
    for name in "abcde":
        assert answered(known, name, "bob@example.com")[0] == {"bob@example.com": "[email]"}
    assert len(known._known) <= 2


def test_one_that_two_rules_want_is_searched_and_one_that_scores_too_little_for_its_rule_stays() -> None:
    own = (
        OwnDetector(name="code", patterns=(r"[A-Za-z]-\d+",), score=0.6),
        OwnDetector(name="part", patterns=(r"[A-Za-z]-\d\d",)),
    )
    made = Masks(
        detections=(detect("code", threshold=0.9, mask=REDACT), detect("part", rule="s", mask=HASH, threshold=0.2)),
        own=own,
    )
    known = learned(made, "C-12", "C-123")
    assert answered(known, "a", "C-12", "C-123") == ({}, ["C-12", "C-123"])
    known = learned(
        Masks(detections=(*made.detections[:1], detect("email", rule="s", threshold=0.2)), own=own[:1]), "C-12"
    )
    assert answered(known, "a", "C-12") == ({}, [])
