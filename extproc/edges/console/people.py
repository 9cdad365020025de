"""Who is at the console: a browser session from a login, or the bearer of an API token.

A browser session is a signed cookie (itsdangerous, by Starlette) that holds who signed in and when; it ends after
``SESSION_SECONDS``. What the provider says of a person (groups, roles, the human behind an account) is taken at login
and not later, so the session is short. A bearer is verified anew at each request, for an audience of the console's
own: a token for an MCP server opens nothing here (threat A09). Whoever is revoked meanwhile, has signed out or is no
local approver any more is nobody here at his next request.
"""

import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request

from extproc.core.audit.events import session_digest
from extproc.core.identity.tokens import VerifiedToken
from extproc.core.model import Json, Principal
from extproc.core.rejection import Rejection
from extproc.core.tickets import Approver

__all__ = ["SESSION_SECONDS", "ClaimPaths", "People", "approver_of", "is_same_site"]

SESSION_SECONDS: Final = 4 * 3600
_PERSON: Final = "person"
_CSRF: Final = "csrf"
_ID: Final = "id"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimPaths:
    """Where a provider's claims say what: dotted paths into the ID token; ``human`` may be empty."""

    groups: str = "groups"
    roles: str = "roles"
    human: str = "email"
    name: str = "name"


def approver_of(claims: Mapping[str, Json], paths: ClaimPaths) -> Approver | None:
    """The person of a verified token; None without issuer or subject. What is not a list of texts is no group."""
    issuer, subject = claims.get("iss"), claims.get("sub")
    if not (isinstance(issuer, str) and issuer and isinstance(subject, str) and subject):
        return None
    # an address that nobody has verified could be anybody's, and could be his
    human = _text(_at(claims, paths.human))
    verified = paths.human != "email" or claims.get("email_verified") is True
    return Approver(
        issuer=issuer,
        subject=subject,
        groups=_texts(_at(claims, paths.groups)),
        roles=_texts(_at(claims, paths.roles)),
        human=human if verified else "",
        unverified="" if verified else human,
        name=_text(_at(claims, paths.name)) or subject,
    )


def _at(claims: Mapping[str, Json], path: str) -> Json:
    value: Json = claims
    for part in path.split(".") if path else ():
        value = value.get(part) if isinstance(value, Mapping) else None
    return value if path else None


def _texts(value: Json) -> frozenset[str]:
    listed = value if isinstance(value, list) else [value]
    return frozenset(each for each in listed if isinstance(each, str))


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


class People:
    """Reads and keeps who is there. ``bearer`` verifies an API token; None where none are taken.

    ``is_out`` tells whether this login, his token or this session (as its digest) has been put out; it raises
    ``StoreError`` where that cannot be told.
    """

    def __init__(
        self,
        *,
        bearer: Callable[[str], VerifiedToken | Rejection] | None,
        paths: ClaimPaths,
        is_out: Callable[[Principal, str], bool],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._bearer = bearer
        self._is_out = is_out
        self._paths = paths
        self._clock = clock

    def sign_in(self, request: Request, person: Approver) -> None:
        """Begin a session, with nothing of an earlier one in it (session fixation)."""
        request.session.clear()
        request.session[_PERSON] = {
            "issuer": person.issuer,
            "subject": person.subject,
            "groups": sorted(person.groups),
            "roles": sorted(person.roles),
            "human": person.human,
            "unverified": person.unverified,
            "name": person.name,
            "at": int(self._clock()),
        }
        request.session[_CSRF] = secrets.token_urlsafe(24)
        request.session[_ID] = secrets.token_urlsafe(24)

    def signed_in(self, request: Request) -> Approver | None:
        """Who the browser's session is of; None without one, or after its time."""
        kept: Any = request.session.get(_PERSON)
        if not isinstance(kept, dict) or self._clock() - kept["at"] > SESSION_SECONDS:
            return None
        if self._is_out(Principal(issuer=kept["issuer"], subject=kept["subject"]), self.session(request)):
            return None
        return Approver(
            issuer=kept["issuer"],
            subject=kept["subject"],
            groups=frozenset(kept["groups"]),
            roles=frozenset(kept["roles"]),
            human=kept["human"],
            unverified=kept.get("unverified", ""),
            name=kept["name"],
        )

    def session(self, request: Request) -> str:
        """What stands for the browser's session in records and revocations."""
        return session_digest(str(request.session.get(_ID, "")))

    def csrf(self, request: Request) -> str:
        """What each form of this session carries."""
        return str(request.session.get(_CSRF, ""))

    def may_post(self, request: Request, token: str) -> bool:
        """Whether a form was sent from a page of this session (OWASP: synchronizer token, and the origin)."""
        expected = self.csrf(request)
        return bool(expected) and hmac.compare_digest(token.encode(), expected.encode()) and is_same_site(request)

    def bearer(self, request: Request) -> Approver | None:
        """Who the bearer token of an API request is of; None without a good one."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if self._bearer is None or scheme.lower() != "bearer" or not token:
            return None
        verified = self._bearer(token.strip())
        person = None if isinstance(verified, Rejection) else approver_of(verified.claims, self._paths)
        if isinstance(verified, Rejection) or person is None:
            return None
        login = Principal(issuer=person.issuer, subject=person.subject, claims=verified.claims)
        return None if self._is_out(login, "") else person


def is_same_site(request: Request) -> bool:
    """Whether the browser says that a request comes from our own page; a browser that says nothing is believed."""
    site = request.headers.get("sec-fetch-site")
    return site in {None, "same-origin"}
