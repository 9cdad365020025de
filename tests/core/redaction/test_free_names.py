"""Names that become equal stay apart."""

from extproc.core.redaction.free_names import FreeNames


def test_a_taken_name_gets_the_next_number_that_is_free() -> None:
    free = FreeNames()
    assert free.free("A", {}) == "A"
    assert free.free("A", {"A": 1, "A#2": 1}) == "A#3"
    assert free.free("A", {"A": 1, "A#2": 1, "A#3": 1}) == "A#4"
    assert free.free("B", {"B": 1}) == "B#2"
    assert free.free("C", {}, {"C", "C#2"}) == "C#3"
    assert free.free("D", {}, {"E"}) == "D"


def test_thousands_of_equal_names_are_asked_for_once_each() -> None:
    class Counted(dict[str, int]):
        asked = 0

        def __contains__(self, name: object) -> bool:
            Counted.asked += 1
            return super().__contains__(name)

    taken, free = Counted(), FreeNames()
    for number in range(2000):
        taken[free.free("[email]", taken)] = number
    assert len(taken) == 2000
    assert Counted.asked < 3 * 2000
