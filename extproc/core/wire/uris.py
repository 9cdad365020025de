"""The normal form of a resource URI.

Policy compares URIs as text, so a URI that a server may read as another text is refused, not rewritten: the client
sends what was judged, or nothing. Hosts of the schemes that the URL standard calls special are case-insensitive;
those of other schemes (``demo://Resource/1``) are opaque there, and kept. RFC 3986 sections 2, 3 and 6.2.2;
https://url.spec.whatwg.org/#special-scheme.
"""

import re
from typing import Final

from extproc.core.limits import MAX_NAME_CHARS

__all__ = ["is_normal"]

_URI: Final = re.compile(r"([a-z][a-z0-9+.-]*):(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?")
_CHARACTERS: Final = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-F]{2})*+")
_ENCODED: Final = re.compile(r"(?:%[0-9A-F]{2})+")
_UNRESERVED: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_SPECIAL: Final = {"http": ":80", "https": ":443", "ws": ":80", "wss": ":443", "ftp": ":21", "file": ""}
"""Special schemes with their default port."""


def is_normal(uri: str) -> bool:
    """Whether every server reads ``uri`` as the same resource: RFC 3986 normal form and nothing hidden in escapes."""
    if not 0 < len(uri) <= MAX_NAME_CHARS or not _CHARACTERS.fullmatch(uri):
        return False
    parts = _URI.fullmatch(uri)
    if parts is None:
        return False
    scheme, authority, path, query, fragment = parts.groups()
    if scheme in _SPECIAL and not _is_normal_special(scheme, authority, path, fragment):
        return False
    if scheme == "file" and (query is not None or authority == "localhost"):
        return False
    return (
        _is_plain(authority or "", hidden=b"/\\%")
        and _is_plain(path, hidden=b"/\\%")
        and _is_plain(query or "", hidden=b"\\%")
        and _is_plain(fragment or "", hidden=b"\\%")
        and not any(segment.split(";")[0] in {".", ".."} for segment in path.split("/"))
        # A path in a query is a path all the same.
        and ".." not in re.split(r"[/?&=;]|%2F", f"{query or ''}&{fragment or ''}")
    )


def _is_normal_special(scheme: str, authority: str | None, path: str, fragment: str | None) -> bool:
    """Servers drop the fragment of these schemes, add a missing root, and merge the slashes of a file's path."""
    if authority is None or authority != authority.lower() or fragment is not None or not path.startswith("/"):
        return False
    if scheme == "file":
        return "//" not in path
    return authority != "" and not authority.endswith((":", _SPECIAL[scheme]))


def _is_plain(part: str, *, hidden: bytes) -> bool:
    """Whether escapes hold UTF-8 that needs them: no control, no unreserved character, none of ``hidden``."""
    for run in _ENCODED.finditer(part):
        octets = bytes.fromhex(run[0].replace("%", ""))
        try:
            octets.decode()
        except UnicodeDecodeError:
            return False
        if any(octet in _UNRESERVED or octet in hidden or octet < 0x20 or octet == 0x7F for octet in octets):
            return False
    return True
