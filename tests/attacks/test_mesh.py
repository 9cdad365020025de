"""G16, G18, G23: workloads by their mesh certificate, through an Envoy that asks for one."""

import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.x509.oid import ObjectIdentifier

from attacks.certificates import Authority, Pair
from attacks.rig import DENIED_TOOL, Heard, call, headers_of, records, send
from attacks.site import POLICY, Site, site
from extproc.demo.proxy import CHAINS
from plain import PATIENCE
from stack.servers.recorder import json_reply, raw_server

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.stack]

MESH: Final = POLICY.replace(
    "servers:\n", "  workloads:\n    - {trust_domain: prod.example.com}\nservers:\n", 1
).replace(
    "  steward:\n",
    """\
  agent:
    assigned_to: {workloads: ["spiffe://prod.example.com/ns/default/sa/agent"]}
    grants: [{servers: [sales-db], verbs: [query], tools: [echo]}]
  steward:
""",
)
AGENT: Final = "spiffe://prod.example.com/ns/default/sa/agent"
ADMIN: Final = "spiffe://prod.example.com/ns/default/sa/admin"


def mutual_tls(authority: Authority, pair: Pair) -> Any:
    """The shipped configuration with its commented transport socket, and tokens that may be missing."""

    def adapt(document: dict[str, Any]) -> None:
        chain = document["static_resources"]["listeners"][0]["filter_chains"][0]
        files = {"filename": str(pair.certificate)}, {"filename": str(pair.key)}
        chain["transport_socket"] = {
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                "require_client_certificate": True,
                "common_tls_context": {
                    "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
                    "tls_certificates": [{"certificate_chain": files[0], "private_key": files[1]}],
                    "validation_context": {"trusted_ca": {"filename": str(authority.file)}},
                },
            },
        }
        filters = chain["filters"][0]["typed_config"]["http_filters"]
        (tokens,) = [each for each in filters if each["name"] == "envoy.filters.http.jwt_authn"]
        either = {"requires_any": {"requirements": [{"provider_name": "issuer"}, {"allow_missing": {}}]}}
        tokens["typed_config"]["rules"] = [{"match": {"prefix": "/"}, "requires": either}]

    return adapt


@dataclass
class Mesh:
    gate: Site
    authority: Authority
    folder: Path

    @asynccontextmanager
    async def client(self, pair: Pair | None) -> AsyncIterator[httpx.AsyncClient]:
        context = ssl.create_default_context(cafile=str(self.authority.file))
        if pair is not None:
            context.load_cert_chain(pair.certificate, pair.key)
        async with httpx.AsyncClient(trust_env=False, verify=context, timeout=PATIENCE) as http:
            yield http

    async def ask(self, pair: Pair | None, message: dict[str, Any] | None = None, **headers: str) -> Heard:
        message = message or call(modern=False)
        url = self.gate.gateway.url.replace("http:", "https:")
        async with self.client(pair) as http:
            named = headers_of(message, modern=False) | headers
            try:
                return await send(http, url, json.dumps(message).encode(), **named)
            except ssl.SSLError:  # the alert comes after the handshake of TLS 1.3, and no httpx error holds it
                return Heard(status=0, headers={}, body=b"", cut=True)

    def decided(self) -> list[dict[str, Any]]:
        return records(self.gate.gateway.state, "decision")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=CHAINS)
async def _mesh(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Mesh]:
    folder = tmp_path_factory.mktemp("mesh")
    authority = Authority(folder / "authority")
    adapt = mutual_tls(authority, authority.issue("127.0.0.1"))
    async with raw_server() as upstream, site(request.param, upstream, folder, policy=MESH, adapt=adapt) as gate:
        yield Mesh(gate=gate, authority=authority, folder=folder)


@pytest.fixture
def mesh(_mesh: Mesh) -> Mesh:
    _mesh.gate.upstream.requests.clear()
    _mesh.gate.upstream.script = json_reply({"jsonrpc": "2.0", "id": 1, "result": {"content": []}})
    return _mesh


async def test_g18_a_workload_is_its_spiffe_id(mesh: Mesh) -> None:
    heard = await mesh.ask(mesh.authority.issue(AGENT))
    assert heard.status == 200
    assert not heard.refused
    principal = mesh.decided()[-1]["principal"]
    assert (principal["issuer"], principal["subject"]) == ("spiffe://prod.example.com", AGENT)
    assert (await mesh.ask(mesh.authority.issue(AGENT), call(name=DENIED_TOOL, modern=False))).refused
    other = await mesh.ask(mesh.authority.issue(ADMIN))
    assert other.refused, "the right authority, but nobody's role"
    assert len(mesh.gate.upstream.requests) == 1


URI: Final = x509.UniformResourceIdentifier
BAD: Final[dict[str, tuple[x509.GeneralName, ...]]] = {
    "other-trust-domain": (URI("spiffe://evil.example/ns/default/sa/agent"),),
    "longer-trust-domain": (URI("spiffe://prod.example.com.evil.example/ns/default/sa/agent"),),
    "trust-domain-in-upper-case": (URI(AGENT.replace("prod", "PROD")),),
    "dots": (URI("spiffe://prod.example.com/ns/default/sa/admin/../agent"),),
    "dot": (URI("spiffe://prod.example.com/ns/default/sa/./agent"),),
    "escaped-slash": (URI("spiffe://prod.example.com/ns%2fdefault/sa/agent"),),
    "double-slash": (URI("spiffe://prod.example.com//ns/default/sa/agent"),),
    "trailing-slash": (URI(AGENT + "/"),),
    "upper-case-scheme": (URI(AGENT.replace("spiffe", "SPIFFE")),),
    "no-path": (URI("spiffe://prod.example.com"),),
    "port": (URI(AGENT.replace(".com", ".com:443")),),
    "user": (URI(AGENT.replace("//", "//admin@")),),
    "query": (URI(AGENT + "?x=1"),),
    "fragment": (URI(AGENT + "#x"),),
    "nul": (URI(AGENT + "\x00.evil"),),
    "newline": (URI(AGENT + "\n"),),
    "comma": (URI(AGENT + ",spiffe://prod.example.com/x"),),
    "other-scheme": (URI(AGENT.replace("spiffe", "https")),),
    "dns-name": (x509.DNSName(AGENT),),
    "dns-host": (x509.DNSName("prod.example.com"),),
    "email": (x509.RFC822Name("agent@prod.example.com"),),
    "registered": (x509.RegisteredID(ObjectIdentifier("1.2.3.4")),),
    "two": (URI(AGENT), URI(ADMIN)),
    "two-of-one": (URI(AGENT), URI(AGENT)),
    "agent-first": (URI(AGENT), URI("spiffe://evil.example/x")),
    "other-first": (URI("spiffe://evil.example/x"), URI(AGENT)),
    "none": (),
}


@pytest.mark.parametrize("name", BAD, ids=lambda name: f"G18-{name}")
async def test_a_certificate_that_names_no_trusted_workload_lets_nobody_in(mesh: Mesh, name: str) -> None:
    heard = await mesh.ask(mesh.authority.issue_with(name, *BAD[name]))
    assert heard.status in {0, 400, 401, 403}, heard
    assert mesh.gate.upstream.requests == []


async def test_g18_a_certificate_of_another_authority_or_time_gets_no_connection(mesh: Mesh) -> None:
    stranger = Authority(mesh.folder / "stranger")
    expired = mesh.authority.issue_with("expired", URI(AGENT), hours=-1)
    for pair in (None, stranger.issue(AGENT), expired):
        heard = await mesh.ask(pair)
        assert (heard.status, heard.body) == (0, b"")
    assert mesh.gate.upstream.requests == []


async def test_g16_a_certificate_counts_and_no_header_about_one(mesh: Mesh) -> None:
    """Forged beside a real one, and beside one that names nobody."""
    told = f'By=spiffe://prod.example.com/gw;Hash=00;Subject="CN=\\"a\\",O=;b";URI={AGENT},By=x;URI={AGENT}'
    names = (
        "x-forwarded-client-cert",
        "x-client-cert",
        "x-ssl-client-cert",
        "x-spiffe-id",
        "x-forwarded-tls-client-cert",
    )
    forged = dict.fromkeys(names, told)
    other = await mesh.ask(mesh.authority.issue(ADMIN), **forged)
    assert other.refused
    assert (await mesh.ask(mesh.authority.issue_with("nobody", x509.DNSName("a.example")), **forged)).status in {
        401,
        403,
    }
    assert mesh.gate.upstream.requests == []
    assert (await mesh.ask(mesh.authority.issue(AGENT), **forged)).status == 200
    assert mesh.decided()[-1]["principal"]["subject"] == AGENT
    assert mesh.gate.upstream.requests[-1].values("x-forwarded-client-cert") == []


async def test_g23_token_and_certificate_must_both_allow_and_both_are_recorded(mesh: Mesh) -> None:
    agent, admin = mesh.authority.issue(AGENT), mesh.authority.issue(ADMIN)
    alice, eve, carol = (mesh.gate.bearer(who) for who in ("alice", "eve", "carol"))
    assert not (await mesh.ask(agent, **alice)).refused
    principal = mesh.decided()[-1]["principal"]
    assert (principal["subject"], principal["workload"]) == ("alice", AGENT)
    mesh.gate.upstream.requests.clear()
    assert (await mesh.ask(agent, **eve)).refused, "the token alone would not allow it"
    assert (await mesh.ask(admin, **alice)).refused, "the workload alone would not allow it"
    assert (await mesh.ask(agent, call(name=DENIED_TOOL, modern=False), **carol)).refused
    bad = await mesh.ask(agent, authorization="Bearer a.b.c")
    assert bad.status == 401, "a bad token beside a good certificate"
    wrong = await mesh.ask(mesh.authority.issue_with("elsewhere", URI("spiffe://evil.example/x")), **alice)
    assert wrong.status == 403, "a bad certificate beside a good token"
    assert mesh.gate.upstream.requests == []
