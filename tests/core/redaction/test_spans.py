"""What was found in a text is laid together, kept out of marks, and replaced without a rest."""

from extproc.core.masking import Mask, Style
from extproc.core.redaction.encodings import Run
from extproc.core.redaction.marks import Marks
from extproc.core.redaction.spans import Answer, Span, replaced, settled
from masks import HASH, KEEP, KEY, REDACT

MARKS = Marks(KEY, ["mail", "card"], [REDACT, HASH, KEEP])


def span(text: str, part: str, kind: str = "mail", mask: Mask = REDACT, rule: str = "r") -> Span:
    start = text.index(part)
    return Span(start, start + len(part), kind, part, ((mask, rule),))


def masked(text: str, *spans: Span) -> str:
    return replaced(text, settled(text, spans, MARKS), [], MARKS).text


def test_each_span_is_replaced_by_its_mark() -> None:
    text = "to bob@x.org, card 4111111111111234!"
    spans = span(text, "4111111111111234", "card", KEEP), span(text, "bob@x.org")
    assert masked(text, *spans) == "to [mail], card ****1234!"
    assert masked("bob@x.org", span("bob@x.org", "bob@x.org")) == "[mail]"
    assert masked("nothing") == "nothing"


def test_overlapping_spans_go_as_one_under_the_strictest_mask_and_the_longer_ones_type() -> None:
    text = "ab bob@x.org4111 cd"
    first, second = span(text, "bob@x.org", mask=HASH), span(text, "b@x.org4111", "card", KEEP)
    (one,) = settled(text, (second, first), MARKS)
    assert (text[one.start : one.end], one.kind, one.found) == ("bob@x.org4111", "card", "bob@x.org4111")
    assert len(one.wanted) == 2
    assert masked(text, first, second).startswith("ab [card:")
    within = span(text, "bob", "card")
    assert settled(text, (within, first), MARKS)[0].found == "bob@x.org"


def test_what_lies_in_a_mark_stays_and_no_mark_is_cut_in_two() -> None:
    text = "see [mail] here"
    assert settled(text, (span(text, "mail", "card"), span(text, "[mail]")), MARKS) == ()
    assert masked(text, span(text, "il] he", "card")) == "see [card]re"
    assert masked("[mail]", span("[mail]", "[mail]")) == "[mail]"


def test_a_run_that_changed_is_written_anew_unless_a_span_reaches_into_it() -> None:
    text = "see 68656c6c6f and bob@x.org"
    run = Run(4, 14, "hello", hexadecimal=True)
    changed = Answer("[mail]", {"mail": 1})
    answer = replaced(text, (span(text, "bob@x.org"),), [(run, changed)], MARKS)
    assert (answer.text, dict(answer.counts)) == ("see 5b6d61696c5d and [mail]", {"mail": 2})
    assert not answer.rests
    assert replaced(text, (span(text, "68 and".replace("68", "6f")),), [(run, changed)], MARKS).counts == {"mail": 1}
    assert replaced(text, (), [(run, None)], MARKS).text == text
    within = (Run(6, 12, "ell", hexadecimal=True), Answer("[x]", {"x": 1}))
    both = replaced(text, (), [within, (run, changed)], MARKS)
    assert (both.text, dict(both.counts), both.rests) == ("see 5b6d61696c5d and bob@x.org", {"mail": 1}, False)
    assert replaced(text, (), [(run, Answer("hello", {}))], MARKS).rests


def test_a_text_rests_where_nothing_is_left_to_search() -> None:
    def rests(text: str, part: str) -> bool:
        return replaced(text, (span(text, part),), [], MARKS).rests

    assert rests("bob@x.org", "bob@x.org")
    assert rests(" bob@x.org\n", "bob@x.org")
    assert not rests("mail bob@x.org", "bob@x.org")
    assert replaced("anything", (), [], MARKS).rests


def test_a_hash_is_of_what_was_read() -> None:
    text = "bob%40x.org"
    seen = Span(0, len(text), "mail", "bob@x.org", ((Mask(Style.HASH), "r"),))
    assert masked(text, seen) == MARKS.of("bob@x.org", "mail", HASH)
