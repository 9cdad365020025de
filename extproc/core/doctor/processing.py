"""What ext_proc is told to do on a route: where it would let something pass, or ask for nothing."""

from collections.abc import Iterator, Mapping
from typing import Final

from extproc.core.doctor.findings import Finding, Severity
from extproc.core.doctor.setup import Document

__all__ = ["EXT_PROC", "NAMESPACE", "headers_first", "processing"]

EXT_PROC: Final = "ExternalProcessor"
NAMESPACE: Final = "mcp_extproc"
"""The dynamic metadata in which the service's decision stands."""
SERVER: Final = "x-mcp-server"
MASKING: Final = {
    "request_body_mode": "BUFFERED",
    "response_header_mode": "SEND",
    "response_body_mode": "FULL_DUPLEX_STREAMED",
    "response_trailer_mode": "SEND",
}
"""What the service asks for where a response must be masked."""
_DEFAULT_MODES: Final = {"DEFAULT", "NONE"}


def headers_first(settings: Document) -> bool:
    """Whether the request headers come to the service before the body."""
    mode: str = settings.get("processing_mode", {}).get("request_header_mode", "DEFAULT")
    return mode != "SKIP"


def processing(settings: Document, clusters: Mapping[str, Document]) -> Iterator[Finding]:
    """Judge ext_proc with ``settings``, as they hold on one route."""
    yield from _faults(settings)
    yield from _modes(settings)
    yield from _service(settings, clusters)
    yield from _channels(settings)


def _faults(settings: Document) -> Iterator[Finding]:
    if settings.get("failure_mode_allow"):
        yield _unsafe("every fault of the policy service lets the call pass unjudged", "failure_mode_allow: false")
    if settings.get("observability_mode"):
        yield _unsafe("Envoy does not wait for the decision (observability_mode)", "delete observability_mode")
    if settings.get("disable_immediate_response"):
        yield _broken("refusals become plain errors of Envoy", "delete disable_immediate_response")
    if "message_timeout" not in settings:
        yield _broken("a decision that takes more than Envoy's default of 200 ms is a refusal", "message_timeout: 5s")
    if "max_message_timeout" not in settings:
        yield _broken("no call can be held for an approval", "max_message_timeout: 600s")


def _modes(settings: Document) -> Iterator[Finding]:
    mode = settings.get("processing_mode", {})
    if mode.get("request_body_mode", "NONE") != "BUFFERED":
        yield _unsafe("the body is not judged before it goes on", "processing_mode: {request_body_mode: BUFFERED, ...}")
    if not settings.get("allow_mode_override"):
        yield _unsafe(
            "responses cannot be masked: Envoy ignores that the service asks for them", "allow_mode_override: true"
        )
    listed = settings.get("allowed_override_modes")
    if listed and _sent(MASKING) not in [_sent(each) for each in listed]:
        wanted = ", ".join(f"{name}: {value}" for name, value in MASKING.items())
        yield _unsafe(
            "responses cannot be masked: Envoy ignores a mode that is not listed",
            f"allowed_override_modes: [{{{wanted}}}]",
        )


def _sent(mode: Document) -> dict[str, str]:
    """What Envoy compares: everything but the mode of the request headers, without defaults."""
    return {
        name: value for name, value in mode.items() if name != "request_header_mode" and value not in _DEFAULT_MODES
    }


def _service(settings: Document, clusters: Mapping[str, Document]) -> Iterator[Finding]:
    name = settings.get("grpc_service", {}).get("envoy_grpc", {}).get("cluster_name")
    if name is None:
        yield Finding(
            Severity.WEAK,
            "the policy service is not reached through a cluster of Envoy; what it is could not be looked at",
            "grpc_service: {envoy_grpc: {cluster_name: ...}}",
        )
    elif name not in clusters:
        yield _unsafe(
            f"the cluster {name} of the policy service is missing; older Envoys let everything pass then",
            f"add the cluster {name}",
        )
    elif _panics(clusters[name]):
        yield Finding(
            Severity.WEAK,
            f"with half of the workers away, Envoy sends calls to those too (cluster {name})",
            "common_lb_config: {healthy_panic_threshold: {value: 0}}",
        )


def _panics(cluster: Document) -> bool:
    threshold = cluster.get("common_lb_config", {}).get("healthy_panic_threshold")
    return threshold is None or threshold.get("value", 0) != 0  # a dump leaves a zero out


def _channels(settings: Document) -> Iterator[Finding]:
    metadata = settings.get("metadata_options", {})
    if NAMESPACE not in metadata.get("receiving_namespaces", {}).get("untyped", ()):
        yield _broken(
            "Envoy drops the decision, so the guard refuses every call",
            f"metadata_options: {{receiving_namespaces: {{untyped: [{NAMESPACE}]}}}}",
        )
    told = (*settings.get("grpc_initial_metadata", ()), *settings.get("grpc_service", {}).get("initial_metadata", ()))
    if not any(each.get("key") == SERVER and each.get("value") for each in told):
        yield _broken(
            "the service is not told which MCP server it is, and refuses",
            f"grpc_initial_metadata: [{{key: {SERVER}, value: NAME}}]",
        )
    if settings.get("route_cache_action") != "RETAIN" and not settings.get("disable_clear_route_cache"):
        yield Finding(
            Severity.WEAK, "an answer of the service could lead to another route", "route_cache_action: RETAIN"
        )
    if "mutation_rules" not in settings:
        yield Finding(Severity.WEAK, "the service may change any header", "mutation_rules, as in the shipped file")


def _unsafe(problem: str, cure: str) -> Finding:
    return Finding(Severity.UNSAFE, problem, cure)


def _broken(problem: str, cure: str) -> Finding:
    return Finding(Severity.BROKEN, problem, cure)
