"""Records whose time is over go, on record; what stays is proved as before, and nobody who follows a journal stumbles."""

import contextlib
import dataclasses
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from extproc.cli import app
from extproc.core.approval import open_ticket
from extproc.core.audit.proof import Broken
from extproc.core.tickets import NOBODY_MAY, ApprovalRule, Ask, AskKind, TicketState
from extproc.edges.journal.proving import prove
from extproc.edges.journal.purging import draft, replace
from extproc.edges.journal.segments import numbers, path_of
from extproc.office import opened_office
from extproc.ports import StoreError
from extproc.purging import Purging
from extproc.settings import Settings
from extproc.shipping import Shipper
from stores import SIGNER, Store, keys_of, written

SERVERS = """\
version: 1
identity:
  issuers: [{name: corp, issuer: "https://idp", audience: aud}]
servers: {a: {tools: {x: {verb: query}}}, b: {tools: {x: {verb: query}}}}
roles: {r: {assigned_to: {groups: [g]}, grants: [{servers: [a, b], verbs: [query]}]}}
"""
SHORT_FOR_A = "recording: {servers: {a: {retention: 1d}}}\n"


def settings(root: Path, recording: str = SHORT_FOR_A, **more: object) -> Settings:
    policy = root / "policy.yaml"
    policy.write_text(SERVERS + recording, "utf-8")
    return Settings(policy=policy, state_dir=root, node="n", **more)


@contextlib.asynccontextmanager
async def office(root: Path):
    async with opened_office(state_dir=root, node="n", store_url=None, name="purger", durability="process") as opened:
        yield opened


def kept(root: Path, server: str) -> list[tuple[str, int]]:
    """Journal and number of the events of a server that are still there."""
    found = []
    for path in sorted((root / "journal").glob("*/*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            entry = json.loads(line)
            if entry.get("event", {}).get("server") == server:
                found.append((path.parent.name, entry["seq"]))
    return found


def last_segments(root: Path) -> set[Path]:
    return {path_of(each, numbers(each)[-1]) for each in (root / "journal").iterdir()}


async def test_what_is_over_goes_and_the_rest_is_proved(tmp_path):
    await written(tmp_path, rounds=6)
    before = {server: kept(tmp_path, server) for server in "ab"}
    async with office(tmp_path) as opened:
        gone = await Purging(settings(tmp_path), []).purge(opened)
    assert gone > 0
    assert len(kept(tmp_path, "a")) == len(before["a"]) - gone
    assert kept(tmp_path, "b") == before["b"]
    verdict = prove(tmp_path, keys_of(SIGNER))
    assert verdict.holds, verdict
    assert sum(report.pruned for report in verdict.reports) == gone
    done = set((tmp_path / "journal").glob("n-?/*.jsonl")) - last_segments(tmp_path)
    assert done
    assert not [path for path in done if b'"server":"a"' in path.read_bytes()]
    assert not list((tmp_path / "journal").rglob("*.draft"))


async def test_each_purge_is_on_record(tmp_path):
    await written(tmp_path, rounds=6)
    async with office(tmp_path) as opened:
        gone = await Purging(settings(tmp_path), []).purge(opened)
    text = path_of(tmp_path / "journal" / "n-purger", 1).read_text("utf-8")
    lines = [json.loads(line)["event"] for line in text.splitlines()]
    purged = [event for event in lines if event["kind"] == "purged"]
    assert sum(event["events"] for event in purged) == gone
    assert {event["journal"] for event in purged} == {"n-0", "n-1"}
    assert all(len(event["policy"]) == 64 for event in purged)


async def test_what_went_on_the_word_of_a_record_that_no_seal_covers_is_told_apart(tmp_path):
    store = await written(tmp_path, rounds=6)
    async with office(tmp_path) as opened:
        gone = await Purging(settings(tmp_path), []).purge(opened)
    arguments = ["verify", "--state", str(tmp_path), "--key", SIGNER.public]
    words = "on the word of a record that no seal covers yet"
    assert sum(report.unvouched for report in prove(tmp_path, keys_of(SIGNER)).reports) == gone
    assert words in CliRunner().invoke(app, arguments).output
    await store.seal()
    assert sum(report.unvouched for report in prove(tmp_path, keys_of(SIGNER)).reports) == 0
    assert words not in CliRunner().invoke(app, arguments).output


async def test_what_goes_without_a_record_is_a_fault(tmp_path):
    await written(tmp_path, rounds=6)
    made = draft(tmp_path / "journal" / "n-0", 1, until=lambda _: 0, now=1, sealed=0)
    replace(made)
    faults = {report.fault.broken for report in prove(tmp_path, keys_of(SIGNER)).reports if report.fault}
    assert faults == {Broken.UNEXPLAINED}


async def test_sealing_goes_on_behind_a_purge_also_after_a_restart(tmp_path):
    store = await written(tmp_path, rounds=6)
    async with office(tmp_path) as opened:
        assert await Purging(settings(tmp_path), []).purge(opened)
    for sealer in (store.sealer, store.new_sealer()):
        store.sealer = sealer
        await store.write("n-0", [{"kind": "decision", "at": 9, "server": "a"}] * 40)
        assert await store.seal()
        assert not sealer.broken
        verdict = prove(tmp_path, keys_of(SIGNER))
        assert verdict.holds, verdict
    async with office(tmp_path) as opened:
        # what lies beside an empty place joins it
        assert await Purging(settings(tmp_path, "recording: {retention: 1d}\n"), []).purge(opened)
    verdict = prove(tmp_path, keys_of(SIGNER))
    assert verdict.holds, verdict


class Shelf:
    def __init__(self) -> None:
        self.places: list[tuple[str, int]] = []

    async def deliver(self, records):
        self.places += [(record.journal, record.seq) for record in records]

    async def close(self):
        """Nothing is held."""


async def test_a_record_stays_until_each_sink_has_it(tmp_path):
    store, shelf = await written(tmp_path, rounds=6), Shelf()
    purging, shipper = Purging(settings(tmp_path), ["shelf"]), Shipper(tmp_path, "shelf", shelf)
    async with office(tmp_path) as opened:
        assert await purging.purge(opened) == 0
        while await shipper.deliver():
            pass
        assert await purging.purge(opened)
    await store.write("n-0", [{"kind": "decision", "at": 9, "server": "a"}])
    while await shipper.deliver():
        pass
    numbers_of = [seq for journal, seq in shelf.places if journal == "n-0"]
    assert numbers_of == list(range(len(numbers_of)))


async def test_what_is_not_sealed_yet_stays(tmp_path):
    store = Store(tmp_path)
    await store.write("n-0", [{"kind": "decision", "at": 1, "server": "a"}] * 60)
    async with office(tmp_path) as opened:
        assert await Purging(settings(tmp_path), []).purge(opened) == 0
        # where nothing is ever sealed, nothing waits for it
        assert await Purging(settings(tmp_path, seal_seconds=0), []).purge(opened) > 0
        await store.seal()
    assert prove(tmp_path, keys_of(SIGNER)).holds


async def test_a_damaged_segment_stays_as_evidence(tmp_path):
    await written(tmp_path, rounds=6)
    path = path_of(tmp_path / "journal" / "n-0", 1)
    raw = path.read_bytes().replace(b'"server":"a"', b'"server":"c"', 1)
    path.write_bytes(raw)
    async with office(tmp_path) as opened:
        assert await Purging(settings(tmp_path), []).purge(opened) > 0
    assert path.read_bytes() == raw


async def test_what_cannot_be_put_on_record_is_not_done(tmp_path):
    await written(tmp_path, rounds=6)
    async with office(tmp_path) as opened:
        pass
    before = kept(tmp_path, "a")
    with pytest.raises(StoreError, match="closed"):
        await Purging(settings(tmp_path), []).purge(opened)
    assert kept(tmp_path, "a") == before


async def test_a_crash_after_the_record_is_made_good_by_the_next_round(tmp_path, monkeypatch):
    await written(tmp_path, rounds=6)
    async with office(tmp_path) as opened:
        full = OSError(28, "No space left on device")
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(full))
            with pytest.raises(OSError, match="No space"):
                await Purging(settings(tmp_path), []).purge(opened)
        assert prove(tmp_path, keys_of(SIGNER)).holds
        assert await Purging(settings(tmp_path), []).purge(opened) > 0
    assert prove(tmp_path, keys_of(SIGNER)).holds


async def test_nothing_goes_before_its_time_or_by_a_broken_policy(tmp_path):
    await written(tmp_path, rounds=6)
    day = 24 * 3600 * 1_000_000_000
    now = day
    async with office(tmp_path) as opened:
        purging = Purging(settings(tmp_path), [], clock=lambda: now)
        # the events were at 0 to 5 nanoseconds: two of the six rounds are over
        now = day + 1
        first = await purging.purge(opened)
        assert first > 0
        assert await purging.purge(opened) == 0
        now = day + 5
        (tmp_path / "policy.yaml").write_text("version: 2\n", "utf-8")
        assert await purging.purge(opened) == 0
        settings(tmp_path)
        assert await purging.purge(opened) > 0
        # a policy that keeps nothing of the other server either is followed at once
        settings(tmp_path, "recording: {retention: 1s}\n")
        assert await purging.purge(opened) > 0
        assert not [
            path
            for path in set((tmp_path / "journal").glob("n-?/*.jsonl")) - last_segments(tmp_path)
            if b'"kind":"decision"' in path.read_bytes()
        ]
        settings(tmp_path, "")
        assert await purging.purge(opened) == 0
    assert prove(tmp_path, keys_of(SIGNER)).holds


async def test_what_was_asked_and_answered_goes_with_the_records_of_its_server(tmp_path):
    day = 24 * 3600 * 1_000_000_000
    now = day
    ask = Ask(
        kind=AskKind.CALL,
        issuer="https://idp",
        subject="ann",
        policy_digest="p",
        approval="change",
        server="a",
        arguments='{"password":"of-ann"}',
    )
    rule = ApprovalRule(name="change", approvers=NOBODY_MAY, expires_after=60)
    async with office(tmp_path) as opened:
        answered = dataclasses.replace(open_ticket(ask, rule, id="t1", at=0), state=TicketState.USED)
        waits = open_ticket(dataclasses.replace(ask, subject="bob"), rule, id="t2", at=0)
        for each in (answered, waits):
            await opened.tickets.add(each)
        purging = Purging(settings(tmp_path, "recording: {servers: {a: {retention: 1h}}}\n"), [], clock=lambda: now)
        await purging.purge(opened)
        now = 3600 * 1_000_000_000 - 1
        assert await purging.forget(opened) == 0
        now += 1
        assert await purging.forget(opened) == 1
        assert await opened.tickets.get("t1") is None
        assert await opened.tickets.get("t2") == waits
        assert await opened.tickets.exchange(waits, dataclasses.replace(waits, state=TicketState.DENIED, revision=1))
        assert await purging.forget(opened) == 1
    # nor is it somewhere in the file
    assert not [path for path in tmp_path.glob("shared.db*") if b"of-ann" in path.read_bytes()]
