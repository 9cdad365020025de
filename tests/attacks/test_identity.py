"""G: identity. Who calls is what a trusted issuer signed for this gateway, or what a mesh certificate says; never more.

Both ways of verifying tokens stand behind each chain: Envoy's jwt_authn (as shipped), and the service itself
(``EXTPROC_IDENTITY=token``, jwt_authn taken out of the shipped configuration, the commented lines put in).
"""

import asyncio
import base64
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives import serialization
from jwt.algorithms import HMACAlgorithm

from attacks.rig import DENIED_TOOL, call, headers_of, records
from attacks.site import POLICY, Site, ask_raw, handshake, site
from attacks.streams import BEFORE_THE_SKEW, LIFE, event
from extproc.demo.proxy import CHAINS, Chain
from signing import b64, jwk, jws, private_key
from stack.gateway import Issuer
from stack.servers.recorder import json_reply, raw_server, sse

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.stack]

OTHER: Final = """\
    - {name: other, issuer: "@", audience: "{audience}", jwks_uri: "@/jwks.json", max_token_age: 1h}
servers:
"""
OK: Final = {"jsonrpc": "2.0", "id": 1, "result": {"content": []}}


def filters(document: dict[str, Any]) -> list[dict[str, Any]]:
    chain = document["static_resources"]["listeners"][0]["filter_chains"][0]
    found: list[dict[str, Any]] = chain["filters"][0]["typed_config"]["http_filters"]
    return found


def named(document: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in filters(document) if each["name"] == name)["typed_config"]
    return found


def verified_by_the_service(chain: Chain) -> Callable[[dict[str, Any]], None]:
    """The shipped configuration as its comments say it for our own verification."""

    def adapt(document: dict[str, Any]) -> None:
        filters(document)[:] = [each for each in filters(document) if each["name"] != "envoy.filters.http.jwt_authn"]
        rule = {"metadata_namespace": "mcp_headers", "key": "authorization"}
        named(document, "mcp.headers")["request_rules"].append({"header": "authorization", "on_header_present": rule})
        if chain == "portable":
            options = named(document, "envoy.filters.http.ext_proc")["metadata_options"]
            options["forwarding_namespaces"]["untyped"].append("mcp_headers")
        for virtual in (
            route
            for host in document["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"][
                "route_config"
            ]["virtual_hosts"]
            for route in host["routes"]
        ):
            virtual.get("typed_per_filter_config", {}).pop("envoy.filters.http.jwt_authn", None)

    return adapt


@pytest_asyncio.fixture(
    scope="module",
    loop_scope="module",
    params=[(chain, mode) for mode in ("envoy", "token") for chain in CHAINS],
    ids="-".join,
)
async def _verifying(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    chain, mode = request.param
    other = Issuer()
    options: dict[str, Any] = {"policy": POLICY.replace("servers:\n", OTHER.replace("@", other.url), 1)}
    if mode == "token":
        options |= {"settings": {"EXTPROC_IDENTITY": "token"}, "adapt": verified_by_the_service(chain)}
    try:
        async with raw_server() as upstream, site(chain, upstream, tmp_path_factory.mktemp(mode), **options) as running:
            running.mode, running.other = mode, other
            yield running
    finally:
        other.close()


@pytest.fixture
def gate(_verifying: Site) -> Site:
    _verifying.upstream.requests.clear()
    _verifying.upstream.script = json_reply(OK)
    return _verifying


Claims = dict[str, Any]


class Forge:
    """Tokens of the trusted issuer, and what others make of them."""

    def __init__(self, gate: Site) -> None:
        self.issuer, self.audience, self.other = gate.gateway.issuer, gate.gateway.url, gate.other
        self.thief = private_key("ES256", 7)

    def claims(self, **changes: Any) -> Claims:
        now = int(time.time())
        made = {"iss": self.issuer.url, "aud": self.audience, "sub": "alice", "iat": now - 5, "exp": now + 600}
        made |= {"groups": ["data-analysts"]} | changes
        return {name: value for name, value in made.items() if value is not ...}

    def header(self, **changes: Any) -> Claims:
        made = {"alg": "ES256", "typ": "at+jwt", "kid": self.issuer.kid} | changes
        return {name: value for name, value in made.items() if value is not ...}

    def token(
        self,
        header: Claims | bytes | None = None,
        claims: Claims | bytes | None = None,
        key: Any = None,
        alg: str = "ES256",
    ) -> str:
        raw = [
            part if isinstance(part, bytes) else json.dumps(part).encode()
            for part in (
                header if header is not None else self.header(),
                claims if claims is not None else self.claims(),
            )
        ]
        return jws(raw[0], raw[1], key or self.issuer.key, alg)

    def unsigned(self, header: Claims, signature: bytes = b"") -> str:
        return ".".join(
            b64(each) for each in (json.dumps(header).encode(), json.dumps(self.claims()).encode(), signature)
        )

    def shared_secret(self, secret: bytes) -> str:
        head = b64(json.dumps(self.header(alg="HS256")).encode()) + "." + b64(json.dumps(self.claims()).encode())
        return f"{head}.{b64(HMACAlgorithm(HMACAlgorithm.SHA256).sign(head.encode(), secret))}"

    def public(self, encoding: str) -> bytes:
        key = self.issuer.key.public_key()
        if encoding == "jwk":
            return json.dumps(jwk(self.issuer.key)).encode()
        made = serialization.Encoding.PEM if encoding == "pem" else serialization.Encoding.DER
        return key.public_bytes(made, serialization.PublicFormat.SubjectPublicKeyInfo)


def with_claims(**changes: Any) -> Callable[[Forge], str]:
    return lambda forge: forge.token(
        claims=forge.claims(**{k: v(forge) if callable(v) else v for k, v in changes.items()})
    )


def with_header(**changes: Any) -> Callable[[Forge], str]:
    return lambda forge: forge.token(header=forge.header(**changes))


def stolen(**changes: Any) -> Callable[[Forge], str]:
    """Signed by somebody else's key."""
    return lambda forge: forge.token(header=forge.header(**changes), key=forge.thief)


def spelt(change: Callable[[str], str]) -> Callable[[Forge], str]:
    return lambda forge: change(forge.token())


def trailing_bits(token: str) -> str:
    # the last digit of an ES256 signature carries four spare bits
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + digits[digits.index(token[-1]) | 1]


def other_digits(token: str) -> str:
    """The same bytes in the digits of plain base64."""
    head, claims, signature = token.split(".")
    return f"{head}.{claims}.{signature.replace('-', '+').replace('_', '/')}"


def with_other_digits(forge: Forge) -> str:
    """A token whose signature has one of the two digits in which the alphabets differ."""
    made = forge.token()
    while not {"-", "_"} & set(made.rpartition(".")[2]):
        made = forge.token()
    return other_digits(made)


def written_twice(part: Callable[[Forge], Claims], name: str, first: Any) -> Callable[[Forge], bytes]:
    """The JSON of a part with a member twice: first so, and then as it should be."""
    return lambda forge: (json.dumps({name: first})[:-1] + ", " + json.dumps(part(forge))[1:]).encode()


ATTACKER: Final = {
    "attacker": "https://attacker.example/jwks.json",
    "metadata-service": "http://169.254.169.254/latest",
    "userinfo": "https://idp@attacker.example/jwks.json",
    "file": "file:///etc/passwd",
}
KIDS: Final = {
    "path": "../../dev/null",
    "sql": "' UNION SELECT 'x",
    "pipe": "|id",
    "nul": "k\x00",
    "unknown": "unknown",
    "empty": "",
    "long": "k" * 3000,
    "number": 7,
    "list": ["k"],
    "null": None,
}

TWICE: Final = {
    "aud": "https://other.example/mcp",
    "iss": "https://evil.example",
    "sub": "carol",
    "groups": ["data-stewards"],
    "exp": 1,
    "iat": 1,
}

FORGED: Final[dict[str, Callable[[Forge], str]]] = {
    **{
        f"G01-{alg or 'empty'}": lambda f, alg=alg: f.unsigned(f.header(alg=alg))
        for alg in ("none", "None", "nOnE", "")
    },
    **{f"G01-{alg}-signed": lambda f, alg=alg: f.unsigned(f.header(alg=alg), b"x" * 64) for alg in ("none", "NONE")},
    "G01-no-alg": lambda f: f.unsigned(f.header(alg=...)),
    **{f"G02-{form}": lambda f, form=form: f.shared_secret(f.public(form)) for form in ("pem", "der", "jwk")},
    "G02-pem-without-newline": lambda f: f.shared_secret(f.public("pem").rstrip()),
    "G02-empty-secret": lambda f: f.shared_secret(b"\x00"),
    "G03-rs256-label": with_header(alg="RS256"),
    "G03-ps256-label": with_header(alg="PS256"),
    "G03-es384-label": with_header(alg="ES384"),
    "G03-rsa-key": lambda f: f.token(f.header(alg="RS256"), key=private_key("RS256"), alg="RS256"),
    "G03-psychic": lambda f: f.unsigned(f.header(), b"\x00" * 64),
    "G03-der-signature": lambda f: f.unsigned(f.header(), b"0\x06\x02\x01\x00\x02\x01\x00"),
    "G03-no-signature": lambda f: f.token().rpartition(".")[0] + ".",
    "G03-embedded-key": lambda f: f.token(f.header(jwk=jwk(f.thief)), key=f.thief),
    "G03-embedded-good-key": lambda f: f.token(f.header(jwk=jwk(f.issuer.key))),
    **{f"G04-jku-{name}": stolen(jku=place) for name, place in ATTACKER.items()},
    **{f"G04-x5u-{name}": stolen(x5u=place) for name, place in ATTACKER.items()},
    "G04-jku-signed": with_header(jku="https://attacker.example/"),
    "G04-x5u-signed": with_header(x5u="https://attacker.example/"),
    "G04-x5c-signed": with_header(x5c=["AAAA"]),
    **{f"G05-kid-{name}": stolen(kid=kid) for name, kid in KIDS.items()},
    "G05-stolen": stolen(),
    "G06-crit": with_header(crit=["exp"]),
    "G06-crit-unknown": with_header(crit=["x"], x=1),
    "G06-b64": with_header(b64=False, crit=["b64"]),
    "G06-zip": with_header(zip="DEF"),
    "G06-nested": lambda f: f.token(f.header(cty="JWT"), claims=f.token().encode()),
    "G06-jwe": lambda f: f.unsigned(f.header(alg="RSA-OAEP", enc="A256GCM")) + ".AAAA.AAAA",
    "G06-json-form": lambda f: json.dumps(
        dict(zip(("protected", "payload", "signature"), f.token().split("."), strict=True))
    ),
    "G06-logout-token": with_header(typ="logout+jwt"),
    "G06-id-token": with_header(typ="id_token+jwt"),
    "G06-dpop-proof": with_header(typ="dpop+jwt"),
    "G06-padding": spelt(lambda t: t + "=="),
    "G06-two-parts": spelt(lambda t: t.rpartition(".")[0]),
    "G06-four-parts": spelt(lambda t: t + ".AAAA"),
    "G06-blank": spelt(lambda t: t.replace(".", " .", 1)),
    "G06-percent": spelt(lambda t: t.replace(".", "%2e", 1)),
    "G06-trailing-bits": spelt(trailing_bits),
    "G06-digits": with_other_digits,
    "G06-blank-inside": spelt(lambda t: t[:20] + " " + t[20:]),
    "G06-line-inside": spelt(lambda t: t[:20] + "%0a" + t[20:]),
    "G06-alg-twice": lambda f: f.token(written_twice(Forge.header, "alg", "none")(f)),
    "G06-kid-twice": lambda f: f.token(written_twice(Forge.header, "kid", "another")(f)),
    **{
        f"G06-{name}-twice": lambda f, name=name, first=first: f.token(
            claims=written_twice(Forge.claims, name, first)(f)
        )
        for name, first in TWICE.items()
    },
    "G06-header-no-object": lambda f: f.token(header=b'["ES256"]'),
    "G06-claims-no-object": lambda f: f.token(claims=b'"alice"'),
    "G06-claims-no-json": lambda f: f.token(claims=b"{'sub': 'alice'}"),
    "G08-sub-empty": with_claims(sub=""),
    "G08-sub-missing": with_claims(sub=...),
    "G08-sub-nul": with_claims(sub="alice\x00"),
    "G08-sub-newline": with_claims(sub='alice\n{"effect":"allow"}'),
    "G08-sub-rtl": with_claims(sub="\u202eecila"),
    "G08-sub-long": with_claims(sub="a" * 5000),
    "G08-sub-number": with_claims(sub=7),
    "G08-sub-list": with_claims(sub=["alice"]),
    "G08-groups-number": with_claims(groups=[7]),
    "G08-groups-object": with_claims(groups={"data-analysts": True}),
    "G09-aud-missing": with_claims(aud=...),
    "G09-aud-other": with_claims(aud="https://other.example/mcp"),
    "G09-aud-issuer": with_claims(aud=lambda f: f.issuer.url),
    "G09-aud-prefix": with_claims(aud=lambda f: f.audience.removesuffix("/mcp")),
    "G09-aud-longer": with_claims(aud=lambda f: f.audience + "/x"),
    "G09-aud-host-suffix": with_claims(aud=lambda f: f.audience.replace("127.0.0.1", "127.0.0.1.evil.example")),
    "G09-aud-case": with_claims(aud=lambda f: f.audience.upper()),
    "G09-aud-list-of-others": with_claims(aud=["a", "b"]),
    "G09-aud-number": with_claims(aud=7),
    "G09-aud-empty": with_claims(aud=""),
    "G11-iss-slash": with_claims(iss=lambda f: f.issuer.url + "/"),
    "G11-iss-case": with_claims(iss=lambda f: f.issuer.url.upper()),
    "G11-iss-missing": with_claims(iss=...),
    "G11-iss-number": with_claims(iss=1),
    "G11-iss-unknown": with_claims(iss="https://evil.example"),
    "G11-iss-of-one-key-of-another": lambda f: f.token(f.header(kid=f.other.kid), key=f.other.key),
    "G11-key-of-one-kid-of-another": lambda f: f.token(claims=f.claims(iss=f.other.url)),
    "G13-exp-missing": with_claims(exp=...),
    "G13-exp-past": lambda f: f.token(claims=f.claims(exp=int(time.time()) - 60)),
    "G13-exp-string": lambda f: f.token(claims=f.claims(exp=str(int(time.time()) + 60))),
    "G13-exp-huge": with_claims(exp=1e20),
    "G13-exp-negative": with_claims(exp=-1),
    "G13-exp-zero": with_claims(exp=0),
    "G13-exp-infinite": lambda f: f.token(claims=json.dumps(f.claims(exp=7)).replace("7}", "1e999}").encode()),
    "G13-iat-missing": with_claims(iat=...),
    "G13-iat-future": lambda f: f.token(claims=f.claims(iat=int(time.time()) + 120)),
    "G13-iat-string": with_claims(iat="1"),
    "G13-nbf-future": lambda f: f.token(claims=f.claims(nbf=int(time.time()) + 120)),
    "G13-too-old": lambda f: f.token(claims=f.claims(iat=int(time.time()) - 3700)),
    "G15-bound-to-a-certificate": with_claims(cnf={"x5t#S256": "AAAA"}),
    "G15-bound-to-a-key": with_claims(cnf={"jkt": "AAAA"}),
}


@pytest.mark.parametrize("case", FORGED)
async def test_a_token_that_no_issuer_meant_for_us_lets_nobody_in(gate: Site, case: str) -> None:
    made = FORGED[case](Forge(gate))
    for message in (call(modern=False), handshake()):
        heard = await gate.post("nobody", message, authorization=f"Bearer {made}")
        if re.search(r"[^A-Za-z0-9._-]", made):  # no token at all, says Envoy
            assert heard.status == 400, heard
            continue
        assert heard.status == 401, heard
        assert 'error="invalid_token"' in heard.headers["www-authenticate"] or case.startswith(
            ("G06", "G13", "G01", "G03")
        )
        assert "resource_metadata=" in heard.headers["www-authenticate"]
        assert not heard.shows("alice", *(part for part in made.split(".") if len(part) > 8))
    assert gate.upstream.requests == []


async def test_g10_a_good_token_is_accepted_and_goes_no_further(gate: Site) -> None:
    forge = Forge(gate)
    for claims in (
        {},
        {"aud": [forge.audience, "b"]},
        {"exp": time.time() + 60.5},
        {"azp": "x", "scope": ["a"]},
        {"nbf": 1},
    ):
        made = forge.token(claims=forge.claims(**claims))
        more = {"cookie": "a=b", "proxy_authorization": "Basic eA=="}
        heard = await gate.post("alice", call(modern=False), authorization=f"Bearer {made}", **more)
        assert heard.status == 200, claims
        arrived = gate.upstream.requests[-1]
        assert made.split(".")[2].encode() not in arrived.head + bytes(arrived.body)
        assert (
            arrived.values("authorization") == arrived.values("cookie") == arrived.values("proxy-authorization") == []
        )
    logs = (gate.gateway.service_log(), gate.gateway.envoy_log(), (gate.gateway.folder / "access.log").read_text())
    assert not [log for log in logs if made.split(".")[2] in log]


async def test_g05_unknown_keys_make_no_storm_of_fetches(gate: Site) -> None:
    before, forge = gate.gateway.issuer.fetches, Forge(gate)
    tokens = [forge.token(forge.header(kid=f"k-{number}"), key=forge.thief) for number in range(100)]
    heard = await asyncio.gather(
        *(gate.post("x", call(modern=False), authorization=f"Bearer {each}") for each in tokens)
    )
    assert {each.status for each in heard} == {401}
    assert gate.gateway.issuer.fetches <= before + 1


async def test_g05_a_key_id_of_a_mebibyte_is_refused(gate: Site) -> None:
    forge = Forge(gate)
    huge = forge.token(forge.header(kid="k" * (1 << 20)))
    heard = await ask_raw(
        gate.gateway, b"authorization: Bearer " + huge.encode(), body=json.dumps(call(modern=False)).encode()
    )
    assert heard[:12] in {b"", b"HTTP/1.1 431", b"HTTP/1.1 400"}
    assert gate.upstream.requests == []


async def test_g08_a_name_that_looks_like_another_is_another(gate: Site) -> None:
    """The principal is (issuer, subject), character for character: what one opened is unknown to the others."""
    forge = Forge(gate)
    gate.upstream.script = json_reply(OK, headers=[("mcp-session-id", "up-1")])
    mine = forge.token()
    session = (await gate.post("a", handshake(), authorization=f"Bearer {mine}")).headers["mcp-session-id"]
    twins = ["Alice", "ALICE", "аlice", "ａlice", "alice ", "alice\u00a0", "alicé", "alice@x", "alic"]  # noqa: RUF001
    foreign = [forge.token(claims=forge.claims(sub=twin)) for twin in twins]
    if gate.mode == "token":  # the shipped jwt_authn knows one issuer
        claims = forge.claims(iss=forge.other.url)
        foreign.append(forge.token(forge.header(kid=forge.other.kid), claims, key=forge.other.key))
        assert (await gate.post("a", call(modern=False), authorization=f"Bearer {foreign[-1]}")).status == 200
    gate.upstream.requests.clear()
    for made in foreign:
        heard = await gate.post("a", call(modern=False), mcp_session_id=session, authorization=f"Bearer {made}")
        assert heard.status in {401, 404}
    assert gate.upstream.requests == []
    heard = await gate.post("a", call(modern=False), mcp_session_id=session, authorization=f"Bearer {mine}")
    assert heard.status == 200


PRETENDED: Final = [
    ("x-forwarded-client-cert", "By=spiffe://corp/gw;Hash=00;URI=spiffe://prod.example.com/admin"),
    ("x-forwarded-client-cert", 'Hash=00;Subject="CN=admin,O=\\"corp\\"";URI=spiffe://a/b,By=x;URI=spiffe://a/c'),
    ("x-forwarded-for", "127.0.0.1"),
    ("x-forwarded-user", "carol"),
    ("x-forwarded-groups", "data-stewards"),
    ("x-forwarded-host", "evil.example"),
    ("x-envoy-external-address", "10.0.0.1"),
    ("x-envoy-original-path", "/admin"),
    ("x-envoy-peer-metadata", "AAAA"),
    ("forwarded", "for=10.0.0.1"),
    ("x-real-ip", "10.0.0.1"),
    ("x-mcp-server", "other-db"),
    ("x-original-url", "/admin"),
    ("x-http-method-override", "DELETE"),
]
OWN_WORDS: Final = [("x-user", "carol"), ("x-gw-principal", "carol"), ("x-jwt-payload", "eyJzdWIiOiJjYXJvbCJ9")]


@pytest.mark.parametrize("modern", [True, False], ids=["modern", "legacy"])
async def test_g16_g17_no_plain_header_says_who_calls(gate: Site, *, modern: bool) -> None:
    before = len(records(gate.gateway.state, "decision"))
    message = call(modern=modern)
    lines = [f"{name}: {value}".encode() for name, value in (*PRETENDED, *PRETENDED[:2], *OWN_WORDS)]
    sent = {**headers_of(message, modern=modern), **gate.bearer("alice")}
    sent.pop("content-type")
    lines += [f"{name}: {value}".encode() for name, value in sent.items()]
    heard = await ask_raw(gate.gateway, *lines, body=json.dumps(message).encode())
    assert heard.startswith(b"HTTP/1.1 200"), heard
    arrived = gate.upstream.requests[-1]
    assert [name for name, _ in PRETENDED if arrived.values(name)] == []
    record = records(gate.gateway.state, "decision")[before:][-1]
    assert (record["principal"]["subject"], record["principal"]["workload"]) == ("alice", None)
    assert (record["principal"]["groups"], record["server"]) == (["data-analysts"], "sales-db")

    gate.upstream.requests.clear()
    lines = [f"{name}: {value}".encode() for name, value in (*PRETENDED, *OWN_WORDS)]
    heard = await ask_raw(gate.gateway, *lines, body=json.dumps(message).encode())
    assert heard.startswith(b"HTTP/1.1 401"), "without a token they are nothing"
    assert gate.upstream.requests == []


FORMS: Final[dict[str, Callable[[str], list[str]]]] = {
    "two-spaces": lambda token: [f"authorization: Bearer  {token}"],
    "tab": lambda token: [f"authorization: Bearer\t{token}"],
    "no-space": lambda token: [f"authorization: Bearer{token}"],
    "no-scheme": lambda token: [f"authorization: {token}"],
    "other-scheme": lambda token: [f"authorization: Token {token}"],
    "dpop": lambda token: [f"authorization: DPoP {token}"],
    "basic": lambda token: [f"authorization: Basic {base64.b64encode(token.encode()).decode()}"],
    "trailing-word": lambda token: [f"authorization: Bearer {token} x"],
    "two-in-one": lambda token: [f"authorization: Bearer {token}, Bearer {token}"],
    "two-headers": lambda token: [f"authorization: Bearer {token}", f"authorization: Bearer {token}"],
    "basic-first": lambda token: ["authorization: Basic eDp5", f"authorization: Bearer {token}"],
    "quoted": lambda token: [f'authorization: Bearer "{token}"'],
    "empty": lambda _: ["authorization:"],
    "scheme-alone": lambda _: ["authorization: Bearer "],
    "cookie": lambda token: [f"cookie: access_token={token}; authorization=Bearer {token}"],
    "proxy-authorization": lambda token: [f"proxy-authorization: Bearer {token}"],
    "own-header": lambda token: [f"x-authorization: Bearer {token}", f"x-access-token: {token}"],
}


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"G24-{form}")
async def test_a_token_comes_in_one_form_only(gate: Site, form: str) -> None:
    lines = [line.encode() for line in FORMS[form](gate.bearer("alice")["authorization"].removeprefix("Bearer "))]
    fixed = [b"mcp-protocol-version: 2025-06-18"]
    heard = await ask_raw(gate.gateway, *fixed, *lines, body=json.dumps(call(modern=False)).encode())
    status = re.match(rb"HTTP/1.1 (\d+)", heard)
    assert status is not None
    assert status[1] in {b"400", b"401"}, heard
    assert gate.upstream.requests == []


@pytest.mark.parametrize("name", ["access_token", "token", "jwt", "authorization"])
async def test_g24_a_token_in_the_query_is_none(gate: Site, name: str) -> None:
    token = gate.bearer("alice")["authorization"].removeprefix("Bearer ")
    url = f"{gate.gateway.url}?{name}={token}"
    heard = await gate.http.post(url, json=call(modern=False), headers=headers_of({}, modern=False))
    assert heard.status_code == 401
    assert gate.upstream.requests == []
    assert token not in (gate.gateway.folder / "access.log").read_text()


async def test_g14_g21_a_stream_ends_with_its_token(gate: Site) -> None:
    after = asyncio.Event()
    news = {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}
    gate.upstream.script = sse(event(news), after.wait, event(news))
    expires = int(time.time()) + LIFE
    forge = Forge(gate)
    short = f"Bearer {forge.token(claims=forge.claims(exp=expires))}"
    async with gate.listen("alice", authorization=short) as opened:
        await opened.wait(1)
        assert await opened.end(expires - time.time() + BEFORE_THE_SKEW) == [news]
        after.set()


async def test_g22_a_refusal_tells_nothing_of_policy_or_server(gate: Site) -> None:
    for who, message in (
        ("eve", call(modern=False)),
        ("eve", call("tools/list", modern=False)),
        ("alice", call(name=DENIED_TOOL, modern=False)),
    ):
        heard = await gate.post(who, message)
        assert heard.refused
        assert not heard.shows("analyst", "steward", "deployer", "get_customer", "admin", "data-", "session.calls")
    assert gate.upstream.requests == []


async def test_g07_a_key_that_is_replaced_signs_nothing_any_more_once_it_is_known(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Rotation and outage, verified here: keys that are known serve on, an unknown key is refused, no call waits."""
    chain: Chain = "one-message"
    options: dict[str, Any] = {"settings": {"EXTPROC_IDENTITY": "token"}, "adapt": verified_by_the_service(chain)}
    folder = tmp_path_factory.mktemp("rotation")
    async with raw_server() as upstream, site(chain, upstream, folder, policy=POLICY, **options) as gate:
        upstream.script = json_reply(OK)
        gate.other = gate.gateway.issuer
        forge, good = Forge(gate), gate.bearer("alice")["authorization"]
        gate.gateway.issuer.key_set = {"keys": []}  # what it says from here on is nothing usable
        fresh = forge.token(forge.header(kid="next"), key=private_key("ES256", 9))
        for _ in range(20):
            assert (await gate.post("alice", call(modern=False), authorization=good)).status == 200
            assert (await gate.post("alice", call(modern=False), authorization=f"Bearer {fresh}")).status == 401
        gate.gateway.issuer.key_set = {"keys": [jwk(private_key("ES256", 9), kid="next", use="sig", alg="ES256")]}
        assert gate.gateway.issuer.fetches <= 2 + len(gate.gateway.workers)
