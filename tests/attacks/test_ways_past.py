"""E15, E21: the ways past the chain itself: the server reached directly, and a listener that is replaced under load."""

import asyncio
import json
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from attacks.certificates import Authority, Pair
from attacks.rig import DENIED_TOOL, POLICY, call, headers_of
from attacks.site import site
from extproc.core.doctor import Severity, examined
from extproc.demo.proxy import CHAINS, Chain
from extproc.edges.envoy import running as examine
from plain import NO_AUTHORITY
from shipped import front, http_filter, routes
from stack.calls import until
from stack.servers.recorder import echoes, raw_server

pytestmark = [pytest.mark.stack, pytest.mark.parametrize("chain", CHAINS)]

SERVER_ID: Final = "spiffe://prod.example.com/ns/db/sa/mcp"
GATEWAY_ID: Final = "spiffe://prod.example.com/ns/gateway/sa/envoy"
RESULT: Final = {"content": [], "resultType": "complete"}


def wants_a_certificate(pair: Pair, authority: Authority) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    context.load_verify_locations(authority.file)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def with_certificate(pair: Pair, authority: Authority) -> Callable[[Any], None]:
    """The commented transport_socket of the shipped files, filled in."""

    def adapt(document: Any) -> None:
        cluster = next(each for each in document["static_resources"]["clusters"] if each["name"] == "mcp_upstream")
        files = {"certificate_chain": {"filename": str(pair.certificate)}, "private_key": {"filename": str(pair.key)}}
        cluster["transport_socket"] = {
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
                "common_tls_context": {
                    "tls_certificates": [files],
                    "validation_context": {
                        "trusted_ca": {"filename": str(authority.file)},
                        "match_typed_subject_alt_names": [{"san_type": "URI", "matcher": {"exact": SERVER_ID}}],
                    },
                },
            },
        }

    return adapt


async def test_e15_a_server_that_takes_the_gateway_s_certificate_alone_is_not_reached_directly(
    chain: Chain, tmp_path: Path
) -> None:
    authority, stranger = Authority(tmp_path / "ca"), Authority(tmp_path / "stranger")
    server, gateway, thief = authority.issue(SERVER_ID), authority.issue(GATEWAY_ID), stranger.issue(GATEWAY_ID)
    async with raw_server(wants_a_certificate(server, authority)) as upstream:
        upstream.script = echoes(RESULT)
        adapt = with_certificate(gateway, authority)
        async with site(chain, upstream, tmp_path / "gateway", adapt=adapt, policy=POLICY) as running:
            assert (await running.post("alice", call(modern=True), modern=True)).status == 200
            assert (await running.post("alice", call(name=DENIED_TOOL, modern=True), modern=True)).refused
            arrived = len(upstream.requests)
            assert arrived == 1
            for pair in (None, thief):
                context = ssl.create_default_context(cafile=str(authority.file))
                context.check_hostname = False
                if pair is not None:
                    context.load_cert_chain(pair.certificate, pair.key)
                async with httpx.AsyncClient(verify=context, trust_env=False) as direct:
                    with pytest.raises(httpx.TransportError):
                        await direct.post(upstream.url, json=call())
            assert len(upstream.requests) == arrived


class Served:
    """The listener of a gateway as a resource that Envoy reads again when the file is replaced (LDS by path)."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._file, self._folder = folder / "listeners.json", folder
        self.listener: Any = None
        self.first: Callable[[Any], Any] | None = None

    def adapt(self, document: Any) -> None:
        shipped = json.loads(json.dumps(document))
        self.listener = shipped["static_resources"]["listeners"][0]
        if self.first is not None:
            self.first(document)
        self.put(document["static_resources"].pop("listeners")[0], "1")
        source = {"path_config_source": {"path": str(self._file), "watched_directory": {"path": str(self._folder)}}}
        document["node"] = {"id": "gateway", "cluster": "mcp"}
        document["dynamic_resources"] = {"lds_config": source}

    def put(self, listener: Any, version: str) -> None:
        kind = "type.googleapis.com/envoy.config.listener.v3.Listener"
        told = {"version_info": version, "resources": [{"@type": kind} | listener]}
        written = self._file.with_suffix(".new")
        written.write_text(json.dumps(told), "utf-8")
        written.replace(self._file)  # a watch sees whole files only


async def test_e21_a_listener_that_is_replaced_under_load_lets_nothing_pass_unjudged(
    chain: Chain, tmp_path: Path
) -> None:
    served = Served(tmp_path / "lds")
    async with raw_server() as upstream:
        upstream.script = echoes(RESULT)
        async with site(chain, upstream, tmp_path / "gateway", adapt=served.adapt, policy=POLICY) as running:
            over = asyncio.Event()
            heard = []

            async def calls(number: int) -> None:
                while not over.is_set():
                    message = call(name=DENIED_TOOL if number % 2 else "echo", modern=True)
                    try:
                        heard.append((number % 2, await running.post("alice", message, modern=True)))
                    except httpx.TransportError:
                        heard.append((number % 2, None))  # its connection drained away

            async with asyncio.TaskGroup() as together:
                for number in range(8):
                    together.create_task(calls(number))
                for version in range(2, 7):
                    served.listener["per_connection_buffer_limit_bytes"] = 1048576 + version
                    served.put(served.listener, str(version))
                    expected = version - 1
                    await until(lambda wanted=expected: updated(running, wanted))
                    so_far = len(heard)
                    await until(lambda before=so_far: len(heard) > before + 50)
                over.set()
            assert not [each for denied, each in heard if denied and each is not None and not each.refused]
            assert sum(each is not None and each.status == 200 for denied, each in heard if not denied) > 50
            arrived = [json.loads(bytes(each.body))["params"]["name"] for each in upstream.requests]
            assert set(arrived) == {"echo"}
            assert len(arrived) <= len(running.decisions(effect="allow"))


async def updated(running: Any, times: int) -> bool:
    """Whether Envoy has taken that many later versions of its listener."""
    return await running.gateway.stat("listener_manager.listener_modified") >= times


def unguarded(document: Any) -> None:
    filters = front(document)["http_filters"]
    for name in ("ext_proc", "mcp.guard"):
        filters.remove(http_filter(document, name))
    for each in routes(document):
        for name in ("envoy.filters.http.ext_proc", "mcp.guard"):
            each.get("typed_per_filter_config", {}).pop(name, None)


async def test_e21_a_listener_that_still_drains_without_the_chain_is_named(chain: Chain, tmp_path: Path) -> None:
    served = Served(tmp_path / "lds")
    served.first = unguarded
    async with raw_server() as upstream:
        upstream.script = echoes(RESULT)
        async with site(chain, upstream, tmp_path / "gateway", adapt=served.adapt, policy=POLICY) as running:
            message = call(name=DENIED_TOOL, modern=True)
            headers = headers_of(message) | running.bearer("alice")
            async with httpx.AsyncClient(trust_env=False, verify=NO_AUTHORITY) as open_before:
                assert (await open_before.post(running.gateway.url, json=message, headers=headers)).status_code == 200
                assert len(upstream.requests) == 1  # nothing judges it yet
                served.put(served.listener, "2")
                await until(lambda: updated(running, 1))

                async def refused() -> bool:
                    async with httpx.AsyncClient(trust_env=False, verify=NO_AUTHORITY) as new:
                        answer = await new.post(running.gateway.url, json=message, headers=headers)
                    return answer.json()["result"].get("isError") is True

                await until(refused)
                before = len(upstream.requests)
                await open_before.post(running.gateway.url, json=message, headers=headers)
                assert len(upstream.requests) == before + 1  # the old filters still have this connection
                findings = examined(await asyncio.to_thread(examine, running.gateway.admin))
                assert [(each.severity, each.problem[:16]) for each in findings] == [
                    (Severity.UNSAFE, "connections that")
                ]
