"""Two JSON values beside each other: what was masked is coloured by its type in the one, its mark in the other.

Lines that are equal on both sides are folded where many follow each other. What stands in the values was chosen by
somebody else, so nothing of it reaches the terminal as a control character.
"""

import json
import re
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from typing import Final

from rich.table import Table
from rich.text import Text

from extproc.cli.recorded import printable
from extproc.core.model import Json

__all__ = ["counted", "side_by_side"]

_COLOURS: Final = ("red", "magenta", "yellow", "cyan", "green", "blue", "bright_red", "bright_magenta", "bright_cyan")
_CONTEXT: Final = 3
_MARK: Final = re.compile(r"\[([a-z][a-z0-9_]*)(?::[0-9a-f]{20})?\](?:#\d+)?|\*{4}[^\s*]{1,4}")


def colour(kind: str) -> str:
    """The colour of a type: the same in every run."""
    return _COLOURS[sum(kind.encode()) % len(_COLOURS)]


def side_by_side(before: Json, after: Json) -> Table:
    """The table of both values, pretty-printed."""
    table = Table("before", "after", box=None, pad_edge=False)
    left, right = _lines(before), _lines(after)
    for kind, first, second, third, fourth in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if kind == "equal":
            for line in _folded(left[first:second]):
                table.add_row(Text(line, style="dim"), Text(line, style="dim"))
            continue
        rows = max(second - first, fourth - third)
        for row in range(rows):
            old = left[first + row] if first + row < second else None
            new = right[third + row] if third + row < fourth else None
            table.add_row(*_pair(old, new))
    return table


def counted(counts: Mapping[str, int]) -> Text:
    """How much was masked of each type, in its colour."""
    if not counts:
        return Text("nothing was masked")
    parts = [Text(f"{kind} {number}", style=colour(kind)) for kind, number in sorted(counts.items())]
    total = sum(counts.values())
    return Text.assemble(f"{total} {'value' if total == 1 else 'values'} masked: ", Text(", ").join(parts))


def _lines(value: Json) -> list[str]:
    return json.dumps(value, indent=2, ensure_ascii=False).split("\n")


def _folded(lines: list[str]) -> Iterator[str]:
    if len(lines) <= 2 * _CONTEXT + 1:
        yield from map(printable, lines)
        return
    yield from map(printable, lines[:_CONTEXT])
    yield f"  … {len(lines) - 2 * _CONTEXT} lines as they were …"
    yield from map(printable, lines[-_CONTEXT:])


def _pair(old: str | None, new: str | None) -> tuple[Text, Text]:
    if old is None or new is None:
        return _whole(old, "red"), _whole(new, "green")
    marks = [(found.start(), found.end(), found[1] or "kept") for found in _MARK.finditer(new)]
    was, became, at, behind = Text(), Text(), 0, 0
    for index, (start, end, kind) in enumerate(marks):
        between = new[behind:start]
        following = new[end : marks[index + 1][0]] if index + 1 < len(marks) else new[end:]
        begin = at + len(between) if old.startswith(between, at) else at + _shared(old[at:], between)
        finish = old.find(following, begin) if following else len(old)
        if finish < 0 or (index + 1 == len(marks) and following):
            finish = max(len(old) - _shared(old[::-1], following[::-1]), begin)
        style = f"bold {colour(kind)}"
        was.append(printable(old[at:begin])).append(printable(old[begin:finish]), style=style)
        became.append(printable(between)).append(printable(new[start:end]), style=style)
        at, behind = finish, end
    was.append(printable(old[at:]))
    became.append(printable(new[behind:]))
    return was, became


def _shared(one: str, other: str) -> int:
    """How many characters two texts begin with together."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((index for index, (first, second) in pairs if first != second), min(len(one), len(other)))


def _whole(line: str | None, style: str) -> Text:
    return Text("" if line is None else printable(line), style=style)
