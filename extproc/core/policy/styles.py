"""``as`` of a masking rule: what becomes of a value, and how much of it may stay."""

from typing import Final

from extproc.core.limits import MAX_KEEP, MAX_REPLACE_CHARS
from extproc.core.masking import Mask, Style
from extproc.core.policy.positions import Members, Node, Scalar
from extproc.core.policy.reading import Reading, listed

__all__ = ["read_mask"]

_PLAIN: Final = ("redact", "hash")
_WITH_VALUE: Final = ("keep_last", "replace")
_UNFIT: Final = frozenset("[]{}<>\"'\\%&*")
"""What a replacement must not hold: it would change how the text around it reads, or look like a mark."""


def read_mask(node: Node | None, what: str, reading: Reading) -> Mask | None:
    """``redact``, ``hash``, ``{keep_last: n}`` or ``{replace: text}``."""
    if node is None:
        return None
    if not isinstance(node, Members):
        if isinstance(node, Scalar) and node.text in _WITH_VALUE:
            example = "{keep_last: 4}" if node.text == "keep_last" else "{replace: removed}"
            reading.problem(node.spot, f"`{node.text}` for {what} needs a value", f"Write `{example}`")
            return None
        word = reading.choice(node, what, _PLAIN)
        return None if word is None else Mask(Style(word))
    found = reading.members(node, what, _WITH_VALUE)
    if len(found) != 1:
        if len(node.entries) != 1:
            reading.problem(node.spot, f"{what} is not one of {listed(_PLAIN + _WITH_VALUE)}", "Keep one of them")
        return None
    if "keep_last" in found:
        return _keep_last(found["keep_last"], what, reading)
    return _replace(found["replace"], reading)


def _keep_last(node: Node, what: str, reading: Reading) -> Mask | None:
    count = node.value if isinstance(node, Scalar) else None
    if isinstance(count, int) and not isinstance(count, bool) and 0 < count <= MAX_KEEP:
        return Mask(Style.KEEP_LAST, keep=count)
    too_much = isinstance(count, int) and count > MAX_KEEP
    says = "keeps too much: the rest of a number could be found by trying" if too_much else "keeps nothing"
    reading.problem(node.spot, f"{what} {says}", f"Write a number from 1 to {MAX_KEEP}")
    return None


def _replace(node: Node, reading: Reading) -> Mask | None:
    text = reading.word(node, "`replace`")
    if text is None:
        return None
    if not text.value.isprintable() or not _UNFIT.isdisjoint(text.value) or len(text.value) > MAX_REPLACE_CHARS:
        what = f"`replace` has a character of `{''.join(sorted(_UNFIT))}`, a control character, or is too long"
        reading.problem(text.spot, what, f"Write plain words, {MAX_REPLACE_CHARS} characters at most")
        return None
    return Mask(Style.REPLACE, text=text.value)
