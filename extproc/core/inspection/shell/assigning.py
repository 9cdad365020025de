"""Assignments: which of them run code, load it, hide traces, or change what the words behind them mean."""

import re
from typing import Final

from extproc.core.inspection.shell.effects import HARMLESS, Effect, finding, joined
from extproc.core.inspection.shell.known.settings import CODE, LOADING, STEERING
from extproc.core.inspection.shell.scope import Scope
from extproc.core.inspection.shell.words import Word
from extproc.core.model import Verb

__all__ = ["assigned"]

_PROGRAM: Final = re.compile(r"[A-Za-z0-9_./+-]*")
_NO_HISTORY: Final = re.compile(r"/dev/null|0?|-?\d")


def assigned(name: str, value: Word | None, scope: Scope) -> Effect:
    """What giving the variable this value does; None is a list."""
    if name in {"HISTFILE", "HISTSIZE", "HISTFILESIZE"}:
        off = value is None or bool(_NO_HISTORY.fullmatch(value.text))
        return finding("the shell's history switched off") if off else Effect(verb=Verb.ADMIN)
    if LOADING.fullmatch(name):
        return finding(f"{name} set, which loads other code")
    if CODE.fullmatch(name):
        return _code(value, scope)
    return Effect(verb=Verb.ADMIN) if STEERING.fullmatch(name) and not _is_cutting(name, value) else HARMLESS


def _code(value: Word | None, scope: Scope) -> Effect:
    if value is None or not value.text:
        return HARMLESS
    inner = scope.read(value, scope)
    return joined(inner, Effect(verb=Verb.ADMIN)) if not _PROGRAM.fullmatch(value.text) else inner


def _is_cutting(name: str, value: Word | None) -> bool:
    """Whether it is only the usual ``IFS=`` before ``read``: what is cut by another one is of run time anyway."""
    return name == "IFS" and value is not None and not re.search(r"[A-Za-z0-9/_.-]", value.text)
