"""Tokens for tests: keys of every kind, and a signer that also writes what no library would."""

import base64
import functools
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm, get_default_algorithms

from extproc.core.model import Issuer

NOW = 1_800_000_000.0
CORP = Issuer(
    name="corp", issuer="https://idp.example.com", audiences=("https://gw.example.com/mcp",), max_token_age=3600.0
)


def private_key(alg: str, variant: int = 0) -> Any:
    return _private_key(alg, variant)


@functools.cache
def _private_key(alg: str, variant: int) -> Any:  # noqa: ARG001 - a variant is another key of the kind
    match alg:
        case "ES256":
            return ec.generate_private_key(ec.SECP256R1())
        case "ES384":
            return ec.generate_private_key(ec.SECP384R1())
        case "ES512":
            return ec.generate_private_key(ec.SECP521R1())
        case "EdDSA":
            return ed25519.Ed25519PrivateKey.generate()
        case "RSA1024":
            return rsa.generate_private_key(65537, 1024)  # noqa: S505 - to be refused
        case _:
            return rsa.generate_private_key(65537, 2048)


def jwk(private: Any, **members: Any) -> dict[str, Any]:
    public = private.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        made = RSAAlgorithm.to_jwk(public, as_dict=True)
    elif isinstance(public, ec.EllipticCurvePublicKey):
        made = ECAlgorithm.to_jwk(public, as_dict=True)
    else:
        made = OKPAlgorithm.to_jwk(public, as_dict=True)
    made.pop("key_ops", None)
    return {**made, **members}


def key_set(*members: Any) -> bytes:
    return json.dumps({"keys": list(members)}).encode()


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def jws(header: bytes, payload: bytes, private: Any, alg: str) -> str:
    signing_input = f"{b64(header)}.{b64(payload)}"
    verifier = get_default_algorithms()[alg]
    return f"{signing_input}.{b64(verifier.sign(signing_input.encode(), private))}"


def claims(**changes: Any) -> dict[str, Any]:
    made = {"iss": CORP.issuer, "aud": CORP.audiences[0], "sub": "ann", "iat": NOW - 60, "exp": NOW + 600, **changes}
    return {name: value for name, value in made.items() if value is not ...}


def token(alg: str = "ES256", *, header: dict[str, Any] | None = None, variant: int = 0, **changes: Any) -> str:
    made = {"alg": alg, "typ": "at+jwt", "kid": alg, **(header or {})}
    made = {name: value for name, value in made.items() if value is not ...}
    return jws(json.dumps(made).encode(), json.dumps(claims(**changes)).encode(), private_key(alg, variant), alg)
