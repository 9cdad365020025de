"""Whatever a server sends: nothing that is planted leaves, masking twice is masking once, the input stays as it was."""

import base64
import copy
import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.core.masking import DETECTORS, FieldMask, Mask, Masks, Style
from extproc.core.redaction.masker import Masked, Masker, masker
from extproc.core.wire import strict_json
from leaks import leaks
from masks import HASH, KEEP, KEY, REDACT, detect, field, masks
from masks import masker as masker_of
from sensitive import placed

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
PLACED = placed(DOCUMENTS)


@given(PLACED, st.sampled_from(MASKERS))
def test_nothing_that_is_planted_leaves_and_the_answer_is_one_message(message: Any, using: Masker) -> None:
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


def test_a_name_that_is_masked_says_nothing_of_the_value_under_it() -> None:
    for using in BUILT_IN:
        found = using.document({"+49 30 1234567": 5551234, "tel +49 30 1234567": 5551234})
        again = using.document(found.value)
        assert (again.value, again.counts) == (found.value, {})
        assert found.counts == {"phone": 3}


SHORT_ENDS = Masker(Masks(detections=(detect(*DETECTORS, mask=Mask(Style.KEEP_LAST, keep=3)),)), KEY)


def replacing(text: str, *fields: FieldMask) -> Masker:
    return Masker(Masks(fields=fields, detections=(detect(*DETECTORS, mask=Mask(Style.REPLACE, text=text)),)), KEY)


def test_what_an_operator_replaces_with_still_says_what_is_under_a_name_of_the_servers() -> None:
    """`replace: password` must not open the value of a member that is called so."""
    for word, value in (("password", "hunter2"), ("phone", "5551234"), ("phone number", "5551234")):
        assert replacing(word).document({word: value}).value == {word: word}


@pytest.mark.parametrize(
    ("using", "value"),
    [
        (replacing("ssn", field("$..ssn")), {MAIL: "x"}),
        (replacing("ssn", field("$.ssn.card")), {MAIL: {"card": "x"}}),
        (replacing("ssn", field("$..ssn")), {json.dumps({MAIL: "x"}): "x"}),
        (replacing("password"), {MAIL: "x", f"of {MAIL}": "y"}),
        (masker_of(detect(), field("$..['[mail]']")), {MAIL: "x"}),
        (BUILT_IN[0], {f"pass {CARD} word": "x"}),
        (SHORT_ENDS, {"-----BEGIN PRIVATE KEY-----abc-----END PRIVATE KEY-----atel": 5551234, "a": "x"}),
        (BUILT_IN[0], {f'{{"{_escaped("phone")}": "{MAIL}"}}': "5551234", "a": "x"}),
    ],
)
def test_no_name_that_was_masked_makes_the_value_under_it_one_to_mask(using: Masker, value: Any) -> None:
    found = using.document(value)
    assert "x" in found.value.values() or {"card": "x"} in found.value.values()
    assert using.document(found.value) == Masked(value=found.value)


def test_a_word_in_the_place_of_values_hides_no_base64_that_holds_it() -> None:
    hidden = base64.b64encode(MAIL.encode()).decode()
    for word in ("Y", "a", hidden[:4]):
        found = replacing(word).document(hidden)
        assert not leaks(strict_json.encode(found.value), MAIL)


@pytest.mark.parametrize(
    "written",
    [
        "to=" + quote(quote(MAIL, safe=""), safe=""),
        quote(_escaped(MAIL), safe=""),
        json.dumps(_escaped(MAIL))[1:-1],
        _escaped(base64.b64encode(MAIL.encode()).decode()),
        "a\\n" + base64.b64encode(MAIL.encode()).decode(),
        "of " + quote(base64.b64encode(b"???>>>" + MAIL.encode()).decode(), safe=""),
    ],
)
def test_what_is_written_in_escapes_of_escapes_or_encoded_in_them_is_found(written: str) -> None:
    found = MASKERS[0].document(f"so {written} it is")
    assert not leaks(strict_json.encode(found.value), MAIL)
    assert found.counts == {"mail": 1}
    assert found.value.startswith("so ")
    assert found.value.endswith(" it is")
    assert MASKERS[0].document(found.value) == Masked(value=found.value)


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
