"""What held calls cost: 1,000 of 64 KiB at once, and plain calls beside them (``make holds``).

Writes its section of REPORT.md; the rest of that file is ``run.py``'s.
"""

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
from report import machine, write_section
from run import HERE, POLICY, Token, envoy, free_ports, gateway, load, memory_mb
from setups import ANSWER, SETUPS, upstream_configuration

from extproc.core.tickets import TicketState
from extproc.edges.store.database import open_database

HELD = """
  steward:
    assigned_to: {groups: [stewards]}
    grants: [{servers: [sales-db], tools: [drop_table], approval: change}]
approvals: {change: {approvers: {groups: [dba]}, hold: 5m}}
recording:"""
SIZE = 64 << 10
EACH = 10
"""Waiting calls of one requester: as many as the desk takes."""
PATIENCE = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The figures of one state: latencies at 1 and 16 connections, and the memory of each process in MB."""

    name: str
    one: dict[str, float]
    many: dict[str, float]
    memory: list[float]

    def cells(self) -> str:
        """A line of the table."""
        workers = " + ".join(f"{each:.0f}" for each in self.memory)
        figures = [f"{figure[name]:.2f} ms" for figure in (self.one, self.many) for name in ("p50_ms", "p99_ms")]
        return (
            f"| {self.name} | {' | '.join(figures)} | {self.many['requests'] / self.many['seconds']:,.0f} | {workers} |"
        )


def call(number: int) -> tuple[dict[str, str], bytes]:
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    params = {"name": "drop_table", "arguments": {"number": number, "text": "x" * SIZE}, "_meta": meta}
    headers = {
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "tools/call",
        "mcp-name": "drop_table",
    }
    return headers, json.dumps({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}).encode()


async def held(http: httpx.AsyncClient, url: str, token: Token, number: int) -> httpx.Response:
    headers, body = call(number)
    bearer = token.sign(url, subject=f"agent-{number // EACH}", groups=["stewards"])
    return await http.post(url, content=body, headers=headers | {"authorization": f"Bearer {bearer}"})


async def waiting(state: Path) -> int:
    database = open_database(state / "shared.db")
    try:
        found = await database.transact(
            lambda transaction: transaction.rows(
                "SELECT count(*) FROM tickets WHERE state = ?", str(TicketState.PENDING)
            )
        )
    finally:
        await database.close()
    return int(found[0][0])


async def all_wait(calls: set[asyncio.Task[httpx.Response]], state: Path, number: int) -> float:
    """The seconds until every call waits; ends the run where one is answered before."""
    begun = time.monotonic()
    while await waiting(state) < number:
        over, _ = await asyncio.wait(calls, timeout=0.5, return_when=asyncio.FIRST_COMPLETED)
        if over or time.monotonic() - begun > PATIENCE:
            answered = [each.exception() or each.result().text[:300] for each in list(over)[:3]]
            sys.exit(f"bench: not every call is held: {len(over)} were answered, such as {answered}")
    return time.monotonic() - begun


async def state_of(name: str, url: str, bearer: str, processes: list[int], seconds: float) -> Row:
    await asyncio.to_thread(load, url, bearer, 4, 1)
    one = await asyncio.to_thread(load, url, bearer, 1, seconds)
    many = await asyncio.to_thread(load, url, bearer, 16, seconds)
    return Row(name=name, one=one, many=many, memory=[memory_mb(pid) for pid in processes])


async def measure(
    url: str, processes: list[int], state: Path, token: Token, *, number: int, seconds: float
) -> tuple[list[Row], float]:
    bearer = token.sign(url)
    rows = [await state_of("before", url, bearer, processes, seconds)]
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(timeout=None, limits=limits, trust_env=False) as http:  # noqa: S113 - they wait
        calls = {asyncio.create_task(held(http, url, token, each)) for each in range(number)}
        took = await all_wait(calls, state, number)
        rows.append(await state_of(f"{number:,} held", url, bearer, processes, seconds))
        answered = sum(each.done() for each in calls)
        for each in calls:
            each.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
    if answered:
        sys.exit(f"bench: {answered} held calls ended while they were measured")
    rows.append(await state_of("after their clients went", url, bearer, processes, seconds))
    return rows, took


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what held calls cost.")
    parser.add_argument("--calls", type=int, default=1000, help="how many are held at once (default 1000)")
    parser.add_argument("--seconds", type=float, default=10, help="length of each measurement (default 10)")
    parser.add_argument("--report", type=Path, default=HERE / "REPORT.md", help="the report with this section")
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("bench: wrk is not installed; on Debian and Ubuntu: apt-get install wrk")
    load_before = os.getloadavg()[0]
    token = Token.make()
    (setup,) = [each for each in SETUPS if each.name == "one-message, masked"]
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="extproc-holds-")))
        upstream_port, upstream_admin = free_ports(2)
        (folder / "upstream").mkdir()
        upstream = upstream_configuration({ANSWER: upstream_port}, upstream_admin)
        stack.enter_context(envoy(upstream, folder / "upstream", upstream_admin, 920))
        policy = POLICY.replace("recording:", HELD.strip("\n").replace("{", "{{").replace("}", "}}"))
        running = gateway(setup, folder / "gateway", upstream_port, token, 921, policy=policy)
        url, processes = stack.enter_context(running)
        state = folder / "gateway" / "state"
        work = measure(url, processes, state, token, number=options.calls, seconds=options.seconds)
        rows, took = asyncio.run(work)
    more = sum(rows[1].memory) - sum(rows[0].memory)
    text = (
        f"Written by `make holds`: {options.calls:,} calls of {SIZE >> 10} KiB held at once, all waiting {took:.1f} s "
        f"after the first was sent, and plain calls of another caller for {options.seconds:g} s at 1 and at 16 "
        f"connections. {machine()} Load average of everything else before the run: {load_before:.1f}.\n\n"
        "| state | p50 at 1 | p99 at 1 | p50 at 16 | p99 at 16 | requests/s at 16 | workers (MB) |\n"
        "|---|---|---|---|---|---|---|\n" + "\n".join(row.cells() for row in rows) + "\n\n"
        f"The workers took {more:.0f} MB more for the held calls.\n"
    )
    write_section(options.report, "Held calls", text)
    print(text)


if __name__ == "__main__":
    main()
