"""Commands that run the command in their arguments: where that one begins, and what running it so adds.

An option that is not known may have a value or not: then both readings are judged, and the worse counts.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from extproc.core.inspection.shell.arguments import takes_next, values
from extproc.core.inspection.shell.assigning import assigned
from extproc.core.inspection.shell.effects import Effect, joined
from extproc.core.inspection.shell.scope import Scope
from extproc.core.inspection.shell.steps import Input
from extproc.core.inspection.shell.words import Word, static
from extproc.core.model import Verb

__all__ = ["Wrapper", "beginnings", "code_of", "read_wrappers", "unwrap"]

_ASSIGNMENT: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\+?=(.*)", re.DOTALL)
_FED: Final = frozenset({Input.PIPE, Input.TEXT, Input.FILE})
_MOST: Final = 6
"""Readings of one command; each unknown option doubles them at most."""


@dataclass(frozen=True, slots=True)
class Wrapper:
    """What is known of one wrapper."""

    traits: frozenset[str] = frozenset()
    skip: int = 0
    code: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    takes: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()


def read_wrappers(text: str) -> Mapping[str, Wrapper]:
    """The wrappers by name, of the lines that ``known.wrapping`` describes."""
    found: dict[str, Wrapper] = {}
    names = ""
    for line in filter(str.strip, text.splitlines()):
        first, *parts = line.split()
        names = names if first == "." else first
        for name in names.split("|"):
            before = found.get(name, Wrapper())
            if parts[0] == "takes":
                found[name] = replace(before, takes=before.takes | frozenset(parts[1:]))
            elif parts[0] == "flags":
                found[name] = replace(before, flags=before.flags | frozenset(parts[1:]))
            else:
                told = dict(part.split("=", 1) for part in parts[1:] if "=" in part)
                found[name] = replace(
                    before,
                    traits=frozenset(part for part in parts[1:] if "=" not in part),
                    skip=int(told.get("skip", 0)),
                    code=tuple(told["code"].split("|")) if "code" in told else (),
                    writes=tuple(told["writes"].split("|")) if "writes" in told else (),
                )
    return found


def unwrap(wrapper: Wrapper, words: Sequence[Word], scope: Scope) -> Effect:
    """The effect of a wrapper and of what it runs."""
    own = Effect(verb=Verb.ADMIN if "admin" in wrapper.traits else Verb.QUERY, network="net" in wrapper.traits)
    parts = [own]
    starts = beginnings(wrapper, words)
    codes = list(values(words, wrapper.code))
    rest = words[starts[0] :] if starts and "splits" in wrapper.traits else ()
    parts += (scope.read(code_of((code, *rest)), scope) for code in codes)
    parts += (_inner(wrapper, words[start:], scope) for start in starts)
    parts += (assigned(name, static(value), scope) for name, value in _assignments(wrapper, words))
    # behind the command they are options of its own
    written = list(values(words[: starts[0]] if starts else words, wrapper.writes))
    parts += (Effect(verb=Verb.MUTATE, touches=(path.text,)) for path in written)
    if not starts and not codes and "shell" in wrapper.traits and scope.feed.source in _FED:
        parts.append(scope.run((static("sh"),), scope))
    return joined(*parts)


def _inner(wrapper: Wrapper, words: Sequence[Word], scope: Scope) -> Effect:
    if "joins" in wrapper.traits:
        return scope.read(code_of(words), scope)
    if len(words) == 1 and re.search(r"\s", words[0].text):
        return scope.read(words[0], scope)
    return scope.run(words, scope)


def beginnings(wrapper: Wrapper, words: Sequence[Word]) -> list[int]:
    """Where the command of a wrapper may begin."""
    starts: set[int] = set()
    pending = [(0, wrapper.skip, False)]
    seen = set(pending)
    while pending and len(starts) < _MOST:
        at, skip, plain = pending.pop()
        if at >= len(words):
            continue
        following = _after(wrapper, words[at].text, at, skip, plain=plain)
        if following is None:
            starts.add(at)
        fresh = [state for state in following or () if state not in seen]
        seen.update(fresh)
        pending += fresh
    return sorted(starts)


def _after(wrapper: Wrapper, text: str, at: int, skip: int, *, plain: bool) -> tuple[tuple[int, int, bool], ...] | None:
    """Where to look next behind one word; None where the command begins with it."""
    if not plain and text == "--":
        return ((at + 1, skip, True),)
    if not plain and len(text) > 1 and text.startswith("-"):
        if takes_next(text, wrapper.takes):
            return ((at + 2, skip, False),)
        if "=" in text or _is_flag(text, wrapper) or re.fullmatch(r"-{1,2}\d+", text):
            return ((at + 1, skip, False),)
        return ((at + 1, skip, False), (at + 2, skip, False))
    if text == "-" and "-" in wrapper.flags:
        return ((at + 1, skip, False),)
    if "assigns" in wrapper.traits and _ASSIGNMENT.fullmatch(text):
        return ((at + 1, skip, plain),)
    return ((at + 1, skip - 1, plain),) if skip else None


def _is_flag(text: str, wrapper: Wrapper) -> bool:
    """Whether an option surely has no value in the next word."""
    if text.startswith("--") or text in wrapper.flags:
        return text in wrapper.flags
    for letter in text[1:]:
        if f"-{letter}" in wrapper.takes:
            return True  # the rest of the cluster is its value
        if f"-{letter}" not in wrapper.flags:
            return False
    return True


def _assignments(wrapper: Wrapper, words: Sequence[Word]) -> Iterable[tuple[str, str]]:
    if "assigns" in wrapper.traits:
        for word in words:
            found = _ASSIGNMENT.fullmatch(word.text)
            if found:
                yield found[1], found[2]


def code_of(words: Sequence[Word]) -> Word:
    """The shell code that words make when they are joined by spaces."""
    return Word(" ".join(word.text for word in words), tuple(name for word in words for name in word.names))
