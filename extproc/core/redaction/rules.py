"""One set of masks made ready: its paths, its detectors, its marks, and who wants what is found."""

import re
from collections.abc import Sequence
from typing import Final

from extproc.core.masking import DETECTORS, NAMES, Find, Masks
from extproc.core.redaction import encodings
from extproc.core.redaction.detectors import compile_detectors
from extproc.core.redaction.fields import Claim, Place, start
from extproc.core.redaction.marks import Marks, strictest
from extproc.core.redaction.names import Names
from extproc.core.redaction.spans import Span, Wanted

__all__ = ["Rules"]

_MAX_NAMES: Final = 4096
"""Names of members that are remembered."""
_MAX_PLACES: Final = 4096
"""Places kept from one value to the next."""
_SMALLEST: Final = 10**6
"""The least number that a built-in detector could take for anything."""
_LARGEST: Final = 1e21
"""From here on a fraction in exponent form has no digits of its own."""


class Rules:
    """What one set of masks looks for; ``nowhere`` is a place without a path."""

    def __init__(self, masks: Masks, key: bytes) -> None:
        kinds = dict.fromkeys(kind for detection in masks.detections for kind in detection.types)
        every = [*(field.mask for field in masks.fields), *(detection.mask for detection in masks.detections)]
        self._fields: Final = masks.fields
        self._root = start(masks.fields)
        self.nowhere: Final = start(())
        self.marks: Final = Marks(key, kinds, every)
        self.blocks_opaque: Final = masks.blocks_opaque
        self._smallest: Final = 0 if masks.own else _SMALLEST
        thresholds = [each.threshold for each in masks.detections] or [1.0]
        self.detectors: Final = compile_detectors(
            tuple(kinds), masks.own, threshold=min(thresholds), sure=max(thresholds)
        )
        self._wants: Final = {
            kind: tuple((each.threshold, each.mask, each.rule) for each in masks.detections if kind in each.types)
            for kind in kinds
        }
        self._by_score: Final[dict[tuple[str, float], Wanted]] = {}
        """As far as asked: scores are those of the detectors, and few."""
        self._said: Final[dict[str, str]] = {}
        self.patterns_alone: Final = kinds.keys() <= {*DETECTORS, *(each.name for each in masks.own)}
        """Whether patterns find all that is looked for, so that the shape of a short text can tell what is found."""
        self.wants_alike: Final = len(masks.detections) == 1
        """Whether everything that is found becomes the same."""
        self._last_names: Final = _last_names(masks)
        self._recogniser: Final = masks.recogniser if not kinds.keys().isdisjoint(NAMES) else None

    def root(self) -> Place:
        """The place of the root of a document, for all walks through one value.

        A hostile document may lead through many places. They are kept for its own walks, and made anew after it.
        """
        root = self._root
        if root.made > _MAX_PLACES:
            self._root = root = start(self._fields)
        return root

    def spans(self, text: str, finds: Sequence[Find]) -> list[Span]:
        """What of the finds in a text is masked."""
        found: list[Span] = []
        for begin, end, kind, score in finds:
            wanted = self.wanted(kind, score)
            if wanted and begin < end:
                found.append(Span(begin, end, kind, text[begin:end], wanted))
        return found

    def wanted(self, kind: str, score: float) -> Wanted:
        """Who masks a find of this type that scores so much, and how."""
        known = self._by_score.get((kind, score))
        if known is None:
            wants = self._wants[kind]
            known = tuple((mask, rule) for least, mask, rule in wants if score >= least)
            self._by_score[kind, score] = known
        return known

    def said(self, name: str) -> str:
        """What the name of a member says of the value under it, as it reads once its escapes are read too.

        A mark in it was no word of the server's.
        """
        known = self._said.get(name)
        if known is None:
            if len(self._said) >= _MAX_NAMES:
                self._said.clear()
            known = self._said[name] = self.marks.without(
                "\n".join((name, *(view.text for view in encodings.views(name))))
            )
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
