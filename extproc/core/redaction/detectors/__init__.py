"""What is found in texts: the interface of the detectors, and those of the operator.

``compile_detectors`` makes one search of the wanted types; ``Detectors.find`` searches many texts at once. Finds of one
text come in the order of their start and may overlap: who masks lays them together, so that no rest of one stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import re2

from extproc.core.masking import OwnDetector

__all__ = ["Detectors", "Find", "compile_detectors"]

_NEAR: Final = 60


@dataclass(frozen=True, slots=True)
class Find:
    """One find in one text: characters ``start`` to ``end``, the detector's name, and how sure it is (0 to 1)."""

    start: int
    end: int
    type: str
    score: float


class Detectors:
    """A search for several types at once."""

    def __init__(self, types: Sequence[str], own: Sequence[OwnDetector], threshold: float) -> None:
        self._own: Final = [(each, _compiled(each)) for each in own if each.name in types and each.score >= threshold]

    def find(self, texts: Sequence[str], names: Sequence[str] | None = None) -> list[tuple[Find, ...]]:
        """What is found in each text; ``names`` are the names of the members that the texts stand under."""
        under = names if names is not None else [""] * len(texts)
        return [self._in_one(text, name) for text, name in zip(texts, under, strict=True)]

    def _in_one(self, text: str, name: str) -> tuple[Find, ...]:
        finds: list[Find] = []
        for own, pattern in self._own:
            for found in pattern.finditer(text):
                start, end = found.span()
                near = f"{name} {text[max(start - _NEAR, 0) : start]}".lower()
                if not own.context or any(word.lower() in near for word in own.context):
                    finds.append(Find(start, end, own.name, own.score))
        return tuple(sorted(finds, key=lambda each: (each.start, -each.end)))


def _compiled(own: OwnDetector) -> Any:
    options = re2.Options()
    options.log_errors = False
    words = [rf"(?i:\b{re2.escape(word)}\b)" for word in own.words]
    return re2.compile("|".join([*(f"(?:{pattern})" for pattern in own.patterns), *words]), options)


def compile_detectors(types: Sequence[str], own: Sequence[OwnDetector], *, threshold: float) -> Detectors:
    """The search for these types; finds that score below ``threshold`` are left out."""
    return Detectors(types, own, threshold)
