"""What a built-in detector is: an anchor, a pattern, a check, and how sure a find is with and without context."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

__all__ = ["ALONE", "Rule", "likely", "only_near"]

ALONE: Final = "-._+/:@"
"""Characters that make a number part of something longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """``anchor`` (RE2, without counted repeats) stands in every text in which ``pattern`` can match.

    Where it is ``apart``, it is a condition of its own, which may be met anywhere in what is searched together.
    ``group`` of the pattern is what is found. ``check`` sees the found text; ``part`` says how many of its characters
    it is, where the pattern may take too many. With one of ``context`` near before it,
    or in the name of its member, a find scores ``near``, else ``score``. ``edges``: no word character beside it;
    ``joined``: characters that, with a digit behind them, make it part of something longer.
    """

    type: str
    anchor: str
    pattern: str
    check: Callable[[str], bool] | None = None
    part: Callable[[str], int] | None = None
    score: float = 0.9
    context: tuple[str, ...] = ()
    near: float = 0.0
    edges: bool = True
    joined: str = ""
    group: int = 0
    apart: bool = False


def _word(pattern: str) -> str:
    """A number begins and ends with a letter or a digit; RE2 sees the edges of words sooner than we do."""
    return rf"\b(?:{pattern})\b"


def likely(type: str, anchor: str, pattern: str, check: Callable[[str], bool], *context: str) -> Rule:  # noqa: A002
    """A number whose form and check digits say enough; context makes it surer."""
    return Rule(
        type=type,
        anchor=anchor,
        pattern=_word(pattern),
        check=check,
        score=0.6,
        context=context,
        near=0.95,
        joined=ALONE,
    )


def only_near(type: str, anchor: str, pattern: str, check: Callable[[str], bool], *context: str) -> Rule:  # noqa: A002
    """A number that many other numbers look like: below the default threshold without context."""
    return Rule(
        type=type,
        anchor=anchor,
        pattern=_word(pattern),
        check=check,
        score=0.4,
        context=context,
        near=0.9,
        joined=ALONE,
    )
