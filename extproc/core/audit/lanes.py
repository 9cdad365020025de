"""Which session a call belongs to.

A call that names its session (or whose answer names it) belongs to that one. All others of the same principal and
client to the same server are a lane: each belongs to the session of its trace id, or else to the last one of the lane
if less than 30 minutes lie between. Nothing that a client says of itself ever puts a call into a session of another
principal.
"""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, TypeAlias

from extproc.core.audit.members import members_of, number_in, text_of
from extproc.core.model import Json

__all__ = ["SESSION_GAP_NS", "Lane", "Owner", "id_of", "key_of", "lane_of", "number_of", "owner_of", "place_in_lane"]

SESSION_GAP_NS: Final = 30 * 60 * 1_000_000_000

Owner: TypeAlias = tuple[str, str, str, str, str]
"""Issuer, subject, server, and the client's name and version."""

_KEY_BYTES: Final = 8
_ID_CHARS: Final = 12


class Lane:
    """The calls of one lane in their order, as far as the next one needs to know them.

    ``latest`` is the session of the last call, ``ends`` when the last answer to a call of a session came (nanoseconds
    since the epoch), ``traced`` the session of each trace id. Sessions are keys (see ``key_of``).
    """

    def __init__(self) -> None:
        self.latest: int | None = None
        self.ends: dict[int, int] = {}
        self.traced: dict[str, int] = {}

    def place(self, *, at: int, ends: int, trace: str, begins: int) -> int:
        """The session of the next call, made at ``at`` and answered at ``ends``.

        ``begins`` is the key of the session that it begins if it belongs to none.
        """
        session = self.traced.get(trace) if trace else None
        if session is None and self.latest is not None and at - self.ends[self.latest] < SESSION_GAP_NS:
            session = self.latest
        if session is None:
            session = begins
        self.ends[session] = max(self.ends.get(session, at), at, ends)
        self.latest = session
        if trace:
            self.traced[trace] = session
        return session


def owner_of(event: Mapping[str, Json], *, named: bool) -> Owner:
    """Who asked for what a decision is about; without the client where the call names its session."""
    principal = members_of(event.get("principal"))
    # a legacy client says its name once, in the handshake
    client = {} if named else members_of(event.get("client"))
    return (
        text_of(principal.get("issuer")),
        text_of(principal.get("subject")),
        text_of(event.get("server")),
        text_of(client.get("name")),
        text_of(client.get("version")),
    )


def key_of(owner: Owner, begins: str) -> int:
    """The key of the session of this name, or that begins with the call of this decision: 64 bits, signed."""
    return _hashed("\0".join((*owner, begins)))


def id_of(key: int) -> str:
    """A session's id, as people read it: the first 48 bits of its key."""
    return key.to_bytes(_KEY_BYTES, "big", signed=True).hex()[:_ID_CHARS]


@lru_cache(maxsize=4096)
def lane_of(owner: Owner) -> int:
    """The key of a lane: 64 bits, signed."""
    return _hashed("\0".join(("lane", *owner)))


def number_of(decision: str) -> int:
    """What stands for the id of a decision where many are compared: 64 bits, signed."""
    return _hashed(decision)


def place_in_lane(event: Mapping[str, Json]) -> tuple[int, int]:
    """What puts the decisions of a lane in order, whatever order they are read in."""
    return number_in(event.get("at")), number_of(text_of(event.get("decision")))


def _hashed(seed: str) -> int:
    digest = hashlib.sha256(seed.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:_KEY_BYTES], "big", signed=True)
