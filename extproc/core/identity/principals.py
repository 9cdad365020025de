"""Who calls, from what Envoy verified or from a token verified here (invariant 7).

``identify`` gives one principal or a refusal: (issuer, subject) of a token, a workload's SPIFFE id, or a token with the
workload that carried it. A credential that is present and does not hold is refused also when another one would do.
Nothing is ever read from a header but the ``authorization`` header, and that only to verify it. A token is accepted in
one form: the scheme ``Bearer`` in any case (RFC 9110 section 11.1), one space, one compact JWS. RFC 6750, RFC 9728,
SPIFFE-ID 2, X.509-SVID 4.
"""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from msgspec.structs import replace

from extproc.core.identity.acquaintances import Acquaintances
from extproc.core.identity.claims import check_claims, ends_at, fits, refused
from extproc.core.identity.key_sets import KeySets
from extproc.core.identity.tokens import Memory, VerifiedToken, check_header, verify
from extproc.core.limits import MAX_SPIFFE_CHARS
from extproc.core.model import IdentityConfig, Json, Principal, RequestHead
from extproc.core.rejection import DENIED, Rejection

__all__ = ["challenge", "identify", "resource_metadata_url"]

AUTHORIZATION: Final = "authorization"
WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"
SPIFFE_ID: Final = re.compile(r"spiffe://([a-z0-9._-]{1,255})((?:/[A-Za-z0-9._-]+)+)")
RESOURCE_URL: Final = re.compile(r"(https?://[!$-.0->@-\[\]-~]+)([!$-\[\]-~]*)")
"""Origin and rest of a URL without fragment that can stand in a quoted string of a header as it is."""


def identify(
    config: IdentityConfig,
    head: RequestHead,
    *,
    now: float,
    keys: KeySets | None,
    memory: Memory | None = None,
    acquaintances: Acquaintances | None = None,
) -> Principal | Rejection:
    """The caller; a refusal where no credential is present, or where any present one does not hold at ``now``."""
    workload = _workload(config, head.peer_uris)
    if isinstance(workload, Rejection):
        return workload
    if keys is None and acquaintances is not None:
        met = acquaintances.recall(config, head, workload, now)
        if met is not None:
            return met
    token = _from_envoy(config, head, now) if keys is None else _from_header(config, head, now, keys, memory)
    if isinstance(token, Rejection):
        return replace(token, challenge=challenge(config, head.path, error="invalid_token"))
    if token is not None:
        person = _person(token, workload)
        if isinstance(person, Rejection):
            return replace(person, challenge=challenge(config, head.path, error="invalid_token"))
        if keys is None and acquaintances is not None:
            acquaintances.keep(config, head, person, token.issuer.max_token_age)
        return person
    if workload is not None:
        trust_domain = workload[: workload.index("/", len("spiffe://"))]
        return Principal(issuer=trust_domain, subject=workload, workload=workload)
    return replace(
        refused("token_missing", "A bearer token is required."), challenge=challenge(config, head.path, error=None)
    )


def challenge(config: IdentityConfig, path: str, *, error: str | None) -> str:
    """The value of ``WWW-Authenticate``, with the metadata of the audience that ``path`` belongs to (RFC 9728)."""
    audiences = [audience for issuer in config.issuers for audience in issuer.audiences]
    here = path.partition("?")[0]
    audience = next((audience for audience in audiences if _path_of(audience) == here), next(iter(audiences), ""))
    metadata = resource_metadata_url(audience)
    parameters = [f'error="{error}"'] if error else []
    parameters += [f'resource_metadata="{metadata}"'] if metadata else []
    return " ".join(["Bearer", ", ".join(parameters)]).rstrip()


def resource_metadata_url(audience: str) -> str | None:
    """Where RFC 9728 section 3.1 puts the metadata of a resource; None if the audience is no plain http(s) URL."""
    match = RESOURCE_URL.fullmatch(audience)
    if match is None:
        return None
    origin, rest = match.groups()
    return f"{origin}{WELL_KNOWN}{rest[1:] if rest[:2] in {'/', '/?'} else rest}"


def _path_of(audience: str) -> str | None:
    """The path of an audience that is a URL."""
    try:
        return urlsplit(audience).path
    except ValueError:
        return None


def _from_envoy(config: IdentityConfig, head: RequestHead, now: float) -> VerifiedToken | Rejection | None:
    """The token that jwt_authn verified, judged again where it can be; None without any token."""
    if head.claims is None:
        if AUTHORIZATION in head.headers:
            return refused("token_unverified", "The credentials of this request were not verified.")
        return None
    header = head.token_header
    fault = check_header(header) if header is not None else None
    if fault is not None:
        return fault
    issuer = check_claims(head.claims, config.issuers, now=now)
    if isinstance(issuer, Rejection):
        return issuer
    ends = ends_at(head.claims, issuer)
    return VerifiedToken(issuer=issuer, claims=head.claims, header=header or {}, expires_at=ends)


def _from_header(
    config: IdentityConfig, head: RequestHead, now: float, keys: KeySets, memory: Memory | None
) -> VerifiedToken | Rejection | None:
    """The bearer token of the ``authorization`` header, verified; None without that header."""
    value = head.headers.get(AUTHORIZATION)
    if value is None:
        return None
    scheme, _, token = value.partition(" ")
    if scheme.lower() != "bearer":
        return refused("token_scheme", "Only bearer tokens are accepted.")
    return verify(token, config.issuers, keys, now=now, memory=memory)


def _person(token: VerifiedToken, workload: str | None) -> Principal | Rejection:
    """The principal that a token names; refuses groups or roles that are not names."""
    groups = _names(token.claims, token.issuer.groups)
    roles = _names(token.claims, token.issuer.roles)
    human = _names(token.claims, token.issuer.human) if token.issuer.human else frozenset()
    if groups is None or roles is None or human is None or len(human) > 1:
        return refused("token_claims", "The token's groups, roles or human are malformed.")
    return Principal(
        issuer=token.issuer.issuer,
        subject=token.claims["sub"],
        groups=groups,
        roles=roles,
        claims=token.claims,
        workload=workload,
        expires_at=token.expires_at,
        human=next(iter(human), ""),
    )


def _names(claims: Mapping[str, Json], path: tuple[str, ...]) -> frozenset[str] | None:
    """The names that a claim lists, one string or a list of strings; none if it is absent; None if it is neither."""
    value: Json = claims
    for step in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(step)
        if value is None:
            return frozenset()
    names = value if isinstance(value, list) else [value]
    for name in names:
        if not isinstance(name, str) or not fits(name):
            return None
    return frozenset(names)


def _workload(config: IdentityConfig, peer_uris: tuple[str, ...]) -> str | Rejection | None:
    """The SPIFFE id of the peer certificate; None if no workload is expected or none presents itself."""
    if not config.trust_domains or not peer_uris:
        return None
    match = SPIFFE_ID.fullmatch(peer_uris[0]) if len(peer_uris) == 1 and len(peer_uris[0]) <= MAX_SPIFFE_CHARS else None
    if match is None or not {".", ".."}.isdisjoint(match[2].split("/")):
        return _no_workload("workload_malformed")
    if match[1] not in config.trust_domains:
        return _no_workload("workload_untrusted")
    return match[0]


def _no_workload(reason: str) -> Rejection:
    """A 403 for a peer certificate, which no token would cure."""
    return Rejection(
        status=403,
        code=DENIED,
        message="The client certificate does not name a workload that is trusted.",
        reason=reason,
    )
