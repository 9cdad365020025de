"""The throw-away token issuer's people and its key: whoever can read the key file may be anybody.

``DevelopmentIssuer`` signs access tokens (RFC 9068, ES256) for the people of one table. Its key lives in one file that
only the owner may read, so that ``extproc token`` can mint without a running issuer. It is for development on one's
own machine: there are no passwords, and nothing but a policy that names this issuer believes it.
"""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

__all__ = ["ISSUER_FILE", "PEOPLE", "DevelopmentIssuer", "DevelopmentIssuerError", "Person"]

ISSUER_FILE: Final = "issuer.json"
ALGORITHM: Final = "ES256"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody a development token can be made for."""

    subject: str
    name: str
    groups: tuple[str, ...]


PEOPLE: Final[Mapping[str, Person]] = MappingProxyType(
    {
        "analyst": Person(subject="ann", name="Ann, analyst", groups=("data-analysts",)),
        "steward": Person(subject="sam", name="Sam, steward", groups=("data-stewards",)),
    }
)


class DevelopmentIssuerError(Exception):
    """The issuer's file cannot be used; one line with the file, the reason and the fix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DevelopmentIssuer:
    """An issuer at ``url`` whose tokens are meant for ``audience`` unless another one is asked for."""

    url: str
    audience: str
    kid: str
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def create(cls, *, url: str, audience: str) -> "DevelopmentIssuer":
        """An issuer with a new key that exists in memory alone."""
        return cls(url=url, audience=audience, kid=secrets.token_hex(8), key=ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def load(cls, folder: Path) -> "DevelopmentIssuer":
        """The issuer kept in ``folder``; raises if there is none or its file is broken."""
        path = folder / ISSUER_FILE
        try:
            kept = json.loads(path.read_bytes())
            key = ECAlgorithm.from_jwk(kept["key"])
            if not isinstance(key, ec.EllipticCurvePrivateKey):
                raise TypeError("the private half is missing")  # noqa: TRY301 - one place words the fault
            return cls(url=kept["url"], audience=kept["audience"], kid=kept["key"]["kid"], key=key)
        except FileNotFoundError:
            raise DevelopmentIssuerError(
                f"{path} does not exist: run `extproc up` first, or name its state directory with --dir"
            ) from None
        except OSError as error:
            raise DevelopmentIssuerError(f"{path} cannot be read: {error.strerror}") from None
        except (ValueError, TypeError, KeyError, jwt.InvalidKeyError):
            raise DevelopmentIssuerError(f"{path} is broken: remove it and run `extproc up` again") from None

    @classmethod
    def keep(cls, folder: Path, *, url: str, audience: str) -> "DevelopmentIssuer":
        """The issuer kept in ``folder`` under this address, with the key of last time if there was one."""
        try:
            known = cls.load(folder)
            issuer = cls(url=url, audience=audience, kid=known.kid, key=known.key)
        except DevelopmentIssuerError:
            issuer = cls.create(url=url, audience=audience)
        issuer.save(folder)
        return issuer

    def key_set(self) -> dict[str, Any]:
        """The public key as a JWK set."""
        public = ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [{**public, "kid": self.kid, "alg": ALGORITHM, "use": "sig"}]}

    def mint(self, person: Person, *, audience: str, lifetime: float, now: float) -> str:
        """An access token for ``person`` at ``audience``, from ``now`` for ``lifetime`` seconds."""
        claims = {
            "iss": self.url,
            "sub": person.subject,
            "aud": audience,
            "iat": int(now),
            "exp": int(now + lifetime),
            "jti": secrets.token_urlsafe(12),
            "name": person.name,
            "groups": list(person.groups),
        }
        return jwt.encode(claims, self.key, algorithm=ALGORITHM, headers={"typ": "at+jwt", "kid": self.kid})

    def save(self, folder: Path) -> None:
        """Write the issuer's file, whole, readable by its owner alone."""
        private = {**ECAlgorithm.to_jwk(self.key, as_dict=True), "kid": self.kid}
        text = json.dumps({"url": self.url, "audience": self.audience, "key": private}, indent=1)
        path = folder / ISSUER_FILE
        draft = path.with_name(f".{ISSUER_FILE}.{secrets.token_hex(8)}")
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(text)
            draft.replace(path)
        except OSError as error:
            raise DevelopmentIssuerError(f"{path} cannot be written: {error.strerror}") from None
