"""awk programs: whether one runs commands, writes files, or cannot be told."""

import re
from collections.abc import Sequence
from typing import Final

from extproc.core.inspection.shell.arguments import has, operands, values
from extproc.core.inspection.shell.effects import HARMLESS, Effect, finding, joined
from extproc.core.inspection.shell.scope import Scope
from extproc.core.inspection.shell.words import Word
from extproc.core.model import Verb

__all__ = ["awk"]

_TAKES: Final = frozenset({"-F", "-v", "-f", "--field-separator", "--assign", "--file"})
_UNSEEN: Final = ("-f", "--file", "-i", "--include", "-l", "--load", "-E", "--exec", "-D", "--debug", "-W")
_LITERAL: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_PATTERN: Final = re.compile(r"(?<=[(,{;!~&|\n])\s*/(?:[^/\\\n]|\\.)+/|^\s*/(?:[^/\\\n]|\\.)+/")
_RUNS: Final = re.compile(r"\bsystem\b|\bgetline\b|@|\|&")
_PIPE: Final = re.compile(r"(?<!\|)\|(?!\|)")
_PRINTS_TO: Final = re.compile(r"\bprintf?\b[^;}\n]*>")


def awk(words: Sequence[Word], _scope: Scope) -> Effect:
    """An awk call: a query where its program surely only reads and prints."""
    if has(words, _UNSEEN):
        return Effect(verb=Verb.ADMIN)
    programs = [*values(words, ("-e", "--source")), *operands(words, _TAKES)[:1]]
    if not programs:
        return Effect(verb=Verb.ADMIN)
    if any(program.is_dynamic for program in programs):
        return finding("an awk program only known at run time")
    return joined(*(_judged(program.text) for program in programs))


def _judged(program: str) -> Effect:
    bare = _LITERAL.sub('""', _PATTERN.sub(" 1 ", program))
    if _RUNS.search(program) or _PIPE.search(bare):
        return finding("an awk program that runs commands")
    writes = _PRINTS_TO.search(bare)
    whole = bare.count('"') % 2 == 0
    return joined(HARMLESS, Effect(verb=Verb.QUERY if whole and not writes else Verb.ADMIN))
