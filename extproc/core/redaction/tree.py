"""A walk through one JSON document: each text, number and name of it is handed on, and what comes back takes its place.

The document itself is never changed; where everything comes back as it was, so does the document. Who stands at the
other end (``Sink``) first gathers and then answers, so the walk happens twice and knows neither.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Protocol

from extproc.core.model import Json
from extproc.core.redaction.fields import Claim, Place
from extproc.core.redaction.free_names import FreeNames

__all__ = ["Sink", "document"]

_NUMBERS: Final = (int, float)
_NOBODY: Final[Mapping[str, Place]] = MappingProxyType({})


class Sink(Protocol):
    """What is asked of each leaf on the way; ``names`` says of each name of a member whether it changes."""

    names: dict[str, bool]

    def text(self, text: str, name: str, place: Place) -> str:
        """What stands for a text under a member ``name``."""

    def learn(self, name: str) -> None:
        """Say in ``names`` whether this one changes."""

    def name(self, name: str) -> str:
        """What stands for the name of a member."""

    def number(self, number: float, name: str) -> Json:
        """What stands for a number."""

    def claimed(self, value: Json, claim: Claim) -> Json:
        """What stands for a value that a path names."""

    def opaque(self) -> str:
        """What stands for bytes that must not pass."""


def document(value: Json, place: Place, sink: Sink, name: str = "", *, telling: bool = True) -> Json:
    """The value as the sink has it; ``telling``: the names of members say something of what is under them."""
    if place.claim is not None:
        return sink.claimed(value, place.claim)
    kind = value.__class__
    if kind is str:
        return sink.text(value, name, place)
    if kind is dict:
        return _members(value, place, sink, telling=telling)
    if kind is list:
        return _items(value, place, sink, name, telling=telling)
    if kind in _NUMBERS:
        return sink.number(value, name)
    return value


def _members(value: dict[str, Json], place: Place, sink: Sink, *, telling: bool) -> dict[str, Json]:
    named, other = place.members() if place.leads_on else (_NOBODY, place)
    names, renamed = sink.names, False
    changed: dict[str, Json] = {}
    for key, child in value.items():
        there = named.get(key, other)
        # most members are texts, and most names were seen before: no call for what need not be called
        if child.__class__ is str and there.claim is None:
            new = sink.text(child, key if telling else "", there)
        else:
            new = document(child, there, sink, key if telling else "", telling=telling)
        if new is not child:
            changed[key] = new
        if key not in names:
            sink.learn(key)
        renamed |= names[key]
    if not renamed:
        return {**value, **changed} if changed else value
    masked: dict[str, Json] = {}
    free = FreeNames()
    for key, child in {**value, **changed}.items():
        # what a path names is no name for a value that it did not claim
        name = free.free(sink.name(key), masked, named) if names[key] else free.free(key, masked)
        masked[name] = child
    return masked


def _items(value: list[Json], place: Place, sink: Sink, name: str, *, telling: bool) -> list[Json]:
    if place.leads_on:
        length = len(value)
        items = [
            document(child, place.item(index, length), sink, name, telling=telling) for index, child in enumerate(value)
        ]
    else:
        items = [document(child, place, sink, name, telling=telling) for child in value]
    return value if all(new is child for new, child in zip(items, value, strict=True)) else items
