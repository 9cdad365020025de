"""Lists and patterns over the arguments of a call, for grants and deny rules, without an expression.

``arguments: {path: [prod, "hr_*"]}`` compares with names and `*`; ``{path: {matches: [RE2, …]}}`` searches. A path
goes into objects at each dot and into every item of an array; ``"*"`` is all arguments. What is compared is each text,
number and truth value at that place, and below it with the keys, as JSON writes it.

A grant wants that something is there, and that all of it is listed, or matches from its first to its last character.
A deny rule applies where any of it is listed, also where it only looks like that (J22), or matches in any part. So
what is nested, left out or written in another way falls on the safe side.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from extproc.core.model import Json
from extproc.core.policy.pattern_texts import compiled_pattern, read_pattern
from extproc.core.policy.patterns import Patterns, compile_patterns, folded
from extproc.core.policy.positions import Listing, Node
from extproc.core.policy.reading import Reading

__all__ = ["ArgumentRule", "read_arguments"]

_ALL: Final = "*"
_MISSING: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgumentRule:
    """What one argument must be, or must not be: ``listed``, the same folded, and RE2 ``patterns``."""

    path: str
    listed: Patterns
    looks: Patterns
    patterns: tuple[Any, ...]

    def holds(self, arguments: Mapping[str, Json]) -> bool:
        """Whether a grant takes these arguments."""
        texts = list(self._texts(arguments))
        return bool(texts) and all(text is not None and self._is(text) for text in texts)

    def appears(self, arguments: Mapping[str, Json]) -> bool:
        """Whether a deny rule applies to these arguments."""
        return any(text is not None and self._looks(text) for text in self._texts(arguments))

    def _is(self, text: str) -> bool:
        return self.listed.cover(text) or any(each.fullmatch(text) is not None for each in self.patterns)

    def _looks(self, text: str) -> bool:
        alike = folded(text)
        if self.listed.cover(text) or self.looks.cover(alike):
            return True
        return any(each.search(text) is not None or each.search(alike) is not None for each in self.patterns)

    def _texts(self, arguments: Mapping[str, Json]) -> Iterator[str | None]:
        """All that stands at the path; None for each place where it is missing."""
        if self.path == _ALL:
            yield from _below(arguments)
            return
        for value in _at(arguments, self.path.split(".")):
            yield from (None,) if value is _MISSING else _below(value)


def _at(value: Any, steps: list[str]) -> Iterator[Any]:
    """The values at the path; `_MISSING` where it leads nowhere."""
    if isinstance(value, list):
        for item in value:
            yield from _at(item, steps)
    elif not steps:
        yield value
    elif isinstance(value, Mapping):
        if steps[0] not in value:
            yield _MISSING
        for name in value:  # some servers read members whatever their case
            if folded(name) == folded(steps[0]):
                yield from _at(value[name], steps[1:])
    else:
        yield _MISSING


def _below(value: Json) -> Iterator[str]:
    """Each text in a value, its keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, member in value.items():
            yield name
            yield from _below(member)
    elif isinstance(value, list):
        for item in value:
            yield from _below(item)
    else:
        yield msgspec.json.encode(value).decode()


def read_arguments(node: Node | None, what: str, reading: Reading) -> tuple[ArgumentRule, ...]:
    """``arguments`` of a grant or of a deny rule."""
    rules = []
    for path, entry in reading.entries(node, f"`arguments` of {what}"):
        about = f"argument `{path.value}` of {what}"
        if path.value != _ALL and not all(path.value.split(".")):
            reading.problem(path.spot, f"`{path.value}` is no path to an argument", "Write it like `filter.schema`")
        listed: tuple[str, ...] = ()
        patterns: tuple[Any, ...] = ()
        if isinstance(entry, Listing):
            listed = tuple(word.value for word in reading.words(entry, about))
        else:
            found = reading.members(entry, about, ("matches",), required=("matches",))
            items = reading.items(found.get("matches"), f"`matches` of {about}")
            read = [read_pattern(item, f"each of `matches` of {about}", reading) for item in items]
            patterns = tuple(compiled_pattern(pattern.value) for pattern in read if pattern is not None)
        rules.append(
            ArgumentRule(
                path=path.value,
                listed=compile_patterns(listed),
                looks=compile_patterns(map(folded, listed)),
                patterns=patterns,
            )
        )
    return tuple(rules)
