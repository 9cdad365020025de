"""The official conformance suite against a URL, and its checks as comparable values."""

import asyncio
import json
import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from stack.processes import NODE_FOLDER, PYTHON, node_or_skip, running

__all__ = ["REVISIONS", "Checks", "fixture", "run_suite", "statuses"]

REVISIONS: Final = ("2025-11-25", "2026-07-28")
SUITE: Final = NODE_FOLDER / "node_modules/@modelcontextprotocol/conformance/dist/index.js"
STAMPED: Final = re.compile(r"-\d{4}-\d\d-\d\dT.*")

Checks = dict[str, list[tuple[str, str]]]
"""Scenario -> its sorted (check id, status) pairs."""


@asynccontextmanager
async def fixture() -> AsyncIterator[str]:
    """The URL of the fixture server."""
    async with running([PYTHON, "-m", "conformance.fixture.server"]) as child:
        yield child.ready["url"]


async def run_suite(url: str, revision: str, folder: Path, *, within: float = 280.0) -> Checks:
    """Every server scenario of ``revision`` against ``url``; the suite's own exit status says nothing here.

    ``folder`` is made by the suite; what each check saw stays in its ``checks.json``.
    """
    argv = [str(SUITE), "server", "--url", url, "--suite", "all", "--spec-version", revision, "-o", str(folder)]
    process = await asyncio.create_subprocess_exec(
        node_or_skip(), *argv, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        said, _ = await asyncio.wait_for(process.communicate(), within)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    checks = load(folder)
    assert checks, f"the suite wrote no checks: {said.decode(errors='replace')[-2000:]}"
    return checks


def load(folder: Path) -> Checks:
    """The checks of one run."""
    found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for file in folder.glob("*/checks.json"):
        scenario = STAMPED.sub("", file.parent.name)
        found[scenario] += [(check["id"], check["status"]) for check in json.loads(file.read_text("utf-8"))]
    return {scenario: sorted(pairs) for scenario, pairs in sorted(found.items())}


def statuses(checks: Checks) -> Counter[str]:
    return Counter(status for pairs in checks.values() for _, status in pairs)
