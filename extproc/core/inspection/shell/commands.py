"""One command: what is known of its name, its words, what it runs, and the files of credentials in it.

The ladder, first match: a name only known at run time, a wrapper, a command with rules of its own, an interpreter, the
rules of the tables. Whatever no rung knows is unknown: admin, and a finding only where its words destroy something.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from extproc.core.inspection.shell import elsewhere, harm
from extproc.core.inspection.shell.awk import awk
from extproc.core.inspection.shell.effects import HARMLESS, Effect, finding, joined, unreadable
from extproc.core.inspection.shell.fetching import FETCHING, remote_options
from extproc.core.inspection.shell.files import FILES, written
from extproc.core.inspection.shell.gitting import git_beside
from extproc.core.inspection.shell.known.clouds import CLOUDS
from extproc.core.inspection.shell.known.containers import CONTAINERS
from extproc.core.inspection.shell.known.files import FILES as FILE_RULES
from extproc.core.inspection.shell.known.git import GIT
from extproc.core.inspection.shell.known.listing import listed
from extproc.core.inspection.shell.known.network import NETWORK
from extproc.core.inspection.shell.known.packages import PACKAGES
from extproc.core.inspection.shell.known.programs import EDITORS, SHELLS, interpreter
from extproc.core.inspection.shell.known.reading import BUILTINS, READING
from extproc.core.inspection.shell.known.stores import STORES
from extproc.core.inspection.shell.known.system import SYSTEM
from extproc.core.inspection.shell.known.wrapping import WRAPPING
from extproc.core.inspection.shell.own import OWN
from extproc.core.inspection.shell.places import is_secret
from extproc.core.inspection.shell.rules import Sheet, assess, read_rules
from extproc.core.inspection.shell.scope import Judge, Scope
from extproc.core.inspection.shell.scripts import edit, interpret, run_shell
from extproc.core.inspection.shell.searching import SEARCHING
from extproc.core.inspection.shell.sed import sed
from extproc.core.inspection.shell.words import Word, hides_code, static
from extproc.core.inspection.shell.wrappers import Wrapper, read_wrappers, unwrap
from extproc.core.model import Verb

__all__ = ["UNKNOWN_NAME", "judge"]

UNKNOWN_NAME: Final = "?"
"""What stands in the commands for a name that is only known at run time or cannot be told."""
_SHEETS: Final[Mapping[str, Sheet]] = read_rules(
    (*READING, *FILE_RULES, *SYSTEM, *GIT, *CONTAINERS, *CLOUDS, *PACKAGES, *STORES, *NETWORK)
)
_WRAPPERS: Final[Mapping[str, Wrapper]] = read_wrappers(WRAPPING)
_JUDGES: Final[Mapping[str, Judge]] = {
    **FILES,
    **SEARCHING,
    **FETCHING,
    **OWN,
    **dict.fromkeys(("awk", "gawk", "mawk", "nawk", "original-awk"), awk),
    **dict.fromkeys(("sed", "gsed", "ssed"), sed),
}
_RESERVED: Final = listed(
    "{ } ( ) ! if then elif else fi for in do done while until case esac select function coproc ]] ="
)
"""Names of commands that only a misreading of the grammar makes."""
_PLAIN_NAME: Final = re.compile(r"[!-~]+")
_TRUSTED: Final = re.compile(r"(?:/(?:usr/|usr/local/|opt/homebrew/|snap/)?s?bin/)?[^/]+")
"""Where programs are what their name says; another folder may hold any program of that name."""
_KEYS: Final = listed("ssh scp sftp rsync ssh-add ssh-keygen mosh autossh sshfs git ssh-copy-id curl")
"""Commands for which a key file is what they authenticate with."""
_FILE_SYSTEMS: Final = re.compile(r"(mkfs|fsck|newfs)\..+")
_ALREADY_JUDGED: Final = frozenset((*_WRAPPERS, *SEARCHING, *SHELLS, "tee"))
"""Commands whose writes are those of another one, or that say themselves how they write."""
_NAMES: Final = frozenset((*_JUDGES, *_WRAPPERS, *SHELLS, *EDITORS, *BUILTINS, *_SHEETS))
_RUNNING: Final = listed("run exec x dlx run-script rsh shell test start debug ssh")
"""Subcommands that hand their words to another program."""
_ADMIN: Final = Effect(verb=Verb.ADMIN)


def judge(words: Sequence[Word], scope: Scope) -> Effect:
    """The effect of one command, its name first; total, whatever the words are."""
    name = words[0]
    if name.names:
        return joined(Effect(commands=(UNKNOWN_NAME,)), finding("a command name only known at run time"))
    if name.text in _RESERVED or not _PLAIN_NAME.fullmatch(name.text) or (name.open and name.text not in {"[", "[["}):
        return joined(Effect(commands=(UNKNOWN_NAME,)), unreadable("a command name that cannot be told"))
    base = name.text.rstrip("/").rpartition("/")[2] or name.text
    known = _known(base)
    effect = _judged(known, words[1:], scope)
    found = Effect(commands=(base,), unknown=(base,) if effect is None else ())
    if effect is None:
        effect = joined(_ADMIN, harm.guessed(known, words[1:], scope, _is_known))
    elif effect.verb is Verb.ADMIN and not effect.findings and known not in _WRAPPERS:
        effect = joined(effect, harm.looked_through(words[1:], scope, _is_known))
    if known != base or not _TRUSTED.fullmatch(name.text):
        effect = joined(effect, _ADMIN)
    own = HARMLESS if known in _ALREADY_JUDGED else written(known, map(static, effect.writes))
    return joined(found, effect, own, _besides(known, name, words[1:], scope))


def _known(base: str) -> str:
    """The name that the tables know: without a version, without the kind of file system, in lower case."""
    if _is_known(base):
        return base
    kind = _FILE_SYSTEMS.fullmatch(base)
    if kind:
        return kind[1]
    lower = base.lower().removesuffix(".exe")
    return lower if _is_known(lower) else interpreter(base) or base


def _is_known(name: str) -> bool:
    return name in _NAMES or bool(interpreter(name))


def _judged(name: str, words: Sequence[Word], scope: Scope) -> Effect | None:
    """The effect by the first rung that knows the name; None where none does."""
    if _asks_for_help(name, words) and name not in _WRAPPERS:
        return HARMLESS if _is_known(name) else None
    own = _JUDGES.get(name)
    if own is not None:
        return own(words, scope)
    wrapper = _WRAPPERS.get(name)
    if wrapper is not None:
        return joined(unwrap(wrapper, words, scope), remote_options(words, scope) if name in _KEYS else HARMLESS)
    if name in SHELLS:
        return run_shell(name, words, scope)
    there = elsewhere.run_elsewhere(name, words, scope, _SHEETS)
    if there is not None:
        return there
    if interpreter(name) and not _has_subcommand(name, words):
        return interpret(interpreter(name), words, scope)
    if name in EDITORS:
        return edit(words, scope)
    if name in BUILTINS:
        return HARMLESS
    return _by_table(name, words, scope)


def _by_table(name: str, words: Sequence[Word], scope: Scope) -> Effect | None:
    sheet = _SHEETS.get(name)
    if sheet is None:
        return None
    if name != "git":
        return assess(name, sheet, words)
    words = words[1:] if words and words[0].text == "--" else words
    told = assess(name, sheet, words)
    return None if told is None else joined(told, git_beside(words, sheet.takes, scope))


def _has_subcommand(name: str, words: Sequence[Word]) -> bool:
    """Whether a package manager that is also an interpreter is asked for the former."""
    return name in _SHEETS and bool(words) and not words[0].text.startswith("-")


def _asks_for_help(name: str, words: Sequence[Word]) -> bool:
    """Whether the only option asks for help; a script that is run by name may do anything with it."""
    *before, last = [word.text for word in words] or [""]
    if not before:
        return last in {"--help", "--version"}
    plain = name in _SHEETS and not any(text.startswith("-") for text in before)
    return last == "--help" and plain and not _RUNNING & set(before) and not any(word.is_dynamic for word in words)


def _besides(name: str, spelled: Word, words: Sequence[Word], scope: Scope) -> Effect:
    """What any command does by its words: name a file of credentials, hide code, run what was just written."""
    parts = []
    if name not in _KEYS and any(is_secret(word) for word in words):
        parts.append(Effect(verb=Verb.ADMIN, secret=True))
    if name in BUILTINS and any(hides_code(word.text) for word in words):
        parts.append(unreadable("code inside of a subscript"))
    if "/" in spelled.text and spelled.text.rpartition("/")[2] in scope.written:
        parts.append(finding("a file run that the same command line writes"))
    return joined(*parts)
