"""Rules of thumb as data: what a command does by its subcommand and options.

One rule a line: ``names [words] [options] : effect``, ``.`` for the names of the line before. ``|`` stands between
spellings, ``*`` in a word for any text, ``$`` for the end of the operands, ``$$`` for that of all words; an option
after ``!`` must be absent, one after ``^`` must be the first word exactly.

The effect is ``query``, ``mutate``, ``admin`` or ``destroy`` (admin, and a finding), with ``net`` where it talks to the
network and ``all``, ``last``, ``rest`` or ``first`` where those operands are paths it writes, or ``=-o|--output`` where
the value of an option is. A line ``names takes options`` names the options whose value is a word of its own, ``names
flags options`` those that surely have none, ``names glues options`` short ones whose value is often glued to them.

The longest rule without options says what a subcommand does; every rule with options that is met adds to it. Harm is
found leniently: an option that is not known may have a value, so a subcommand may stand one word later. What no rule
knows is nothing that a rule can answer (None).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final

from extproc.core.inspection.shell.arguments import has, operands, option_like, values
from extproc.core.inspection.shell.effects import HARMLESS, Effect, finding, joined
from extproc.core.inspection.shell.words import Word
from extproc.core.model import Verb

__all__ = ["Rule", "Sheet", "assess", "read_rules"]

_VERBS: Final = {"query": Verb.QUERY, "mutate": Verb.MUTATE, "admin": Verb.ADMIN, "destroy": Verb.ADMIN}
_ENDS: Final = (("$",), ("$$",))
_ANY: Final = ("*",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line."""

    words: tuple[tuple[str, ...], ...]
    options: tuple[tuple[str, ...], ...]
    absent: tuple[str, ...]
    first: tuple[str, ...]
    verb: Verb
    destroys: bool
    network: bool
    writes: tuple[str, ...]


@dataclass(slots=True)
class Sheet:
    """All rules of one command."""

    takes: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()
    glues: frozenset[str] = frozenset()
    by_word: dict[str, list[Rule]] = field(default_factory=dict)

    def add(self, rule: Rule) -> None:
        """Keep a rule, also by the first word it asks for, ``""`` for one that may meet any."""
        exact = rule.words[:1] and rule.words[0] not in _ENDS and not any("*" in word for word in rule.words[0])
        for word in rule.words[0] if exact else ("",):
            self.by_word.setdefault(word, []).append(rule)

    def meeting(self, readings: Sequence[Sequence[Word]]) -> list[Rule]:
        """The rules that may meet one of the readings, in any order."""
        firsts = dict.fromkeys(("", *(reading[0].text for reading in readings if reading)))
        return [rule for first in firsts for rule in self.by_word.get(first, ())]


def read_rules(texts: Iterable[str]) -> Mapping[str, Sheet]:
    """The sheets of the commands that the texts name."""
    sheets: dict[str, Sheet] = {}
    before = ""
    for line in (line.strip() for text in texts for line in text.splitlines()):
        if not line or line.startswith("#"):
            continue
        pattern, _, effect = line.rpartition(" : ") if " : " in line else (line, "", "")
        names, *parts = pattern.split()
        before = before if names == "." else names
        for name in before.split("|"):
            sheet = sheets.setdefault(name, Sheet())
            if parts[:1] == ["takes"]:
                sheet.takes |= frozenset(parts[1:])
            elif parts[:1] == ["flags"]:
                sheet.flags |= frozenset(parts[1:])
            elif parts[:1] == ["glues"]:
                sheet.glues |= frozenset(parts[1:])
            else:
                sheet.add(_rule(parts, effect.split()))
    return sheets


def _rule(parts: Sequence[str], effect: Sequence[str]) -> Rule:
    spelled = [tuple(part.split("|")) for part in parts if not part.startswith(("!", "^"))]
    return Rule(
        words=tuple(part for part in spelled if not part[0].startswith(("-", "+"))),
        options=tuple(part for part in spelled if part[0].startswith(("-", "+"))),
        absent=tuple(option for part in parts if part.startswith("!") for option in part[1:].split("|")),
        first=tuple(option for part in parts if part.startswith("^") for option in part[1:].split("|")),
        verb=_VERBS[effect[0]],
        destroys=effect[0] == "destroy",
        network="net" in effect,
        writes=tuple(part for part in effect[1:] if part != "net"),
    )


def assess(name: str, sheet: Sheet, words: Sequence[Word]) -> Effect | None:
    """What the rules say of a command with these arguments; None where no rule knows its subcommand."""
    readings = _readings(words, sheet)
    rules = sheet.meeting(readings)
    bases = [_base(rules, reading, words) for reading in readings]
    is_listing = all(base is not None and base.first for base in bases)
    raising = [
        rule
        for rule in rules
        if (rule.options or (rule.destroys and not is_listing))
        and any(_begins(rule, reading, words) for reading in readings)
        and all(has(words, option, sheet.glues) for option in rule.options)
        and not _is_absolved(rule, words, sheet.takes)
    ]
    if None in bases and not raising:
        return None
    met = [rule for rule in bases if rule is not None and rule not in raising] + raising
    told = [_told(name, rule, readings[0], words) for rule in met]
    return joined(*told, _by_run_time(rules, readings[0], words))


def _told(name: str, rule: Rule, reading: Sequence[Word], words: Sequence[Word]) -> Effect:
    effect = Effect(verb=rule.verb, network=rule.network, touches=tuple(_written(rule, reading, words)))
    return joined(effect, finding(_sentence(name, rule, reading, words))) if rule.destroys else effect


def _sentence(name: str, rule: Rule, reading: Sequence[Word], words: Sequence[Word]) -> str:
    """The rule that is met, in its own spellings: a pattern stays one, so that no argument is told."""
    chosen = [
        next((spelling for spelling in spellings if _fits(word.text, spelling)), spellings[0])
        for spellings, word in zip(rule.words, reading, strict=False)
        if spellings not in _ENDS
    ]
    chosen += (next((one for one in spellings if has(words, (one,))), spellings[0]) for spellings in rule.options)
    return " ".join((name, *chosen))


def _by_run_time(rules: Sequence[Rule], reading: Sequence[Word], words: Sequence[Word]) -> Effect:
    """A word of run time may be any option that a rule asks for, but nothing is known to be destroyed."""
    if not any(word.may_be_option for word in option_like(words)):
        return HARMLESS
    worse = [rule.verb for rule in rules if rule.options and _begins(rule, reading, words)]
    return Effect(verb=max(worse, default=Verb.QUERY))


def _readings(words: Sequence[Word], sheet: Sheet) -> tuple[list[Word], ...]:
    """The operands, and again without those that may be the value of an option nobody knows."""
    plain = operands(words, sheet.takes)
    options = (word.text for word in option_like(words) if word.text.startswith("-") and "=" not in word.text)
    fewer = operands(words, sheet.takes | (frozenset(options) - sheet.flags))
    return (plain,) if fewer == plain else (plain, fewer)


def _base(rules: Sequence[Rule], reading: Sequence[Word], words: Sequence[Word]) -> Rule | None:
    """The rule without options that says most of this subcommand."""
    fitting = [
        rule
        for rule in rules
        if not rule.options
        and not rule.absent
        and (not rule.first or (bool(words) and words[0].text in rule.first))
        and _begins(rule, reading, words)
    ]
    return max(fitting, key=_precision, default=None)


def _precision(rule: Rule) -> tuple[bool, int, int, Verb]:
    exact = sum(1 for spellings in rule.words if not any("*" in spelling for spelling in spellings))
    return bool(rule.first), len(rule.words), exact, rule.verb


def _begins(rule: Rule, reading: Sequence[Word], words: Sequence[Word]) -> bool:
    """Whether the operands begin with the words of the rule; a word of run time is no subcommand."""
    for index, spellings in enumerate(rule.words):
        if spellings in _ENDS:
            return len(reading) == index and (spellings == _ENDS[0] or len(words) == index)
        if index >= len(reading) or reading[index].is_dynamic:
            return False
        if not any(_fits(reading[index].text, spelling) for spelling in spellings):
            return False
    return True


def _fits(text: str, spelling: str) -> bool:
    return text == spelling or ("*" in spelling and fnmatchcase(text, spelling))


def _is_absolved(rule: Rule, words: Sequence[Word], takes: frozenset[str]) -> bool:
    """Whether an option is there that takes the harm away: exactly, and surely not as the value of another one."""
    if not rule.absent:
        return False
    before = ""
    for word in option_like(words):
        if word.text in rule.absent and not (before.startswith("-") and (before in takes or before.startswith("--"))):
            return True
        before = "" if "=" in word.text else word.text
    return False


def _written(rule: Rule, reading: Sequence[Word], words: Sequence[Word]) -> Iterable[str]:
    """The paths that the rule says are written."""
    rest = list(reading[sum(1 for spellings in rule.words if spellings not in (*_ENDS, _ANY)) :])
    for written in rule.writes:
        if written.startswith("="):
            yield from (word.text for word in values(words, written[1:].split("|")))
        else:
            chosen = {"all": rest, "last": rest[-1:], "first": rest[:1], "rest": rest[1:]}[written]
            yield from (word.text for word in chosen)
