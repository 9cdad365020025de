"""Who calls, and what becomes of the token: judged on one route."""

from collections.abc import Iterator
from typing import Final

from extproc.core.doctor.effective import Position, on_route
from extproc.core.doctor.findings import Finding, Severity
from extproc.core.doctor.setup import Document, Front, Route

__all__ = ["credentials"]

JWT: Final = "JwtAuthentication"


def credentials(front: Front, route: Route, judge: Position) -> Iterator[Finding]:
    """Judge token verification before ``judge``, and what the MCP server gets of the client's credentials."""
    verifying = [
        settings
        for each in front.filters[: judge.at]
        if each.kind == JWT and (settings := on_route(each, route)) is not None
    ]
    removed = set(_removed(front, route))
    providers = [each for settings in verifying for each in settings.get("providers", {}).items()]
    for name, provider in providers:
        yield from _provider(name, provider)
    if not verifying:
        yield Finding(
            Severity.WEAK,
            "Envoy verifies no token before ext_proc; right only where the service does (EXTPROC_IDENTITY=token) or "
            "clients have certificates",
            "add jwt_authn before ext_proc",
        )
    forwards = [provider.get("forward", False) for _, provider in providers]
    if "authorization" not in removed and (any(forwards) or not forwards):
        yield Finding(
            Severity.UNSAFE, "the client's token goes on to the MCP server", "forward: false, or remove: authorization"
        )
    if "accept-encoding" not in removed:
        yield Finding(
            Severity.BROKEN,
            "an encoded response cannot be read and is withheld",
            "remove: accept-encoding in a header_mutation filter",
        )


def _provider(name: str, provider: Document) -> Iterator[Finding]:
    if not provider.get("audiences"):
        yield Finding(
            Severity.UNSAFE, f"{name}: a token for any other service is taken", "audiences: [the URL of the endpoint]"
        )
    if provider.get("jwt_cache_config"):
        yield Finding(
            Severity.UNSAFE, f"{name}: tokens of a key that was withdrawn stay valid", "delete jwt_cache_config"
        )
    if provider.get("from_params"):
        yield Finding(Severity.UNSAFE, f"{name}: tokens in the query string end up in logs", "delete from_params")
    if not provider.get("payload_in_metadata"):
        yield Finding(
            Severity.BROKEN,
            f"{name}: the service does not learn who calls, and refuses",
            "payload_in_metadata: jwt_payload",
        )
    if not provider.get("require_expiration"):
        yield Finding(Severity.WEAK, f"{name}: Envoy takes a token without an end", "require_expiration: true")


def _removed(front: Front, route: Route) -> Iterator[str]:
    """The request headers that a filter takes off, and those of the route itself."""
    for each in front.filters:
        settings = on_route(each, route) if each.kind == "HeaderMutation" else None
        for mutation in (settings or {}).get("mutations", {}).get("request_mutations", ()):
            if "remove" in mutation:
                yield mutation["remove"].lower()
    for name in route.document.get("request_headers_to_remove", ()):
        yield name.lower()
