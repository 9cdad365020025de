"""sed scripts, read command by command: which of them write files or run programs."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from extproc.core.inspection.shell.arguments import has, operands, values
from extproc.core.inspection.shell.effects import Effect, finding, joined
from extproc.core.inspection.shell.scope import Scope
from extproc.core.inspection.shell.words import Word
from extproc.core.model import Verb

__all__ = ["sed"]

_TAKES: Final = frozenset({"-e", "-f", "-l", "--expression", "--file", "--line-length"})
_IN_PLACE: Final = ("-i", "--in-place", "-I")
_BLANK: Final = re.compile(r"[\s;{}]*")
_ADDRESS: Final = re.compile(r"(?:\d+|\$|/(?:[^/\\\n]|\\.)*/[IM]*|\\(.)(?:(?!\1)[^\\\n]|\\.)*\1[IM]*)(?:[~,+]\d+)?")
_BETWEEN: Final = re.compile(r"\s*,\s*[+~]?")
_PLAIN: Final = re.compile(r"[pdDgGhHxnNP=zF]|[qQlL]\s*\d*|[btT:]\s*[^;}\n]*|#[^\n]*|r\s*[^\n]*|v[^\n;]*")
_TEXT: Final = re.compile(r"[aic]\\?\s*(?:[^\\\n]|\\.|\\\n)*")
_FILE: Final = re.compile(r"[wW]\s*([^\n]*)")
_FLAGS: Final = re.compile(r"[^;}\n]*w[^\n]*|[^;}\n]*")
_GAP: Final = re.compile(r"[\s!]*")


def sed(words: Sequence[Word], _scope: Scope) -> Effect:
    """A sed call: a query where its scripts surely only read and print."""
    given = list(values(words, ("-e", "--expression")))
    rest = operands(words, _TAKES)
    scripts, files = (given, rest) if given else (rest[:1], rest[1:])
    parts = [_judged(script) for script in scripts]
    if has(words, ("-f", "--file")):
        parts.append(Effect(verb=Verb.ADMIN))
    if has(words, _IN_PLACE):
        parts.append(Effect(verb=Verb.MUTATE, touches=tuple(word.text for word in files)))
    return joined(*parts)


def _judged(script: Word) -> Effect:
    if script.is_dynamic:
        return Effect(verb=Verb.ADMIN)
    return joined(*_commands(script.text))


def _commands(text: str) -> Iterator[Effect]:
    """The effect of each command of a script; what cannot be read is admin, and the reading ends there."""
    at = 0
    while True:
        at = _end(_BLANK, text, at)
        if at >= len(text):
            return
        at = _behind_address(text, at)
        letter = text[at : at + 1]
        if letter == "{":
            continue
        if letter in {"s", "y"}:
            at, flags = _substitution(text, at)
            yield from _flagged(flags)
        elif letter == "e":
            yield finding("a sed script that runs a program")
            return
        elif letter in {"w", "W"}:
            found = _FILE.match(text, at)
            yield Effect(verb=Verb.MUTATE, touches=(found[1],) if found else ())
            at = found.end() if found else len(text)
        else:
            following = max(_end(_PLAIN, text, at), _end(_TEXT, text, at))
            if following == at:
                yield Effect(verb=Verb.ADMIN)
                return
            at = following


def _behind_address(text: str, at: int) -> int:
    first = _end(_ADDRESS, text, at)
    between = _BETWEEN.match(text, first) if first > at else None
    second = _end(_ADDRESS, text, between.end()) if between else first
    return _end(_GAP, text, max(second, between.end() if between else 0, first))


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _substitution(text: str, at: int) -> tuple[int, str]:
    """Where ``s/a/b/flags`` or ``y/a/b/`` ends, and its flags: ``?`` for one whose parts cannot be told apart."""
    delimiter = text[at + 1 : at + 2]
    first = _field(text, at + 2, delimiter, brackets=text[at] == "s")
    second = _field(text, first, delimiter, brackets=False)
    if not delimiter.strip("\\\n ") or second > len(text):
        return len(text), "?"
    found = _FLAGS.match(text, second)
    return (found.end(), found[0]) if found else (second, "")


def _field(text: str, at: int, delimiter: str, *, brackets: bool) -> int:
    """The place behind the next delimiter, beyond the end where there is none or a ``[`` leaves it open."""
    while at < len(text) and text[at] != delimiter:
        if text[at] == "[" and brackets:
            close = text.find("]", at + 2)
            if close < 0 or delimiter in text[at:close]:
                return len(text) + 1
            at = close
        at += 2 if text[at] == "\\" else 1
    return at + 1 if at < len(text) else len(text) + 1


def _flagged(flags: str) -> Iterator[Effect]:
    plain, _, path = flags.partition("w")
    if "e" in plain:
        yield finding("a sed script that runs a program")
    elif path:
        yield Effect(verb=Verb.MUTATE, touches=(path.strip(),))
    elif plain.strip(" gpiImM0123456789#"):
        yield Effect(verb=Verb.ADMIN)
