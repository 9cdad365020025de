"""Names and places: read line by line, never across a mark, within a cap, and whatever cannot be read is withheld."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.core.limits import MAX_NAMED_CHARS
from extproc.core.masking import Find, Mask, Style
from extproc.core.redaction.masker import Masker
from extproc.core.redaction.names import Names
from masks import HASH, KEEP, detect, field, masker
from named import Naming, recognise

BOTH = detect("person_name", "place", "mail")
MASKER = masker(BOTH, recogniser=recognise)


def masked(value: Any, using: Masker = MASKER) -> Any:
    found = using.document(value)
    again = using.document(found.value)
    assert again.value == found.value, "masking twice is masking once"
    assert not again.counts
    return found.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ann Lee of Oslo and Bob Stone", "[person_name] of [place] and [person_name]"),
        ("Ann Lee", "[person_name]"),
        ("write to Ann Lee, bob@example.com", "write to [person_name], [mail]"),
        ("dear Mr Miller, hello", "dear Mr [person_name], hello"),
        ("first\nCarl lives here", "first\n[person_name] lives here"),
        ("Ann\u200b Lee", "[person_name]"),
        ("\u0410nn Lee", "[person_name]"),
        ("José Ruiz", "[person_name]"),
        (json.dumps({"who": "Ann Lee", "at": ["Oslo"]}), '{"who": "[person_name]", "at": ["[place]"]}'),
        ("say Ann%20Lee", "say [person_name]"),
        (base64.b64encode(b"call Ann Lee today").decode(), base64.b64encode(b"call [person_name] today").decode()),
        ("nobody is here", "nobody is here"),
    ],
)
def test_names_and_places_are_masked_wherever_they_stand(text: str, expected: str) -> None:
    assert masked(text) == expected


def test_the_names_of_members_are_read_where_they_are_words_and_left_where_they_are_identifiers() -> None:
    value = {"Oslo": "Oslo", "Ann Lee": 1, "Berlin": {"n": 12345678}}
    assert masked(value) == {"Oslo": "[place]", "[person_name]": 1, "Berlin": {"n": 12345678}}
    tools = [{"name": "Oslo", "description": "all of Oslo"}]
    found = MASKER.message({"jsonrpc": "2.0", "id": 1, "result": {"tools": tools}}).value
    assert found["result"]["tools"] == [{"name": "Oslo", "description": "all of [place]"}]


def test_values_of_a_shape_that_was_met_before_are_read_too() -> None:
    using = masker(BOTH, recogniser=recognise)
    rows = [{"who": who, "n": 12345678, "mail": "bob@example.com"} for who in ("Abc Def", "Xyz Abc", "Ann Lee")]
    for _ in range(8):  # a shape is learned once it comes often
        assert [row["who"] for row in masked(rows, using)] == ["Abc Def", "Xyz Abc", "[person_name]"]


def test_each_style_holds_for_names_too() -> None:
    using = masker(detect("person_name", mask=HASH), detect("place", mask=KEEP), recogniser=recognise)
    assert masked("Ann Lee in Berlin", using).endswith("] in ****lin")
    assert masked("Ann Lee in Oslo", using) != masked("Bob Stone in Oslo", using)
    replacing = masker(detect("place", mask=Mask(Style.REPLACE, text="somewhere")), recogniser=recognise)
    assert masked("Ann Lee in Oslo", replacing) == "Ann Lee in somewhere"


def test_a_find_below_the_threshold_stays() -> None:
    unsure = masker(detect("person_name", threshold=0.9), detect("place"), recogniser=recognise)
    assert masked("Ann Lee in Oslo", unsure) == "Ann Lee in [place]"


def test_a_recogniser_is_asked_only_where_names_are_wanted() -> None:
    naming = Naming()
    masker(detect("mail"), recogniser=naming).document("Ann Lee, bob@example.com")
    assert naming.asked == []


def test_a_mark_is_a_boundary_and_no_name() -> None:
    naming = Naming()
    using = masker(BOTH, recogniser=naming)
    assert masked("[place] Ann Lee [person_name] Lives", using) == "[place] [person_name] [person_name] Lives"
    assert {text for asked in naming.asked for text in asked} == {"Ann Lee", "Lives"}


def test_what_only_a_mask_makes_look_like_a_name_is_masked_in_the_same_go() -> None:
    # `Dan` begins a line of its own once the mail before it is a mark
    assert masked("bob@example.com Dan lives in Oslo") == "[mail] [person_name] lives in [place]"


def test_each_line_is_asked_for_once_whatever_holds_it() -> None:
    naming = Naming()
    masker(BOTH, recogniser=naming).document(["Oslo\nAnn Lee", {"a": "Oslo", "b": ["Oslo", "open", "12", "a_b", "é"]}])
    assert naming.asked == [["Oslo", "Ann Lee"]]


def test_what_is_over_the_cap_is_withheld_and_what_is_within_is_not() -> None:
    line = "words and more words of Oslo "
    within = "\n".join(f"{line}{number}" for number in range(MAX_NAMED_CHARS // 80))
    assert "[unreadable]" not in masked(within)
    beyond = [f"{number} {line * 40}" for number in range(MAX_NAMED_CHARS // 1000)]
    answers = masked(beyond)
    assert answers[0].startswith("0 words and more words of [place]")
    assert answers[-1] == "[unreadable]"
    assert masked("x" + "(" * (MAX_NAMED_CHARS // 4 - 1) + "Ab c") == "[unreadable]"
    short = [f"{chr(65 + number % 26)}{number:x}xyz" for number in range(MAX_NAMED_CHARS // 16 + 1)]
    assert masked(short) == [*short[:-1], "[unreadable]"]
    assert masked("x" + line * (MAX_NAMED_CHARS // len(line) + 1)) == "[unreadable]"
    assert masked("bob@example.com " + line * (MAX_NAMED_CHARS // len(line) + 1)) == "[unreadable]"


def test_where_the_recogniser_fails_nothing_of_the_text_stays() -> None:
    using = masker(BOTH, recogniser=Naming(fails="Ann"))
    found = using.document({"a": "Ann Lee, bob@example.com", "b": "say Ann%20Lee", "n": 1, "s": "open"})
    assert found.value == {"a": "[unreadable]", "b": "[unreadable]", "n": 1, "s": "open"}
    assert found.counts == {"unreadable": 2}
    assert masked(json.dumps({"a": "Ann Lee"}), using) == '{"a": "[unreadable]"}'


def test_a_text_that_cannot_be_read_again_once_it_is_masked_leaves_nothing() -> None:
    using = masker(BOTH, recogniser=Naming(fails="Eve here"))
    assert masked("so Ann Lee, Eve here", masker(BOTH, recogniser=Naming())) == "so [person_name], Eve here"
    assert masked("so Ann Lee, Eve here", using) == "[unreadable]"


@pytest.mark.parametrize(
    "answers",
    [
        [[Find(-1, 2, "place", 1.0)]],
        [[Find(0, 99, "place", 1.0)]],
        [[Find(2, 2, "place", 1.0)]],
        [],
        [[], []],
        [["no find"]],
    ],
)
def test_an_answer_that_makes_no_sense_is_no_answer(answers: Any) -> None:
    assert masked("of Oslo", masker(BOTH, recogniser=lambda _: answers)) == "[unreadable]"


def test_a_type_that_nobody_wants_is_left() -> None:
    assert Names(recognise, {"place"}).find(["Ann Lee in Oslo"], [[]]) == [(Find(11, 15, "place", 0.85),)]


def test_a_field_and_a_name_in_one_text_leave_the_stricter() -> None:
    using = masker(field("$.who", KEEP, rule="a"), detect("person_name", rule="b"), recogniser=recognise)
    assert masked({"who": "Ann Lee"}, using) == {"who": "[masked]"}


WORDS = st.sampled_from(
    ["Ann Lee", "Oslo", "Mr", "Miller", "Dan", "lives", "bob@example.com", "[place]", "****1234", "\n", "(", ", ", "é", "%41nn"]
)  # fmt: skip
USING = [
    masker(detect("person_name", "place", "mail", mask=mask), recogniser=recognise)
    for mask in (Mask(), HASH, KEEP, Mask(Style.REPLACE, text="Dan"))
]


@given(st.lists(WORDS, max_size=8), st.sampled_from(USING), st.booleans())
def test_masking_twice_is_masking_once_whatever_the_context_makes_of_a_word(
    words: list[str], using: Masker, in_json: bool
) -> None:
    text = " ".join(words)
    masked({"note": json.dumps({"a": text, text: [text]})} if in_json else text, using)
