"""From nodes of the syntax tree to words.

Resolving never guesses: an escape or an expansion that is not surely understood makes the whole text unreadable.
"""

import re
from collections.abc import Sequence
from typing import Final

from tree_sitter import Node

from extproc.core.inspection.shell.braces import QUOTED, UNQUOTED, expanded
from extproc.core.inspection.shell.known.listing import listed
from extproc.core.inspection.shell.tree import text_of
from extproc.core.inspection.shell.words import NUMBER, OUTPUT, PIPED_IN, PIPED_OUT, RUN_TIME, Word

__all__ = ["UnreadableError", "resolve", "together"]


class UnreadableError(Exception):
    """The text is not surely understood; it never leaves the reading of a text."""


_PLAIN: Final = listed("word number variable_name extglob_pattern test_operator regex special_variable_name")
_PARTED: Final = frozenset({"string", "translated_string", "concatenation", "heredoc_body", "command_name"})
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_ESCAPE_IN_QUOTES: Final = re.compile(r"\\([$`\"\\\n])")
_ESCAPE_IN_HEREDOC: Final = re.compile(r"\\([$`\\\n])")
_ESCAPES: Final = {"string": _ESCAPE_IN_QUOTES, "heredoc_body": _ESCAPE_IN_HEREDOC}
_ANSI_PLAIN: Final = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"', "?": "?"}
_DEFAULT: Final = re.compile(r"\$\{TMPDIR:?-(?:/var)?/tmp\}")
_NAME: Final = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*|[0-9@*#?!$-])\}?")
_PRINTED: Final = re.compile(r"@[A-Za-z]\}$")
_ALONE: Final = re.compile(rb"[\s/.,:;)|&]|$")
"""What may stand behind a dollar that is only a dollar."""
_OPERATOR: Final = re.compile(r"[\s;|&()<>'\"`$\\]")
"""What ends a word or begins another part of one: the parser has misread a plain word with it."""
_GLOB: Final = re.compile(r"[*?\[\]{}]")


def together(nodes: Sequence[Node], source: bytes) -> tuple[Word, ...]:
    """The words that nodes without anything between them stand for: one, or several by brace expansion."""
    parts = [_resolve(node, source) for node in nodes]
    text = "".join(part.text for part in parts)
    names = tuple(name for part in parts for name in part.names)
    is_open = any(part.open for part in parts)
    made = expanded(text) if is_open and "{" in text else [text]
    if not made:
        raise UnreadableError
    return tuple(Word(each.translate(UNQUOTED), names, open=is_open) for each in made)


def resolve(node: Node, source: bytes) -> Word:
    """The word that a node stands for, braces as they are."""
    word = _resolve(node, source)
    return Word(word.text.translate(UNQUOTED), word.names, open=word.open)


def _resolve(node: Node, source: bytes) -> Word:
    """The word of a node, with what is quoted in it kept from brace expansion."""
    text = text_of(node, source)
    if node.type in _PLAIN:
        bare = _ESCAPE.sub("", text)
        if _OPERATOR.search(bare):
            raise UnreadableError
        return Word(_ESCAPE.sub(_kept, text), open=bool(_GLOB.search(bare)))
    if node.type in _PARTED:
        return _parts(node, source)
    if node.type == "$" and not _ALONE.match(source, node.end_byte):
        raise UnreadableError
    return _simple(node.type, text)


def _simple(kind: str, text: str) -> Word:
    match kind:
        case "raw_string":
            return Word(text[1:-1].translate(QUOTED))
        case "ansi_c_string":
            return _ansi_c(text[2:-1])
        case "simple_expansion" | "expansion":
            return _expansion(text)
        case "command_substitution":
            return Word(RUN_TIME, (OUTPUT,))
        case "process_substitution":
            return Word(PIPED_IN if text.startswith("<") else PIPED_OUT)
        case "arithmetic_expansion":
            return Word(f"${{{NUMBER}}}", (NUMBER,))
        case "brace_expression":
            return Word(text, (NUMBER,), open=True)
        case "$" | "==" | "=~":
            return Word(text.translate(QUOTED))
        case _:
            raise UnreadableError


def _expansion(text: str) -> Word:
    if _PRINTED.search(text) or text in {"$IFS", "${IFS}"}:
        raise UnreadableError  # ${x@P} runs what its value says; an IFS written out is a space that hides one
    if _DEFAULT.fullmatch(text):
        return Word("${TMPDIR}", ("TMPDIR",))
    plain = _NAME.fullmatch(text)
    if plain is None:
        return Word(RUN_TIME, (OUTPUT,))
    return Word(f"${{{NUMBER}}}", (NUMBER,)) if plain[1] in "#?$!" else Word(f"${{{plain[1]}}}", (plain[1],))


def _parts(node: Node, source: bytes) -> Word:
    """The word of a node with parts; what stands between them belongs to it too."""
    escape = _ESCAPES.get(node.type)
    texts: list[str] = []
    names: list[str] = []
    is_open = False
    at = node.start_byte
    for child in node.children:
        texts.append(_between(source[at : child.start_byte], escape))
        at = child.end_byte
        if child.type == '"' or (child.type == "$" and node.type == "translated_string"):
            continue
        if child.type in {"string_content", "heredoc_content"}:
            texts.append(_between(source[child.start_byte : child.end_byte], escape))
            continue
        in_string = child.type == "$" and node.type == "string"
        word = Word("$".translate(QUOTED)) if in_string else _resolve(child, source)
        texts.append(word.text)
        names += word.names
        is_open = is_open or word.open
    texts.append(_between(source[at : node.end_byte], escape))
    return Word("".join(texts), tuple(names), open=is_open)


def _between(piece: bytes, escape: re.Pattern[str] | None) -> str:
    text = piece.decode()
    return text if escape is None else escape.sub(_unescaped, text).translate(QUOTED)


def _kept(found: re.Match[str]) -> str:
    return _unescaped(found).translate(QUOTED)


def _unescaped(found: re.Match[str]) -> str:
    return "" if found[1] == "\n" else found[1]


def _ansi_c(text: str) -> Word:
    """The word of a ``$'...'`` whose escapes are plain; those that spell characters by number are not read."""
    if any(escape not in _ANSI_PLAIN for escape in _ESCAPE.findall(text)):
        raise UnreadableError
    return Word(_ESCAPE.sub(lambda found: _ANSI_PLAIN[found[1]], text).translate(QUOTED))
