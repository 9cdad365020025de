r"""What is known of a shape holds for every text of that shape."""

import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from extproc.core.masking import DETECTORS, OwnDetector
from extproc.core.redaction.detectors import BUILT_IN, compile_detectors
from extproc.core.redaction.detectors.shapes import LONGEST, SHAPE, Fit, Form, Shapes, relaxed

VALUES = st.sampled_from(
    [
        *("ann@example.com", "+49 30 1234567", "078-05-1120", "4111111111111111", "4111 1111 1111 1111 12/28"),
        *("DE89370400440532013000", "AT61 1904 3002 3457 3201 is mine", "10.20.30.40", "fe80::1", "2026-01-31"),
        *("AB 12 34 56 C", "756.9217.0769.85", "tel 0412 345 678", "born 1980-01-31", "(202) 555-0143 x 12"),
        *("A1-b2_c3", "ssn 536221234", "00:1B:44:11:3A:B7", "12345678Z", "password=hunter22"),
    ]
)
EDITS = st.text(alphabet="aZ019 .-_/@:+(=", max_size=4)
TEXTS = st.builds(lambda before, value, after: before + value + after, EDITS, VALUES, EDITS)
NAMES = st.sampled_from(["", "phone", "ssn", "note", "card_number"])


LEARNED = compile_detectors(DETECTORS, (), threshold=0.5)


@given(TEXTS, NAMES)
@settings(deadline=None)
def test_a_known_shape_changes_nothing_of_what_is_found(text: str, name: str) -> None:
    """A text longer than shapes are learned for is searched by the patterns themselves."""
    padded = text + " " * (LONGEST + 1)
    for _ in range(6):
        found = LEARNED.find([text], [name])
    assert found == LEARNED.find([padded], [name])


@given(st.sampled_from(BUILT_IN), st.text(alphabet=st.characters(max_codepoint=127), max_size=30) | TEXTS)
@settings(deadline=None)
def test_a_pattern_fits_no_text_whose_shape_it_does_not_fit(rule, text: str) -> None:  # type: ignore[no-untyped-def]
    made = relaxed(rule.pattern)
    assert made is not None
    if re2.compile(rule.pattern).search(text):
        assert re2.compile(made[0].encode()).search(text.encode().translate(SHAPE))


def test_a_pattern_says_of_which_characters_its_shape_is_vague() -> None:
    assert relaxed(r"\d{3}-[A-Za-z]+") == (r"[\x30]{3}[\x2d][\x61]+", b"")
    assert relaxed(r"[1-9]\.x") == (r"[\x30][\x2e][\x61]", b"0a")
    assert relaxed(r"\bé$") == (r"\b[^\x00-\x7f]$", b"")
    assert relaxed(r"a\Q.\E") is None


def test_a_shape_is_learned_when_it_comes_often_and_no_more_than_so_many_are_kept() -> None:
    shapes = Shapes([Form(r"\d-\d", r"\d-\d", 0), Form("[12]x", "[12]x", 0), Form("a\\C", "a\\C", 0)])
    for _ in range(4):
        assert shapes.meet(b"0-0") is None
    assert shapes.meet(b"0-0") == (Fit(0, ((0, 3),)), Fit(2, ()))
    assert shapes.known[b"0-0"] == (Fit(0, ((0, 3),)), Fit(2, ()))
    assert shapes.meet(b"0" * (LONGEST + 1)) is None
    assert shapes.meet("é".encode()) is None
    for _ in range(5):
        shapes.meet(b"0a")
    assert shapes.known[b"0a"] == (Fit(1, ()), Fit(2, ()))
    for number in range(9000):
        for _ in range(5):
            shapes.meet(str(number).encode())
        assert len(shapes.known) <= 4096
    for number in range(9000):
        shapes.meet(b"x%d" % number)


def test_an_operators_pattern_is_known_by_shape_too() -> None:
    own = OwnDetector(name="staff", patterns=(r"E\d{5}", r"\QX.1\E"))
    detectors = compile_detectors(("staff",), (own,), threshold=0.5)
    for _ in range(7):
        assert [len(finds) for finds in detectors.find(["E12345", "F12345", "X.1"])] == [1, 0, 1]


def test_a_pattern_that_is_too_large_to_be_relaxed_fits_every_shape() -> None:
    huge = f"(?:{'ab1-' * 240}){{1000}}"
    shapes = Shapes([Form(huge, huge, 0)])
    for _ in range(5):
        learned = shapes.meet(b"a0")
    assert learned == (Fit(0, ()),)
