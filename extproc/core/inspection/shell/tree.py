"""What the parser has really seen: whether a node of its tree stands for all of the text under it.

The parser goes on where the shell would stop, and joins or cuts words otherwise than the shell in rare spellings. So
every node must be of a known kind, between its parts there may only be white space, and a part that is taken for plain
text must not hold what the shell would run. What fails one of these tests makes the whole text unreadable.
"""

import re
from collections.abc import Sequence
from typing import Final

from tree_sitter import Node

from extproc.core.inspection.shell.known.listing import listed

__all__ = ["COMPOUND", "GAP", "LEAVES", "LOST_DASH", "REDIRECTS", "WORDS", "adjacent", "is_whole", "text_of"]

COMPOUND: Final = listed(
    "program list pipeline redirected_statement subshell compound_statement negated_command command subscript array "
    "variable_assignment variable_assignments declaration_command unset_command test_command function_definition "
    "if_statement elif_clause else_clause while_statement for_statement c_style_for_statement do_group case_statement "
    "case_item binary_expression unary_expression ternary_expression postfix_expression parenthesized_expression "
    "command_substitution process_substitution arithmetic_expansion expansion simple_expansion string "
    "translated_string concatenation command_name heredoc_body"
)
"""Nodes that are visited, and their parts after them."""
LEAVES: Final = listed(
    "word number raw_string ansi_c_string variable_name special_variable_name string_content heredoc_content "
    "heredoc_start heredoc_end file_descriptor test_operator regex extglob_pattern brace_expression comment"
)
REDIRECTS: Final = frozenset({"file_redirect", "heredoc_redirect", "herestring_redirect"})
WORDS: Final = listed(
    "word number string raw_string ansi_c_string translated_string concatenation simple_expansion "
    "expansion command_substitution process_substitution arithmetic_expansion brace_expression"
)
LOST_DASH: Final = re.compile(rb"[ \t]+-[ \t]+")
"""A word that the parser has no node for: the dash before a heredoc, as in ``python3 - <<END``."""
GAP: Final = re.compile(rb"(?:\s|\\\n)*")

_LITERAL: Final = frozenset({"raw_string", "ansi_c_string", "heredoc_start", "heredoc_end"})
_TEXTUAL: Final = frozenset({"string", "heredoc_body", "expansion"})
"""Nodes with text of their own between their parts."""
_SEAMLESS: Final = frozenset({"concatenation", "translated_string", "simple_expansion"})
"""Nodes without any white space between their parts."""
_ARITHMETIC: Final = frozenset({"arithmetic_expansion", "subscript", "c_style_for_statement"})
_BEHIND: Final = WORDS | {"command_name", "command"}
"""What would belong to the word of a redirect that it follows at once."""
_HIDDEN_CODE: Final = re.compile(rb"(?<!\\)(?:\\\\)*(?:\$\(|`)")
"""A substitution where the parser saw text."""


def is_whole(node: Node, source: bytes) -> bool:
    """Whether the node stands for all of its text; its parts are asked for themselves."""
    if not node.is_named or node.type in _LITERAL:
        return True
    if node.type == "comment":
        return "`" not in text_of(node, source)  # the shell ends a comment there, the parser does not
    if node.type in LEAVES:
        return not _HIDDEN_CODE.search(source, node.start_byte, node.end_byte)
    return not _may_be_arithmetic(node, source) and _is_seen(node, source)


def _is_seen(node: Node, source: bytes) -> bool:
    """Whether nothing but white space, or text where text may be, is between the parts of a node."""
    at, before = node.start_byte, ""
    spans = [(part.start_byte, part.end_byte, part.type) for part in node.children]
    for start, end, kind in (*spans, (node.end_byte, node.end_byte, "")):
        gap = source[at:start]
        if kind == "heredoc_redirect" and LOST_DASH.fullmatch(gap):
            gap = b" "
        if _HIDDEN_CODE.search(gap) if node.type in _TEXTUAL else not GAP.fullmatch(gap):
            return False
        if (gap and node.type in _SEAMLESS) or (not gap and before in REDIRECTS and kind in _BEHIND):
            return False
        at, before = end, kind
    return True


def _may_be_arithmetic(node: Node, source: bytes) -> bool:
    """Whether the shell may take text in single quotes for code: in arithmetic they quote nothing."""
    text = source[node.start_byte : node.end_byte]
    if node.type == "command_substitution":
        return text.startswith(b"$((")
    arithmetic = node.type in _ARITHMETIC or text.startswith(b"((")
    return arithmetic and b"'" in text and bool(_HIDDEN_CODE.search(text))


def adjacent(nodes: Sequence[Node]) -> list[list[Node]]:
    """The nodes in groups without white space between: the parser cuts some words in two."""
    groups: list[list[Node]] = []
    for node in nodes:
        if groups and groups[-1][-1].end_byte == node.start_byte:
            groups[-1].append(node)
        else:
            groups.append([node])
    return groups


def text_of(node: Node, source: bytes) -> str:
    """The text under a node."""
    return source[node.start_byte : node.end_byte].decode()
