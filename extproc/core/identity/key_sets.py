"""JSON Web Key sets: which published keys may verify a token, and with which algorithms.

``read_key_set`` takes what an issuer publishes and gives the keys that are fit to verify signatures: public,
asymmetric, meant for signing, strong enough, each pinned to the algorithms of its own type and curve. Keys for other
purposes are left out, as RFC 7517 section 5 asks; a set without a usable key, or in which a name stands for two keys,
is a fault. It never fetches anything, and no word of a fault quotes key material. RFC 7517, RFC 7518, RFC 8037.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from jwt.exceptions import InvalidKeyError

from extproc.core.limits import MAX_KEY_SET_BYTES, MIN_RSA_BITS
from extproc.core.model import Json
from extproc.core.rejection import Rejection
from extproc.core.wire import strict_json

__all__ = ["ALGORITHMS", "Key", "KeySetFault", "KeySets", "read_key_set"]

RSA_ALGORITHMS: Final = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
CURVE_ALGORITHMS: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("EC", "P-256"): frozenset({"ES256"}),
    ("EC", "P-384"): frozenset({"ES384"}),
    ("EC", "P-521"): frozenset({"ES512"}),
    ("OKP", "Ed25519"): frozenset({"EdDSA"}),
}
ALGORITHMS: Final = RSA_ALGORITHMS.union(*CURVE_ALGORITHMS.values())
"""Every algorithm that a token may be signed with: asymmetric ones alone."""

WEAK_GENERATOR: Final = 65537
WEAK_PRIMES: Final = (11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157)
"""CVE-2017-15361 (ROCA): a modulus that is a power of 65537 modulo each of these comes from the broken generator."""
WEAK_RESIDUES: Final = {
    prime: frozenset(pow(WEAK_GENERATOR, power, prime) for power in range(prime - 1)) for prime in WEAK_PRIMES
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One public key that may verify tokens, by the algorithms in ``algorithms`` and no others."""

    kid: str | None
    algorithms: frozenset[str]
    public_key: Any


KeySets: TypeAlias = Mapping[str, tuple[Key, ...]]
"""The usable keys of each issuer, by ``Issuer.name``."""


@dataclass(frozen=True, slots=True)
class KeySetFault:
    """Why a key set cannot be used, in words for the operator."""

    words: str


def read_key_set(raw: bytes) -> tuple[Key, ...] | KeySetFault:
    """The usable keys of a JWK set; a fault for anything but a set with at least one and without a repeated name."""
    if len(raw) > MAX_KEY_SET_BYTES:
        return KeySetFault(f"the key set is larger than {MAX_KEY_SET_BYTES} bytes")
    document = strict_json.read(raw)
    if isinstance(document, Rejection):
        return KeySetFault("the key set is not strict JSON")
    members = document.value.get("keys") if isinstance(document.value, dict) else None
    if not isinstance(members, list):
        return KeySetFault("the key set has no list 'keys'")
    read = [_read_key(member) for member in members]
    keys = tuple(key for key in read if isinstance(key, Key))
    if not keys:
        reasons = sorted({reason for reason in read if isinstance(reason, str)})
        return KeySetFault("the key set has no usable key" + (f": {', '.join(reasons)}" if reasons else ""))
    names = Counter(key.kid for key in keys if key.kid is not None)
    if any(count > 1 for count in names.values()):
        return KeySetFault("two keys of the set share one kid")
    return keys


def _read_key(member: Json) -> Key | str:
    """One usable key, or why it is none."""
    if not isinstance(member, dict):
        return "a member is no object"
    kid, alg, uses = member.get("kid"), member.get("alg"), member.get("key_ops", ["verify"])
    if not isinstance(kid, str | None):
        return "a kid is no string"
    if member.get("use", "sig") != "sig" or not isinstance(uses, list) or "verify" not in uses:
        return "a key is for another use than signatures"
    if "d" in member or "k" in member:
        return "a key is private or symmetric"
    permitted = _permitted(member)
    if not permitted:
        return "a key type or curve is not supported"
    if alg is not None:
        if not isinstance(alg, str) or alg not in permitted:
            return "an algorithm does not fit its key"
        permitted = frozenset({alg})
    try:
        public_key = _public_key(member)
    except (InvalidKeyError, ValueError, TypeError, KeyError):
        return "a key is malformed"
    if member["kty"] == "RSA" and _is_weak(public_key.public_numbers().n):
        return "an RSA key is weak"
    return Key(kid=kid, algorithms=permitted, public_key=public_key)


def _permitted(member: Mapping[str, Json]) -> frozenset[str]:
    """The algorithms that fit the key's type and curve; none for a type that is not supported."""
    kty, curve = member.get("kty"), member.get("crv")
    if kty == "RSA":
        return RSA_ALGORITHMS
    if isinstance(kty, str) and isinstance(curve, str):
        return CURVE_ALGORITHMS.get((kty, curve), frozenset())
    return frozenset()


def _public_key(member: dict[str, Json]) -> Any:
    """The key object of a supported JWK; raises what PyJWT and cryptography raise for a malformed one."""
    if member["kty"] == "RSA":
        return RSAAlgorithm.from_jwk(member)
    if member["kty"] == "EC":
        return ECAlgorithm.from_jwk(member)
    return OKPAlgorithm.from_jwk(member)


def _is_weak(modulus: int) -> bool:
    """Whether an RSA modulus is too short, or from the generator of CVE-2017-15361."""
    return modulus.bit_length() < MIN_RSA_BITS or all(
        modulus % prime in residues for prime, residues in WEAK_RESIDUES.items()
    )
