"""Every reviewed command by name, and the judge of its words."""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from extproc.core.inspection.shell.awk import awk
from extproc.core.inspection.shell.databases import DATABASES, ask
from extproc.core.inspection.shell.effects import HARMLESS, Effect, joined
from extproc.core.inspection.shell.elsewhere import run_elsewhere
from extproc.core.inspection.shell.fetching import FETCHING, remote_options
from extproc.core.inspection.shell.files import FILES
from extproc.core.inspection.shell.gitting import git_beside
from extproc.core.inspection.shell.known.clouds import CLOUDS
from extproc.core.inspection.shell.known.containers import CONTAINERS
from extproc.core.inspection.shell.known.files import FILES as FILE_RULES
from extproc.core.inspection.shell.known.git import GIT
from extproc.core.inspection.shell.known.listing import listed
from extproc.core.inspection.shell.known.network import NETWORK
from extproc.core.inspection.shell.known.packages import PACKAGES
from extproc.core.inspection.shell.known.programs import EDITORS, INTERPRETERS, SHELLS
from extproc.core.inspection.shell.known.reading import BUILTINS, READING
from extproc.core.inspection.shell.known.stores import STORES
from extproc.core.inspection.shell.known.system import SYSTEM
from extproc.core.inspection.shell.known.wrapping import WRAPPING
from extproc.core.inspection.shell.own import OWN
from extproc.core.inspection.shell.rules import Sheet, assess, read_rules
from extproc.core.inspection.shell.scope import Judge, Scope
from extproc.core.inspection.shell.scripts import edit, interpret, interpreter, run_shell
from extproc.core.inspection.shell.searching import SEARCHING
from extproc.core.inspection.shell.sed import sed
from extproc.core.inspection.shell.words import Word
from extproc.core.inspection.shell.wrappers import Wrapper, read_wrappers, unwrap

__all__ = ["canonical", "is_known", "is_wrapper", "judge_of"]

_SHEETS: Final[Mapping[str, Sheet]] = read_rules(
    (*READING, *FILE_RULES, *SYSTEM, *GIT, *CONTAINERS, *CLOUDS, *PACKAGES, *STORES, *NETWORK)
)
_WRAPPERS: Final[Mapping[str, Wrapper]] = read_wrappers(WRAPPING)
_REMOTE: Final = listed("ssh autossh slogin mosh")
_FILE_SYSTEMS: Final = re.compile(r"(mkfs|fsck|newfs)\..+")
_RUNNING: Final = listed("run exec x dlx run-script rsh shell test start debug ssh")
"""Subcommands that hand their words to another program."""


def _nothing(_words: Sequence[Word], _scope: Scope) -> Effect:
    return HARMLESS


def _wrapped(name: str, words: Sequence[Word], scope: Scope) -> Effect:
    inner = unwrap(_WRAPPERS[name], words, scope)
    if name == "command" and words and words[0].text in {"-v", "-V"}:
        return Effect(findings=inner.findings)  # asks where the command is
    return joined(inner, remote_options(words, scope) if name in _REMOTE else HARMLESS)


def _by_table(name: str, words: Sequence[Word], scope: Scope) -> Effect | None:
    if _asks_for_help(words):
        return HARMLESS
    there = run_elsewhere(name, words, scope, _SHEETS[name].takes)
    return there if there is not None else assess(name, _SHEETS[name], words)


def _asks_for_help(words: Sequence[Word]) -> bool:
    """Whether the only option asks for help, and no script is run by its name."""
    *before, last = [word.text for word in words] or [""]
    options = any(text.startswith("-") for text in before) or any(word.is_dynamic for word in words)
    return last == "--help" and not options and not _RUNNING & set(before)


def _git(words: Sequence[Word], scope: Scope) -> Effect | None:
    words = words[1:] if words and words[0].text == "--" else words
    told = _by_table("git", words, scope)
    beside = HARMLESS if told is HARMLESS else git_beside(words, _SHEETS["git"].takes, scope)
    if told is None:
        return beside if beside.findings else None
    return joined(told, beside)


def _bun(words: Sequence[Word], scope: Scope) -> Effect | None:
    """A package manager, and an interpreter where it begins with an option."""
    codes = words and words[0].text.startswith("-")
    return interpret("bun", words, scope) if codes else _by_table("bun", words, scope)


_JUDGES: Final[Mapping[str, Judge]] = {
    **dict.fromkeys(BUILTINS, _nothing),
    **{name: partial(_by_table, name) for name in _SHEETS},
    **{name: partial(_wrapped, name) for name in _WRAPPERS},
    **{name: partial(run_shell, name) for name in SHELLS},
    **{name: partial(interpret, name) for name in INTERPRETERS},
    **{name: partial(ask, name) for name in DATABASES},
    **dict.fromkeys(EDITORS, edit),
    **FILES,
    **SEARCHING,
    **FETCHING,
    **OWN,
    **dict.fromkeys(("awk", "gawk", "mawk", "nawk", "original-awk"), awk),
    **dict.fromkeys(("sed", "gsed", "ssed"), sed),
    "git": _git,
    "bun": _bun,
}


def judge_of(name: str) -> Judge | None:
    """The judge of a canonical name, which gives None for a subcommand that nobody reviewed; None for another name."""
    return _JUDGES.get(name)


def is_wrapper(name: str) -> bool:
    """Whether a command only runs another one."""
    return name in _WRAPPERS


def is_known(name: str) -> bool:
    """Whether a command was reviewed, in any version."""
    return name in _JUDGES or bool(interpreter(name))


def canonical(base: str) -> str:
    """The name in the catalogue: without a version, without the kind of file system, in lower case."""
    if base in _JUDGES:
        return base
    kind = _FILE_SYSTEMS.fullmatch(base)
    lower = kind[1] if kind else base.lower().removesuffix(".exe")
    return lower if lower in _JUDGES else interpreter(base) or base
