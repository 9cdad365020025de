"""What an allow owes in masking: nouns shared by the room that compiles policies and the room that masks.

Values only. The names of the detectors stand here because a policy may name no other; ``redaction`` has what they do.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

__all__ = ["NO_MASKING", "Detection", "FieldMask", "Mask", "Masking", "Step", "Style"]


class Style(StrEnum):
    """What becomes of a value."""

    REDACT = "redact"
    """``[email]``: the type alone."""
    HASH = "hash"
    """``[email:1f3a9c...]``: keyed, so that equal values can be joined and none guessed without the key."""
    KEEP_LAST = "keep_last"
    """All but the last few characters."""
    REPLACE = "replace"
    """A fixed text of the operator."""


@dataclass(frozen=True, slots=True)
class Mask:
    """A style with its parameter: ``keep`` characters for ``keep_last``, ``text`` for ``replace``."""

    style: Style = Style.REDACT
    keep: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a field path: a member by name, every member or item (``name`` None), or at any depth (``deep``)."""

    name: str | None = None
    index: int | None = None
    deep: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldMask:
    """Everything under the path ``steps`` is masked; ``path`` is the path as the operator wrote it."""

    path: str
    steps: tuple[Step, ...]
    mask: Mask


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """Everything that one of the detectors ``types`` finds is masked."""

    types: tuple[str, ...]
    mask: Mask


@dataclass(frozen=True, slots=True, kw_only=True)
class Masking:
    """All that one allow owes; who owes nothing has ``NO_MASKING`` itself.

    ``rules`` are the names of the masking rules, for the record.
    """

    rules: tuple[str, ...] = ()
    fields: tuple[FieldMask, ...] = ()
    detections: tuple[Detection, ...] = ()


NO_MASKING: Final = Masking()
"""An allow that owes no masking, shared."""
