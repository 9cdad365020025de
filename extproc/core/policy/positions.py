"""The text of a policy file as a tree that knows where everything stands.

Reads the plain part of YAML 1.2: mappings, lists, scalars. Refuses what lets two readers see two documents or one
reader much work: anchors, aliases, merge keys, tags, directives, a second document, duplicate keys, deep nesting,
a large file. Never raises on a text, never builds an object of a caller's choosing.
YAML 1.2.2: https://yaml.org/spec/1.2.2/
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from extproc.core.limits import MAX_POLICY_BYTES, MAX_POLICY_DEPTH

__all__ = ["Listing", "Members", "Node", "Problem", "Scalar", "Spot", "read_tree"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake in a policy file: where it stands (counted from 1), what it is, and the fix."""

    source: str
    line: int
    column: int
    what: str
    fix: str

    def __str__(self) -> str:
        end = "" if self.fix.endswith("?") else "."
        line = f"{self.source}:{self.line}:{self.column}: {self.what}. {self.fix}{end}"
        # it quotes the file, and goes to a terminal
        return "".join(character if character.isprintable() else "\ufffd" for character in line)


@dataclass(frozen=True, slots=True, order=True)
class Spot:
    """A place in the file, counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """One value as written.

    ``value`` is a str, or an int, float, bool or None where it is written plain and reads as one. ``inside`` is where
    the first character of the text stands, and ``indent`` the columns cut from each further line; None where the text
    in the file is not the text of the value (escapes, folded lines).
    """

    spot: Spot
    text: str
    value: str | int | float | bool | None
    inside: Spot | None = None
    indent: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A list."""

    spot: Spot
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """A mapping, in the order of the file; keys are unique."""

    spot: Spot
    entries: tuple[tuple[Scalar, "Node"], ...]


Node: TypeAlias = Scalar | Listing | Members

_INTEGER: Final = re.compile(r"[-+]?[0-9]{1,18}\Z")
_FLOAT: Final = re.compile(
    r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?\Z|[-+]?\.(inf|nan)\Z", re.IGNORECASE
)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_WORDS: Final[Mapping[str, bool | None]] = MappingProxyType(
    dict.fromkeys(("null", "Null", "NULL", "~", ""), None)
    | dict.fromkeys(("true", "True", "TRUE"), True)
    | dict.fromkeys(("false", "False", "FALSE"), False)
)


class _Refused(Exception):  # noqa: N818 - carries a refusal out of the walk, is no error
    def __init__(self, mark: Any, what: str, fix: str) -> None:
        self.spot = Spot(mark.line + 1, mark.column + 1)
        self.what = what
        self.fix = fix


def read_tree(text: str, *, source: str) -> Members | tuple[Problem, ...]:
    """The document as a tree; every duplicate key, or the first fault that ends the reading, as problems."""

    def problem(spot: Spot, what: str, fix: str) -> Problem:
        return Problem(source=source, line=spot.line, column=spot.column, what=what, fix=fix)

    start = Spot(1, 1)
    if len(text) > MAX_POLICY_BYTES:
        return (problem(start, f"the file is larger than {MAX_POLICY_BYTES} characters", "Make it smaller"),)
    duplicates: list[Problem] = []
    try:
        root = _build(iter(YAML(typ="safe", pure=True).parse(text)), text, duplicates, problem)
    except _Refused as refused:
        return (*duplicates, problem(refused.spot, refused.what, refused.fix))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        spot = Spot(mark.line + 1, mark.column + 1) if mark is not None else start
        return (*duplicates, problem(spot, f"this is not YAML: {error.problem}", "Correct the syntax here"))
    except ReaderError as error:  # a control character, a lone surrogate, a noncharacter
        before = text[: error.position].split("\n")
        spot = Spot(len(before), len(before[-1]) + 1)
        return (*duplicates, problem(spot, "a character that YAML does not allow", "Remove it"))
    except (YAMLError, ValueError, OverflowError):  # an escape beyond Unicode, which the reader does not mark
        return (*duplicates, problem(start, "this is not YAML", r"Correct its escapes (`\x`, `\u`, `\U`)"))
    if duplicates:
        return tuple(duplicates)
    if not isinstance(root, Members):
        return (problem(start, "a policy is a mapping of keys", "Start with `version: 1`"),)
    return root


def _build(events: Iterator[Any], text: str, duplicates: list[Problem], problem: Any) -> Node | None:
    """The node of the one document; None for an empty file."""
    lines = text.split("\n")
    root: Node | None = None
    # one frame per open collection: where it starts, whether it is a mapping, and its nodes so far
    stack: list[tuple[Spot, bool, list[Node]]] = []
    for event in events:
        _refuse_extras(event)
        done: Node
        if isinstance(event, ScalarEvent):
            done = _scalar(event, lines)
        elif isinstance(event, MappingStartEvent | SequenceStartEvent):
            if len(stack) >= MAX_POLICY_DEPTH:
                raise _Refused(event.start_mark, "the nesting is too deep", f"Keep to {MAX_POLICY_DEPTH} levels")
            stack.append((_spot(event), isinstance(event, MappingStartEvent), []))
            continue
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            spot, is_mapping, nodes = stack.pop()
            done = _members(spot, nodes, duplicates, problem) if is_mapping else Listing(spot=spot, items=tuple(nodes))
        else:
            if isinstance(event, DocumentStartEvent) and root is not None:
                raise _Refused(event.start_mark, "a second document", "Keep one document per file")
            continue
        if stack:
            stack[-1][2].append(done)
        else:
            root = done
    return root


def _refuse_extras(event: Any) -> None:
    """Refuse what a plain document does not need and what makes it mean more than it shows."""
    if isinstance(event, AliasEvent):
        raise _Refused(event.start_mark, "a YAML alias", "Write the value out where it is needed")
    if isinstance(event, DocumentStartEvent) and (event.version is not None or event.tags):
        raise _Refused(event.start_mark, "a YAML directive", "Remove the line that starts with %")
    if isinstance(event, ScalarEvent | MappingStartEvent | SequenceStartEvent):
        if event.anchor is not None:
            raise _Refused(event.start_mark, "a YAML anchor", "Write the value out where it is needed")
        if event.tag is not None:
            raise _Refused(event.start_mark, "a YAML tag", "Remove the word that starts with !")


def _spot(event: Any) -> Spot:
    return Spot(event.start_mark.line + 1, event.start_mark.column + 1)


def _members(spot: Spot, nodes: list[Node], duplicates: list[Problem], problem: Any) -> Members:
    entries: list[tuple[Scalar, Node]] = []
    seen: dict[str, Spot] = {}
    for key, value in zip(nodes[::2], nodes[1::2], strict=True):
        if not isinstance(key, Scalar):
            duplicates.append(problem(key.spot, "a key that is not a word", "Write a word before the colon"))
        elif key.text == "<<":
            duplicates.append(problem(key.spot, "a YAML merge key", "Write the keys out where they are needed"))
        elif key.text in seen:
            first = seen[key.text]
            what = f"the key `{key.text}` stands twice (first in line {first.line})"
            duplicates.append(problem(key.spot, what, "Remove one of the two"))
        else:
            seen[key.text] = key.spot
            entries.append((key, value))
    return Members(spot=spot, entries=tuple(entries))


def _scalar(event: Any, lines: list[str]) -> Scalar:
    text: str = event.value
    spot = _spot(event)
    if _SURROGATE.search(text):
        raise _Refused(event.start_mark, "half of a character", "Write the character itself instead of an escape")
    value: str | int | float | bool | None = text
    if event.implicit[0]:
        if text in _WORDS:
            value = _WORDS[text]
        elif _INTEGER.match(text):
            value = int(text)
        elif _FLOAT.match(text):
            value = float(text)
    inside, indent = _inside(event, text, spot, lines)
    return Scalar(spot=spot, text=text, value=value, inside=inside, indent=indent)


def _inside(event: Any, text: str, spot: Spot, lines: list[str]) -> tuple[Spot | None, int]:
    """Where the text of a scalar stands character for character, None where the file writes it differently."""
    if event.style == "|":
        first = text.split("\n", 1)[0]
        below = "".join(lines[spot.line : spot.line + 1])
        indent = len(below) - len(first)
        return (Spot(spot.line + 1, indent + 1), indent) if below.endswith(first) and first else (None, 0)
    column = spot.column + (event.style in ("'", '"'))
    written = "".join(lines[spot.line - 1 : spot.line])[column - 1 :][: len(text)]
    return (Spot(spot.line, column), 0) if written == text else (None, 0)
