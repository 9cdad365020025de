"""A document is walked whole: each text, number and name is asked for, and what comes back takes its place."""

from typing import Any

from extproc.core.redaction.fields import Claim, Place, start
from extproc.core.redaction.tree import document
from masks import field

NOWHERE = start([])


class Shouting:
    """Answers in capitals, and keeps what it was asked."""

    def __init__(self) -> None:
        self.names: dict[str, bool] = {}
        self.asked: list[tuple[Any, str]] = []

    def text(self, text: str, name: str, _: Place) -> str:
        self.asked.append((text, name))
        return text if text == text.upper() else text.upper()

    def learn(self, name: str) -> None:
        self.names[name] = name != name.upper()

    def name(self, name: str) -> str:
        return name.upper()

    def number(self, number: float, name: str) -> Any:
        self.asked.append((number, name))
        return f"#{number}" if number > 9 else number

    def claimed(self, _: Any, claim: Claim) -> Any:
        return "CLAIMED" if claim.rules else None

    def opaque(self) -> str:
        return ""


def test_texts_numbers_and_names_are_replaced_and_the_rest_stays() -> None:
    value = {"a": "x", "B": ["y", 5, 10, 1.5, True, None, {"c": {}}], "d": []}
    copy = {"a": "x", "B": ["y", 5, 10, 1.5, True, None, {"c": {}}], "d": []}
    assert document(value, NOWHERE, Shouting()) == {"A": "X", "B": ["Y", 5, "#10", 1.5, True, None, {"C": {}}], "D": []}
    assert value == copy


def test_a_document_that_stays_is_the_same_object() -> None:
    value = {"A": ["X", {"B": 1}], "C": {"D": "E"}}
    assert document(value, NOWHERE, Shouting()) is value
    assert document(5, NOWHERE, Shouting()) == 5


def test_only_what_changed_is_new() -> None:
    value = {"A": {"B": "stays not"}, "C": ["STAYS"]}
    walked = document(value, NOWHERE, Shouting())
    assert walked == {"A": {"B": "STAYS NOT"}, "C": ["STAYS"]}
    assert walked["C"] is value["C"]


def test_the_name_of_a_member_goes_with_its_texts_unless_it_says_nothing() -> None:
    sink = Shouting()
    document({"A": "X", "B": ["Y", 7, ["Z"]]}, NOWHERE, sink, "ROOT")
    assert sink.asked == [("X", "A"), ("Y", "B"), (7, "B"), ("Z", "B")]
    quiet = Shouting()
    document({"A": "X", "B": ["Y"]}, NOWHERE, quiet, telling=False)
    assert quiet.asked == [("X", ""), ("Y", "")]


def test_names_that_become_equal_stay_apart_in_their_order() -> None:
    assert list(document({"a": 1, "A": 2, "b": 3}, NOWHERE, Shouting()).items()) == [("A", 1), ("A#2", 2), ("B", 3)]


def test_what_paths_name_is_claimed_whole() -> None:
    place = start([field("$.rows[*].ssn"), field("$.list[0]"), field("$.whole")])
    value = {"ROWS": 1, "rows": [{"ssn": {"n": 1}, "X": "Y"}], "list": [[1], [2]], "whole": None}
    walked = document(value, place, Shouting())
    assert walked == {"ROWS": 1, "ROWS#2": [{"SSN": "CLAIMED", "X": "Y"}], "LIST": ["CLAIMED", [2]], "WHOLE": "CLAIMED"}
    assert document({"a": 1}, start([field("$")]), Shouting()) == "CLAIMED"
