"""What the throw-away issuer grants: authorization requests by its rules, and the codes that come of them.

A request is granted only towards loopback and with a PKCE challenge; a code works once, soon, for the client, redirect
URI, challenge and resource it was made for. RFC 6749, RFC 7636, RFC 8252 section 7.3, RFC 8707.
"""

import base64
import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from extproc.demo.people import Person

__all__ = ["AuthorizationRequest", "Codes", "Refused", "is_loopback", "read_form"]

CODE_SECONDS: Final = 60
MAX_CODES: Final = 256
CHALLENGE_CHARS: Final = 43
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class Refused(Exception):  # noqa: N818 - an OAuth error response, named as OAuth names it
    """A request that gets an OAuth error."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.body = {"error": error, "error_description": description}


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """Which client wants a token, for what, and where the code goes."""

    client_id: str
    redirect_uri: str
    challenge: str
    audience: str

    @classmethod
    def read(cls, asked: Mapping[str, str], *, audience: str) -> "AuthorizationRequest":
        """The request; raises what is to be told to the client's redirect URI."""
        challenge, resource = asked.get("code_challenge", ""), asked.get("resource", audience)
        if asked.get("response_type") != "code":
            raise Refused("unsupported_response_type", "response_type must be code")
        if asked.get("code_challenge_method") != "S256" or len(challenge) != CHALLENGE_CHARS:
            raise Refused("invalid_request", "PKCE with S256 is required")
        if not resource.startswith(("http://", "https://")) or "#" in resource:
            raise Refused("invalid_target", "resource must be a URL without a fragment")
        return cls(
            client_id=asked["client_id"],
            redirect_uri=asked["redirect_uri"],
            challenge=challenge,
            audience=resource,
        )


@dataclass(slots=True)
class Codes:
    """The codes that wait to be exchanged, the oldest forgotten when there are too many."""

    waiting: OrderedDict[str, tuple[AuthorizationRequest, Person, float]] = field(default_factory=OrderedDict)

    def issue(self, request: AuthorizationRequest, person: Person, *, now: float) -> str:
        """A new code that stands for ``person``."""
        code = secrets.token_urlsafe(32)
        self.waiting[code] = (request, person, now + CODE_SECONDS)
        if len(self.waiting) > MAX_CODES:
            self.waiting.popitem(last=False)
        return code

    def redeem(self, asked: Mapping[str, str], *, now: float) -> tuple[Person, str]:
        """Person and audience behind a code, once; raises if anything about the exchange differs from the request."""
        granted = self.waiting.pop(asked.get("code", ""), None)
        if granted is None or now >= granted[2]:
            raise Refused("invalid_grant", "the code is unknown, used or expired")
        request, person, _ = granted
        if (asked.get("client_id"), asked.get("redirect_uri")) != (request.client_id, request.redirect_uri):
            raise Refused("invalid_grant", "the code was issued to another client")
        digest = hashlib.sha256(asked.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=") != request.challenge.encode():
            raise Refused("invalid_grant", "the code_verifier does not match")
        if asked.get("resource", request.audience) != request.audience:
            raise Refused("invalid_target", "the code was issued for another resource")
        return person, request.audience


def read_form(form: str) -> dict[str, str]:
    """The parameters of a form, of which none may be repeated (RFC 6749 section 3.1)."""
    pairs = parse_qsl(form, keep_blank_values=True)
    parameters = dict(pairs)
    if len(parameters) < len(pairs):
        raise Refused("invalid_request", "a parameter is repeated")
    return parameters


def is_loopback(uri: str) -> bool:
    """Whether a redirect URI is plain http to this machine."""
    try:
        parts = urlsplit(uri)
        host = parts.hostname
    except ValueError:
        return False
    return parts.scheme == "http" and host in LOOPBACK and "@" not in parts.netloc and "#" not in uri
