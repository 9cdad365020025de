"""The gateways that are compared: the shipped configurations, and two that do without the service."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from extproc.demo.proxy import Chain, gateway_configuration

__all__ = ["ANSWER", "EVENT_SETUPS", "SETUPS", "TABLE", "Setup", "upstream_configuration"]

RESULT: Final = '{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","content":[{"type":"text","text":"%s"}]}}'
ANSWER: Final = RESULT % ("x" * (460 - len(RESULT) + 2))
_ROWS: Final = [
    {
        "id": number,
        "name": f"Customer {number}",
        "email": f"customer.{number}@example.com",
        "phone": f"+1 202 555 01{number:02}",
        "city": "Springfield",
        "note": "asked for the invoice of last month and a call back on Tuesday",
    }
    for number in range(10, 30)
]
TABLE: Final = json.dumps(
    {
        "jsonrpc": "2.0",
        "id": 1,
        "result": {"resultType": "complete", "content": [], "structuredContent": {"rows": _ROWS}},
    },
    separators=(",", ":"),
)
"""A result of 4 KB with two personal values in each of its rows."""
_HCM: Final = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_ROUTER: Final = {
    "name": "envoy.filters.http.router",
    "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
}
_BUFFER: Final = {
    "name": "envoy.filters.http.buffer",
    "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer",
        "max_request_bytes": 8 << 20,
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """One gateway: a chain with a recording level, or Envoy alone with these filters.

    Without a recording level the chain's service only answers. ``durability`` says when an event is stored.
    ``answer`` is what the upstream says; with ``masks`` the policy masks what is personal in it. What it costs is told
    beside the setup ``beside``.
    """

    name: str
    beside: str = "plain"
    answer: str = ANSWER
    masks: bool = False
    chain: Chain | None = None
    payloads: str = ""
    durability: str = "process"
    filters: tuple[Mapping[str, Any], ...] = ()

    def configuration(
        self, *, port: int, admin_port: int, upstream_port: int, workers: tuple[str, ...], issuer: str, jwks: str
    ) -> dict[str, Any]:
        """The Envoy configuration of this gateway."""
        if self.chain is None:
            routes = [{"match": {"path": "/mcp"}, "route": {"cluster": "upstream", "timeout": "0s"}}]
            listener = _listener(port, routes, [*self.filters, _ROUTER])
            return _bootstrap(admin_port, [listener], [_cluster(upstream_port)])
        document = gateway_configuration(
            self.chain,
            port=port,
            admin_port=admin_port,
            workers=workers,
            upstream=f"http://127.0.0.1:{upstream_port}/mcp",
            issuer=issuer,
            server="sales-db",
        )
        (connection_manager,) = [
            each["typed_config"] for each in document["static_resources"]["listeners"][0]["filter_chains"][0]["filters"]
        ]
        connection_manager["access_log"] = []  # nobody reads it here, and plain Envoy writes none
        (jwt,) = [each for each in connection_manager["http_filters"] if each["name"].endswith("jwt_authn")]
        for provider in jwt["typed_config"]["providers"].values():
            del provider["remote_jwks"]  # no issuer runs here
            provider["local_jwks"] = {"inline_string": jwks}
        return document


def upstream_configuration(ports: Mapping[str, int], admin_port: int) -> dict[str, Any]:
    """An Envoy that answers every call to one of the ports with the result that it is for."""
    return _bootstrap(admin_port, [_answering(port, answer) for answer, port in ports.items()], [])


def _answering(port: int, text: str) -> dict[str, Any]:
    answer = {
        "match": {"prefix": "/"},
        "direct_response": {"status": 200, "body": {"inline_string": text}},
        "response_headers_to_add": [
            {
                "header": {"key": "content-type", "value": "application/json"},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }
        ],
    }
    # without the buffer it answers before the body has arrived, and then closes the connection: one more per call
    return _listener(port, [answer], [_BUFFER, _ROUTER])


def _listener(port: int, routes: list[Any], filters: list[Any]) -> dict[str, Any]:
    manager = {
        "@type": _HCM,
        "stat_prefix": "bench",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        "http_filters": filters,
    }
    network_filter = {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    return {"name": f"bench-{port}", "address": address, "filter_chains": [{"filters": [network_filter]}]}


def _cluster(port: int) -> dict[str, Any]:
    endpoint = {"endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}}}
    load = {"cluster_name": "upstream", "endpoints": [{"lb_endpoints": [endpoint]}]}
    return {"name": "upstream", "type": "STATIC", "load_assignment": load}


def _bootstrap(admin_port: int, listeners: list[Any], clusters: list[Any]) -> dict[str, Any]:
    admin = {"address": {"socket_address": {"address": "127.0.0.1", "port_value": admin_port}}}
    return {"admin": admin, "static_resources": {"listeners": listeners, "clusters": clusters}}


_NATIVE: Final = (
    {
        "name": "envoy.filters.http.mcp",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.mcp.v3.Mcp",
            "traffic_mode": "REJECT_NO_MCP",
            "max_request_body_size": 1048576,
            "reject_duplicate_keys": True,
            "parser_config": {
                "methods": [{"method": "tools/call", "extraction_rules": [{"path": "params.name"}]}],
            },
        },
    },
    {
        "name": "envoy.filters.http.rbac",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
            "rules": {
                "action": "ALLOW",
                "policies": {
                    "echo": {
                        "permissions": [
                            {
                                "sourced_metadata": {
                                    "metadata_matcher": {
                                        "filter": "envoy.filters.http.mcp",
                                        "path": [{"key": "params"}, {"key": "name"}],
                                        "value": {"string_match": {"exact": "echo"}},
                                    }
                                }
                            }
                        ],
                        "principals": [{"any": True}],
                    }
                },
            },
        },
    },
)

SETUPS: Final = (
    Setup(name="plain"),
    Setup(name="native", filters=_NATIVE),
    Setup(name="one-message, empty", chain="one-message"),
    Setup(name="one-message, none", chain="one-message", payloads="none"),
    Setup(name="one-message, none, on disk", chain="one-message", payloads="none", durability="disk"),
    Setup(name="portable, none", chain="portable", payloads="none"),
    Setup(name="one-message, masked", chain="one-message", payloads="masked"),
    Setup(name="portable, masked", chain="portable", payloads="masked"),
    Setup(name="plain, 4 KB", answer=TABLE),
    Setup(
        name="one-message, 4 KB masking",
        beside="plain, 4 KB",
        answer=TABLE,
        chain="one-message",
        payloads="masked",
        masks=True,
    ),
)
EVENT_SETUPS: Final = (
    Setup(name="plain"),
    Setup(name="one-message, masked", chain="one-message", payloads="masked"),
    Setup(name="one-message, masking", chain="one-message", payloads="masked", masks=True),
)
"""Those that the events of a stream are timed through."""
