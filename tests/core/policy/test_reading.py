from extproc.core.policy.positions import Listing, Scalar, Spot
from extproc.core.policy.reading import Reading, Word, listed
from policies import GOOD, problems

SPOT = Spot(3, 4)


def scalar(text: str, value: object = ...) -> Scalar:
    return Scalar(spot=SPOT, text=text, value=text if value is ... else value)  # type: ignore[arg-type]


def test_a_word_is_equal_wherever_it_stands() -> None:
    assert Word("a", Spot(1, 1)) == Word("a", Spot(2, 2))
    assert Word("a", Spot(1, 1)) != Word("b", Spot(1, 1))


def test_a_missing_node_is_nothing_and_no_problem() -> None:
    reading = Reading(source="p")
    assert reading.entries(None, "x") == reading.items(None, "x") == reading.words(None, "x") == ()
    assert reading.word(None, "x") is reading.duration(None, "x") is reading.choice(None, "x", ("a",)) is None
    assert not reading.problems


def test_durations_are_seconds() -> None:
    reading = Reading(source="p")
    units = {"30s": 30, "15m": 900, "1h": 3600, "7d": 604800}
    assert {text: reading.duration(scalar(text), "x") for text in units} == units
    for text in ("0s", "1", "1w", "-1s", "1.5h", "1s\n", "\u0661s"):
        assert reading.duration(scalar(text), "x") is None
    assert len(reading.problems) == 7


def test_words_must_be_text_and_differ() -> None:
    reading = Reading(source="p")
    items = (scalar("a"), scalar("1", 1), scalar("a"), scalar("  "), scalar("", None))
    assert reading.words(Listing(spot=SPOT, items=items), "x") == (Word("a", SPOT),)
    assert [problem.fix for problem in reading.problems] == [
        "Put it into quotes",
        "Remove one of the two",
        "Write a text",
        "Write a text",
    ]


def test_the_words_of_a_sentence_are_in_backticks() -> None:
    assert listed(["a", "b"]) == "`a`, `b`"


def test_a_problem_never_carries_a_control_character_to_a_terminal() -> None:
    found = problems(GOOD + '"x\\e[31m": 1\n')
    assert len(found) == 1
    assert str(found[0]).isprintable()
