"""Shells and interpreters: code in an option is judged, code on standard input is what nobody saw."""

import re
from collections.abc import Sequence
from typing import Final

from extproc.core.inspection.shell.arguments import is_option, takes_next, values
from extproc.core.inspection.shell.effects import HARMLESS, Effect, finding, joined
from extproc.core.inspection.shell.inline import is_plain, is_substitution
from extproc.core.inspection.shell.known.programs import INTERPRETERS, Interpreter
from extproc.core.inspection.shell.scope import Scope
from extproc.core.inspection.shell.steps import Input
from extproc.core.inspection.shell.words import PIPED_IN, Word
from extproc.core.model import Verb

__all__ = ["edit", "interpret", "interpreter", "run_shell", "source"]

_ADMIN: Final = Effect(verb=Verb.ADMIN)
_IN_PLACE: Final = frozenset({"perl", "ruby", "jruby"})
_EDITS: Final = re.compile(r"-[a-zA-Z0-9]*i.*")
"""Options of which one may be ``-i``: the files are written in their place."""
_STANDARD_INPUT: Final = frozenset({"-", "/dev/stdin", "/proc/self/fd/0", "/dev/fd/0"})
_VERSION: Final = re.compile(r"-?\d[\d.]*(?:-\w+)?$")
_SHELL_TAKES: Final = frozenset({"--rcfile", "--init-file", "-O", "+O", "-o", "+o"})


def interpreter(name: str) -> str:
    """The name of an interpreter without its version, empty for another command."""
    plain = _VERSION.sub("", name) if name not in INTERPRETERS else name
    return plain if plain in INTERPRETERS else ""


def run_shell(name: str, words: Sequence[Word], scope: Scope) -> Effect:
    """A POSIX-like shell: its code is read like the line itself; zsh understands more, so it stays admin."""
    options, rest = _leading(words, _SHELL_TAKES)
    parts = [_ADMIN] if name == "zsh" else []
    if any(word.text == PIPED_IN for word in words[: len(words) - len(rest)]):
        parts.append(finding(f"{name} with the output of another command as start-up file"))
    short = [word.text for word in options if word.text[:1] in "-+" and not word.text.startswith("--")]
    if any("c" in text for text in short):
        parts.append(scope.read(rest[0], scope) if rest else _ADMIN)
    elif rest and rest[0].text not in _STANDARD_INPUT and not any("s" in text for text in short):
        parts.append(_script(name, rest[0], scope))
    else:
        parts.append(_fed(name, scope, is_shell=True))
    return joined(*parts)


def interpret(name: str, words: Sequence[Word], scope: Scope) -> Effect:
    """An interpreter of another language: admin, and a finding unless the code surely only computes and prints."""
    spec = INTERPRETERS[name]
    options, rest = _leading(words, frozenset((*spec.inline, *spec.takes)), spec)
    codes = list(values(options, spec.inline))
    if codes:
        in_place = name in _IN_PLACE and any(_EDITS.fullmatch(word.text) for word in words[: len(words) - len(rest)])
        written = Effect(verb=Verb.MUTATE, touches=tuple(word.text for word in rest)) if in_place else HARMLESS
        return joined(_ADMIN, written, *(_inline(name, code) for code in codes))
    if any(word.text in {"-m", "--module"} for word in options):
        return _ADMIN
    if rest and rest[0].text not in _STANDARD_INPUT:
        return _script(name, rest[0], scope)
    return _fed(name, scope, is_shell=False)


def source(words: Sequence[Word], scope: Scope) -> Effect:
    """``source`` and ``.``: a script that runs in this shell."""
    if words and words[0].text in _STANDARD_INPUT:
        return _fed("source", scope, is_shell=True)
    return _script("source", words[0], scope) if words else _ADMIN


def edit(words: Sequence[Word], scope: Scope) -> Effect:
    """An editor: admin, and a finding where its commands may run a program."""
    fed = scope.feed.word.text if scope.feed.word is not None else ""
    commands = [word.text for word in words if word.text.startswith(("-", "+", ":"))]
    commands += [word.text for word in values(words, ("-c", "--cmd", "-es", "-S", "--eval", "-f", "-l"))]
    if any("!" in text or "system(" in text or "term" in text or "shell" in text for text in (*commands, fed)):
        return finding("a command of an editor that runs a program")
    return finding("a pipe into an editor") if scope.feed.source is Input.PIPE else _ADMIN


def _leading(
    words: Sequence[Word], takes: frozenset[str], spec: Interpreter | None = None
) -> tuple[list[Word], list[Word]]:
    """The options before the first operand, with the values that are code, and the rest."""
    attached = spec.attached if spec is not None else ""
    inline = spec.inline if spec is not None else ()
    at = 0
    kept: list[Word] = []
    while at < len(words) and len(words[at].text) > 1 and words[at].text[0] in "-+":
        text = words[at].text
        if text == "--":
            return kept, list(words[at + 1 :])
        is_attached = not text.startswith("--") and text[1] in attached and len(text) > 2
        span = 2 if takes_next(text, takes) and not is_attached else 1
        has_code = any(is_option(text, option) for option in inline)
        kept += [] if is_attached else words[at : at + (span if has_code else 1)]
        at += span
    if at < len(words) and spec is not None and words[at].text in spec.inline:
        return [*kept, *words[at : at + 2]], list(words[at + 2 :])
    return kept, list(words[at:])


def _inline(name: str, code: Word) -> Effect:
    if code.is_dynamic:
        return finding(f"inline {name} code")
    is_harmless = is_plain(code.text) or (name == "perl" and is_substitution(code.text))
    return HARMLESS if is_harmless else finding(f"inline {name} code")


def _script(name: str, script: Word, scope: Scope) -> Effect:
    if script.text == PIPED_IN:
        return finding(f"{name} on the output of another command")
    if script.text.rpartition("/")[2] in scope.written:
        return finding(f"{name} on a file written by the same command line")
    return _ADMIN


def _fed(name: str, scope: Scope, *, is_shell: bool) -> Effect:
    """An interpreter that reads its code from standard input."""
    match scope.feed.source:
        case Input.PIPE:
            return finding(f"a pipe into {name}")
        case Input.TEXT if scope.feed.word is not None:
            return scope.read(scope.feed.word, scope) if is_shell else joined(_ADMIN, _inline(name, scope.feed.word))
        case _:
            return _ADMIN
