"""The response half of an exchange: what the upstream answers, as far as the caller may see it.

Works on whole server messages, wherever the bytes were cut: one JSON body, or the events of a stream one by one.
Lists are cut to what the caller may use; session ids, event ids and the ids of server requests leave as handles of
their owner; what cannot be read is withheld and the client gets a JSON-RPC error (invariant 5). The rules are those
of ``catalog`` and ``handles``; this module knows only where in a response they apply.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import replace

from extproc.core.exchange import noting
from extproc.core.exchange.commands import (
    Answer,
    Command,
    DropTrailers,
    Inspect,
    NoteMessages,
    NoteQuestion,
    Pass,
    Release,
)
from extproc.core.exchange.events import (
    ResponseHeadReceived,
)
from extproc.core.exchange.opening import marked
from extproc.core.exchange.outcome import Outcome
from extproc.core.exchange.owing import is_cut
from extproc.core.exchange.passing import passing
from extproc.core.exchange.visible import Visible
from extproc.core.handles import Purpose, seal, seal_path
from extproc.core.limits import MAX_JSON_RESPONSE_BYTES
from extproc.core.masking import NO_MASKS, Masks
from extproc.core.model import Era, Json, MessageKind, Recording, Reply
from extproc.core.redaction.masker import masker
from extproc.core.wire import replies, sse
from extproc.core.wire.replies import MASKING_BUDGET

__all__ = ["Responding"]

JSON: Final = "application/json"
EVENT_STREAM: Final = "text/event-stream"
SESSION: Final = "mcp-session-id"
WITHHELD: Final = "withheld"
_PATH: Final = re.compile(r"/(?!/)[!-\[\]-~]*")
"""A path on the same host to every reader: one with a tab or a line end in it is another once those are taken out, as
URL parsers do, and to some a backslash is a slash (https://url.spec.whatwg.org/#url-parsing)."""
_UNANSWERED: Final = frozenset({MessageKind.NOTIFICATION, MessageKind.RESPONSE, MessageKind.END})


@dataclass(slots=True)
class Responding:
    """One response on its way to the client."""

    visible: Visible
    over: bool = False
    _collected: bytearray = field(default_factory=bytearray)
    _events: sse.EventReader | None = None
    _streams_through: bool = False
    _silent: bool = False
    _notes: list[Mapping[str, Json]] = field(default_factory=list)
    _outcome: Outcome = field(init=False)

    def __post_init__(self) -> None:
        self._outcome = Outcome(self.visible)

    def head(self, event: ResponseHeadReceived) -> tuple[Command, ...]:
        """Decide what the body needs, from the response's status and headers."""
        self._outcome.status = event.status
        media = _media_type(event.headers.get("content-type", ""))
        headers = {**self._passing(event.headers, media), **self._sealed_session(event.headers)}
        # a challenge of the upstream is about the gateway's own credential, not about the client's
        refused = event.status == 401 or "www-authenticate" in event.headers
        if refused or 300 <= event.status < 400 or _encoded(event.headers):
            return self._replaced(event.at, status=502)
        if event.bodiless or event.headers.get("content-length") == "0":
            return (Pass(headers=headers), *self._concluded(event.at))
        if self._is_mere_receipt(event.status, media):
            self._silent = True
            return (Inspect(headers={**headers, "content-type": None}),)
        if media not in {JSON, EVENT_STREAM}:
            return self._replaced(event.at, status=event.status if event.status >= 400 else 502)
        if media == JSON and self._owes_nothing_in_json():
            return (Pass(headers=headers), *self._concluded(event.at))
        if media == EVENT_STREAM:
            self._events = sse.EventReader()
            self._outcome.messages = 0
        return (Inspect(headers=headers, streams=media == EVENT_STREAM),)

    def body(self, at: int, chunk: bytes, *, last: bool) -> tuple[Command, ...]:
        """Take a chunk of the body, cut anywhere."""
        if self._silent:
            return self._released(at, b"", last=True) if last else ()
        said = self._stream(at, chunk, last=last) if self._events else self._json(at, chunk, last=last)
        return (*self._questions(at), *said)

    def weight(self, chunk: bytes, *, last: bool) -> int:
        """How many bytes are looked at with this chunk; 0 where they only pass, or wait for the rest."""
        if self._silent or self._streams_through:
            return 0
        if self._events is not None:
            return self._events.held + len(chunk) if sse.ends_a_line(chunk) else 0
        return len(self._collected) + len(chunk) if last else 0

    def trailers(self, at: int, names: tuple[str, ...]) -> tuple[Command, ...]:
        """End the body where trailers end the response; the trailers themselves stay here."""
        rest = self.body(at, b"", last=True)
        open_end = tuple(replace(each, last=False) if isinstance(each, Release) else each for each in rest)
        return (*open_end, DropTrailers(names=names))

    def cut(self, at: int) -> tuple[Command, ...]:
        """End a stream whose time is over; what is not released yet stays here."""
        self._outcome.result = "cut"
        listens = self.visible.call.message.method == "subscriptions/listen"  # nothing of it is an answer
        return self._released(at, b"" if listens else self._closing("cut"), last=True)

    def lost(self, at: int) -> tuple[Command, ...]:
        """Conclude a response that the client did not wait for."""
        self._outcome.result = "cut"
        return self._concluded(at)

    def _is_mere_receipt(self, status: int, media: str) -> bool:
        # servers receipt a notification, a DELETE and a post of the 2024-11-05 transport with a word, or with an empty
        # body in chunks and no type at all; no client reads it
        if self.visible.call.message.kind in _UNANSWERED:
            return media != EVENT_STREAM and 200 <= status < 300
        return media not in {JSON, EVENT_STREAM} and status == 202

    def _owes_nothing_in_json(self) -> bool:
        return self.visible.call.decision.obligations.recording is Recording.NONE and not self._must_see_body()

    def _must_see_body(self) -> bool:
        call = self.visible.call
        return self._masks is not NO_MASKS or is_cut(call.message) or call.can_be_asked or call.opens_urls

    @property
    def _masks(self) -> Masks:
        return self.visible.call.decision.obligations.masking.responses

    def _passing(self, headers: Mapping[str, str], media: str) -> dict[str, str | None]:
        if self._masks is NO_MASKS:
            return {}
        return passing(headers, media, masker(self._masks, self.visible.call.ring.masking_key))

    def _sealed_session(self, headers: Mapping[str, str]) -> dict[str, str | None]:
        session = headers.get(SESSION)
        if session is None:
            return {}
        if self.visible.call.message.era is Era.MODERN:
            return {SESSION: None}
        owner = self.visible.call.owner
        self.visible.settle_session(session)
        value = marked(session, opens_urls=self.visible.call.opens_urls)
        return {SESSION: seal(self.visible.call.ring, Purpose.SESSION, replace(owner, session=""), value)}

    def _json(self, at: int, chunk: bytes, *, last: bool) -> tuple[Command, ...]:
        if self._streams_through:
            return self._released(at, chunk, last=last)
        self._collected += chunk
        if len(self._collected) > MAX_JSON_RESPONSE_BYTES:
            if self._must_see_body():
                return self._withheld(at)
            self._streams_through = True
            return self._released(at, bytes(self._collected), last=last)
        if not last:
            return ()
        judged = self.visible.message(bytes(self._collected))
        return self._released(at, judged, last=True) if judged else self._withheld(at)

    def _questions(self, at: int) -> tuple[Command, ...]:
        """What the server asked since the last time, on its way to the record before anything of it leaves."""
        call, seen = self.visible.call, self.visible.questions.seen
        noted = tuple(NoteQuestion(question=each, event=noting.question(call, each, at)) for each in seen)
        seen.clear()
        return noted

    def _stream(self, at: int, chunk: bytes, *, last: bool) -> tuple[Command, ...]:
        assert self._events is not None  # noqa: S101 - narrows the type; `body` chose by it
        events = self._events.feed(chunk) + (self._events.finish() if last else ())
        out: list[bytes] = []
        for event in events:
            # what is no event is too large, or not UTF-8
            passed = self._event(event, at) if isinstance(event, sse.Event) else None
            if passed is None:
                return (*self._noted(), *self._released(at, b"".join(out), last=False), *self._withheld(at))
            out.append(passed)
        released = b"".join(out)
        return (*self._noted(), *self._released(at, released, last=last)) if released or last else ()

    def _noted(self) -> tuple[Command, ...]:
        """The messages since the last time, on their way to the record before they leave."""
        events, self._notes = tuple(self._notes), []
        return (NoteMessages(events=events),) if events else ()

    def _note(self, raw: bytes, at: int) -> None:
        """Write down a message of a stream that leaves as ``raw``."""
        number = self._outcome.count_message()
        if self.visible.said is not None:
            self._notes.append(noting.message(self.visible.call, self.visible.said, raw, at, number=number))

    def _event(self, event: sse.Event, at: int) -> bytes | None:
        """The bytes of one event for the client, empty where it is dropped; None where it cannot be read."""
        ring, owner = self.visible.call.ring, self.visible.call.owner
        if event.id:
            event = replace(event, id=seal(ring, Purpose.EVENT, owner, event.id))
        if not event.data:  # keep-alive comments, priming events, retry times
            return sse.encode(replace(event, type=""))
        if event.type == "endpoint" and self.visible.call.is_stream:
            return self._endpoint(event, event.data)
        if event.type not in {"", "message"}:
            return b""
        judged = self.visible.message(event.data)
        if not judged:
            return judged
        self._note(judged, at)
        return sse.encode(replace(event, data=judged))

    def _endpoint(self, event: sse.Event, place: bytes) -> bytes | None:
        # the 2024-11-05 transport: where the client posts to; another host would lead it past the gateway
        path = place.decode("utf-8", "replace")
        if not _PATH.fullmatch(path):
            return None
        owner = self.visible.call.owner
        self.visible.settle_session(path)
        return sse.encode(replace(event, data=seal_path(self.visible.call.ring, owner, path).encode()))

    def _released(self, at: int, body: bytes, *, last: bool) -> tuple[Command, ...]:
        self._outcome.count_bytes(body)
        release = Release(body=body, last=last)
        return (release, *self._concluded(at)) if last else (release,)

    def _withheld(self, at: int) -> tuple[Command, ...]:
        self._outcome.result, self.visible.payload = WITHHELD, None
        reason = MASKING_BUDGET if self.visible.exhausted else WITHHELD
        if self._events is None:
            call = self.visible.call
            return self._released(at, replies.withheld(call.message.id, call.decision_id, reason), last=True)
        return self._released(at, self._closing(reason), last=True)

    def _closing(self, reason: str) -> bytes:
        """The last event of a stream that ends here: only who asked gets an answer, a stream of its own just ends."""
        call = self.visible.call
        if self.visible.answered or call.is_stream:
            return b""
        return sse.encode(sse.Event(type="message", data=replies.withheld(call.message.id, call.decision_id, reason)))

    def _replaced(self, at: int, *, status: int) -> tuple[Command, ...]:
        """Answer in the place of a response that must not pass as it is."""
        self._outcome.result = WITHHELD if status == 502 else "error"
        message = self.visible.call.message
        in_band = message.id is not None and status == 502
        reply = Reply(
            status=200 if in_band else status,
            body=replies.withheld(message.id, self.visible.call.decision_id),
            headers=(("content-type", JSON),),
        )
        answer = Answer(reply=reply, rule=self.visible.call.decision.rule, decision_id=self.visible.call.decision_id)
        return (answer, *self._concluded(at))

    def _concluded(self, at: int) -> tuple[Command, ...]:
        self.over = True
        return self._outcome.concluded(at)


def _media_type(value: str) -> str:
    """The media type, or nothing where a charset other than UTF-8 or a repeated header makes it unreadable."""
    media, *parameters = (part.strip().lower() for part in value.split(";"))
    charsets = [part.partition("=")[2].strip('" ') for part in parameters if part.startswith("charset")]
    return media if all(charset == "utf-8" for charset in charsets) else ""


def _encoded(headers: Mapping[str, str]) -> bool:
    return headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}
