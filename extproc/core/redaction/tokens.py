r"""No token in a recording: credentials are replaced by ``[masked:<kind>]``, everything else stays as it is.

Two signals: the name of a member (``password``, ``apiKey``, ``X-Auth-Token``, ...) masks every text and number under
it; the form of a text (JWT, private key, ``Bearer ...``, ``password=...``, the prefixes of well-known vendors) masks
that part of it. One search over the encoded value says first whether anything can be there at all. The input is never
changed; masking twice is masking once. This is not redaction: a secret without name or form looks like any word.
"""

from collections.abc import Mapping
from typing import Any, Final

import orjson
import re2

from extproc.core.limits import MAX_DEPTH
from extproc.core.model import Json
from extproc.core.redaction.free_names import FreeNames

__all__ = ["mask", "may_tell", "tells"]

_DEEPEST: Final = 2 * MAX_DEPTH

_NAMES: Final = (
    "accesskey",
    "accesskeyid",
    "apikey",
    "apikeys",
    "authorization",
    "clientassertion",
    "connectionstring",
    "cookie",
    "cookies",
    "credential",
    "credentials",
    "jwt",
    "passphrase",
    "passwd",
    "password",
    "passwords",
    "privatekey",
    "pwd",
    "secret",
    "secretkey",
    "secrets",
    "sessionid",
    "signingkey",
    "token",
)
"""Endings of a member's name, lower-cased without ``-_. ``: ``X-Api-Key``, ``clientSecret``, ``refresh_token``."""
_SHORTEST: Final = len("pwd=abc")
_HARMLESS: Final = frozenset({"progresstoken"})
"""Names that end like a telling one: MCP's handle for progress notifications is no credential."""
_PUNCTUATION: Final = str.maketrans("", "", "-_. ")

_SAYS: Final = r"[\"'\\]{0,4}\s{0,3}(?::=|=>|[:=])\s{0,3}[\"'\\]{0,4}"
_URL: Final = r"[^\s:/@\"'\[\]]"


class _Form:
    """One form of credential: ``left`` stays readable, ``value`` is masked, ``right`` stays.

    ``anchor`` finds at least every such text, also where JSON escaped what is around it: so it has no word boundary,
    because the "n" of an escaped line end is a letter.
    """

    def __init__(self, kind: str, anchor: str, value: str, *, left: str = "", right: str = "") -> None:
        self.anchor = anchor
        self._pattern = re2.compile(f"({left})(?:{value}){right}")
        self._mask = f"[masked:{kind}]{right}".encode()

    def mask(self, text: bytes) -> bytes:
        """The text with each match masked."""
        masked: bytes = self._pattern.sub(lambda found: found.group(1) + self._mask, text)
        return masked


# No class holds "[" or "]", so that no match reaches into a mask, and where a form begins with a word boundary, every
# form ends with a class of all letters and digits, so that no mask leaves such a boundary behind. So masking twice is
# masking once. Private keys come first: they alone have no such class.
_FORMS: Final = (
    _Form(
        "private_key",
        "PRIVATE KEY|LS0tLS1CRUdJTi",
        r"-----BEGIN[ A-Z0-9_\-]{0,60}PRIVATE KEY(?: BLOCK)?-----"
        r"(?s:.*?)(?:-----END[ A-Z0-9_\-]{0,60}PRIVATE KEY(?: BLOCK)?-----|\z)|LS0tLS1CRUdJTi[A-Za-z0-9+/=_\-]{20,}",
    ),
    _Form(
        "jwt",
        r"ey[A-Za-z0-9_\-]{8,}\.",
        r"(?:eyJ|\bey)[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]*\.[A-Za-z0-9_\-.]*",
    ),
    _Form(
        "authorization",
        "(?i)authorization",
        r"(?:[A-Za-z0-9]{1,16}\s{1,8})?[A-Za-z0-9._~+/=%:\-]{4,}",
        left=f"(?i:authorization{_SAYS})",
    ),
    _Form(
        "bearer",
        "(?i)bearer|dpop",
        r"[A-Za-z0-9._~+/=%\-]{8,}",
        left=r"(?i:(?:bearer|dpop)(?:\s|%20|\+){1,8})",
    ),
    _Form("aws_key", "A(?:KI|SI|BI|CC)A", "(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}[A-Za-z0-9]*"),
    _Form("github", "gh[pousr]_|github_pat_", "(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,})"),
    _Form("gitlab", "glpat-", r"glpat-[A-Za-z0-9_.\-]{20,}"),
    _Form("npm", "npm_", "npm_[A-Za-z0-9]{30,}"),
    _Form("slack", "xox[a-z]-", r"xox[a-z]-[A-Za-z0-9\-]{10,}"),
    _Form("google", r"AIza|ya29\.", r"(?:AIza[A-Za-z0-9_\-]{30,}|ya29\.[A-Za-z0-9_\-]{20,})"),
    _Form(
        "api_key",
        "sk-|[sr]k_(?:live|test|prod)_",
        r"\bsk-[A-Za-z0-9_\-]{20,}|[sr]k_(?:live|test|prod)_[A-Za-z0-9]{10,}",
    ),
    _Form(
        "url_password",
        f"://{_URL}*:[^\\s/@]+@",
        r"[^\s/@\"'\[\]]{1,256}",
        left=rf"[A-Za-z0-9+.\-]{{1,20}}://{_URL}{{0,256}}:",
        right="@",
    ),
    _Form(
        "password",
        "(?i)passw|passphrase|pwd",
        r"[^\s\"'\\,;&<>{}()\[\]]{3,}",
        left=f"(?i:(?:password|passwd|passphrase|pwd){_SAYS})",
    ),
    _Form(
        "secret",
        "(?i)secret|token|cookie|key",
        r"[A-Za-z0-9_.~+/=\-%|!$#*^@]{8,}",
        left=rf"(?i:(?:secret|token|cookie|(?:api|access|private|secret)[_\- ]?key){_SAYS})",
    ),
)


def _anchors() -> Any:
    found = re2.Set.SearchSet()
    for form in _FORMS:
        found.Add(form.anchor)
    for name in _NAMES:
        found.Add("(?i)" + "[-_. ]*".join(name))
    found.Compile()
    return found


_ANCHORS: Final = _anchors()


def may_tell(encoded: bytes) -> bool:
    """Whether there can be a credential in a value that is encoded like this; where not, ``mask`` changes nothing."""
    return bool(_ANCHORS.Match(encoded))


def mask(value: Json) -> Json:
    """The value without the credentials that its names and forms give away; the same object if there are none."""
    try:
        encoded = orjson.dumps(value)
    except TypeError:
        # what orjson cannot write is walked without asking
        return _walk(value, _FORMS, 0, telling=False)
    hits = _ANCHORS.Match(encoded)
    if not hits:
        return value
    forms = tuple(_FORMS[hit] for hit in sorted(hits) if hit < len(_FORMS))
    return _walk(value, forms, 0, telling=False)


def _walk(value: Json, forms: tuple[_Form, ...], depth: int, *, telling: bool) -> Json:
    if depth > _DEEPEST:
        return "[masked:too_deep]"
    if isinstance(value, str):
        if not telling:
            return _text(value, forms)
        return "[masked:secret]" if value else value
    if isinstance(value, Mapping):
        masked: dict[str, Json] = {}
        free = FreeNames()
        for name, member in value.items():
            kept = free.free(_text(str(name), forms), masked)
            masked[kept] = _walk(member, forms, depth + 1, telling=telling or tells(str(name)))
        return masked
    if isinstance(value, list | tuple):
        return [_walk(member, forms, depth + 1, telling=telling) for member in value]
    if telling and isinstance(value, int | float) and not isinstance(value, bool):
        return "[masked:secret]"
    return value


def tells(name: str) -> bool:
    """Whether a member of this name holds a credential."""
    plain = name.lower().translate(_PUNCTUATION)
    return plain.endswith(_NAMES) and plain not in _HARMLESS


def _text(text: str, forms: tuple[_Form, ...]) -> str:
    if len(text) < _SHORTEST:
        return text
    # as bytes: in a str the library counts characters anew for every match; "replace" because RE2 reads UTF-8,
    # which has no lone surrogates
    raw = masked = text.encode("utf-8", "replace")
    for form in forms:
        masked = form.mask(masked)
    return text if masked == raw else masked.decode()
