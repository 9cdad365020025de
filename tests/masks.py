"""Masks that tests are built from: detectors of the operator's kind, so that nothing hangs on the built-in ones."""

from typing import Any

from extproc.core.masking import Detection, FieldMask, Mask, Masks, OwnDetector, Recogniser, Style
from extproc.core.policy.paths import read_path
from extproc.core.redaction.masker import Masker

REDACT, HASH, KEEP = Mask(), Mask(Style.HASH), Mask(Style.KEEP_LAST, keep=4)
KEY = b"k" * 64
OWN = {
    own.name: own
    for own in (
        OwnDetector(name="mail", patterns=(r"[A-Za-z0-9._%+-]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,24}",)),
        OwnDetector(name="card", patterns=(r"\b\d{4}(?:[ -]?\d{4}){3}\b",)),
        OwnDetector(name="ssn", patterns=(r"\b\d{3}-\d{2}-\d{4}\b",)),
        OwnDetector(name="aws", patterns=(r"AKIA[A-Z0-9]{16}",)),
        OwnDetector(name="plate", words=("HH-XY 12",), score=0.6),
    )
}


def field(path: str, mask: Mask = REDACT, rule: str = "r") -> FieldMask:
    steps = read_path(path)
    assert isinstance(steps, tuple), steps
    return FieldMask(rule=rule, path=path, steps=steps, mask=mask)


def detect(*types: str, mask: Mask = REDACT, rule: str = "r", threshold: float = 0.5) -> Detection:
    return Detection(rule=rule, types=types or tuple(OWN), mask=mask, threshold=threshold)


def masks(*parts: FieldMask | Detection, blocks_opaque: bool = False, recogniser: Recogniser | None = None) -> Masks:
    """Masks of these parts; with none, everything that can be detected is redacted."""
    parts = parts or (detect(),)
    detections = tuple(part for part in parts if isinstance(part, Detection))
    used = dict.fromkeys(kind for detection in detections for kind in detection.types)
    return Masks(
        fields=tuple(part for part in parts if isinstance(part, FieldMask)),
        detections=detections,
        own=tuple(OWN[kind] for kind in used if kind in OWN),
        blocks_opaque=blocks_opaque,
        recogniser=recogniser,
    )


def masker(*parts: FieldMask | Detection, **more: Any) -> Masker:
    return Masker(masks(*parts, **more), KEY)
