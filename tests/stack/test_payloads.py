"""Payloads encrypted at rest, through a real Envoy: nothing of a call is readable in the state directory."""

import json
from pathlib import Path

import pytest

from extproc.core.handles import digests_of
from extproc.edges.keys.payload_keys import make_identity, read_identities, unlocked
from extproc.edges.keys.session_keys import load_session_keys
from stack.calls import events, extproc, site, tool, until
from stack.servers.recorder import echoes, raw_server, sse

pytestmark = pytest.mark.stack

SECRET = "a-salary-of-123456"
POLICY = """
version: 1
identity:
  issuers:
    - {name: test, issuer: "{issuer}", audience: "{audience}", jwks_uri: "{jwks_uri}", max_token_age: 1h}
servers:
  sales-db:
    tools: {echo: {verb: query}}
    unlisted_tools: deny
roles:
  analyst: {assigned_to: {groups: [analysts]}, grants: [{servers: [sales-db], tools: [echo]}]}
recording: {payloads: masked}
"""


async def test_what_a_call_says_is_on_the_disk_for_its_readers_alone(tmp_path: Path) -> None:
    name, public = make_identity(tmp_path / "auditor.pem")
    later, next_public = make_identity(tmp_path / "next.pem")
    recipients = tmp_path / "recipients.pem"
    recipients.write_bytes(public.read_bytes())
    note = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": SECRET}}
    settings = {"EXTPROC_PAYLOAD_KEYS": str(recipients)}
    async with (
        raw_server() as upstream,
        site("one-message", upstream.url, tmp_path / "g", policy=POLICY, settings=settings, workers=1) as running,
    ):
        state = running.gateway.state
        upstream.script = echoes({"content": [{"type": "text", "text": SECRET}]})
        message = tool("echo", text=SECRET)
        assert SECRET in (await running.post(message)).body.decode()
        streamed = tool("echo", text=SECRET)
        result = {"jsonrpc": "2.0", "id": streamed["id"], "result": {"content": []}}
        upstream.script = sse(*(f"data: {json.dumps(each)}\n\n".encode() for each in (note, result)))
        assert SECRET in (await running.post(streamed)).body.decode()
        await running.outcome(message)
        await running.outcome(streamed)

        digest = digests_of(load_session_keys(state)[0]).of({"text": SECRET})
        for file in state.rglob("*"):
            content = file.read_bytes() if file.is_file() else b""
            assert SECRET.encode() not in content, file
            assert digest.encode() not in content, file
        (step,) = events(state, "key")
        assert (step["step"], step["keys"]) == ("in_use", [name])
        identities = read_identities([tmp_path / "auditor.pem"])
        opened = [unlocked(each, identities) for each in events(state, "decision", "outcome", "message")]
        assert [each["arguments"] for each in opened if each["kind"] == "decision"] == [{"text": SECRET}] * 2
        assert opened[0]["arguments_digest"] == digest

        (row,) = json.loads(await extproc("sessions", "--state", str(state), "--json"))
        shown = ("sessions", "show", row["id"], "--state", str(state))
        assert SECRET not in await extproc(*shown)
        assert SECRET in await extproc(*shown, "--key", str(tmp_path / "auditor.pem"))

        recipients.write_bytes(next_public.read_bytes())

        async def rotated() -> bool:
            await running.post(tool("echo", text=SECRET))
            return len(events(state, "key")) == 2

        await until(rotated)
        assert events(state, "key")[1]["keys"] == [later]
        await running.post(tool("echo", text=SECRET))  # the one before may have been decided before the keys changed
        last = events(state, "decision")[-1]
        assert unlocked(last, identities) is None
        assert unlocked(last, read_identities([tmp_path / "next.pem"]))["arguments"] == {"text": SECRET}
