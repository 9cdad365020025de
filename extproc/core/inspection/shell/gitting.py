"""git beyond the table: settings on the command line that are programs, and checkouts that drop changes."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from extproc.core.inspection.shell.arguments import has, operands, option_like, values
from extproc.core.inspection.shell.effects import HARMLESS, Effect, finding, joined
from extproc.core.inspection.shell.known.git import CODE_SETTINGS
from extproc.core.inspection.shell.known.listing import listed
from extproc.core.inspection.shell.scope import Scope
from extproc.core.inspection.shell.words import Word
from extproc.core.model import Verb

__all__ = ["git_beside"]

_CODE: Final = re.compile(CODE_SETTINGS)
_PLAIN_SETTING: Final = re.compile(
    r"(?:color|user|advice|log|column|init|commit|i18n|pull|push|rebase|merge|fetch|branch|tag|gc|rerere|submodule|status|diff|blame"
    r"|core\.(?:quotepath|autocrlf|safecrlf|ignorecase|filemode|longpaths|abbrev|compression|symlinks))[.a-z0-9-]*"
)
_CHECKOUT_TAKES: Final = listed("-b -B --orphan --conflict -U --unified --inter-hunk-context --pathspec-from-file")
_EVERYTHING: Final = frozenset({".", "./", ":/", "*"})
_WORDY: Final = frozenset({"--recurse-submodules", "--track"})
"""Options whose value is behind ``=`` only, but that people write with a word."""
_WORDS: Final = frozenset({"checkout", "on-demand", "direct", "inherit", "no", "yes"})


def git_beside(words: Sequence[Word], takes: frozenset[str], scope: Scope) -> Effect:
    """What the rules of the table cannot say of a git command."""
    before = list(_before_subcommand(words, takes))
    parts = [_setting(value.text, scope) for value in values(before, ("-c", "--config-env"))]
    rest = operands(words, takes)
    if rest and rest[0].text == "checkout":
        parts.append(_checkout(words[words.index(rest[0]) + 1 :]))
    if rest and rest[0].text == "restore":
        parts.append(_restore(words))
    if rest and rest[0].text == "config":
        parts += _set_here(rest[1:], scope)
    codes = values(words, ("--exec", "-x")) if rest and rest[0].text in {"rebase", "difftool"} else ()
    parts += (scope.read(code, scope) for code in codes)
    return joined(*parts)


def _before_subcommand(words: Sequence[Word], takes: frozenset[str]) -> Sequence[Word]:
    first = next(iter(operands(words, takes)), None)
    return words if first is None else words[: words.index(first)]


def _setting(text: str, scope: Scope) -> Effect:
    """``-c name=value``: a value that is run is judged as code."""
    name, _, value = text.partition("=")
    if _CODE.fullmatch(name.lower()):
        code = scope.read(Word(value.removeprefix("!")), scope) if value else HARMLESS
        return joined(Effect(verb=Verb.ADMIN), code)
    return HARMLESS if _PLAIN_SETTING.fullmatch(name.lower()) else Effect(verb=Verb.ADMIN)


def _set_here(rest: Sequence[Word], scope: Scope) -> list[Effect]:
    """``git config name value`` keeps what ``-c`` says once."""
    texts = [word.text for word in rest if word.text not in {"set", "--add"}]
    return [_setting(f"{texts[0]}={texts[1]}", scope)] if len(texts) > 1 else []


def _checkout(words: Sequence[Word]) -> Effect:
    """Paths behind ``git checkout`` lose their changes; a branch alone does not."""
    texts = [word.text for word in words]
    has_paths = "--" in texts and texts.index("--") < len(texts) - 1
    after_wordy = {second for first, second in pairwise(texts) if first in _WORDY}
    rest = [word for word in operands(words, _CHECKOUT_TAKES) if word.text not in after_wordy & _WORDS]
    loses = has_paths or len(rest) > 1 or any(word.text in _EVERYTHING for word in rest)
    return finding("git checkout of paths, which drops their changes") if loses else HARMLESS


def _restore(words: Sequence[Word]) -> Effect:
    """``git restore`` drops changes unless it only takes them out of the index."""
    texts = {word.text for word in option_like(words)}
    only_index = texts & {"--staged", "-S"} and not has(words, ("--worktree", "-W"))
    return HARMLESS if only_index else finding("git restore, which drops changes")
