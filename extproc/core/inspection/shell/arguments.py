"""Options and operands of a command, by the habits of getopt.

Two manners. What makes a command harmful is looked for leniently: abbreviated, clustered, with or without its value.
What makes it harmless is taken strictly, by the caller.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from extproc.core.inspection.shell.words import Word

__all__ = ["has", "is_option", "operands", "option_like", "takes_next", "values"]

_SHORTEST: Final = 3
"""The shortest abbreviation of a long option: ``--f`` may be ``--force``."""


def is_option(text: str, option: str, glues: frozenset[str] = frozenset()) -> bool:
    """Whether a word may be an option, in any spelling.

    ``--force`` is also abbreviated or has a value, ``-f`` is also in a cluster, ``-delete`` is a long option with one
    dash or two, and an option without a dash (``+main``, ``of=``) is the beginning of a word. Behind an option in
    ``glues`` the rest of a cluster is its value.
    """
    if not option.startswith("-"):
        return text.startswith(option)
    if option.startswith("--"):
        name = text.partition("=")[0]
        return len(name) >= _SHORTEST and name.startswith("--") and option.startswith(name)
    if len(option) > 2:
        return text.startswith("-") and text.lstrip("-").partition("=")[0] == option[1:]
    if len(text) < 2 or text[0] != "-" or text[1] == "-":
        return False
    ends = [text.index(letter[1]) for letter in glues if letter[1] in text]
    return option[1] in text[: min(ends, default=len(text)) + 1]


def option_like(words: Sequence[Word]) -> Iterator[Word]:
    """The words before ``--`` that are no plain operand."""
    for word in words:
        if word.text == "--":
            return
        yield word


def has(words: Sequence[Word], options: Iterable[str], glues: frozenset[str] = frozenset()) -> bool:
    """Whether one of the options is there, leniently."""
    kept = tuple(options)
    return any(is_option(word.text, option, glues) for word in option_like(words) for option in kept)


def values(words: Sequence[Word], options: Iterable[str]) -> Iterator[Word]:
    """The values of the options: behind ``=``, glued to a short one, or the next word."""
    kept = tuple(options)
    for index, word in enumerate(words):
        if word.text == "--":
            return
        for option in kept:
            if is_option(word.text, option):
                glued = _glued(word.text, option)
                if glued:
                    yield Word(glued, word.names, word.open)
                elif index + 1 < len(words):
                    yield words[index + 1]


def operands(words: Sequence[Word], takes: frozenset[str] = frozenset()) -> list[Word]:
    """The words that are no option and no value of one in ``takes``; everything behind ``--``."""
    found: list[Word] = []
    skip = False
    for index, word in enumerate(words):
        if skip:
            skip = False
        elif word.text == "--":
            return found + list(words[index + 1 :])
        elif word.text.startswith("-") and len(word.text) > 1:
            skip = takes_next(word.text, takes)
        else:
            found.append(word)
    return found


def _glued(text: str, option: str) -> str:
    """The value in the option's own word, empty where it is the next one."""
    if len(option) == 2 and not text.startswith("--"):
        return text.partition(option[1])[2].removeprefix("=")
    return text.partition("=")[2]


def takes_next(text: str, takes: frozenset[str]) -> bool:
    """Whether an option has its value in the next word."""
    if text.startswith("--") or text in takes:
        return text in takes
    for index, letter in enumerate(text[1:], 1):
        if f"-{letter}" in takes:
            return index == len(text) - 1
    return False
