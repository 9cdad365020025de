"""Typed, closed reading of a policy tree: every mistake becomes a problem, and the reading goes on.

A key that is not known is refused with the nearest known one; a key of later work is refused as not supported yet,
never skipped. What could not be read comes back as None or empty, and the policy does not load.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final

from extproc.core.masking import Recogniser
from extproc.core.policy.positions import Listing, Members, Node, Problem, Scalar, Spot

__all__ = ["Reading", "Word", "listed"]

_SECONDS: Final[Mapping[str, int]] = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION: Final = re.compile(r"([1-9][0-9]{0,5})([smhd])\Z")


@dataclass(frozen=True, slots=True, order=True)
class Word:
    """A text of the file and where it stands."""

    value: str
    spot: Spot = field(compare=False)


def listed(words: "tuple[str, ...] | list[str]") -> str:
    """The words in backticks, joined for a sentence."""
    return ", ".join(f"`{word}`" for word in words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One reading of one file; ``problems`` grows. ``recogniser`` finds names and places, where there is one."""

    source: str
    recogniser: Recogniser | None = None
    problems: list[Problem] = field(default_factory=list)

    def problem(self, spot: Spot, what: str, fix: str) -> None:
        """Note one mistake."""
        self.problems.append(Problem(source=self.source, line=spot.line, column=spot.column, what=what, fix=fix))

    def members(
        self,
        node: Node,
        what: str,
        known: tuple[str, ...],
        *,
        required: tuple[str, ...] = (),
    ) -> dict[str, Node]:
        """The members of a mapping with a closed key set; unknown and missing keys are problems."""
        if not isinstance(node, Members):
            self.problem(node.spot, f"{what} must be a mapping", f"Use the keys {listed(known)}")
            return {}
        found: dict[str, Node] = {}
        for key, value in node.entries:
            if key.text in known:
                found[key.text] = value
            else:
                near = get_close_matches(key.text, known, n=1)
                fix = f"Did you mean `{near[0]}`?" if near else f"Known keys: {listed(known)}"
                self.problem(key.spot, f"unknown key `{key.text}` in {what}", fix)
        for key_name in required:
            if key_name not in found and not any(key.text == key_name for key, _ in node.entries):
                self.problem(node.spot, f"{what} has no `{key_name}`", f"Add `{key_name}:`")
        return found

    def entries(self, node: Node | None, what: str) -> tuple[tuple[Word, Node], ...]:
        """The entries of a mapping whose keys are names of the operator's choice."""
        if node is None:
            return ()
        if not isinstance(node, Members) or not node.entries:
            self.problem(
                node.spot, f"{what} must be a mapping that is not empty", "Name at least one, or remove the key"
            )
            return ()
        return tuple((Word(key.text, key.spot), value) for key, value in node.entries if self._is_name(key, what))

    def _is_name(self, key: Scalar, what: str) -> bool:
        good = bool(key.text) and key.text.isprintable() and key.text == key.text.strip()
        if not good:
            self.problem(key.spot, f"a name in {what} is empty or has spaces around it", "Write a plain name")
        return good

    def items(self, node: Node | None, what: str) -> tuple[Node, ...]:
        """The items of a list that is not empty."""
        if node is None:
            return ()
        if not isinstance(node, Listing) or not node.items:
            self.problem(node.spot, f"{what} must be a list that is not empty", "Write `[…]`, or remove the key")
            return ()
        return node.items

    def scalar(self, node: Node | None, what: str) -> Scalar | None:
        """A text with all its positions; anything but a non-empty text is a problem."""
        if node is None:
            return None
        if isinstance(node, Scalar) and isinstance(node.value, str) and node.value.strip():
            return node
        quoted = isinstance(node, Scalar) and node.text and not isinstance(node.value, str)
        self.problem(node.spot, f"{what} must be text", "Put it into quotes" if quoted else "Write a text")
        return None

    def word(self, node: Node | None, what: str) -> Word | None:
        """A text and its place."""
        scalar = self.scalar(node, what)
        return None if scalar is None else Word(scalar.text, scalar.spot)

    def words(self, node: Node | None, what: str) -> tuple[Word, ...]:
        """A list of texts that is not empty and names nothing twice."""
        found: list[Word] = []
        for item in self.items(node, what):
            word = self.word(item, f"each of {what}")
            if word is None:
                continue
            if word in found:
                self.problem(word.spot, f"`{word.value}` stands twice in {what}", "Remove one of the two")
            else:
                found.append(word)
        return tuple(found)

    def choice(
        self, node: Node | None, what: str, choices: tuple[str, ...], *, later: tuple[str, ...] = ()
    ) -> str | None:
        """One word out of a closed set."""
        if node is None:
            return None
        text = node.text if isinstance(node, Scalar) else ""
        if text in choices:
            return text
        if text in later:
            self.problem(node.spot, f"`{text}` for {what} is not supported yet", f"Use {listed(choices)}")
            return None
        near = get_close_matches(text, choices, n=1)
        fix = f"Did you mean `{near[0]}`?" if near else f"Use one of {listed(choices)}"
        self.problem(node.spot, f"{what} is none of {listed(choices)}", fix)
        return None

    def duration(self, node: Node | None, what: str) -> int | None:
        """A length of time in seconds, written like ``30s``, ``15m``, ``1h``, ``7d``."""
        if node is None:
            return None
        match = _DURATION.match(node.text) if isinstance(node, Scalar) else None
        if match is None:
            self.problem(node.spot, f"{what} must be a length of time", "Write it like `30s`, `15m`, `1h` or `7d`")
            return None
        return int(match[1]) * _SECONDS[match[2]]
