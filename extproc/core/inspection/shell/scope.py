"""What a judge of one command knows besides its words, and whom it asks about what the command runs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from extproc.core.inspection.shell.effects import Effect
from extproc.core.inspection.shell.steps import NOTHING, Feed
from extproc.core.inspection.shell.words import Word

__all__ = ["Judge", "Scope"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The surroundings of a command.

    Its input, the values that the text gives variables, the files written before it, the folders that the line
    enters, how deep it is in others, and whether it is only guessed that it runs.

    ``run`` judges the command that another one runs; ``read`` judges shell code.
    """

    run: Callable[[Sequence[Word], "Scope"], Effect]
    read: Callable[[Word, "Scope"], Effect]
    feed: Feed = NOTHING
    values: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    written: frozenset[str] = frozenset()
    folders: tuple[str, ...] = ()
    depth: int = 0
    guessing: bool = False


Judge = Callable[[Sequence[Word], Scope], Effect | None]
"""Judges a command of a known name by its other words; None for a subcommand that nobody reviewed."""
