"""What stands in the place of a masked value, in one spelling everywhere, so that a mask is known as one again.

``[email]`` says the type alone; ``[email:0123456789abcdef0123]`` is the same for equal values, and without the key
nobody can try values against it; ``****1234`` keeps an end. What lies inside of a mark is not masked again. A mark that
a server writes by itself gains nothing: it stands for no stored value, and the last digits of a hash show whether it
was made here, so nothing hides in one.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from typing import Final

from extproc.core.limits import MAX_KEEP
from extproc.core.masking import FIELD, OPAQUE, UNREADABLE, Mask, Style

__all__ = ["Marks", "strictest"]

_DIGEST_CHARS: Final = 16
# 64 bits: among a million values, no two alike are to be expected
_CHECK_CHARS: Final = 4
_STARS: Final = "****"
_UNKEPT: Final = re.compile(r"[\s*]")
_RANK: Final = {style: rank for rank, style in enumerate(Style)}


def strictest(masks: Iterable[Mask]) -> Mask:
    """The mask that leaves least; the first of equal ones."""
    return min(masks, key=lambda mask: (_RANK[mask.style], mask.keep))


class Marks:
    """The marks of one deployment: ``key`` is secret and the same on all its nodes, ``types`` are what may be found."""

    def __init__(self, key: bytes, types: Iterable[str], masks: Sequence[Mask]) -> None:
        self._key = key
        words = "|".join(re.escape(word) for word in sorted({*types, FIELD, OPAQUE, UNREADABLE}))
        forms = [rf"\[({words})(?::([0-9a-f]{{{_DIGEST_CHARS}}})([0-9a-f]{{{_CHECK_CHARS}}}))?\]"]
        if any(mask.style is Style.KEEP_LAST for mask in masks):
            forms.append(rf"\*{{4}}[^\s*]{{1,{MAX_KEEP}}}")
        texts = {mask.text for mask in masks if mask.style is Style.REPLACE}
        # the longest first: one may begin as another does
        words_of_operator = [re.escape(text) for text in sorted(texts, key=lambda text: (-len(text), text))]
        # where a kept end is shorter, what looks like more of it was the beginning of a word: no word begins behind it
        self._signs: Final = re.compile("|".join((forms[0], *(f"{kept}[A-Za-z]*" for kept in forms[1:]))))
        self._replacement: Final = re.compile("|".join(words_of_operator)) if texts else None
        self._form: Final = re.compile("|".join((*forms, *words_of_operator)))
        self._begins: Final = {"[", "*", *(text[:1] for text in texts)}

    def of(self, text: str, kind: str, mask: Mask, *, tag: str = "s") -> str:
        """What stands for ``text``, a value of type ``kind``; ``tag`` keeps values of other JSON types apart."""
        match mask.style:
            case Style.REPLACE:
                return mask.text
            case Style.HASH:
                digest = self._mac(f"{kind}\0{tag}\0{text}")[:_DIGEST_CHARS]
                return f"[{kind}:{digest}{self._check(kind, digest)}]"
            case Style.KEEP_LAST:
                # never more than half: the rest of a short value could be guessed
                plain = _UNKEPT.sub("", text)
                kept = min(mask.keep, len(plain) // 2)
                return _STARS + plain[len(plain) - kept :] if kept else f"[{kind}]"
            case _:
                return f"[{kind}]"

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where marks stand in a text."""
        return self._spans(self._form, text)

    def without(self, text: str) -> str:
        """A name with the end of a line in the place of each mark; what an operator replaces with stands in none."""
        kept, at = [], 0
        for start, end in self._spans(self._signs, text):
            kept.append(text[at:start])
            at = end
        return "\n".join((*kept, text[at:])) if kept else text

    def replaces(self, text: str) -> bool:
        """Whether a text holds what an operator replaces with."""
        return self._replacement is not None and self._replacement.search(text) is not None

    def is_one(self, text: str) -> bool:
        """Whether a text is a mark and nothing else."""
        if text[:1] not in self._begins:
            return False
        found = self._form.fullmatch(text)
        return found is not None and self._is_ours(found)

    def covers(self, text: str, style: Style) -> bool:
        """Whether a text that a path names is a mark already, and stays one where the path asks for this style.

        A rule that asks for more than a replacement may have left the mark of a type.
        """
        if style is Style.REDACT or (style is Style.REPLACE and text[:1] != "["):
            return False
        return self.is_one(text)

    def _spans(self, form: re.Pattern[str], text: str) -> list[tuple[int, int]]:
        return [found.span() for found in form.finditer(text) if self._is_ours(found)]

    def _is_ours(self, found: re.Match[str]) -> bool:
        kind, digest, check = found.groups()
        return digest is None or hmac.compare_digest(check, self._check(kind, digest))

    def _check(self, kind: str, digest: str) -> str:
        return self._mac(f"{kind}\0check\0{digest}")[:_CHECK_CHARS]

    def _mac(self, message: str) -> str:
        return hmac.digest(self._key, message.encode("utf-8", "surrogatepass"), hashlib.sha256).hex()
