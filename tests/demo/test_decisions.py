"""The stream of decisions that a playground shows."""

import time
from pathlib import Path
from typing import Any

import pytest

from extproc.demo.decisions import follow, line, positions
from extproc.edges.journal.writer import JournalWriter


def event(at: int, subject: str | None = "ann", **more: Any) -> dict[str, Any]:
    principal = None if subject is None else {"issuer": "i", "subject": subject}
    return {
        "kind": "decision",
        "at": at,
        "server": "sales-db",
        "principal": principal,
        "http_method": "POST",
        "effect": "allow",
        "rule": "role:analyst#1",
        "reason": "granted",
    } | more


def journal(state: Path, worker: str) -> JournalWriter:
    writer = JournalWriter(
        state / "journal" / worker, node="n", worker=worker, durability="process", clock=time.time_ns
    )
    writer.open()
    return writer


async def test_decisions_of_several_workers_come_in_the_order_in_which_they_were_made(tmp_path: Path) -> None:
    first, second = journal(tmp_path, "a"), journal(tmp_path, "b")
    await first.append(event(1, "before"))
    seen = positions(tmp_path)
    await first.append(event(4, "four"))
    await second.append(event(3, "three"))
    await second.append({"kind": "outcome", "at": 5})
    await first.append(event(6, None))
    shown = []
    async for found in follow(tmp_path, seen):
        shown.append(found["at"])
        if len(shown) == 3:
            break
    assert shown == [3, 4, 6]
    for writer in (first, second):
        await writer.close()


def test_a_line_names_who_what_and_why() -> None:
    shown = line(event(0, method="tools/call", targets=[{"kind": "tool", "name": "query"}]))
    assert shown[8:].split() == ["allow", "ann", "tools/call", "query", "role:analyst#1", "(granted)"]
    shown = line(event(0, None, effect="reject", rule=None, reason="not_json"))
    assert shown[8:].split() == ["reject", "-", "POST", "-", "(not_json)"]


def test_no_name_reaches_the_terminal_as_a_command() -> None:
    shown = line(event(0, "\x1b[2J\nroot", method="tools/call", targets=[{"kind": "tool", "name": "x" * 5000}]))
    assert shown.isprintable()
    assert len(shown) < 400


@pytest.mark.parametrize(
    "forged",
    [
        {"kind": "decision"},
        {"kind": "decision", "at": "1"},
        {"kind": "decision", "at": -1},
        {"kind": "decision", "at": 1 << 63},
    ],
)
async def test_what_has_no_time_is_not_shown_and_ends_nothing(forged: dict[str, Any], tmp_path: Path) -> None:
    writer = journal(tmp_path, "a")
    seen = positions(tmp_path)
    await writer.append(forged)
    await writer.append(event(6))
    async for found in follow(tmp_path, seen):
        assert found["at"] == 6
        break
    await writer.close()


@pytest.mark.parametrize(
    "forged",
    [
        {"effect": None},
        {"effect": ["\x1b[2J"], "principal": "ann", "targets": "query"},
        {"principal": {}, "targets": ["query", {"kind": "tool"}, {"name": 7}], "method": 7, "rule": {}},
    ],
)
def test_what_no_service_wrote_is_a_line_too(forged: dict[str, Any]) -> None:
    assert line(event(0) | forged).isprintable()
