"""The edge around the chain: the HTTP connection manager, and what a route does beside it."""

from collections.abc import Iterator
from typing import Final

from extproc.core.doctor.findings import Finding, Severity
from extproc.core.doctor.setup import Front, Route

__all__ = ["front_settings", "route_settings"]

CERTIFICATE_MODES: Final = {"SANITIZE", "SANITIZE_SET"}
HARDENING: Final = (
    ("normalize_path", True, "a path can be spelled in several ways"),
    ("merge_slashes", True, "a path can be spelled in several ways"),
    ("path_with_escaped_slashes_action", "REJECT_REQUEST", "a path can be spelled in several ways"),
    ("use_remote_address", True, "clients can claim another address in a header"),
)


def front_settings(front: Front) -> Iterator[Finding]:
    """Judge the connection manager of a listener that has the chain."""
    config = front.config
    if any(each.get("enabled", True) for each in config.get("upgrade_configs", ())):
        yield _unsafe("an upgraded connection is a tunnel past the policy", "delete upgrade_configs")
    if config.get("forward_client_cert_details", "SANITIZE") not in CERTIFICATE_MODES:
        yield _unsafe(
            "clients can claim another's certificate in a header", "forward_client_cert_details: SANITIZE_SET"
        )
    for name, value, problem in HARDENING:
        if config.get(name, False) != value:
            written = str(value).lower() if value is True else value
            yield _weak(problem, f"{name}: {written}")
    protocol = config.get("common_http_protocol_options", {})
    if protocol.get("headers_with_underscores_action") not in {"REJECT_REQUEST", "DROP_HEADER"}:
        yield _weak(
            "mcp_name and mcp-name are one header for some servers",
            "common_http_protocol_options: {headers_with_underscores_action: REJECT_REQUEST}",
        )
    if "max_concurrent_streams" not in config.get("http2_protocol_options", {}):
        yield _weak(
            "one connection may open any number of streams", "http2_protocol_options: {max_concurrent_streams: 100}"
        )


def route_settings(route: Route) -> Iterator[Finding]:
    """Judge what a route that leads to a server does with a request that was allowed."""
    action = route.action or {}
    if "retry_policy" in action or route.retried:
        yield _unsafe("an allowed call can run more than once", "delete retry_policy")
    if "hedge_policy" in action:
        yield _unsafe("an allowed call can run more than once", "delete hedge_policy")
    if "request_mirror_policies" in action:
        yield _unsafe("a copy of the call goes to another server", "delete request_mirror_policies")
    if "internal_redirect_policy" in action:
        yield _unsafe("the MCP server can send an allowed call elsewhere", "delete internal_redirect_policy")
    if any(each.get("enabled", True) for each in action.get("upgrade_configs", ())):
        yield _unsafe("an upgraded connection is a tunnel past the policy", "delete upgrade_configs")
    if "cluster_header" in action:
        yield _unsafe("a header of the request chooses the server", "cluster: NAME")
    if str(action.get("timeout", "15s")) not in {"0s", "0"}:
        yield Finding(
            Severity.BROKEN, "Envoy cuts event streams after the route's timeout (15 s by default)", "timeout: 0s"
        )


def _unsafe(problem: str, cure: str) -> Finding:
    return Finding(Severity.UNSAFE, problem, cure)


def _weak(problem: str, cure: str) -> Finding:
    return Finding(Severity.WEAK, problem, cure)
