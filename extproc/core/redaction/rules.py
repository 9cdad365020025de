"""One set of masks made ready: its paths, its detectors, its marks, and who wants what is found."""

import re
from collections.abc import Sequence
from typing import Final

from extproc.core.masking import NAMES, Find, Masks
from extproc.core.redaction.detectors import compile_detectors
from extproc.core.redaction.fields import Claim, start
from extproc.core.redaction.marks import Marks, strictest
from extproc.core.redaction.names import Names
from extproc.core.redaction.spans import Span, Wanted

__all__ = ["Rules"]

_SMALLEST: Final = 10**6
"""The least number that a built-in detector could take for anything."""
_LARGEST: Final = 1e21
"""From here on a fraction in exponent form has no digits of its own."""


class Rules:
    """What one set of masks looks for. ``begin`` is the place of a document's root, ``nowhere`` has no path."""

    def __init__(self, masks: Masks, key: bytes) -> None:
        kinds = dict.fromkeys(kind for detection in masks.detections for kind in detection.types)
        every = [*(field.mask for field in masks.fields), *(detection.mask for detection in masks.detections)]
        self.begin: Final = start(masks.fields)
        self.nowhere: Final = start(())
        self.marks: Final = Marks(key, kinds, every)
        self.blocks_opaque: Final = masks.blocks_opaque
        self._smallest: Final = 0 if masks.own else _SMALLEST
        self.detectors: Final = compile_detectors(
            tuple(kinds), masks.own, threshold=min((each.threshold for each in masks.detections), default=1.0)
        )
        self._wants: Final = {
            kind: tuple((each.threshold, each.mask, each.rule) for each in masks.detections if kind in each.types)
            for kind in kinds
        }
        self._by_score: Final[dict[tuple[str, float], Wanted]] = {}
        """As far as asked: scores are those of the detectors, and few."""
        self.wants_alike: Final = len(masks.detections) == 1
        """Whether everything that is found becomes the same."""
        self._last_names: Final = _last_names(masks)
        self._recogniser: Final = masks.recogniser if not kinds.keys().isdisjoint(NAMES) else None

    def spans(self, text: str, finds: Sequence[Find]) -> list[Span]:
        """What of the finds in a text is masked."""
        found: list[Span] = []
        for begin, end, kind, score in finds:
            wanted = self._wanted(kind, score)
            if wanted and begin < end:
                found.append(Span(begin, end, kind, text[begin:end], wanted))
        return found

    def _wanted(self, kind: str, score: float) -> Wanted:
        known = self._by_score.get((kind, score))
        if known is None:
            wants = self._wants[kind]
            known = tuple((mask, rule) for least, mask, rule in wants if score >= least)
            self._by_score[kind, score] = known
        return known

    def digits(self, number: float) -> str | None:
        """A number as the text to search, None where no detector would look at it."""
        if abs(number) < self._smallest:
            return None
        if number.__class__ is float:
            # 4.111111111111111e15 is a card number too
            return str(int(number)) if number.is_integer() and abs(number) < _LARGEST else repr(number)
        return str(number)

    def names_a_field(self, text: str) -> bool:
        """Whether a text that is no JSON has a member by the name that a path ends in."""
        return self._last_names is not None and self._last_names.search(text) is not None

    def names(self) -> Names | None:
        """The search for names and places in one value; None where none are looked for."""
        return None if self._recogniser is None else Names(self._recogniser, self._wants)

    def may_overrule(self, claim: Claim) -> bool:
        """Whether a find of another rule could ask for more than the claim does."""
        return any(
            rule not in claim.rules and strictest((claim.mask, mask)) is not claim.mask
            for wants in self._wants.values()
            for _, mask, rule in wants
        )


def _last_names(masks: Masks) -> re.Pattern[str] | None:
    lasts = [[step.name for step in field.steps if step.name is not None][-1:] for field in masks.fields]
    names = sorted({re.escape(name) for last in lasts for name in last})
    return re.compile(rf"[\"'](?:{'|'.join(names)})\\?[\"']\s*:") if names else None
