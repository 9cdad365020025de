"""What a client says that it can be asked for, and what of that its server gets to know.

A server that follows the specification asks only for what the client announced, so what the policy does not open is
taken out of the announcement: in the handshake, or in ``_meta`` of a modern request. Nothing that is judged depends on
it.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from extproc.core.exchange.asking import CAPABILITIES, can_open_urls
from extproc.core.exchange.outgoing import rewritten
from extproc.core.model import Era, Json, Message
from extproc.core.policy.server_requests import ServerRequests

__all__ = ["Announced", "announced"]

_ASKABLE: Final = frozenset({"sampling", "roots", "elicitation", "tasks"})


class Announced(msgspec.Struct, frozen=True, kw_only=True):
    """The message as the server gets it, and what its client said.

    ``opens_urls``: for its human. ``can_be_asked``: for anything at all, in an answer to this very message.
    """

    message: Message
    opens_urls: bool = False
    can_be_asked: bool = False


def announced(message: Message, opened: ServerRequests | None) -> Announced:
    """Read what a message announces and cut it to what is open; whole where ``opened`` is None."""
    modern = message.era is Era.MODERN
    meta = message.params.get("_meta")
    told: Json = None
    if modern:
        told = meta.get(CAPABILITIES) if isinstance(meta, Mapping) else None
    elif message.method == "initialize":
        told = message.params.get("capabilities")
    if not isinstance(told, Mapping):
        return Announced(message=message)
    opens, asked = can_open_urls(told), modern and not _ASKABLE.isdisjoint(told)
    kept = told if opened is None else opened.announced(told)
    if kept is told:
        return Announced(message=message, opens_urls=opens, can_be_asked=asked)
    cut = {"_meta": {**(meta or {}), CAPABILITIES: kept}} if modern else {"capabilities": kept}
    return Announced(message=rewritten(message, {**message.params, **cut}), opens_urls=opens, can_be_asked=asked)
