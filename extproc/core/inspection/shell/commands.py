"""One command: its name, the judge of that name, and what any command does by its words.

A name that is only known at run time is a finding. A name that nobody reviewed is admin, and a finding where its words
say that they destroy, or hold a command that does.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

from extproc.core.inspection.shell import harm
from extproc.core.inspection.shell.catalogue import canonical, is_known, is_wrapper, judge_of
from extproc.core.inspection.shell.effects import HARMLESS, UNTOLD, Effect, finding, joined, unreadable
from extproc.core.inspection.shell.files import written
from extproc.core.inspection.shell.known.listing import listed
from extproc.core.inspection.shell.known.reading import BUILTINS
from extproc.core.inspection.shell.places import is_secret
from extproc.core.inspection.shell.scope import Scope
from extproc.core.inspection.shell.words import Word, hides_code, static
from extproc.core.model import Verb

__all__ = ["judge"]

_RESERVED: Final = listed(
    "{ } ( ) ! if then elif else fi for in do done while until case esac select function coproc ]] ="
)
"""Names of commands that only a misreading of the grammar makes."""
_PLAIN_NAME: Final = re.compile(r"[!-~]+")
_TRUSTED: Final = re.compile(r"(?:/(?:usr/|usr/local/|opt/homebrew/|snap/)?s?bin/)?[^/]+")
"""Where programs are what their name says; another folder may hold any program of that name."""
_KEYS: Final = listed("ssh-add ssh-keygen ssh-copy-id source .")
"""Commands that are there for files of credentials, and those that read settings into the shell."""
_KEY: Final = r"-i|-E|--?[a-z-]*(?:key|cert|config|identity|netrc|credential|password|env)[a-z-]*"
_KEY_OPTION: Final = re.compile(_KEY)
_OWN_KEY: Final = re.compile(rf"(?:{_KEY})=")
"""Options whose file a command authenticates with, or reads its settings from."""
_ADMIN: Final = Effect(verb=Verb.ADMIN)


def judge(words: Sequence[Word], scope: Scope) -> Effect:
    """The effect of one command, its name first; total, whatever the words are."""
    name = words[0]
    if name.names:
        return joined(Effect(commands=(UNTOLD,)), finding("a command name only known at run time"))
    is_pattern = name.open and name.text not in {"[", "[["}
    if name.text in _RESERVED or is_pattern or not _PLAIN_NAME.fullmatch(name.text):
        return unreadable("a command name that cannot be told")
    base = name.text.rstrip("/").rpartition("/")[2] or name.text
    known = canonical(base)
    own = _judged(base, known, words[1:], scope)
    is_itself = known == base or (base.startswith(known) and not base.endswith(".exe"))
    strange = HARMLESS if is_itself and _TRUSTED.fullmatch(name.text) else _ADMIN
    judged = HARMLESS
    if own.touches:
        told = Effect(verb=Verb.MUTATE, writes=own.touches)
        judged = joined(told, written(known, map(static, own.touches), scope))
    return joined(replace(own, touches=()), strange, judged, _besides(known, words, scope))


def _judged(base: str, known: str, words: Sequence[Word], scope: Scope) -> Effect:
    """What the name's own judge says; where there is none, or none for the subcommand, what the words say."""
    found = Effect(commands=(base,))
    if [word.text for word in words] in (["--help"], ["--version"]) and is_known(known) and not is_wrapper(known):
        return found
    own_judge = judge_of(known)
    effect = None if own_judge is None else own_judge(words, scope)
    if effect is None:
        guessed = harm.guessed(known, words, scope, is_known)
        return joined(found, Effect(verb=Verb.ADMIN, unknown=(base,)), guessed)
    if effect.verb is Verb.ADMIN and not effect.findings and not is_wrapper(known):
        told = harm.told(known, words, is_reviewed=True)
        return joined(found, effect, told, harm.looked_through(words, scope, is_known, is_reviewed=True))
    return joined(found, effect)


def _besides(known: str, words: Sequence[Word], scope: Scope) -> Effect:
    """What any command does by its words: name a file of credentials, hide code, run what was just written."""
    parts = []
    named = [word for before, word in pairwise(words) if not _KEY_OPTION.fullmatch(before.text)]
    if known not in _KEYS and any(is_secret(word) and not _OWN_KEY.match(word.text) for word in named):
        parts.append(Effect(verb=Verb.ADMIN, secret=True))
    if known in BUILTINS and any(hides_code(word.text) for word in words):
        parts.append(unreadable("code inside of a subscript"))
    if "/" in words[0].text and words[0].text.rpartition("/")[2] in scope.written:
        parts.append(finding("a file run that the same command line writes"))
    return joined(*parts)
