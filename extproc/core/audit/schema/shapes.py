"""The few shapes that the event schema is made of, as pieces of JSON Schema (draft 2020-12)."""

from collections.abc import Mapping
from typing import TypeAlias

from extproc.core.model import Json

__all__ = ["Shape", "anything", "counts", "either", "flag", "listed", "number", "or_none", "record", "text"]

Shape: TypeAlias = dict[str, Json]


def text(about: str, *words: str) -> Shape:
    """A string; one of ``words`` where there are any."""
    shape: Shape = {"type": "string", "description": about}
    if words:
        shape["enum"] = list(words)
    return shape


def number(about: str) -> Shape:
    """An integer; this schema has no other numbers."""
    return {"type": "integer", "description": about}


def flag(about: str) -> Shape:
    """True or false."""
    return {"type": "boolean", "description": about}


def listed(about: str, member: Shape) -> Shape:
    """An array of one shape."""
    return {"type": "array", "description": about, "items": member}


def counts(about: str) -> Shape:
    """An object whose members are names that the policy knows, each with a count."""
    return {"type": "object", "description": about, "additionalProperties": {"type": "integer"}}


def record(about: str, always: Mapping[str, Shape], sometimes: Mapping[str, Shape] | None = None) -> Shape:
    """An object with exactly these members; only those in ``sometimes`` may be missing."""
    return {
        "type": "object",
        "description": about,
        "properties": {**always, **(sometimes or {})},
        "required": list(always),
        "additionalProperties": False,
    }


def anything(about: str) -> Shape:
    """An object of somebody else's making."""
    return {"type": "object", "description": about}


def either(about: str, *kinds: str) -> Shape:
    """A value of one of several JSON types."""
    return {"type": list(kinds), "description": about}


def or_none(shape: Shape) -> Shape:
    """The shape, or null."""
    kinds, words = shape["type"], shape.get("enum")
    nullable: Shape = {**shape, "type": [*(kinds if isinstance(kinds, list) else [kinds]), "null"]}
    if isinstance(words, list):
        nullable["enum"] = [*words, None]
    return nullable
