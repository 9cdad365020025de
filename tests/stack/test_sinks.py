"""Calls through a real Envoy while every sink is away for the whole of the run; afterwards each one has everything."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from delivered import HOSTILE, everyone
from extproc.demo.proxy import Chain
from extproc.shipping import statuses
from ports import free_ports
from receivers import (
    Collector,
    OtlpReceiver,
    Syslog,
    consumed,
    kafka_in_memory,
    listening,
    records_in,
    s3_in_memory,
)
from sigv4 import Key
from stack.calls import Site, extproc, site, tool, until
from stack.servers.recorder import echoes, raw_server

POLICY = """
version: 1
identity:
  issuers: [{name: corp, issuer: "{issuer}", audience: "{audience}", jwks_uri: "{jwks_uri}"}]
servers: {sales-db: {tools: {echo: {verb: query}}}}
roles: {analyst: {assigned_to: {groups: [analysts]}, grants: [{servers: [sales-db], verbs: [query]}]}}
recording: {payloads: masked}
"""
SINKS = """
sinks:
  - {{name: copy, type: file, path: away/copy.jsonl}}
  - {{name: siem, type: http, url: "{http}", token_file: token}}
  - {{name: logs, type: syslog, address: "127.0.0.1:{syslog}", ca_file: authority/ca.crt}}
  - {{name: otel, type: otlp, url: "{otlp}"}}
  - {{name: archive, type: s3, bucket: records, region: us-east-1, endpoint: "http://127.0.0.1:{s3}",
     addressing: path, credentials_file: credentials, every: 1}}
  - {{name: stream, type: kafka, brokers: ["127.0.0.1:{kafka}"], topic: audit, plaintext: true, timeout: 2}}
"""
NAMES = ("copy", "siem", "logs", "otel", "archive", "stream")
CALLS = 60
# halves of characters are refused before they are recorded
TEXTS = [text for text in HOSTILE if "\ud800" not in text]


@asynccontextmanager
async def forwarding(port: int, target: str) -> AsyncIterator[None]:
    """A cluster's address for clients that begin: what they are told there is where the broker is."""
    host, _, own = target.rpartition(":")
    copying: set[asyncio.Task[None]] = set()

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
        writer.close()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(host, int(own))
        copying.update({asyncio.create_task(copy(reader, back)), asyncio.create_task(copy(there, writer))})

    server = await asyncio.start_server(take, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()
        for task in copying:
            task.cancel()
        await asyncio.gather(*copying, return_exceptions=True)


def seen(records: list[dict[str, Any]]) -> dict[str, list[int]]:
    """The numbers of each journal in the order in which they came first."""
    found: dict[str, list[int]] = {}
    for record in records:
        own = found.setdefault(record["journal"], [])
        if record["seq"] not in own:
            own.append(record["seq"])
    return found


@pytest.mark.parametrize("chain", ["one-message"])
async def test_sinks_that_were_away_for_a_whole_run_have_all_of_it_and_no_call_suffered(
    chain: Chain, tmp_path: Path
) -> None:
    collector, receiver, syslog = Collector(), OtlpReceiver(), Syslog()
    syslog_port, s3_port, kafka_port = free_ports(3)
    places = {"http": collector.url, "otlp": receiver.url, "syslog": syslog_port, "s3": s3_port, "kafka": kafka_port}
    (tmp_path / "sinks.yaml").write_text(SINKS.format(**places))
    (tmp_path / "token").write_text("t0ken")
    (tmp_path / "credentials").write_text("[default]\naws_access_key_id = a\naws_secret_access_key = very-secret\n")
    settings = {"EXTPROC_SINKS": str(tmp_path / "sinks.yaml"), "EXTPROC_SEAL_SECONDS": "1"}
    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(raw_server())
        upstream.script = echoes({"content": [], "resultType": "complete"})
        running = await stack.enter_async_context(site(chain, upstream.url, tmp_path, policy=POLICY, settings=settings))
        for number in range(CALLS):
            assert (await running.post(tool("echo", text=TEXTS[number % len(TEXTS)]))).allowed
        state = running.gateway.state
        await until(lambda: all(each.error is not None for each in statuses(state, NAMES)))
        for name in NAMES:
            assert await running.metric(f'extproc_sink_failing{{sink="{name}"}}') == 1
            assert await running.metric(f'extproc_sink_behind_records{{sink="{name}"}}') > CALLS
        assert len(upstream.requests) == CALLS

        (tmp_path / "away").mkdir()
        broker = stack.enter_context(kafka_in_memory())
        store = stack.enter_context(s3_in_memory({"a": Key(secret="very-secret")}, s3_port))
        await stack.enter_async_context(forwarding(kafka_port, broker))
        await stack.enter_async_context(collector.running())
        await stack.enter_async_context(receiver.running())
        await stack.enter_async_context(listening(syslog, tmp_path / "authority", syslog_port))
        await delivered(running)
        await running.gateway.stop_service()

        wanted = everyone(state)
        bodies = {
            "copy": (tmp_path / "away" / "copy.jsonl").read_bytes().splitlines(),
            "siem": [line for _, body in collector.batches for line in body.splitlines()],
            "otel": [log.body.string_value for _, log in receiver.log_records],
            "archive": [line for text in store.objects().values() for line in text.splitlines()],
            "stream": [message.value() for message in consumed(broker, "audit", len(wanted))],
        }
        records = {name: [json.loads(line) for line in lines] for name, lines in bodies.items()}
        await until(lambda: {(each["journal"], each["seq"]) for each in records_in(syslog.messages)} >= wanted)
        records["logs"] = records_in(syslog.messages)
    for name in NAMES:
        found = seen(records[name])
        assert {(journal, seq) for journal, numbers in found.items() for seq in numbers} == wanted, name
        assert all(numbers == sorted(numbers) for numbers in found.values()), name
        texts = Counter(
            {
                (each["journal"], each["seq"]): each["event"]["arguments"]["text"]
                for each in records[name]
                if each["event"]["kind"] == "decision"
            }.values()
        )
        assert texts == Counter(TEXTS[number % len(TEXTS)] for number in range(CALLS)), name
    said = running.gateway.service_log()
    assert "very-secret" not in said
    assert "t0ken" not in said
    assert "Traceback" not in said
    assert "rdkafka" not in said


async def delivered(running: Site) -> None:
    """Wait, as long as their pauses take, until no sink has anything left to get that there was."""
    wanted = everyone(running.gateway.state)
    places: Callable[[], bool] = lambda: all(  # noqa: E731
        {(journal, seq) for journal, seq in wanted if seq >= status.positions.get(journal, 0)} == set()
        for status in statuses(running.gateway.state, NAMES)
    )
    for _ in range(4):
        try:
            await until(places)
            break
        except AssertionError:
            continue
    assert places(), statuses(running.gateway.state, NAMES)
    told = await extproc(
        "sinks", "--sinks", str(running.gateway.folder / "sinks.yaml"), "--state", str(running.gateway.state)
    )
    assert [line.split()[0] for line in told.splitlines()[1:]] == list(NAMES)
