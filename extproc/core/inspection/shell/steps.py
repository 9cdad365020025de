"""The steps of a command line: what runs with which input, what is assigned, where output goes."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from extproc.core.inspection.shell.words import Word

__all__ = ["NOTHING", "Assignment", "Feed", "Input", "Oddity", "Redirect", "Run", "Step"]


class Input(Enum):
    """Where standard input comes from."""

    NOTHING = "nothing"
    PIPE = "pipe"
    FILE = "file"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Feed:
    """Standard input of a step; ``word`` is the text of a heredoc or here-string."""

    source: Input
    word: Word | None = None


NOTHING: Final = Feed(Input.NOTHING)
"""No input of its own: that of the text around it."""


@dataclass(frozen=True, slots=True)
class Run:
    """A command that runs; ``words`` begins with its name."""

    words: tuple[Word, ...]
    feed: Feed = NOTHING


@dataclass(frozen=True, slots=True)
class Assignment:
    """A variable that gets a value; None where the value is a list."""

    name: str
    value: Word | None


@dataclass(frozen=True, slots=True)
class Redirect:
    """Output into a file, or input from it; ``alone`` where no command writes: the file is emptied."""

    operator: str
    target: Word
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something that is not read any further, as a sentence."""

    sentence: str


Step = Run | Assignment | Redirect | Oddity
