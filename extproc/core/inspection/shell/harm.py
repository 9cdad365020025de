"""Commands that no table knows: what their words say they destroy, and dangerous commands in their arguments."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from extproc.core.inspection.shell.arguments import operands, option_like
from extproc.core.inspection.shell.effects import HARMLESS, UNTOLD, Effect, finding, joined
from extproc.core.inspection.shell.scope import Scope
from extproc.core.inspection.shell.words import Word

__all__ = ["guessed", "looked_through", "told"]

_DESTROYING: Final = re.compile(
    r"(?:.*[:_-])?(?:delete|destroy|drop|purge|wipe|erase|obliterate|nuke|truncate|terminate|unregister|deregister)"
    r"(?:[:_-].*|all|[A-Z].*)?|(?:flush|clear|remove|reset|drop)[:_-]?(?:all|db|database)|factory[:_-]?reset"
)
_PLAINLY: Final = re.compile(r"(?:.*[:_-])?(?:delete|destroy|wipe|erase)")
_DESTROYING_OPTION: Final = re.compile(
    r"--?(?:delete|destroy|drop|purge|wipe|erase|nuke|force-delete|factory-reset|delete-all|purge-all"
    r"|drop-database|delete-data|zap)(?:=.*)?"
)
_REACH: Final = 3
"""Operands that may be subcommands; behind them stand names and values."""
_MOST: Final = 4
_FAR: Final = 8
_ADDRESS: Final = re.compile(r"[a-z][a-z0-9+.-]*://|[A-Za-z0-9._-]+@[A-Za-z0-9.-]+(?::|$)")


def guessed(name: str, words: Sequence[Word], scope: Scope, is_known: Callable[[str], bool]) -> Effect:
    """What the words of an unknown command, or of an unknown subcommand, say of themselves."""
    named = name if is_known(name) else "an unknown command"
    parts = [looked_through(words, scope, is_known), told(named, words)]
    if is_known(name) and any(word.is_dynamic for word in operands(words)[:1]):
        parts.append(finding(f"{named} with a subcommand only known at run time"))
    if any(_ADDRESS.search(word.text) for word in words):
        parts.append(Effect(network=True))
    return joined(*parts)


def told(name: str, words: Sequence[Word], *, is_reviewed: bool = False) -> Effect:
    """What subcommands and options say of themselves; of a reviewed command, only the plainest words count."""
    subcommands = [word.text for word in operands(words)[:_REACH] if not word.is_dynamic]
    options = [] if is_reviewed else [word.text for word in option_like(words)]
    pattern = _PLAINLY if is_reviewed else _DESTROYING
    if any(map(pattern.fullmatch, subcommands)) or any(map(_DESTROYING_OPTION.fullmatch, options)):
        return finding(f"{name} that deletes or destroys")
    return HARMLESS


def looked_through(
    words: Sequence[Word], scope: Scope, is_known: Callable[[str], bool], *, is_reviewed: bool = False
) -> Effect:
    """The findings of a command in the arguments of one that may run it; nothing else of it is sure.

    Of a reviewed command, not that a name is only known at run time: what it runs was judged as its own.
    """
    if scope.guessing:
        return HARMLESS
    scope = replace(scope, guessing=True)
    starts = [
        index
        for index, word in enumerate(words[:-1])
        if not word.is_dynamic and not word.text.startswith("-") and is_known(word.text.rpartition("/")[2])
    ]
    inner = [scope.run(words[index:], scope) for index in starts[:_MOST]]
    inner += [scope.read(word, scope) for word in words[:_FAR] if re.search(r"\S\s+\S", word.text)]
    sure = [part for part in inner if _is_sure(part) and not (is_reviewed and UNTOLD in part.commands)]
    return joined(HARMLESS, *(Effect(verb=part.verb, findings=part.findings) for part in sure))


def _is_sure(part: Effect) -> bool:
    return bool(part.findings) and part.readable and bool(part.commands) and not part.unknown
