"""Names and places in the texts of one value: what is read for them, how much, and what is made of the answers.

A recogniser (``core.masking``) sees words in their context, so what it is asked must not change with what stands beside
it: every line between two marks is a text of its own. No mark is then taken for a name, and a text that was masked is
read as it was read when it was last masked. Each line is asked for once; what is over the cap, and whatever the
recogniser does not answer, cannot be vouched for.
"""

import re
from collections.abc import Container, Iterator, Sequence
from typing import Final, TypeAlias

from extproc.core.limits import MAX_NAMED_CHARS
from extproc.core.masking import Find, Recogniser
from extproc.core.redaction.detectors.folding import Folded, fold

__all__ = ["Finds", "Names", "can_hold"]

Finds: TypeAlias = tuple[Find, ...]

_LINE: Final = re.compile(r"[^\s](?:[^\r\n]*[^\s])?")
_LEAST: Final = 16
"""Characters that a line counts as at least: each costs something by itself."""
_SIGN: Final = re.compile(r"[^\w\s]")
_SIGN_COUNTS: Final = 4
"""Characters that a sign counts as: each is a word by itself to the model, and a word has about as many."""
_LETTERS: Final = re.compile(r"[^\W\d_]{2}")


class Names:
    """The search in one value; ``types`` are those that are wanted."""

    def __init__(self, recogniser: Recogniser, types: Container[str]) -> None:
        self._recogniser: Final = recogniser
        self._types: Final = types
        self._known: Final[dict[str, Finds | None]] = {}
        self._room = MAX_NAMED_CHARS

    def find(self, texts: Sequence[str], marks: Sequence[Sequence[tuple[int, int]]]) -> list[Finds | None]:
        """What is found in each text outside of its ``marks``, in order; None where nobody can say."""
        lines = [list(_lines(text, fixed)) for text, fixed in zip(texts, marks, strict=True)]
        self._ask(dict.fromkeys(folded.text for each in lines for _, folded in each))
        return [self._finds(each) for each in lines]

    def _ask(self, lines: "dict[str, None]") -> None:
        asked: list[str] = []
        for line in lines:
            if line in self._known:
                continue
            cost = max(len(line) + (_SIGN_COUNTS - 1) * len(_SIGN.findall(line)), _LEAST)
            if cost > self._room:
                self._known[line] = None
            else:
                self._room -= cost
                asked.append(line)
        if asked:
            self._known.update(zip(asked, self._answers(asked), strict=True))

    def _answers(self, asked: Sequence[str]) -> Sequence[Finds | None]:
        try:
            answers = self._recogniser(asked)
            return [self._checked(finds, line) for line, finds in zip(asked, answers, strict=True)]
        except Exception:  # noqa: BLE001 - not our code; what it could not read is withheld (invariant 5)
            return [None] * len(asked)

    def _checked(self, finds: Sequence[Find], line: str) -> Finds:
        for find in finds:
            if not 0 <= find.start < find.end <= len(line):
                raise ValueError("a find outside of its text")
        return tuple(find for find in finds if find.type in self._types)

    def _finds(self, lines: "list[tuple[int, Folded]]") -> Finds | None:
        found: list[Find] = []
        for at, folded in lines:
            finds = self._known[folded.text]
            if finds is None:
                return None
            for find in finds:
                start, end = folded.span(find.start, find.end)
                found.append(find._replace(start=at + start, end=at + end))
        return tuple(found)


def _lines(text: str, marks: Sequence[tuple[int, int]]) -> "Iterator[tuple[int, Folded]]":
    """Each line outside of marks that can hold a name: where it begins, and how it reads."""
    at = 0
    for start, end in (*marks, (len(text), len(text))):
        for line in _LINE.finditer(text, at, start):
            if can_hold(line[0]):
                yield line.start(), fold(line[0])
        at = end


def can_hold(line: str) -> bool:
    """Whether a name can stand in a text: letters, and a space or a capital; one small word is an identifier."""
    return _LETTERS.search(line) is not None and (" " in line or line != line.lower())
