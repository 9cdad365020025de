"""`extproc doctor` on real Envoys: what is shipped is safe, what is not is named, and requests show what is not seen."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from extproc.demo.proxy import Chain
from shipped import ext_proc, front, http_filter, routes
from stack.calls import Site, site
from stack.servers.recorder import json_reply, raw_server
from warm import ran

pytestmark = pytest.mark.stack

POLICY = """
version: 1
identity:
  issuers: [{name: corp, issuer: "{issuer}", audience: "{audience}", jwks_uri: "{jwks_uri}"}]
servers: {sales-db: {tools: {echo: {verb: query}}}}
roles: {analyst: {assigned_to: {groups: [analysts]}, grants: [{servers: [sales-db], verbs: [query]}]}}
"""
LISTED = json_reply(b'{"jsonrpc":"2.0","id":"extproc-canary","result":{"tools":[]}}')


async def doctor(*words: str, token: str = "", cwd: Path | None = None) -> tuple[int, str, str]:
    """Exit status, what it says, what it complains of."""
    return await ran("doctor", *words, EXTPROC_TOKEN=token, cwd=cwd)


async def examined(running: Site, *words: str) -> tuple[int, list[Any]]:
    status, said, complained = await doctor(
        running.gateway.admin, "--through", running.gateway.url, "--json", *words, token=running.gateway.token("ada")
    )
    assert not complained
    return status, json.loads(said)


async def test_what_is_shipped_is_safe(chain: Chain, tmp_path: Path) -> None:
    async with raw_server() as upstream, site(chain, upstream.url, tmp_path, policy=POLICY) as running:
        assert await examined(running, "--strict") == (0, [])
        assert upstream.received == 0
        status, said, _ = await doctor(running.gateway.admin)
        assert (status, said) == (0, "nothing unsafe: each call to a server behind ext_proc is judged\n")


def no_ext_proc(document: Any) -> None:
    filters = front(document)["http_filters"]
    for name in ("ext_proc", "mcp.guard"):
        filters.remove(http_filter(document, name))
    for each in routes(document):
        each.get("typed_per_filter_config", {}).pop("envoy.filters.http.ext_proc", None)
        each.get("typed_per_filter_config", {}).pop("mcp.guard", None)


def no_identity(document: Any) -> None:
    no_ext_proc(document)
    front(document)["http_filters"].remove(http_filter(document, "jwt_authn"))
    for each in routes(document):
        each.get("typed_per_filter_config", {}).pop("envoy.filters.http.jwt_authn", None)


@pytest.mark.parametrize("adapt", [no_ext_proc, no_identity])
async def test_an_envoy_that_asks_nobody_is_found_by_its_settings_and_by_its_answers(
    chain: Chain, tmp_path: Path, adapt: Any
) -> None:
    async with raw_server() as upstream, site(chain, upstream.url, tmp_path, policy=POLICY, adapt=adapt) as running:
        upstream.script = LISTED
        status, findings = await examined(running)
        unsafe = {each["problem"] for each in findings if each["severity"] == "unsafe"}
        assert status == 1
        assert "no route that leads to a server has ext_proc: nothing is judged" in unsafe
        assert "a message that the policy service refuses is answered: nothing is judged" in unsafe
        assert ("a request without a token is answered" in unsafe) == (adapt is no_identity)
        assert ("a token that nobody signed is taken" in unsafe) == (adapt is no_identity)


def lenient(document: Any) -> None:
    ext_proc(document)["failure_mode_allow"] = True
    front(document)["http_filters"].remove(http_filter(document, "mcp.guard"))
    for each in routes(document):
        each.get("typed_per_filter_config", {}).pop("mcp.guard", None)


async def test_an_envoy_that_would_let_faults_pass_is_found_before_one_happens(chain: Chain, tmp_path: Path) -> None:
    async with raw_server() as upstream, site(chain, upstream.url, tmp_path, policy=POLICY, adapt=lenient) as running:
        status, said, _ = await doctor(running.gateway.admin)
        assert status == 1
        assert "unsafe every fault of the policy service lets the call pass unjudged" in said
        assert "unsafe nothing refuses a call that was never decided" in said
        assert "in listener mcp, route mcp-post" in said
        assert "-> failure_mode_allow: false" in said
        assert said.endswith("found: 2 unsafe\n")


async def test_a_service_that_is_away_is_told_apart_from_a_policy_that_is_not_asked(
    chain: Chain, tmp_path: Path
) -> None:
    async with raw_server() as upstream, site(chain, upstream.url, tmp_path, policy=POLICY) as running:
        assert running.gateway.service is not None
        running.gateway.service.kill()
        await running.gateway.service.wait()
        status, findings = await examined(running)
        assert status == 1
        assert [each["severity"] for each in findings] == ["broken"]
        assert findings[0]["where"] == ["answer 503 to a message that the policy service refuses"]
        assert upstream.received == 0


async def test_without_a_token_it_says_what_it_did_not_try(tmp_path: Path) -> None:
    async with raw_server() as upstream, site("one-message", upstream.url, tmp_path, policy=POLICY) as running:
        where = (running.gateway.admin, "--through", running.gateway.url)
        status, said, _ = await doctor(*where)
        assert status == 0
        assert "not tried whether the policy service is asked" in said
        assert (await doctor(*where, "--strict"))[0] == 1


async def test_a_saved_dump_is_judged_as_the_running_envoy(tmp_path: Path) -> None:
    async with (
        raw_server() as upstream,
        site("one-message", upstream.url, tmp_path, policy=POLICY, adapt=lenient) as running,
    ):
        dump = (await running.http.get(f"{running.gateway.admin}/config_dump")).content
        await asyncio.to_thread((tmp_path / "dump.json").write_bytes, dump)
        file = await doctor("dump.json", cwd=tmp_path)
        assert file == await doctor(running.gateway.admin)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("http://127.0.0.1:1",), "name Envoy's admin address"),
        (("http://[",), "name Envoy's admin address"),
        (("missing.yaml",), "missing.yaml: No such file or directory"),
        ((".",), "Is a directory"),
        (("broken.yaml",), "broken.yaml is neither YAML nor JSON"),
        (("deep.json",), "deep.json is neither YAML nor JSON"),
        (("bytes.yaml",), "bytes.yaml is neither YAML nor JSON"),
        (("other.yaml",), "other.yaml is no Envoy configuration: there is no static_resources in it"),
        (("good.yaml", "--through", "http://127.0.0.1:1/mcp"), "http://127.0.0.1:1/mcp: "),
        (("good.yaml", "--through", "https://127.0.0.1:1/mcp", "--ca", "other.yaml"), "other.yaml: "),
    ],
)
async def test_what_cannot_be_told_is_one_line_and_status_2(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    files = {"broken.yaml": b"a: [", "deep.json": b"[" * 100_000, "bytes.yaml": b"\xff\xfe\xff", "other.yaml": b"a: 1"}
    files["good.yaml"] = b"static_resources: {}"
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    status, output, complained = await doctor(*words, cwd=tmp_path)
    assert (status, output) == (2, "")
    assert said in complained
    assert len(complained.splitlines()) == 1


async def test_an_address_of_something_else_is_told() -> None:
    async with raw_server() as upstream:
        upstream.script = json_reply(b"{}")
        status, _, complained = await doctor(upstream.url.removesuffix("/mcp"))
        assert (status, complained) == (
            2,
            f"{upstream.url.removesuffix('/mcp')} is not the admin interface of an Envoy\n",
        )
