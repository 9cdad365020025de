"""Commands with rules of their own that are too small for a module: processes, history, jobs, accounts."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from extproc.core.inspection.shell.arguments import has, operands
from extproc.core.inspection.shell.effects import HARMLESS, Effect, finding, joined, unreadable
from extproc.core.inspection.shell.scope import Judge, Scope
from extproc.core.inspection.shell.scripts import source
from extproc.core.inspection.shell.steps import NOTHING, Input
from extproc.core.inspection.shell.words import Word
from extproc.core.model import Verb

__all__ = ["OWN"]

_SHOWS: Final = re.compile(
    r"(?i)(?:dir|type|echo|ver|whoami|ipconfig|hostname|where|tasklist|systeminfo)\b[^&|<>^%\"]*"
)
_ADMIN: Final = Effect(verb=Verb.ADMIN)


def kill(words: Sequence[Word], _scope: Scope) -> Effect:
    """``kill``: not everything at once, and not the first process."""
    texts = [word.text for word in words]
    if texts[:1] and texts[0] in {"-l", "-L", "--list"}:
        return HARMLESS
    if texts[:1] in (["-s"], ["-n"], ["--signal"]):
        texts = texts[2:]
    elif texts[:1] and texts[0].startswith("-") and len(texts) > 1:
        texts = texts[1:]
    every = [text for text in texts if text in {"-1", "1", "0", "-0"}]
    own = Effect(verb=Verb.MUTATE)
    return joined(own, finding("kill of every process or of the first one")) if every else own


def schedule(words: Sequence[Word], scope: Scope) -> Effect:
    """``at`` and ``batch``: what is read runs later, as shell code."""
    if words and words[0].text in {"-l", "-V"}:
        return HARMLESS
    if scope.feed.source is Input.PIPE:
        return finding("a pipe into a job that runs later")
    fed = scope.read(scope.feed.word, scope) if scope.feed.word is not None else HARMLESS
    return joined(_ADMIN, fed)


def settings(words: Sequence[Word], _scope: Scope) -> Effect:
    """``set`` and ``shopt``: the history stays on."""
    texts = [word.text for word in words]
    off = ("+o", "history") in pairwise(texts)
    return finding("the shell's history switched off") if off else HARMLESS


def forget(words: Sequence[Word], _scope: Scope) -> Effect:
    """``unset``: the history stays on."""
    gone = any(word.text in {"HISTFILE", "HISTSIZE", "HISTFILESIZE"} for word in words)
    return finding("the shell's history switched off") if gone else HARMLESS


def rename_command(words: Sequence[Word], _scope: Scope) -> Effect:
    """``alias``: words behind one no longer mean what they say."""
    return unreadable("an alias") if any("=" in word.text for word in words) else HARMLESS


def passwords(words: Sequence[Word], scope: Scope) -> Effect:
    """``passwd``: admin, a finding where it is fed or changes an account by option."""
    if words and words[0].text in {"-S", "--status"}:
        return HARMLESS
    fed = scope.feed.source is not Input.NOTHING
    changes = has(words, ("-d", "--delete", "-l", "--lock", "-u", "--unlock", "-e", "--expire", "--stdin", "-s"))
    return finding("passwd of an account") if fed or changes else _ADMIN


def plan(words: Sequence[Word], scope: Scope) -> Effect:
    """``crontab``: listing is a query, whatever brings another table or none is a finding."""
    options = {word.text for word in words}
    if "-l" in options and not options & {"-r", "-i"}:
        return HARMLESS
    changes = has(words, ("-r",)) or operands(words, frozenset({"-u", "-s"})) or scope.feed is not NOTHING
    return finding("crontab changed") if changes else _ADMIN


def windows(words: Sequence[Word], _scope: Scope) -> Effect:
    """``cmd``: its code is not read here; what only shows something is told by its first word."""
    texts = [word.text for word in words]
    at = next((index for index, text in enumerate(texts) if text[:2].lower() in {"/c", "/k", "/r"}), None)
    if at is None:
        return _ADMIN
    code = " ".join((texts[at][2:], *texts[at + 1 :])).strip()
    return _ADMIN if _SHOWS.fullmatch(code) else finding("code for cmd.exe")


OWN: Final[dict[str, Judge]] = {
    "crontab": plan,
    "kill": kill,
    "at": schedule,
    "batch": schedule,
    "set": settings,
    "unset": forget,
    "alias": rename_command,
    "source": source,
    ".": source,
    "passwd": passwords,
    "cmd": windows,
}
