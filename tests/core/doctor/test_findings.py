"""Findings of several places are one, the worst first."""

from extproc.core.doctor import Finding, Severity, merged

WEAK = Finding(Severity.WEAK, "w", "cure", ("a",))
UNSAFE = Finding(Severity.UNSAFE, "u", "cure", ("a",))


def test_equal_findings_are_one_with_every_place_once():
    again = Finding(Severity.WEAK, "w", "cure", ("b", "a"))
    assert merged([WEAK, again, WEAK]) == (Finding(Severity.WEAK, "w", "cure", ("a", "b")),)


def test_what_differs_stays_apart_and_the_worst_comes_first():
    other = Finding(Severity.WEAK, "w", "another cure", ("a",))
    assert merged([WEAK, other, UNSAFE]) == (UNSAFE, WEAK, other)
