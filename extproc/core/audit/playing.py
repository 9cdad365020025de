"""A session played again: what comes when, and what each key of the watcher does to that. No clock of its own."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from extproc.core.audit.sessions import Call, Session, Streamed

__all__ = ["KEYS", "Frame", "Player", "frames"]

KEYS: Final = "space pause · → next · ← back · n next blocked or masked · +/- speed · q quit"
SPEEDS: Final = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 64.0)

_NANO: Final = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A call, a message of its streamed answer, or (``answers``) what came of it; ``at`` ns after the session began."""

    at: int
    number: int
    call: Call
    answers: bool = False
    said: Streamed | None = None

    @property
    def matters(self) -> bool:
        """Whether the call was not simply let through, or something of it was masked."""
        return not self.answers and self.said is None and (self.call.effect != "allow" or bool(self.call.masked))


def frames(session: Session, *, idle: int | None = None) -> tuple[Frame, ...]:
    """The frames of a session in order; no pause between two is longer than ``idle`` nanoseconds."""
    found: list[Frame] = []
    for number, call in enumerate(session.calls, 1):
        at = call.at - session.first_at
        found.append(Frame(at=at, number=number, call=call))
        found += [
            Frame(at=max(said.at - session.first_at, at), number=number, call=call, said=said) for said in call.messages
        ]
        if call.result is not None:
            found.append(Frame(at=at + (call.duration_ns or 0), number=number, call=call, answers=True))
    found.sort(key=lambda frame: frame.at)
    return tuple(_shortened(found, idle)) if idle is not None else tuple(found)


def _shortened(found: Iterable[Frame], idle: int) -> Iterable[Frame]:
    before = saved = 0
    for frame in found:
        saved += max(frame.at - before - idle, 0)
        before = frame.at
        yield replace(frame, at=frame.at - saved)


class Player:
    """Where a replay is. ``now`` is any steady clock in nanoseconds."""

    def __init__(self, shown: tuple[Frame, ...], *, now: int, speed: float = 1.0) -> None:
        self.speed = speed
        self.paused = False
        self.over = False
        self._frames = shown
        self._next = 0
        self._at = 0
        self._since = now

    @property
    def ended(self) -> bool:
        """Whether nothing is left to show."""
        return self.over or self._next >= len(self._frames)

    def place(self, now: int) -> int:
        """Where the replay is, in nanoseconds after the session began."""
        return self._at if self.paused else self._at + int((now - self._since) * self.speed)

    def due(self, now: int) -> list[Frame]:
        """The frames whose time has come since the last look."""
        found = []
        place = self.place(now)
        while not self.paused and not self.ended and self._frames[self._next].at <= place:
            found.append(self._frames[self._next])
            self._next += 1
        return found

    def wait(self, now: int) -> float | None:
        """Seconds until the next frame; None where only a key goes on."""
        if self.paused or self.ended:
            return None
        return max(self._frames[self._next].at - self.place(now), 0) / self.speed / _NANO

    def press(self, key: str, now: int) -> list[Frame]:
        """What a key does; the frames that it shows at once."""
        self._at, self._since = self.place(now), now
        match key:
            case " ":
                self.paused = not self.paused
            case "q":
                self.over = True
            case "+" | "-":
                self.speed = _beside(self.speed, key == "+")
            case "right":
                return self._jump(self._next, now)
            case "left":
                return self._jump(max(self._next - 2, 0), now)
            case "n":
                later = (at for at in range(self._next, len(self._frames)) if self._frames[at].matters)
                return self._jump(next(later, len(self._frames) - 1), now)
        return []

    def _jump(self, to: int, now: int) -> list[Frame]:
        if not 0 <= to < len(self._frames):
            return []
        self._at, self._since, self._next = self._frames[to].at, now, to + 1
        return [self._frames[to]]


def _beside(speed: float, faster: bool) -> float:
    if faster:
        return min((each for each in SPEEDS if each > speed), default=speed)
    return max((each for each in SPEEDS if each < speed), default=speed)
