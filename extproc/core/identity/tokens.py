"""Bearer tokens: who signed them, for whom, for how long.

``verify`` reads a compact JWS by rules stricter than any library's, lets PyJWT check the signature with a key that the
issuer published, and has the claims judged at the time it is handed. ``check_header`` is the same judgement of the
header for a token that Envoy's jwt_authn has verified already. A refusal names the rule that was broken and never
quotes the token. It never follows a key that the token itself brings. RFC 7515, RFC 8725 section 3, RFC 9068.
"""

import base64
import hashlib
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec
from jwt.algorithms import get_default_algorithms

from extproc.core.identity.claims import check_claims, ends_at, refused
from extproc.core.identity.key_sets import ALGORITHMS, Key, KeySets
from extproc.core.limits import MAX_TOKEN_CHARS
from extproc.core.model import Issuer, Json
from extproc.core.rejection import Rejection
from extproc.core.wire import strict_json

__all__ = ["KEY_UNKNOWN", "KeySets", "Memory", "VerifiedToken", "check_header", "open_signed", "verify"]

KEY_UNKNOWN: Final = "token_key_unknown"
"""The reason of a refusal that a newer key set may cure."""

TYPES: Final = frozenset({"jwt", "at+jwt"})
"""Media types of an access token, without ``application/``; ID, logout and assertion tokens are none."""
FORBIDDEN_HEADERS: Final = frozenset({"jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "enc", "cty"})
"""Header parameters that bring a key, change what is signed, or say that the payload is not a set of claims."""
COMPACT_JWS: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)\.([A-Za-z0-9_-]+)")
VERIFIERS: Final = {name: verifier for name, verifier in get_default_algorithms().items() if name in ALGORITHMS}


class VerifiedToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token whose signature and claims hold, with the issuer of the policy that it comes from.

    ``expires_at`` is when it is over, in seconds since the epoch: by its own expiry, or because it is too old by then.
    """

    issuer: Issuer
    claims: Mapping[str, Json]
    header: Mapping[str, Json]
    expires_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signed:
    """What a signature that held was made with, and over."""

    key: Key
    header: Mapping[str, Json]
    claims: Mapping[str, Json]


@dataclass(slots=True)
class Memory:
    """The signatures that held lately, by the token's digest, so that a token's second use costs no verification.

    It remembers the signature alone: claims are judged at every use, and the key must still be in the issuer's set.
    """

    capacity: int = 4096
    signatures: OrderedDict[bytes, _Signed] = field(default_factory=OrderedDict)

    def recall(self, digest: bytes) -> _Signed | None:
        """The signature of an earlier use, now the latest used."""
        signed = self.signatures.get(digest)
        if signed is not None:
            self.signatures.move_to_end(digest)
        return signed

    def keep(self, digest: bytes, signed: _Signed) -> None:
        """Remember a signature, forgetting the one used longest ago when there are too many."""
        self.signatures[digest] = signed
        if len(self.signatures) > self.capacity:
            self.signatures.popitem(last=False)


def verify(
    token: str, issuers: tuple[Issuer, ...], keys: KeySets, *, now: float, memory: Memory | None = None
) -> VerifiedToken | Rejection:
    """The token's claims, once header, signature and claims hold at ``now``; else the first rule that does not."""
    memory = memory if memory is not None else Memory(capacity=0)
    digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
    known = memory.recall(digest)
    if known is not None:
        checked = check_claims(known.claims, issuers, now=now)
        if isinstance(checked, Rejection):
            return checked
        if known.key in keys.get(checked.name, ()):
            return _verified(checked, known)
    parts = _split(token)
    if isinstance(parts, Rejection):
        return parts
    claims = _read_object(parts.payload)
    if claims is None:
        return refused("token_form", "The token's claims are not a strict JSON object.")
    checked = check_claims(claims, issuers, now=now)
    if isinstance(checked, Rejection):
        return checked
    key = _check_signature(parts, keys.get(checked.name, ()))
    if isinstance(key, Rejection):
        return key
    signed = _Signed(key=key, header=parts.header, claims=claims)
    memory.keep(digest, signed)
    return _verified(checked, signed)


def open_signed(token: str, keys: tuple[Key, ...]) -> bytes | Rejection:
    """The payload of a compact JWS that one of ``keys`` signed, whatever the payload is."""
    parts = _split(token)
    if isinstance(parts, Rejection):
        return parts
    key = _check_signature(parts, keys)
    return key if isinstance(key, Rejection) else parts.payload


def check_header(header: Mapping[str, Json]) -> Rejection | None:
    """None if a JOSE header is that of an access token signed by an asymmetric key that it does not bring itself."""
    if not FORBIDDEN_HEADERS.isdisjoint(header):
        return refused("token_header", "The token's header has a parameter that is not accepted.")
    alg, typ = header.get("alg"), header.get("typ", "JWT")
    if not isinstance(alg, str) or alg not in ALGORITHMS:
        return refused("token_algorithm", "The token's algorithm is not accepted.")
    if not isinstance(typ, str) or typ.lower().removeprefix("application/") not in TYPES:
        return refused("token_type", "The token is not an access token.")
    if not isinstance(header.get("kid", ""), str):
        return refused("token_header", "The token's key id is not a string.")
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """A compact JWS, taken apart."""

    header: Mapping[str, Json]
    payload: bytes
    signature: bytes
    signing_input: bytes


def _split(token: str) -> _Parts | Rejection:
    """The three parts of a compact JWS with an acceptable header; refuses every other spelling of base64url."""
    if len(token) > MAX_TOKEN_CHARS:
        return refused("token_form", "The token is too long.")
    match = COMPACT_JWS.fullmatch(token)
    decoded = [_decode(part) for part in match.groups()] if match else []
    if not decoded or None in decoded:
        return refused("token_form", "The token is not a compact JWS of three canonical parts.")
    raw_header, payload, signature = (part or b"" for part in decoded)
    header = _read_object(raw_header)
    if header is None:
        return refused("token_form", "The token's header is not a strict JSON object.")
    return check_header(header) or _Parts(
        header=header, payload=payload, signature=signature, signing_input=token.rpartition(".")[0].encode()
    )


def _decode(part: str) -> bytes | None:
    """The bytes of unpadded base64url; None for a length or trailing bits that no encoder writes."""
    if len(part) % 4 == 1:
        return None
    decoded = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    return decoded if base64.urlsafe_b64encode(decoded).rstrip(b"=") == part.encode() else None


def _read_object(raw: bytes) -> dict[str, Json] | None:
    """A JSON object, strictly; None for anything else, duplicate keys among it."""
    document = strict_json.read(raw)
    if isinstance(document, Rejection) or not isinstance(document.value, dict):
        return None
    return document.value


def _check_signature(parts: _Parts, keys: tuple[Key, ...]) -> Key | Rejection:
    """The key that made the signature, chosen by kid, or without one because the set has a single key."""
    alg, kid = parts.header["alg"], parts.header.get("kid")
    if kid is None and len(keys) > 1:
        return refused("token_key_unnamed", "The token does not name its key.")
    key = next((key for key in keys if kid is None or key.kid == kid or (key.kid is None and len(keys) == 1)), None)
    if key is None:
        return refused(KEY_UNKNOWN, "The token's key is not known.")
    if alg not in key.algorithms:
        return refused("token_algorithm", "The token's algorithm is not that of its key.")
    if not VERIFIERS[alg].verify(parts.signing_input, key.public_key, parts.signature):
        return refused("token_signature", "The token's signature does not hold.")
    return key


def _verified(issuer: Issuer, signed: _Signed) -> VerifiedToken:
    """The token that claims and signature make together."""
    return VerifiedToken(
        issuer=issuer, claims=signed.claims, header=signed.header, expires_at=ends_at(signed.claims, issuer)
    )
