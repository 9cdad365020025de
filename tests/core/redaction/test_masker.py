"""Whatever a server sends: nothing that is planted leaves, masking twice is masking once, the input stays as it was."""

import base64
import copy
import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.core.masking import DETECTORS, Mask, Masks, Style
from extproc.core.redaction.masker import Masked, Masker, masker
from extproc.core.wire import strict_json
from leaks import leaks
from masks import HASH, KEEP, KEY, REDACT, detect, field, masks
from masks import masker as masker_of

MAIL, AWS, CARD, PIN = "bob@example.com", "AKIAIOSFODNN7EXAMPLE", "4111111111111111", "hidden-under-ssn"
PLANTED = (MAIL, AWS, CARD, PIN)
MASKERS = (
    masker_of(detect(), field("$..ssn")),
    masker_of(detect("mail", mask=HASH), detect("card", mask=KEEP), detect("aws"), field("$..ssn", KEEP)),
    masker_of(detect(rule="a"), field("$..ssn", HASH, rule="b"), blocks_opaque=True),
)

WORDS = st.sampled_from(
    ["to", "and", "the", "x", "[mail]", "****1234", "{", "}", "[", '"', "\\", "%", "é", "\u2028", "=", "\n"]
)
SECRETS = st.sampled_from([MAIL, AWS, CARD])


def _escaped(text: str) -> str:
    return "".join(f"\\u{ord(char):04x}" if char.isalnum() else char for char in text)


ENCODINGS = st.sampled_from(
    [
        str,
        lambda text: base64.b64encode(f"so {text} it is".encode()).decode(),
        lambda text: base64.urlsafe_b64encode(f"so {text} it is".encode()).decode().rstrip("="),
        lambda text: f"so {text} it is".encode().hex(),
        lambda text: quote(text, safe=""),
        lambda text: json.dumps({"a": text, "ssn": PIN}),
        lambda text: json.dumps([json.dumps({"b": [text]})], indent=2),
        _escaped,
    ]
)
TEXTS = st.one_of(
    st.text(max_size=8),
    st.lists(st.one_of(WORDS, st.builds(lambda encode, text: encode(text), ENCODINGS, SECRETS)), max_size=4).map(
        " ".join
    ),
)
NAMES = st.one_of(st.sampled_from(["a", "text", "data", "name", "ssn", "uri", "blob", "type", "content"]), TEXTS)


def _documents(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
        max_leaves=8,
    )


LEAVES = st.one_of(TEXTS, st.integers(), st.just(int(CARD)), st.just(float(CARD)), st.booleans(), st.none())
DOCUMENTS = _documents(LEAVES)
PLACED = st.one_of(
    DOCUMENTS.map(lambda value: {"content": [{"type": "text", "text": json.dumps(value)}], "structuredContent": {"v": value}}),
    DOCUMENTS.map(lambda value: {"content": value, "_meta": {"v": value}, "contents": [{"uri": "x:y", "blob": value}]}),
    DOCUMENTS.map(lambda value: {"content": [{"type": "text", "text": value, "extra": value}], "tools": [value]}),
    DOCUMENTS.map(lambda value: {"ssn": value, "structuredContent": {"ssn": value}}),
)  # fmt: skip


@given(PLACED, st.sampled_from(MASKERS))
def test_nothing_that_is_planted_leaves_and_the_answer_is_one_message(result: Any, using: Masker) -> None:
    message = {"jsonrpc": "2.0", "id": 1, "result": result}
    before = copy.deepcopy(message)
    found = using.message(message)
    assert message == before
    written = strict_json.encode(found.value)
    assert json.loads(written) == found.value
    assert not leaks(written, MAIL, AWS, CARD)
    assert (found.value["jsonrpc"], found.value["id"]) == ("2.0", 1)
    again = using.message(found.value)
    assert again.value == found.value
    assert not again.counts


@given(DOCUMENTS, st.sampled_from(MASKERS))
def test_a_document_is_masked_as_well_and_once(value: Any, using: Masker) -> None:
    before = copy.deepcopy(value)
    found = using.document(value)
    assert value == before
    assert not leaks(strict_json.encode(found.value), MAIL, AWS, CARD)
    assert using.document(found.value).value == found.value
    assert bool(found.counts) == (found.value != value)


BUILT_IN = [
    Masker(Masks(detections=(detect(*DETECTORS, mask=mask),)), KEY)
    for mask in (REDACT, HASH, KEEP, Mask(Style.REPLACE, text="gone"))
]
SAMPLES = st.sampled_from(
    [
        "bob@example.com",
        "4111 1111 1111 1111",
        "078-05-1120",
        "DE89 3704 0044 0532 0130 00",
        "tel +49 30 1234567",
        "(212) 555-0123",
        "10.20.30.40",
        "AKIAIOSFODNN7EXAMPLE",
        "password=hunter2hunter2",
        "api_key: 'Zx81kQ0mTn4Lw9Rb7Vc2'",
        "postgres://u:s3cr3tpw@db.example.com/x",
        "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl",
        "Bearer abcdefghijklmnop0123",
        "born 1980-01-31",
        "\uff14" + "\uff11" * 15,
        "4111\u200b1111\u200b1111\u200b1111",
    ]
)  # fmt: skip
GLUE = st.sampled_from(["", " ", ", ", "=", ": ", "\n", "-", "/", '"', "1", "a", "@", ".", "\\n", "%20"])


@given(st.lists(st.tuples(SAMPLES, GLUE), max_size=4), st.sampled_from(BUILT_IN), st.booleans())
def test_whatever_the_built_in_detectors_find_masking_twice_is_masking_once(
    parts: list[tuple[str, str]], using: Masker, in_json: bool
) -> None:
    text = "".join(sample + glue for sample, glue in parts)
    value = {"password": text, "note": json.dumps({"phone": text})} if in_json else text
    found = using.document(value)
    again = using.document(found.value)
    assert again.value == found.value
    assert not again.counts


def test_a_name_that_is_masked_says_nothing_of_the_value_under_it() -> None:
    for using in BUILT_IN:
        found = using.document({"+49 30 1234567": 5551234, "tel +49 30 1234567": 5551234})
        again = using.document(found.value)
        assert (again.value, again.counts) == (found.value, {})
        assert found.counts == {"phone": 3}


def test_words_that_look_like_what_they_stand_for_come_to_rest() -> None:
    """A text may lead back to itself where a mask is found as part of something longer."""
    marked = field("$..ssn", Mask(Style.REPLACE, text="a"))
    pem = "-----BEGIN PRIVATE KEY-----"
    for word in ("api_key=Zx81kQ0mTn4Lw9Rb7Vc2", "key=a1a1a1a1a1", "a", "Bearer abcdefghijklmnop0123"):
        found = detect(*DETECTORS, mask=Mask(Style.REPLACE, text=word))
        using = Masker(Masks(fields=(marked,), detections=(found,)), KEY)
        for text in (f'{{"ssn": "{MAIL}"}}born 1980-01-31*{MAIL}', f"token={MAIL}", f"key={word}1", MAIL + pem):
            once = using.document(text)
            assert using.document(once.value) == Masked(value=once.value)


@pytest.mark.parametrize(
    "text", ['"bob@example.com"', '["bob@example.com"]', '{"password":"x1"}', '"x"', '[""]', '"', '""']
)
def test_a_text_that_a_mask_made_short_is_read_as_the_long_one_was(text: str) -> None:
    for using in (*BUILT_IN, Masker(Masks(detections=(detect(*DETECTORS, mask=Mask(Style.REPLACE, text="-")),)), KEY)):
        found = using.document({"password": text})
        assert using.document(found.value) == Masked(value=found.value)


@given(DOCUMENTS)
def test_nothing_stays_under_a_claimed_path(value: Any) -> None:
    found = MASKERS[0].document({"a": [{"ssn": PIN}], "ssn": [value, PIN], "text": json.dumps({"x": {"ssn": PIN}})})
    assert not leaks(strict_json.encode(found.value), PIN)
    assert found.counts["masked"] == 3


@given(st.text())
def test_what_holds_nothing_is_given_back_itself(text: str) -> None:
    message = {"jsonrpc": "2.0", "id": 1, "result": {"content": [{"type": "text", "text": "harmless"}]}}
    assert MASKERS[0].message(message).value is message
    nothing = Masker(masks(detect("plate")), KEY)
    value = {"a": text.replace("HH-XY", "")}
    assert nothing.document(value).value is value


def test_a_masker_is_made_once_for_each_set_of_masks() -> None:
    one = masks(detect())
    assert masker(one, KEY) is masker(one, KEY)
    assert masker(one, b"other" * 8) is not masker(one, KEY)
    assert masker(masks(detect()), KEY) is not masker(one, KEY)


def test_equal_values_have_equal_hashes_in_every_message_and_no_two_deployments_share_them() -> None:
    one, other = MASKERS[1], Masker(masks(detect("mail", mask=HASH)), b"other" * 8)
    first, second = one.document({"a": MAIL}).value["a"], one.document([f"to {MAIL}"]).value[0]
    assert second == f"to {first}"
    assert other.document(MAIL).value != first


def test_a_document_that_leads_through_more_places_than_are_kept_is_masked_all_the_same() -> None:
    def tree(depth: int) -> Any:
        return {name: tree(depth - 1) for name in "ax"} if depth else [f"to {MAIL}", json.dumps({"b": PIN})]

    using = masker_of(detect(), field("$..a.*.*.*.*.*.*.*.*.*.*.*[1].b"))
    assert using.document(tree(13)).counts == {"mail": 1 << 13, "masked": 1 << 12}
