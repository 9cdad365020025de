# ruff: noqa: ASYNC240 - a test has nobody else on its loop to keep waiting
import asyncio
import os
from pathlib import Path

import pytest

from extproc.core.limits import MAX_POLICY_BYTES
from extproc.core.policy.rules import Policy
from extproc.edges.policy_files import PolicyError, PolicyFile, read_policy
from extproc.ports import RecogniserError
from named import recognise
from policies import GOOD

OTHER = GOOD + "mode: shadow\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "policy.yaml"
    file.write_text(GOOD)
    return file


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"version: 2\n", "this version"),
        (b"\xff", "not UTF-8"),
        (b"#" * (MAX_POLICY_BYTES + 1), "larger than"),
    ],
)
def test_a_file_that_gives_no_policy_is_refused_at_the_start(tmp_path: Path, raw: bytes | None, what: str) -> None:
    file = tmp_path / "policy.yaml"
    if raw is not None:
        file.write_bytes(raw)
    for load in (read_policy, PolicyFile):
        with pytest.raises(PolicyError, match=what) as caught:
            load(file)
        assert str(caught.value).startswith(f"{file}:1:")
        assert caught.value.problems


async def test_a_changed_file_comes_into_force_in_one_step(path: Path) -> None:
    heard: list[Policy] = []
    watched = PolicyFile(path, on_change=heard.append)
    before = watched.current
    assert not await watched.refresh()
    path.write_text(OTHER)
    assert await watched.refresh()
    assert watched.current.shadow
    assert heard == [watched.current]
    assert before.digest != watched.current.digest
    assert not await watched.refresh()


async def test_a_file_that_was_renamed_into_place_is_noticed_also_with_the_same_size_and_time(path: Path) -> None:
    watched = PolicyFile(path)
    twin = path.with_suffix(".new")
    twin.write_text(GOOD.replace("readers", "writers"))
    then = path.stat()
    os.utime(twin, ns=(then.st_atime_ns, then.st_mtime_ns))
    twin.replace(path)
    assert await watched.refresh()
    assert "writers" in watched.current.membership.groups


async def test_a_broken_file_keeps_the_last_good_policy_and_is_told_once(path: Path) -> None:
    heard: list[PolicyError] = []
    again: list[Policy] = []
    watched = PolicyFile(path, on_problem=heard.append, on_change=again.append)
    good = watched.current
    path.write_text("version: 1\n")
    assert not await watched.refresh()
    assert not await watched.refresh()
    assert watched.current is good
    assert not watched.is_good
    assert [error.problems[0].what for error in heard] == ["the policy has no `servers`"]
    path.unlink()
    assert not await watched.refresh()
    assert watched.current is good
    assert "cannot be read" in heard[1].problems[0].what
    assert again == []
    path.write_text(GOOD)
    assert not await watched.refresh()
    assert watched.is_good
    assert watched.current is good
    assert again == [good], "whoever raised an alarm hears that it is over"


async def test_an_older_file_never_comes_into_force_after_a_newer_one(path: Path) -> None:
    watched = PolicyFile(path)
    many = "".join(f"  - {{name: d{number}, servers: [db], when: 'tool == \"t{number}\"'}}\n" for number in range(400))
    path.write_text(f"{GOOD}deny:\n{many}")
    first = asyncio.create_task(watched.refresh())
    while watched._seen.raw != path.read_bytes():  # noqa: ASYNC110 - nothing tells that it was read and is compiled
        await asyncio.sleep(0)
    path.write_text(OTHER)
    assert await asyncio.gather(first, watched.refresh()) == [True, True]
    assert watched.current.shadow
    assert read_policy(path).digest == watched.current.digest


async def test_half_a_file_is_never_in_force(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer goes on while we look: what counts is the file at rest."""
    watched = PolicyFile(path)
    whole = GOOD + "deny: [{name: d, servers: [db]}]\n"
    path.write_text(GOOD + "# half\n")
    rest = asyncio.sleep

    async def write_on(seconds: float) -> None:
        path.write_text(whole)
        await rest(0 * seconds)

    monkeypatch.setattr("extproc.edges.policy_files.asyncio.sleep", write_on)
    seen: list[Policy] = []
    watched._on_change = seen.append
    assert await watched.refresh()
    assert [len(policy.servers["db"].denies) for policy in seen] == [1]


async def test_watching_goes_on_until_cancelled(path: Path) -> None:
    changed = asyncio.Event()
    watched = PolicyFile(path, on_change=lambda _: changed.set())
    task = asyncio.create_task(watched.watch())
    path.write_text(OTHER)
    await changed.wait()
    assert watched.current.shadow
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_operators_shadow_switch_covers_every_server_and_every_later_policy(path: Path) -> None:
    watched = PolicyFile(path, shadow=True)
    assert watched.current.shadow
    assert all(server.shadow for server in watched.current.servers.values())
    path.write_text(GOOD.replace("readers", "writers").replace("    tools:", "    mode: enforce\n    tools:"))
    assert await watched.refresh()
    assert watched.current.servers["db"].shadow
    assert isinstance(watched.current, Policy)


NAMES = GOOD + "masking:\n  - {name: people, servers: [db], detect: [person_name]}\n"


async def test_what_finds_names_is_loaded_before_a_policy_that_wants_it_is_in_force(path: Path) -> None:
    loads: list[str] = []
    watched = PolicyFile(path, recogniser=recognise, load_names=lambda: loads.append(watched.current.digest))
    before = watched.current.digest
    assert loads == []
    path.write_text(NAMES)
    assert await watched.refresh()
    assert loads == [before]
    assert watched.current.wants_names


async def test_where_that_cannot_be_loaded_the_last_good_policy_stays_in_force(path: Path) -> None:
    def broken() -> None:
        raise RecogniserError("the model is broken; Install it anew")

    heard: list[PolicyError] = []
    watched = PolicyFile(path, recogniser=recognise, load_names=broken, on_problem=heard.append)
    before = watched.current
    path.write_text(NAMES)
    assert not await watched.refresh()
    assert (watched.current, watched.is_good) == (before, False)
    assert str(heard[0]) == f"{path}:1:1: the model is broken. Install it anew."
    with pytest.raises(PolicyError, match="the model is broken"):
        PolicyFile(path, recogniser=recognise, load_names=broken)
    with pytest.raises(PolicyError, match="needs a language model that is not installed"):
        PolicyFile(path)
