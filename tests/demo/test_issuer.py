import asyncio
import base64
import hashlib
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import httpx
import httpx2
import jwt
import pytest
import uvicorn
from mcp.client.auth import OAuthClientProvider
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from extproc.core.identity.key_sets import read_key_set
from extproc.core.identity.principals import identify
from extproc.core.model import IdentityConfig, Issuer, Principal, RequestHead
from extproc.demo.grants import CODE_SECONDS, MAX_CODES
from extproc.demo.issuer import MAX_FORM_BYTES, TOKEN_SECONDS, create_app, loopback_server
from extproc.demo.people import PEOPLE, DevelopmentIssuer

URL, AUDIENCE = "http://127.0.0.1:9000", "http://127.0.0.1:10000/mcp"
REDIRECT = "http://127.0.0.1:33418/callback"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
ASKED = {
    "response_type": "code",
    "client_id": "dev-1",
    "redirect_uri": REDIRECT,
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
    "state": "s t&=",
    "user": "analyst",
}
EXCHANGE = {
    "grant_type": "authorization_code",
    "client_id": "dev-1",
    "redirect_uri": REDIRECT,
    "code_verifier": VERIFIER,
}


class Playground:
    """The issuer in process, on a clock that the test turns."""

    def __init__(self) -> None:
        self.issuer = DevelopmentIssuer.create(url=URL, audience=AUDIENCE)
        self.now = 1_800_000_000.0
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(create_app(self.issuer, clock=lambda: self.now)), base_url=URL
        )

    async def authorize(self, **changes) -> httpx.Response:
        asked = {name: value for name, value in {**ASKED, **changes}.items() if value is not ...}
        return await self.http.get("/authorize", params=asked)

    async def answer(self, **changes) -> dict[str, str]:
        response = await self.authorize(**changes)
        assert response.status_code == 302
        assert response.headers["location"].startswith(REDIRECT + "?")
        return {name: value for name, (value,) in parse_qs(urlsplit(response.headers["location"]).query).items()}

    async def code(self, **changes) -> str:
        return (await self.answer(**changes))["code"]

    async def exchange(self, issued: str, **changes) -> httpx.Response:
        asked = {name: value for name, value in {**EXCHANGE, "code": issued, **changes}.items() if value is not ...}
        return await self.http.post("/token", data=asked)


@pytest.fixture
async def playground() -> AsyncIterator[Playground]:
    made = Playground()
    async with made.http:
        yield made


def claims_of(response: httpx.Response) -> dict:
    assert response.status_code == 200, response.text
    return jwt.decode(response.json()["access_token"], options={"verify_signature": False})


def error_of(response: httpx.Response) -> str:
    assert response.status_code == 400
    assert response.headers["cache-control"] == "no-store"
    return response.json()["error"]


@pytest.mark.parametrize("path", ["oauth-authorization-server", "openid-configuration"])
async def test_both_discovery_documents_name_every_endpoint(playground, path):
    metadata = (await playground.http.get(f"/.well-known/{path}")).json()
    assert metadata["issuer"] == URL
    for endpoint in ("authorization_endpoint", "token_endpoint", "registration_endpoint", "jwks_uri"):
        assert (await playground.http.get(metadata[endpoint])).status_code != 404
    assert metadata["code_challenge_methods_supported"] == ["S256"]


async def test_the_key_set_verifies_what_the_issuer_mints(playground):
    keys = read_key_set((await playground.http.get("/jwks.json")).content)
    assert isinstance(keys, tuple)
    assert keys[0].kid == playground.issuer.kid


async def test_registration_keeps_the_loopback_redirects_and_makes_a_public_client(playground):
    asked = {"redirect_uris": [REDIRECT, "https://vscode.dev/redirect", 7], "client_name": "x", "grant_types": ["a"]}
    response = await playground.http.post("/register", json=asked)
    assert response.status_code == 201
    client = response.json()
    assert client["redirect_uris"] == [REDIRECT]
    assert client["token_endpoint_auth_method"] == "none"
    assert client["client_name"] == "x"
    assert "client_secret" not in client


NOT_LOOPBACK = [
    "https://evil.example/cb",
    "http://evil.example/cb",
    "http://127.0.0.1.evil.example/cb",
    "http://127.0.0.1@evil.example/cb",
    "http://evil@127.0.0.1/cb",
    "https://127.0.0.1/cb",
    "http://127.0.0.1/cb#x",
    "http://169.254.169.254/cb",
    "http://[::1/cb",
    "javascript:alert(1)",
    "//127.0.0.1/cb",
    "cursor://callback",
    "",
]


@pytest.mark.parametrize("uri", NOT_LOOPBACK)
async def test_no_code_ever_leaves_this_machine(playground, uri):
    response = await playground.authorize(redirect_uri=uri)
    assert error_of(response) == "invalid_request"
    assert "location" not in response.headers
    assert error_of(await playground.http.post("/register", json={"redirect_uris": [uri]})) == "invalid_redirect_uri"


@pytest.mark.parametrize("uri", ["http://127.0.0.1:1/cb", "http://localhost:1/cb?a=b", "http://[::1]:1/cb"])
async def test_loopback_in_any_spelling_may_have_a_code(playground, uri):
    location = (await playground.authorize(redirect_uri=uri)).headers["location"]
    assert location.startswith(uri + ("&" if "?" in uri else "?"))
    assert "code=" in location


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"redirect_uris": "http://127.0.0.1/cb"}', b"\xff", b"[" * 60000])
async def test_a_broken_registration_is_refused(playground, body):
    assert error_of(await playground.http.post("/register", content=body)) == "invalid_redirect_uri"


@pytest.mark.parametrize("path", ["/register", "/token"])
async def test_a_huge_request_is_refused(playground, path):
    assert error_of(await playground.http.post(path, content=b"a" * (MAX_FORM_BYTES + 1))) == "invalid_request"


@pytest.mark.parametrize("name", list(PEOPLE))
async def test_a_code_becomes_a_token_of_the_chosen_person(playground, name):
    response = await playground.exchange(await playground.code(user=name))
    claims = claims_of(response)
    assert (claims["iss"], claims["aud"], claims["sub"]) == (URL, AUDIENCE, PEOPLE[name].subject)
    assert claims["groups"] == list(PEOPLE[name].groups)
    assert claims["exp"] - claims["iat"] == response.json()["expires_in"] == TOKEN_SECONDS
    assert response.headers["cache-control"] == "no-store"


async def test_the_answer_carries_state_and_issuer(playground):
    answer = await playground.answer()
    assert (answer["state"], answer["iss"]) == (ASKED["state"], URL)
    assert "state" not in await playground.answer(state=...)


async def test_the_resource_becomes_the_audience(playground):
    resource = "http://127.0.0.1:8080/other/mcp"
    code = await playground.code(resource=resource)
    assert claims_of(await playground.exchange(code, resource=resource))["aud"] == resource


async def test_without_a_person_a_page_asks_who_it_shall_be(playground):
    response = await playground.authorize(user=..., state='"><script>')
    assert response.status_code == 200
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "<script>" not in response.text
    for name, person in PEOPLE.items():
        assert person.name in response.text
        assert f"user={name}" in response.text


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"user": "admin"}, "access_denied"),
        ({"user": ""}, "access_denied"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": ...}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": ...}, "invalid_request"),
        ({"code_challenge": ...}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"resource": "urn:x"}, "invalid_target"),
        ({"resource": "http://127.0.0.1/#x"}, "invalid_target"),
    ],
)
async def test_a_mistake_is_told_to_the_client(playground, changes, error):
    answer = await playground.answer(**changes)
    assert answer["error"] == error
    assert "code" not in answer
    assert (answer["state"], answer["iss"]) == (ASKED["state"], URL)


async def test_a_request_without_a_client_or_with_a_repeated_parameter_is_refused(playground):
    assert error_of(await playground.authorize(client_id=...)) == "invalid_request"
    assert (
        error_of(await playground.http.get("/authorize", params=[*ASKED.items(), ("user", "steward")]))
        == "invalid_request"
    )


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code": "unknown"}, "invalid_grant"),
        ({"code": ...}, "invalid_grant"),
        ({"client_id": "dev-2"}, "invalid_grant"),
        ({"client_id": ...}, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1:1/"}, "invalid_grant"),
        ({"code_verifier": "w" * 64}, "invalid_grant"),
        ({"code_verifier": CHALLENGE}, "invalid_grant"),
        ({"code_verifier": ...}, "invalid_grant"),
        ({"resource": "http://127.0.0.1:1/mcp"}, "invalid_target"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"grant_type": ...}, "unsupported_grant_type"),
    ],
)
async def test_a_code_is_worth_nothing_for_anyone_or_anything_else(playground, changes, error):
    assert error_of(await playground.exchange(await playground.code(), **changes)) == error


async def test_a_code_works_once(playground):
    code = await playground.code()
    assert (await playground.exchange(code)).status_code == 200
    assert error_of(await playground.exchange(code)) == "invalid_grant"


async def test_a_code_ends_soon(playground):
    code = await playground.code()
    playground.now += CODE_SECONDS
    assert error_of(await playground.exchange(code)) == "invalid_grant"


async def test_codes_that_nobody_fetches_are_forgotten(playground):
    first = await playground.code()
    for _ in range(MAX_CODES):
        last = await playground.code()
    assert error_of(await playground.exchange(first)) == "invalid_grant"
    assert (await playground.exchange(last)).status_code == 200


async def test_another_host_name_is_not_answered(playground):
    for host in ("evil.example", "127.0.0.1.evil.example", ""):
        response = await playground.http.get("/jwks.json", headers={"host": host})
        assert response.status_code == 400


async def test_only_pages_of_this_machine_may_read_the_answers(playground):
    for origin, allowed in (
        ("http://localhost:6274", True),
        ("http://127.0.0.1:6274", True),
        ("https://evil.example", False),
        ("http://localhost.evil.example", False),
        ("null", False),
    ):
        response = await playground.http.get("/jwks.json", headers={"origin": origin})
        assert (response.headers.get("access-control-allow-origin") == origin) is allowed


@asynccontextmanager
async def running(server: uvicorn.Server, listening: socket.socket) -> AsyncIterator[None]:
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield
    finally:
        server.should_exit = True
        await task


def listen() -> tuple[socket.socket, str]:
    listening = socket.create_server(("127.0.0.1", 0))
    return listening, f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_the_server_binds_to_loopback_alone():
    server = loopback_server(create_app(DevelopmentIssuer.create(url=URL, audience=AUDIENCE)), 0)
    assert server.config.host == "127.0.0.1"


class Storage:
    """What a client of the official SDK remembers."""

    def __init__(self) -> None:
        self.tokens = None
        self.client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client_info):
        self.client = client_info


def protected(config: IdentityConfig, issuer: DevelopmentIssuer, resource: str) -> Starlette:
    """A resource that identifies its callers as the gateway does."""
    keys = read_key_set(json.dumps(issuer.key_set()).encode())
    assert isinstance(keys, tuple)

    async def mcp(request: Request) -> Response:
        head = RequestHead(server="s", http_method="GET", path=request.url.path, headers=dict(request.headers))
        caller = identify(config, head, now=time.time(), keys={"playground": keys})
        if isinstance(caller, Principal):
            return JSONResponse({"subject": caller.subject, "groups": sorted(caller.groups)})
        return JSONResponse({"why": caller.reason}, caller.status, {"www-authenticate": caller.challenge or ""})

    async def metadata(_: Request) -> Response:
        return JSONResponse({"resource": resource, "authorization_servers": [issuer.url]})

    return Starlette(routes=[Route("/mcp", mcp), Route("/.well-known/oauth-protected-resource/mcp", metadata)])


@pytest.mark.parametrize("name", list(PEOPLE))
async def test_the_official_client_finds_registers_and_signs_in_by_itself(name):
    (at_issuer, issuer_url), (at_resource, resource_url) = listen(), listen()
    resource = f"{resource_url}/mcp"
    issuer = DevelopmentIssuer.create(url=issuer_url, audience=resource)
    trusted = Issuer(name="playground", issuer=issuer_url, audiences=(resource,), max_token_age=3600)
    answers: list[AuthorizationCodeResult] = []

    async def browse(url: str) -> None:
        async with httpx.AsyncClient() as browser:
            page = await browser.get(url)
            assert PEOPLE[name].name in page.text
            response = await browser.get(f"{url}&user={name}")
        query = parse_qs(urlsplit(response.headers["location"]).query)
        answers.append(AuthorizationCodeResult(code=query["code"][0], state=query["state"][0], iss=query["iss"][0]))

    async def called_back() -> AuthorizationCodeResult:
        return answers.pop()

    storage = Storage()
    provider = OAuthClientProvider(
        server_url=resource,
        client_metadata=OAuthClientMetadata(client_name="test", redirect_uris=[REDIRECT]),
        storage=storage,
        redirect_handler=browse,
        callback_handler=called_back,
    )
    guarded = loopback_server(protected(IdentityConfig(issuers=(trusted,)), issuer, resource), 0)
    async with (
        running(loopback_server(create_app(issuer), 0), at_issuer),
        running(guarded, at_resource),
        httpx2.AsyncClient(auth=provider) as client,
    ):
        response = await client.get(resource)
    assert response.status_code == 200, response.text
    assert response.json() == {"subject": PEOPLE[name].subject, "groups": list(PEOPLE[name].groups)}
    assert storage.client.client_id.startswith("dev-")
