"""From the text of a command line to its steps, in their order.

The whole tree is walked without recursion. A simple command becomes one run with all its words: also those that stand
behind a redirect or a heredoc, and those that the parser cut in two.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

from extproc.core.inspection.shell.resolving import UnreadableError, resolve, together
from extproc.core.inspection.shell.steps import NOTHING, Assignment, Feed, Input, Oddity, Redirect, Run, Step
from extproc.core.inspection.shell.tree import (
    COMPOUND,
    GAP,
    LEAVES,
    LOST_DASH,
    REDIRECTS,
    WORDS,
    adjacent,
    is_whole,
    text_of,
)
from extproc.core.inspection.shell.words import Word, hides_code, static

__all__ = ["read_steps"]

_LANGUAGE: Final = Language(tree_sitter_bash.language())
_DEPTH: Final = 256
"""Nesting of the syntax tree; each ``&&`` is a level."""
_DELIMITER: Final = re.compile(r"\\?[A-Za-z_][A-Za-z0-9_.-]{0,63}|'[A-Za-z0-9_. -]{1,64}'|\"[A-Za-z0-9_. -]{1,64}\"")
"""Words that end a heredoc: with others, the parser and the shell disagree on where."""
_WRITING: Final = frozenset({">", ">>", ">|", "&>", "&>>", ">&"})
_CLOSING: Final = frozenset({"<&-", ">&-"})
_SILENT: Final = re.compile(r"""(?:^|[;&|\n]\s*)(?:cat\s+/dev/null|echo\s+-n|printf|:|true|false)(?:\s+(?:''|""))?$""")
_UNREAD: Final = (Oddity("a command line that cannot be read"),)

Visits = list[tuple[Node, Feed]]
"""Nodes to visit next, with their input."""


def read_steps(text: str) -> tuple[Step, ...]:
    """The steps of a text within the bounds of :mod:`characters`; one ``Oddity`` alone where it cannot be read."""
    source = text.encode()
    root = Parser(_LANGUAGE).parse(source).root_node
    around = source[: root.start_byte] + source[root.end_byte :]
    if root.has_error or not GAP.fullmatch(around):
        return _UNREAD
    try:
        return _Walk(source).walk(root)
    except (UnreadableError, LookupError):  # a part that every such node has is not there
        return _UNREAD


@dataclass(slots=True)
class _Walk:
    """One walk over one tree; every method raises ``UnreadableError`` for what it does not surely understand."""

    source: bytes
    steps: list[Step] = field(default_factory=list)

    def walk(self, root: Node) -> tuple[Step, ...]:
        pending = [(root, 0, NOTHING)]
        while pending:
            node, depth, feed = pending.pop()
            self._check(node)
            if not node.is_named or node.type in LEAVES:
                continue
            if depth > _DEPTH or node.type not in COMPOUND:
                raise UnreadableError
            pending += ((child, depth + 1, fed) for child, fed in reversed(self._visit(node, feed)))
        return tuple(self.steps)

    def _check(self, node: Node) -> None:
        if not is_whole(node, self.source):
            raise UnreadableError

    def _visit(self, node: Node, feed: Feed) -> Visits:
        """Take the step of a node and name the nodes to visit next."""
        match node.type:
            case "pipeline":
                stages = [child for child in node.children if child.is_named]
                feeds = [feed, *(Feed(Input.PIPE, self._printed(stage)) for stage in stages[:-1])]
                return list(zip(stages, feeds, strict=True))
            case "process_substitution" if node.children[0].type == ">(":
                return [(child, Feed(Input.PIPE)) for child in node.children]
            case "redirected_statement":
                return self._redirected(node, feed)
            case "command":
                return self._run(node, feed)
            case "declaration_command" | "unset_command":
                return self._declared(node, feed)
            case "variable_assignment":
                return self._assigned(node, feed)
            case "function_definition":
                self.steps.append(Oddity("a function definition"))
            case "test_command":
                self._tested(node)
        return [(child, feed) for child in node.children]

    def _printed(self, node: Node) -> Word | None:
        """The text that ``echo`` prints into a pipe; None for any other command, and where it is not one plain word."""
        words = node.children
        if node.type != "command" or len(words) != 2 or text_of(words[0], self.source) != "echo":
            return None
        return resolve(words[1], self.source) if words[1].type in {"raw_string", "string"} else None

    def _redirected(self, node: Node, feed: Feed) -> Visits:
        """A body and its redirects: the body gets the input, and the words behind a redirect are its own."""
        bodies = [child for child in node.children if child.type not in REDIRECTS]
        extra: list[Node] = []
        later: Visits = []
        for redirect in (child for child in node.children if child.type in REDIRECTS):
            fed = self._redirect(redirect, extra, later, alone=not bodies or self._is_silent(bodies[0]))
            feed = feed if fed is NOTHING else fed
        is_dashed = bool(bodies) and bool(LOST_DASH.match(self.source, bodies[-1].end_byte))
        if bodies and bodies[0].type == "command":
            return self._run(bodies[0], feed, extra, is_dashed=is_dashed) + later
        if extra or is_dashed:
            raise UnreadableError
        return [(child, feed) for child in bodies] + later

    def _is_silent(self, body: Node) -> bool:
        """Whether a command, the last one of a list, prints nothing, so that its output empties a file."""
        return bool(_SILENT.search(text_of(body, self.source)))

    def _redirect(self, node: Node, extra: list[Node], later: Visits, *, alone: bool = False) -> Feed:
        """The input that a redirect gives, ``NOTHING`` for an output; words behind its target go to ``extra``."""
        self._check(node)
        if node.type == "heredoc_redirect":
            return self._heredoc(node, extra, later)
        words = [child for child in node.children if child.is_named and child.type != "file_descriptor"]
        operators = [child.type for child in node.children if not child.is_named]
        later += ((child, NOTHING) for child in words)
        if operators[0] in _CLOSING:
            extra += words
            return NOTHING
        first, *rest = adjacent(words) or [[]]
        extra += (word for several in rest for word in several)
        targets = together(first, self.source)
        if len(targets) != 1 or (rest and node.type == "herestring_redirect"):
            raise UnreadableError
        if node.type == "herestring_redirect":
            return Feed(Input.TEXT, targets[0])
        self.steps.append(Redirect(operators[0], targets[0], alone and operators[0] in _WRITING))
        if operators[0] != "<":
            return NOTHING
        return Feed(Input.PIPE if first[0].type == "process_substitution" else Input.FILE)

    def _heredoc(self, node: Node, extra: list[Node], later: Visits) -> Feed:
        """The text of a heredoc; what stands behind its beginning on the same line belongs to the command."""
        parts = {child.type: child for child in node.children}
        delimiter, body = text_of(parts["heredoc_start"], self.source), parts["heredoc_body"]
        ends_at = text_of(parts["heredoc_end"], self.source).strip()
        if not _DELIMITER.fullmatch(delimiter) or ends_at != delimiter.strip("\\'\""):
            raise UnreadableError
        for child in node.children:
            if child.type in REDIRECTS:
                self._redirect(child, extra, later)
            elif child.type in WORDS:
                extra.append(child)
            elif child.is_named and not child.type.startswith("heredoc_"):
                later.append((child, Feed(Input.PIPE)))
        if delimiter[0] in "\\'\"":
            return Feed(Input.TEXT, static(text_of(body, self.source)))
        later.append((body, NOTHING))
        return Feed(Input.TEXT, resolve(body, self.source))

    def _run(self, node: Node, feed: Feed, extra: Sequence[Node] = (), *, is_dashed: bool = False) -> Visits:
        """A simple command; its own redirects and assignments are steps before it.

        ``extra`` words stand behind a redirect, and before them a dash that the parser has lost.
        """
        words: list[Node] = []
        behind: list[Node] = []
        later: Visits = []
        for child in node.children:
            if child.type in REDIRECTS:
                fed = self._redirect(child, behind, later)
                feed = feed if fed is NOTHING else fed
            elif child.type == "variable_assignment":
                self._check(child)
                later += self._assigned(child, feed)
            else:
                words.append(child)
        behind += extra
        made = [*self._made(words), *([static("-")] if is_dashed else ()), *self._made(behind)]
        words += behind
        self.steps.append(Run((made[0], *made[1:]), feed))
        return [(word, feed) for word in words] + later

    def _made(self, nodes: Sequence[Node]) -> list[Word]:
        return [word for several in adjacent(nodes) for word in together(several, self.source)]

    def _declared(self, node: Node, feed: Feed) -> Visits:
        """``export``, ``declare``, ``unset`` and the like: a run, and the assignments in it."""
        words = [static(node.children[0].type)]
        later: Visits = []
        for child in node.children[1:]:
            if child.type == "variable_assignment":
                self._check(child)
                later += self._assigned(child, feed)
            else:
                words.append(resolve(child, self.source))
                later.append((child, feed))
        self.steps.append(Run(tuple(words), feed))
        return later

    def _assigned(self, node: Node, feed: Feed) -> Visits:
        target, *_, value = node.children
        name = target if target.type == "variable_name" else target.children[0]
        word: Word | None = static("")
        if len(node.children) > 2:
            word = None if value.type == "array" else resolve(value, self.source)
        if word is not None and hides_code(word.text):
            self.steps.append(Oddity("code inside of a subscript"))
        self.steps.append(Assignment(text_of(name, self.source), word))
        return [(child, feed) for child in node.children]

    def _tested(self, node: Node) -> None:
        """``[ … ]`` and ``[[ … ]]``; a literal that holds code in a subscript may be run when it is a number."""
        self.steps.append(Run((static(node.children[0].type),)))
        pending = list(node.children)
        while pending:
            part = pending.pop()
            if part.type not in WORDS:
                pending += part.children
            elif hides_code(resolve(part, self.source).text):
                self.steps.append(Oddity("code inside of a subscript"))
