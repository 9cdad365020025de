import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from extproc.core.limits import MAX_CONTAINERS, MAX_DEPTH, MAX_INTEGER_DIGITS
from extproc.core.rejection import PARSE_ERROR, Rejection
from extproc.core.wire import strict_json
from extproc.core.wire.strict_json import Document

CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "run_shell", "arguments": {"a": "ls"}}}


def accepted(raw: bytes, *, twins: bool = False) -> Document:
    document = strict_json.read(raw, twins=twins)
    assert isinstance(document, Document), document
    return document


def refused(raw: bytes) -> str:
    rejection = strict_json.read(raw)
    assert isinstance(rejection, Rejection), raw[:80]
    assert (rejection.status, rejection.code, rejection.id) == (400, PARSE_ERROR, None)
    return rejection.reason


@pytest.mark.parametrize(
    "raw",
    [
        b'{"name":"echo","name":"run_shell"}',
        b'{"a":{"b":{"c":{"d":{"command":"ls","command":"rm -rf /"}}}}}',
        b'{"name":"echo","n\\u0061me":"run_shell"}',
        b'{"a:b":1,"a\\u003Ab":2,"c":3}',
        b'{"a":1,"a":1}',
        b'[{"a":"\\\\u003a:","a":":"}]',
        b'{"x":1 ,"x":{}}',
    ],
)
def test_a_duplicate_key_is_refused_at_any_depth_and_also_when_escaped(raw):
    assert refused(raw) == "duplicate_key"


def test_an_escaped_backslash_before_a_colon_escape_is_no_duplicate():
    assert accepted(b'{"a": "\\\\u003a"}').value == {"a": "\\u003a"}


@pytest.mark.parametrize(
    "twin",
    [
        "Name",
        "NAME",
        "name\\u0000",
        "name\\u200b",
        "na\\u00adme",
        " name",
        "name\\t",
        "name\\u00a0",
        "\uff4eame",
        "name\\ufeff",
    ],
)
def test_a_key_that_could_be_taken_for_its_sibling_is_refused(twin):
    assert refused(f'{{"arguments":{{"name":1,"{twin}":2}}}}'.encode()) == "folded_key"
    assert refused(f'[[{{"{twin}":2,"name":1}}]]'.encode()) == "folded_key"


@pytest.mark.parametrize(
    ("key", "twin"),
    [
        ("params", "param\u017f"),
        ("toolk", "tool\u212a"),
        ("café", "cafe\u0301"),
        ("tel", "\u2121"),
        ("x" * 70, " " + "X" * 70),
    ],
)
def test_letters_that_fold_across_scripts_are_twins(key, twin):
    assert refused(json.dumps({key: 1, twin: 2}, ensure_ascii=False).encode()) == "folded_key"
    assert refused(json.dumps({key: 1, twin: 2}).encode()) == "folded_key"


def test_keys_that_only_look_related_are_not_twins():
    value = {"first name": 1, "firstname": 2, "first_name": 3, "a,b": 4, "A": 5, "naïve": 6, "naive": 7, "": 8}
    assert accepted(json.dumps(value).encode()).value == value


def test_a_long_key_is_folded_without_normalisation():
    long = "é" * 65
    assert refused(json.dumps({long: 1, long.upper(): 2}).encode()) == "folded_key"
    decomposed = unicodedata.normalize("NFD", long)
    assert accepted(json.dumps({long: 1, decomposed: 2}).encode()).value == {long: 1, decomposed: 2}


def test_a_response_may_have_keys_that_differ_in_case_but_none_twice():
    assert accepted(b'{"ID":1,"id":2}', twins=True).value == {"ID": 1, "id": 2}
    rejection = strict_json.read(b'{"id":1,"id":2}', twins=True)
    assert isinstance(rejection, Rejection)
    assert rejection.reason == "duplicate_key"


def test_every_invisible_character_vanishes_in_a_fold():
    # a format character that is not default-ignorable (U+0600, U+070F, ...) has a glyph
    for code in [*range(0x20), *range(0x7F, 0xA0), 0xAD, 0x200B, 0x200D, 0x202E, 0x2060, 0xFE0F, 0xFEFF, 0xE0041]:
        assert strict_json.fold(f"na{chr(code)}me") == "name", hex(code)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_any_encoding_but_utf_8_is_refused(encoding):
    assert refused(json.dumps(CALL).encode(encoding)) == "not_json"


@pytest.mark.parametrize("lead", ["\ufeff", "\ufeff\ufeff", "\u00a0", "\x0b", "\x0c", "\u2028", "\0"])
def test_a_byte_order_mark_or_foreign_white_space_is_refused(lead):
    assert refused(f'{lead}{{"a":1}}'.encode()) == "not_json"
    assert refused(f'{{"a":1}}{lead}'.encode()) == "not_json"


@pytest.mark.parametrize("octets", [b"\xff", b"\xc0\xae", b"\xed\xa0\x80", b"\xed\xa0\x80\xed\xb0\x80", b"\xe2\x82"])
def test_bad_utf_8_is_refused_in_keys_and_values(octets):
    assert refused(b'{"a":"' + octets + b'"}') == "not_json"
    assert refused(b'{"' + octets + b'":1}') == "not_json"


@pytest.mark.parametrize("escape", ["\\ud800", "\\udc00", "\\ud800\\ud800", "\\ud800x", "\\udc00\\ud800"])
def test_a_lone_surrogate_escape_is_refused(escape):
    assert refused(f'{{"a":"{escape}"}}'.encode()) == "not_json"


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "0x10", "+1", ".5", "1.", "01", "-", "1e"]
)
def test_what_is_no_finite_json_number_is_refused(number):
    assert refused(f'{{"a":{number}}}'.encode()) == "not_json"


@pytest.mark.parametrize(
    "number", ["-0", "1.0", "1E5", "-0.0", "9007199254740993", "9223372036854775808", "1" + "0" * 30]
)
def test_numbers_pass_as_they_were_written(number):
    raw = f'{{"a":{number}}}'.encode()
    document = accepted(raw)
    assert document.one_reading
    assert document.value["a"] == json.loads(number)
    assert json.loads(document.canonical) == json.loads(raw)


def test_long_integers_keep_every_digit():
    digits = "9" * MAX_INTEGER_DIGITS
    document = accepted(f'{{"a" : -{digits}}}'.encode())
    assert document.canonical == f'{{"a":-{digits}}}'.encode()
    assert document.one_reading


@pytest.mark.parametrize("digits", [MAX_INTEGER_DIGITS + 1, 4301, 1_000_000])
def test_too_many_digits_are_refused_before_they_are_parsed(digits):
    assert refused(b'{"a":' + b"1" * digits + b"}") == "number_too_long"
    assert refused(b'{"a":-' + b"1" * digits + b"}") == "number_too_long"
    assert refused(b'{"a":1' + b"0" * digits + b"e-5}") == "number_too_long"


def test_digits_in_strings_and_fractions_are_no_long_integers():
    digits = "1" * 200
    value = accepted(f'{{"a":"{digits}","\\"{digits}":0.{digits},"b":"\\\\"}}'.encode()).value
    assert value == {"a": digits, f'"{digits}': float(f"0.{digits}"), "b": "\\"}


@pytest.mark.parametrize(
    "number",
    ["100.00000000000000001", "0.1000000000000000055511151231257827", "1e-320", "1.5e+300", "12345678901234567e2"],
)
def test_a_number_that_a_double_cannot_hold_is_forwarded_as_it_was_judged(number):
    document = accepted(f'{{"limit": {number}}}'.encode())
    assert not document.one_reading
    assert json.loads(document.canonical) == {"limit": float(number)}


@pytest.mark.parametrize(
    "text",
    ['{"a": 0.1}', '{"a": "550e8400-e29b"}', '{"a": "100.00000000000000001"}', '{"a": 12345678901234567}', '{"a":1e5}'],
)
def test_what_every_reader_reads_alike_is_forwarded_as_it_came(text):
    assert accepted(text.encode()).one_reading


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_nesting_is_bounded(opening):
    closing = "]" if opening == "[" else "}"

    def nested(depth: int) -> bytes:
        return (opening * (depth - 1) + ("[]" if opening == "[" else "{}") + closing * (depth - 1)).encode()

    assert accepted(nested(MAX_DEPTH))
    for depth in (MAX_DEPTH + 1, 1_000, 100_000):
        assert refused(nested(depth)) == "too_deep"
    assert refused(opening.encode() * 100_000) in {"too_deep", "not_json"}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b'{"a":1}{"a":1}',
        b'{"a":1} x',
        b'{"a":1}\n{"a":1}',
        b'{"a":1}\0',
        b"/*x*/{}",
        b"{}//",
        b"{'a':1}",
        b'{"a":1,}',
        b"[1,]",
        b"{a:1}",
        b"# x\n{}",
        b'"unterminated',
        b'["' + b'\\"' * 50 + b"1" * 70,
    ],
)
def test_anything_beside_one_json_text_is_refused(raw):
    assert refused(raw) == "not_json"


def test_scalars_and_prototype_names_are_plain_values():
    assert [accepted(raw).value for raw in (b"1", b'"x"', b"null", b" true\r\n\t")] == [1, "x", None, True]
    raw = b'{"__proto__":{"constructor":1},"prototype":2}'
    assert accepted(raw).value == json.loads(raw)


def test_a_key_may_pass_for_a_known_one_only_by_being_it():
    known = frozenset({"name"})
    assert strict_json.disguised(["x", "nAme"], known)
    assert strict_json.disguised(["name\0"], known)
    assert not strict_json.disguised(["nom", "names"], known)


@pytest.fixture(scope="module")
def suite(corpora: Path) -> list[Path]:
    files = sorted((corpora / "jsontestsuite" / "test_parsing").glob("*.json"))
    assert len(files) > 100
    return files


def test_json_test_suite_is_met(suite):
    for file in suite:
        raw = file.read_bytes()
        for body, inner in ((raw, lambda v: v), (b'{"arguments":' + raw + b"}", lambda v: v["arguments"])):
            outcome = strict_json.read(body)
            if file.name.startswith("n_"):
                assert isinstance(outcome, Rejection), file.name
            elif file.name.startswith("y_") and "duplicated_key" not in file.name:
                assert isinstance(outcome, Document), file.name
                assert inner(outcome.value) == json.loads(raw), file.name
                assert inner(json.loads(outcome.canonical)) == json.loads(raw), file.name


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.binary())
@example(b'{"a":\x80}')
def test_no_bytes_make_it_raise(raw):
    assert isinstance(strict_json.read(raw), Document | Rejection)


@given(JSON, st.sampled_from([None, 1]), st.booleans())
def test_the_canonical_form_reads_as_the_same_value(value, indent, ascii_only):
    document = strict_json.read(json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode(), twins=True)
    if isinstance(document, Document):  # an integer may be too long
        assert json.loads(document.canonical) == document.value == value
        again = strict_json.read(document.canonical, twins=True)
        assert isinstance(again, Document)
        assert again.value == value


KEYS = st.sampled_from(["a", "b", "a:b", "\\u003a", "\\\\u003a", "c\\u003Ad", "\\u0061", ""])
TEXTS = st.sampled_from(['""', '":"', '"\\u003a"', '"\\\\u003A"', "1", "[]", "{}", "null"])


def objects(inner):
    members = st.lists(st.tuples(KEYS, inner), max_size=4)
    space = st.sampled_from(["", " "])
    return st.builds(lambda ms, s: "{" + f",{s}".join(f'"{k}"{s}:{s}{v}' for k, v in ms) + "}", members, space)


@settings(max_examples=500)
@given(
    st.recursive(TEXTS, lambda inner: objects(inner) | st.lists(inner, max_size=3).map(lambda v: f"[{','.join(v)}]"))
)
def test_exactly_the_duplicates_that_a_pair_reader_sees_are_refused(text):
    seen = []

    def pairs(members):
        seen.append(len(members) != len(dict(members)))
        return dict(members)

    json.loads(text, object_pairs_hook=pairs)
    outcome = strict_json.read(text.encode(), twins=True)
    assert isinstance(outcome, Rejection) == any(seen)


def test_more_objects_and_arrays_than_anybody_needs_are_refused():
    fits = b"[" + b",".join([b"{}"] * MAX_CONTAINERS) + b"]"
    assert isinstance(strict_json.read(fits), Document)
    assert refused(fits[:-1] + b",[]]") == "too_many_values"
