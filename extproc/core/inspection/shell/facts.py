"""From a command line to its facts: bounded, total, remembered by text.

How the verb is decided. ``QUERY``: every command is on the list of those that only read, with options that keep it so.
``MUTATE``: some are known to write or change things. ``ADMIN``: something destructive (then there is a finding), other
rights or another machine (``sudo``, ``ssh``, ``kubectl exec``), code in another language, a script or a command that
nobody reviewed, a setting that changes what words mean, or anything that cannot be read. ``destructive`` is true if and
only if there is a finding; a text that is not read has one, since nothing bad can be ruled out of it.

A text is what bash and its kin read. PowerShell and cmd.exe are not covered: their commands are unknown, hence admin.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

from extproc.core.access import ShellFacts
from extproc.core.inspection.shell.assigning import assigned
from extproc.core.inspection.shell.characters import objection
from extproc.core.inspection.shell.commands import judge
from extproc.core.inspection.shell.effects import HARMLESS, Effect, finding, joined, unreadable
from extproc.core.inspection.shell.files import written
from extproc.core.inspection.shell.places import Place, is_secret, place
from extproc.core.inspection.shell.reading import read_steps
from extproc.core.inspection.shell.scope import Scope
from extproc.core.inspection.shell.steps import NOTHING, Assignment, Redirect, Run, Step
from extproc.core.inspection.shell.words import OUTPUT, Word, static
from extproc.core.limits import MAX_SHELL_BYTES, MAX_SHELL_READ_CHARS
from extproc.core.model import Verb

__all__ = ["inspect_shell"]

_REMEMBERED: Final = 1024
_MOST_WORDS: Final = 8192
"""Words judged for one text, those that several readings share counted each time; a text has 2,048 at most."""
_DEEPEST: Final = 16
"""Commands that run commands that run commands; people write three."""
_MOST_VALUES: Final = 4
_READ: Final = frozenset({"<", "<&"})


def inspect_shell(command: str | Sequence[str]) -> ShellFacts:
    """The facts of a command line, or of an argument vector that is run without a shell.

    A vector of one word is a command line: many tools hand it to a shell. Never raises.
    """
    if isinstance(command, str):
        return _of_text(command)
    words = tuple(command)
    if not words or not all(isinstance(word, str) for word in words):
        return _facts(unreadable("a command that is no text"))
    return _of_text(words[0]) if len(words) == 1 else _of_words(words)


@lru_cache(maxsize=_REMEMBERED)
def _of_text(text: str) -> ShellFacts:
    return _facts(_Inspection().text(text))


@lru_cache(maxsize=_REMEMBERED)
def _of_words(words: tuple[str, ...]) -> ShellFacts:
    if sum(map(len, words)) > MAX_SHELL_BYTES or len(words) > MAX_SHELL_BYTES // 4:
        return _facts(unreadable(f"a command line of more than {MAX_SHELL_BYTES} bytes"))
    objections = dict.fromkeys(filter(None, (objection(word.replace("\\\n", "\n")) for word in words)))
    if objections or not words[0]:
        return _facts(joined(*map(unreadable, objections or ("a command name that cannot be told",))))
    return _facts(_Inspection().vector(words))


def _facts(effect: Effect) -> ShellFacts:
    if effect.secret and effect.network and not effect.findings:
        effect = joined(effect, finding("a file of credentials beside the network"))
    return ShellFacts(
        verb=Verb.ADMIN if effect.findings else effect.verb,
        parsed=effect.readable,
        commands=effect.commands,
        unknown=effect.unknown,
        writes=effect.writes,
        network=effect.network,
        destructive=bool(effect.findings),
        findings=effect.findings,
    )


class _Inspection:
    """The work on one command line, with its bounds: nothing outlives it."""

    def __init__(self) -> None:
        self._chars = 0
        self._words = 0

    def text(self, text: str) -> Effect:
        return self._text(text, Scope(run=self._run, read=self._read))

    def vector(self, words: Sequence[str]) -> Effect:
        return self._run([static(word) for word in words], Scope(run=self._run, read=self._read))

    def _read(self, code: Word, scope: Scope) -> Effect:
        """Shell code inside of a command; what another command prints into it, nobody saw."""
        inner = self._text(code.text, scope)
        return joined(inner, finding("shell code that another command makes")) if OUTPUT in code.names else inner

    def _text(self, text: str, scope: Scope) -> Effect:
        self._chars += len(text)
        if self._chars > MAX_SHELL_READ_CHARS:
            return unreadable("shell code inside of shell code, too much of it")
        objections = objection(text)
        if objections:
            return unreadable(objections)
        steps = read_steps(text)
        values = _values(steps, scope.values)
        parts: list[Effect] = []
        names = scope.written
        folders = (*scope.folders, *(folder for step in steps for folder in _entered(step)))
        for step in steps:
            effect = self._step(step, replace(scope, values=values, written=names, folders=folders))
            names |= {path.rpartition("/")[2] for path in effect.writes}
            parts.append(effect)
        return joined(*parts)

    def _step(self, step: Step, scope: Scope) -> Effect:
        match step:
            case Run():
                return self._run(step.words, scope if step.feed is NOTHING else replace(scope, feed=step.feed))
            case Assignment():
                return assigned(step.name, step.value, scope)
            case Redirect():
                return _redirected(step, scope)
            case _:
                return unreadable(step.sentence)

    def _run(self, words: Sequence[Word], scope: Scope) -> Effect:
        """One command, and once more with each value that the text itself gives the variables in it."""
        self._words += len(words)
        if self._words > _MOST_WORDS or scope.depth > _DEEPEST:
            return unreadable("commands inside of commands, too many of them")
        scope = replace(scope, depth=scope.depth + 1)
        plain = judge(words, scope)
        others = [judge(variant, scope) for variant in _variants(words, scope.values)]
        return joined(plain, *(replace(other, commands=_added(plain, other)) for other in others))


def _entered(step: Step) -> tuple[str, ...]:
    """The folder that a step enters, where it is known."""
    if not isinstance(step, Run) or step.words[0].text not in {"cd", "pushd"}:
        return ()
    return tuple(word.text for word in step.words[1:] if not word.text.startswith("-"))[:1]


def _added(plain: Effect, other: Effect) -> tuple[str, ...]:
    return () if plain.commands == other.commands else other.commands


def _values(steps: Sequence[Step], outer: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    """The values that variables are given in the text; a value that is not static is no value."""
    found = dict(outer)
    for step in steps:
        if isinstance(step, Assignment):
            known = found.get(step.name, ())
            text = "" if step.value is None or step.value.is_dynamic else step.value.text
            found[step.name] = known if text in known or not text else (*known, text)[-_MOST_VALUES:]
    return found


def _variants(words: Sequence[Word], values: Mapping[str, tuple[str, ...]]) -> list[tuple[Word, ...]]:
    """The command with the values that its variables are given in the text."""
    names = {name for word in words for name in word.names if values.get(name)}
    count = max((len(values[name]) for name in names), default=0)
    chosen = [{name: values[name][min(index, len(values[name]) - 1)] for name in names} for index in range(count)]
    return [_substituted(words, each) for each in chosen]


def _substituted(words: Sequence[Word], chosen: Mapping[str, str]) -> tuple[Word, ...]:
    made: list[Word] = []
    for word in words:
        text = word.text
        for name, value in chosen.items():
            text = text.replace(f"${{{name}}}", value)
        left = tuple(name for name in word.names if name not in chosen)
        is_whole = any(word.text == f"${{{name}}}" for name in chosen)
        made += (Word(part, left, open=word.open) for part in (text.split() if is_whole else [text]))
    return tuple(made) or tuple(words)


def _redirected(step: Redirect, scope: Scope) -> Effect:
    spot = place(step.target)
    if step.operator in _READ:
        return joined(
            Effect(verb=Verb.ADMIN, secret=True) if is_secret(step.target) else HARMLESS,
            written("<", (step.target,), scope) if spot is Place.SOCKET else HARMLESS,
        )
    if spot is Place.HARMLESS or step.target.text.isdigit() or step.target.text == "-":
        return HARMLESS
    own = Effect(verb=Verb.MUTATE, writes=(step.target.text,))
    emptied = finding("a file emptied") if step.alone and step.operator not in {">>", "&>>"} else HARMLESS
    adding = step.operator in {">>", "&>>"}
    return joined(own, emptied, written(step.operator, (step.target,), scope, appending=adding))
