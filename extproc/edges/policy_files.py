"""The policy file on disk and the policy in force.

Promises: there is always one whole policy in force, replaced in one step; a file that is missing, unreadable or wrong
leaves the last good one in force and says so. A change is in force within a second, also by rename and also where the
file keeps its size and time, and only once the file has come to rest: half a file may be a whole policy that allows
more. Compiling runs beside the loop.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from extproc.core.limits import MAX_POLICY_BYTES
from extproc.core.masking import Recogniser
from extproc.core.policy.compiled import load_bytes
from extproc.core.policy.positions import Problem
from extproc.core.policy.rules import Policy
from extproc.ports import RecogniserError

__all__ = ["PolicyError", "PolicyFile", "read_policy"]

_POLL_SECONDS: Final = 0.5
_REST_SECONDS: Final = 0.1


class PolicyError(Exception):
    """A policy file that gives no policy; ``problems`` says why, the text of the error all of it."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """A file as last read: what of it failed, or its bytes."""

    raw: bytes | None
    failure: str | None


def _read(path: Path) -> _Seen:
    try:
        with path.open("rb") as file:
            # one byte more than is allowed tells that it is too large, whatever its size
            return _Seen(raw=file.read(MAX_POLICY_BYTES + 1), failure=None)
    except OSError as error:
        return _Seen(raw=None, failure=error.strerror or "cannot be read")


def _compile(path: Path, seen: _Seen, recogniser: Recogniser | None) -> Policy:
    if seen.raw is None:
        what = f"the file cannot be read: {seen.failure}"
        raise PolicyError((_problem(path, what, "Check its path and its rights"),))
    loaded = load_bytes(seen.raw, source=str(path), recogniser=recogniser)
    if isinstance(loaded, tuple):
        raise PolicyError(loaded)
    return loaded


def _problem(path: Path, what: str, fix: str) -> Problem:
    """A problem of the whole file."""
    return Problem(source=str(path), line=1, column=1, what=what, fix=fix)


def read_policy(path: Path, *, recogniser: Recogniser | None = None) -> Policy:
    """The policy of a file; without a ``recogniser`` one that wants names or places found is refused.

    Raises:
        PolicyError: the file cannot be read or has mistakes.
    """
    return _compile(path, _read(path), recogniser)


class PolicyFile:
    """One watched policy file. ``current`` is the policy in force.

    ``on_change`` hears of a new policy, and of the one in force when a broken file is mended back to it; ``on_problem``
    of a file that gives none (once per change of the file); both run on the loop. ``shadow`` turns the whole policy to
    shadow mode. ``recogniser`` finds names and places, where there is one; ``load_names`` loads it before a policy that
    wants it is in force.
    """

    def __init__(
        self,
        path: Path,
        *,
        recogniser: Recogniser | None = None,
        load_names: Callable[[], None] = lambda: None,
        shadow: bool = False,
        on_change: Callable[[Policy], None] = lambda _: None,
        on_problem: Callable[[PolicyError], None] = lambda _: None,
    ) -> None:
        """Load the file.

        Raises:
            PolicyError: the file cannot be read or has mistakes; there is no last good policy yet.
        """
        self._path = path
        self._recogniser = recogniser
        self._load_names = load_names
        self._shadow = shadow
        self._on_change = on_change
        self._on_problem = on_problem
        self._seen = _read(path)
        self.current = self._loaded(self._seen)
        self.is_good = True
        """Whether the file on disk is the policy in force; false raises the alarm metric."""
        self._looking = asyncio.Lock()

    async def refresh(self) -> bool:
        """Look at the file once; return whether a new policy came into force.

        One look at a time: an older file that compiles for longer must not come into force after a newer one.
        """
        async with self._looking:
            return await self._look()

    async def _look(self) -> bool:
        seen = await asyncio.to_thread(_read, self._path)
        if seen == self._seen:
            return False
        written: _Seen | None = None
        while written != seen:
            written = seen
            await asyncio.sleep(_REST_SECONDS)
            seen = await asyncio.to_thread(_read, self._path)
        self._seen = seen
        try:
            loaded = await asyncio.to_thread(self._loaded, seen)
        except PolicyError as error:
            self.is_good = False
            self._on_problem(error)
            return False
        was_good, self.is_good = self.is_good, True
        if loaded.digest == self.current.digest:
            if not was_good:
                self._on_change(self.current)  # the alarm is over
            return False
        self.current = loaded
        self._on_change(loaded)
        return True

    async def watch(self) -> None:
        """Keep looking until cancelled."""
        while True:
            await asyncio.sleep(_POLL_SECONDS)
            await self.refresh()

    def _loaded(self, seen: _Seen) -> Policy:
        policy = _compile(self._path, seen, self._recogniser)
        if policy.wants_names:
            try:
                self._load_names()
            except RecogniserError as error:
                what, _, fix = str(error).partition("; ")
                raise PolicyError((_problem(self._path, what, fix),)) from None
        if not self._shadow:
            return policy
        servers = {name: replace(server, shadow=True) for name, server in policy.servers.items()}
        return replace(policy, shadow=True, servers=servers)
