"""Texts in texts are taken apart to the last, searched, and put together again; what cannot be read leaves nothing."""

import base64
import gzip
import json
from typing import Any

import pytest

from extproc.core.limits import MAX_TEXT_DEPTH
from extproc.core.masking import Masks, OwnDetector
from extproc.core.redaction.encodings import runs
from extproc.core.redaction.masker import Masker
from leaks import leaks
from masks import HASH, KEY, detect, field, masker

MAIL, AWS, CARD = "bob@example.com", "AKIAIOSFODNN7EXAMPLE", "4111 1111 1111 1111"
MASKER = masker(detect(), field("$..ssn"))


def masked(text: str, using: Any = MASKER) -> str:
    found = using.document(text)
    assert using.document(found.value).value == found.value, "masking twice is masking once"
    assert not using.document(found.value).counts
    assert not leaks(str(found.value).encode(), MAIL, AWS, CARD)
    return str(found.value)


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"write to {MAIL}, please", "write to [mail], please"),
        (f"{MAIL}{AWS}", "[mail]"),
        (json.dumps({"a": MAIL, "n": 1.5}), '{"a": "[mail]", "n": 1.5}'),
        (json.dumps([MAIL, MAIL], indent=2), '[\n  "[mail]",\n  "[mail]"\n]'),
        (json.dumps({"ssn": 5, "é": MAIL}, ensure_ascii=False), '{"ssn": "[masked]", "é": "[mail]"}'),
        ('{"card":4111111111111111,"other":1}', '{"card":"[card]","other":1}'),
        ('{"k":"AKIA\\u0049OSFODNN7EXAMPLE"}', '{"k":"[aws]"}'),
        (f'{{"{MAIL}": 1, "{MAIL} ": 2}}', '{"[mail]": 1, "[mail] ": 2}'),
        (json.dumps(json.dumps({"ssn": "1", "m": MAIL})), json.dumps('{"ssn": "[masked]", "m": "[mail]"}')),
        (f'rows: {{"ssn": "1", "m": "{MAIL}"}} and {MAIL}', 'rows: {"ssn": "[masked]", "m": "[mail]"} and [mail]'),
        ('{"ssn":1} , {"ssn":2} , {"a":"b"}', '{"ssn":"[masked]"} , {"ssn":"[masked]"} , {"a":"b"}'),
        ('{"ssn":"1"}\n{"ssn":"2"}', '{"ssn":"[masked]"}\n{"ssn":"[masked]"}'),
        ("AKIA\\u0049OSFODNN7EXAMPLE", "[aws]"),
        ("bob%40example%2Ecom and bob&#64;example.com", "[mail] and [mail]"),
        (f"see {in_base64('mail ' + MAIL + ' now')} ok", f"see {in_base64('mail [mail] now')} ok"),
        (("to " + MAIL).encode().hex(), b"to [mail]".hex()),
        (in_base64(json.dumps({"ssn": "123", "a": "b"})), in_base64('{"ssn": "[masked]", "a": "b"}')),
        ("no secrets here", "no secrets here"),
        ("", ""),
        ("[mail] ****1234 [masked]", "[mail] ****1234 [masked]"),
    ],
)  # fmt: skip
def test_a_text_is_masked_wherever_something_stands_in_it(text: str, expected: str) -> None:
    assert masked(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        '{"ssn": "1", "ssn": "2"}',
        '{"ssn": 1, "x": NaN}',
        "{'ssn': '123'}",
        'cut off: {"ssn": "123',
        "[1, 2, {ssn}]",
        '"\\"ssn\\": 1',
        '{"ok": 1, "b": 2} {"ssn": 1, "ssn": 2}',
        "[[1 " * 30_000,
    ],
)
def test_where_paths_could_look_into_a_text_that_is_no_json_nothing_of_it_stays(text: str) -> None:
    assert masked(text) == "[unreadable]"
    assert masked(text, masker()) == text


def test_texts_in_texts_are_read_to_a_depth_and_not_beyond() -> None:
    def nested(times: int, wrap: Any) -> str:
        text = f"mail {MAIL} now"
        for _ in range(times):
            text = wrap(text)
        return text

    for wrap in (lambda text: json.dumps({"inner": text}), in_base64):
        assert "unreadable" not in masked(nested(MAX_TEXT_DEPTH, wrap))
        assert "[mail]" not in masked(nested(MAX_TEXT_DEPTH, wrap)) or wrap is not in_base64
        deep = masked(nested(MAX_TEXT_DEPTH + 1, wrap))
        assert leaks(deep.encode(), "[unreadable]")


def test_equal_texts_under_other_names_or_paths_are_answered_apart() -> None:
    using = masker(field("$.a.ssn"))
    value = {"a": '{"ssn": "1"}', "b": '{"ssn": "1"}', "c": {"ssn": "1"}}
    assert using.document(value).value == {"a": '{"ssn": "[masked]"}', "b": '{"ssn": "1"}', "c": {"ssn": "1"}}


def test_a_path_that_names_the_document_leaves_a_mark_in_its_place() -> None:
    using = masker(field("$"))
    assert masked('{"a": 1, "b": 2}', using) == "[masked]"
    assert using.document({"text": 'here: {"a": 1, "b": 2}'}).value == "[masked]"


def test_what_a_mask_uncovers_is_searched_too() -> None:
    assert masked("so a@b.de123-45-6789 is") == "so [mail][ssn] is"
    assert masked('{"x": "so a@b.de123-45-6789 is"}') == '{"x": "so [mail][ssn] is"}'
    inner = in_base64("so a@b.de123-45-6789 is")
    assert masked(f"see {inner}") == f"see {in_base64('so [mail][ssn] is')}"


def test_what_never_comes_to_rest_leaves_nothing() -> None:
    letter = OwnDetector(name="letter", patterns=(r"\b[a-z]",))
    using = Masker(Masks(detections=(detect("letter"),), own=(letter,)), KEY)
    assert masked("abc", using) == "[letter][letter][letter]"
    assert masked("abcdefghijklmnopqrstuvwxyz", using) == "[unreadable]"
    assert masked('{"a": "abcdefghijklmnopqrstuvwxyz"}', using) == '{"[letter]": "[unreadable]"}'


def test_packed_text_in_base64_is_not_taken_for_text() -> None:
    packed = base64.b64encode(gzip.compress(b"nothing to see, really nothing")).decode()
    assert masked(f"see {packed}") == f"see {packed}"


def test_the_digits_of_a_hash_are_no_run() -> None:
    """Some decode to a text, and under this name every text is a secret."""
    using = Masker(Masks(detections=(detect("password", mask=HASH),)), KEY)
    marks = (using._rules.marks.of(str(number), "password", HASH) for number in range(1_000_000))
    value = {"password": next(mark for mark in marks if runs(mark))}
    assert using.document(value).value is value


def test_counts_are_of_every_place() -> None:
    value = [MAIL, {"x": f"{MAIL} {MAIL}"}, json.dumps([MAIL, MAIL]), in_base64(f"to {MAIL} and on")]
    assert MASKER.document(value).counts == {"mail": 6}


def test_what_is_found_within_a_mark_alone_leaves_the_text_as_it_is() -> None:
    word = OwnDetector(name="word", words=("mail",))
    using = Masker(Masks(detections=(detect("word", "mail"),), own=(word,)), KEY)
    found = using.document({"a": "to [mail] now", "b": "[mail]", "c": "mail"})
    assert found.value == {"a": "to [mail] now", "b": "[mail]", "c": "[word]"}
    assert found.counts == {"word": 1}


def test_marks_mails_and_runs_side_by_side_are_each_seen_once() -> None:
    text = f"{MAIL} [mail] {in_base64('to ' + MAIL + ' now')} " * 300
    once = f"[mail] [mail] {in_base64('to [mail] now')} " * 300
    assert masked(text) == once
    assert MASKER.document(text).counts == {"mail": 600}


def test_a_value_that_is_not_sure_enough_for_its_own_rule_stays() -> None:
    using = masker(detect("plate", threshold=0.7), detect("mail"))
    value = {"a": "HH-XY 12", "b": MAIL}
    assert using.document(value).value == {"a": "HH-XY 12", "b": "[mail]"}
