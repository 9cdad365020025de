"""The supervisor with real processes: start, restart, drain, refuse, and no orphan."""

import asyncio
import contextlib
import datetime as dt
import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from extproc.core.audit.notes import read_key
from extproc.edges.journal.proving import prove
from extproc.edges.keys.seal_keys import public_key
from extproc.supervisor import LONGEST_PAUSE, LONGEST_PAUSE_AFTER_SERVING, _pause
from plain import NO_AUTHORITY, PATIENCE
from ports import free_ports

PAUSE = 0.02
"""Between two questions, which would otherwise take the time of those who are asked."""
STAND_IN = Path(__file__).with_name("stand_in_worker.py")
POLICY = """\
version: 1
identity:
  workloads: [{trust_domain: example.com}]
servers:
  files: {tools: {read: {verb: query}}}
roles:
  reader:
    assigned_to: {workloads: ["spiffe://example.com/reader"]}
    grants: [{servers: [files], verbs: [query]}]
"""

SUPERVISE = f"""
import asyncio, os, sys
from extproc.births import Commanded
from extproc.edges.telemetry import configure_logging
from extproc.preflight import take_ground
from extproc.settings import SettingsError, read_settings
from extproc.supervisor import Supervisor

settings = read_settings()
configure_logging()
say = lambda line: print(line, flush=True)
try:
    with take_ground(settings) as ground:
        command = (sys.executable, {str(STAND_IN)!r})
        started = lambda environment: Commanded(command, environment)
        hung = float(os.environ["HUNG_AFTER"])
        sys.exit(asyncio.run(Supervisor(settings, ground, announce=say, started=started, hung_after=hung).run()))
except SettingsError as error:
    sys.exit(str(error))
"""


def alive(pid):
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


@dataclass
class Node:
    process: asyncio.subprocess.Process
    metrics: str
    lines: list[str] = field(default_factory=list)

    async def says(self, word):
        """The next line with ``word`` on standard output or standard error."""
        while True:
            line = (await self.process.stdout.readline()).decode()
            if not line:
                pytest.fail(f"ended without saying {word!r}: {self.lines}")
            self.lines.append(line)
            if word in line:
                return line

    async def readiness(self):
        async with httpx.AsyncClient(verify=NO_AUTHORITY, timeout=PATIENCE) as client:
            answer = await client.get(f"{self.metrics}/readyz")
        return answer.status_code, answer.json()

    async def until(self, met):
        """The first readiness that ``met`` accepts; the test's own time limit ends a vain wait."""
        while True:
            status, body = await self.readiness()
            if met(status, body):
                return body
            await asyncio.sleep(PAUSE)

    async def pids(self):
        return [worker["pid"] for worker in (await self.readiness())[1]["workers"]]

    async def end(self):
        rest = (await self.process.stdout.read()).decode()
        self.lines.append(rest)
        return await self.process.wait(), "".join(self.lines)


@pytest.fixture
async def start(tmp_path):
    """Starts a supervisor over stand-in workers, or any other command; whatever is left is killed afterwards."""
    started = []

    async def starting(mode="", *, workers=2, command=(sys.executable, "-c", SUPERVISE), hung_after=30, **settings):
        (tmp_path / "policy.yaml").write_text(settings.pop("text", POLICY))
        *ports, metrics = free_ports(workers + 1)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("EXTPROC_")}
        environment |= {
            "STAND_IN": mode,
            "HUNG_AFTER": str(hung_after),
            "EXTPROC_POLICY": str(tmp_path / "policy.yaml"),
            "EXTPROC_STATE_DIR": str(tmp_path / "state"),
            "EXTPROC_LISTEN": ",".join(f"127.0.0.1:{port}" for port in ports),
            "EXTPROC_METRICS": f"127.0.0.1:{metrics}",
            "EXTPROC_DRAIN_SECONDS": "1",
        }
        environment |= {f"EXTPROC_{name.upper()}": value for name, value in settings.items()}
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env=environment
        )
        node = Node(process, f"http://127.0.0.1:{metrics}")
        started.append(node)
        return node

    yield starting
    for node in started:
        if node.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                node.process.kill()
        await node.end()


async def test_one_ready_line_names_every_address_and_readyz_agrees(start):
    node = await start()
    line = await node.says("ready: ")
    status, body = await node.readiness()
    assert status == 200
    assert body["ready"] is True
    assert [worker["state"] for worker in body["workers"]] == ["ready", "ready"]
    assert all(worker["address"] in line for worker in body["workers"])
    assert node.metrics in line
    async with httpx.AsyncClient(verify=NO_AUTHORITY, timeout=PATIENCE) as client:
        assert (await client.get(f"{node.metrics}/healthz")).text == "ok\n"
        assert 'extproc_worker_ready{worker="1"} 1.0' in (await client.get(f"{node.metrics}/metrics")).text
        assert (await client.post(f"{node.metrics}/metrics")).status_code == 405


async def test_a_killed_worker_is_started_again_alone(start):
    node = await start()
    await node.says("ready: ")
    first, second = await node.pids()
    for _ in range(3):
        os.kill(first, signal.SIGKILL)
        body = await node.until(lambda status, body: status == 200 and body["workers"][0]["pid"] != first)  # noqa: B023
        first = body["workers"][0]["pid"]
    assert body["workers"][0]["restarts"] == 3
    assert body["workers"][1] | {"pid": second, "restarts": 0} == body["workers"][1]
    async with httpx.AsyncClient(verify=NO_AUTHORITY, timeout=PATIENCE) as client:
        assert 'extproc_worker_restarts_total{worker="0"} 3.0' in (await client.get(f"{node.metrics}/metrics")).text


async def test_a_worker_that_hangs_is_killed_and_started_again(start):
    node = await start(workers=1, hung_after=4)
    await node.says("ready: ")
    (pid,) = await node.pids()
    os.kill(pid, signal.SIGSTOP)
    await node.until(lambda status, body: status == 503 and body["workers"][0]["state"] == "unready")
    await node.says("worker hangs")
    await node.until(lambda status, body: status == 200 and body["workers"][0]["pid"] != pid)


async def test_sigterm_drains_every_worker_and_ends_with_success(start):
    node = await start()
    await node.says("ready: ")
    pids = await node.pids()
    node.process.terminate()
    status, said = await node.end()
    assert status == 0
    assert said.count("drained\n") == 2
    assert not any(map(alive, pids))


async def test_a_second_ctrl_c_stops_at_once(start):
    node = await start("stubborn", drain_seconds="600")
    await node.says("ready: ")
    pids = await node.pids()
    node.process.send_signal(signal.SIGINT)
    await node.until(lambda status, body: status == 503 and body["draining"])
    node.process.send_signal(signal.SIGINT)
    status, said = await node.end()
    assert status == 1
    assert "did not drain" in said
    assert not any(map(alive, pids))


async def test_a_worker_that_does_not_drain_in_time_is_killed(start):
    node = await start("stubborn", workers=1, drain_seconds="0")
    await node.says("ready: ")
    (pid,) = await node.pids()
    node.process.terminate()
    status, said = await node.end()
    assert status == 1
    assert "did not drain" in said
    assert not alive(pid)


async def test_sighup_reaches_the_workers_and_stops_nothing(start):
    node = await start(workers=1)
    await node.says("ready: ")
    before = await node.pids()
    node.process.send_signal(signal.SIGHUP)
    await node.says("reload")
    assert await node.pids() == before


async def test_sighup_spares_a_worker_that_starts_again_and_does_not_listen_to_it_yet(start):
    node = await start(workers=1)
    await node.says("ready: ")
    (pid,) = await node.pids()
    os.kill(pid, signal.SIGKILL)
    starting = await node.until(lambda _, body: body["workers"][0]["pid"] not in {pid, None})
    assert starting["workers"][0]["state"] == "starting"
    node.process.send_signal(signal.SIGHUP)
    serving = await node.until(lambda status, _: status == 200)
    assert serving["workers"][0]["pid"] == starting["workers"][0]["pid"]


async def test_a_killed_supervisor_leaves_no_orphan_and_no_lock(start):
    node = await start("stubborn")
    await node.says("ready: ")
    pids = await node.pids()
    node.process.kill()
    # the pipe ends when the last process that holds it is gone
    await node.end()
    assert not any(map(alive, pids))
    again = await start()
    await again.says("ready: ")


async def test_a_worker_that_cannot_start_ends_the_start_with_its_own_line(start):
    node = await start("refuses")
    status, said = await node.end()
    assert status == 2
    assert "the stand-in cannot start\n" in said
    assert "Traceback" not in said


async def test_a_worker_that_dies_young_again_and_again_is_given_pauses(start):
    node = await start("crashes", workers=1)
    assert [json.loads(await node.says("worker died"))["pause"] for _ in range(3)] == [0.0, 0.4, 0.8]


def test_pauses_grow_to_a_bound_and_stay_short_after_a_life_that_served():
    assert [_pause(deaths, served=False) for deaths in (0, 1, 2, 3)] == [0, 0, 0.4, 0.8]
    assert _pause(10_000, served=False) == LONGEST_PAUSE
    assert _pause(10_000, served=True) == LONGEST_PAUSE_AFTER_SERVING


async def test_sigterm_during_a_pause_ends_at_once(start):
    node = await start("crashes", workers=1)
    while json.loads(await node.says("worker died"))["pause"] < 1:
        pass
    node.process.terminate()
    assert (await node.end())[0] == 0


SERVE = (sys.executable, "-c", "from extproc.cli import main; main()", "serve")


async def test_extproc_serve_starts_comes_back_and_drains(start, tmp_path):
    (tmp_path / "sinks.yaml").write_text("sinks: [{name: copy, type: file, path: copy.jsonl}]")
    node = await start(command=SERVE, sinks=str(tmp_path / "sinks.yaml"))
    await node.says("ready: ")
    pids = await node.pids()
    os.kill(pids[1], signal.SIGKILL)
    body = await node.until(lambda status, body: status == 200 and body["workers"][1]["pid"] != pids[1])
    async with httpx.AsyncClient(verify=NO_AUTHORITY, timeout=PATIENCE) as client:
        metrics = (await client.get(f"{node.metrics}/metrics")).text
    assert "extproc_policy_loaded_timestamp_seconds" in metrics
    assert 'extproc_sink_failing{sink="copy"} 0.0' in metrics
    node.process.terminate()
    status, said = await node.end()
    assert status == 0, said
    assert "Traceback" not in said
    assert not any(alive(worker["pid"]) for worker in body["workers"])
    verdict = prove(tmp_path / "state", dict([read_key(public_key(tmp_path / "state"))]))
    assert verdict.holds
    assert [report.sealed for report in verdict.reports] == [report.events for report in verdict.reports]
    assert len(verdict.reports) == 3
    # the copy has the records of all three, and what it has is what was sealed
    copied = {json.loads(line)["journal"] for line in (tmp_path / "copy.jsonl").read_bytes().splitlines()}
    assert copied == {report.journal for report in verdict.reports}


def children(pid):
    try:
        found = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    except OSError:
        pytest.skip("processes are forked from a nursery on Linux only, and found in /proc")
    return set(filter(alive, found))


async def test_workers_outlive_their_nursery_and_the_next_are_born_of_a_new_one(start):
    node = await start(command=SERVE, seal_seconds="0", purge_seconds="0", index="false")
    await node.says("ready: ")
    pids = await node.pids()
    (nursery,) = children(node.process.pid) - set(pids)
    os.kill(nursery, signal.SIGKILL)
    await node.says("the nursery ended")
    assert await node.pids() == pids
    os.kill(pids[0], signal.SIGKILL)
    body = await node.until(lambda status, body: status == 200 and body["workers"][0]["pid"] != pids[0])
    assert body["workers"][1]["pid"] == pids[1]
    (anew,) = children(node.process.pid) - {worker["pid"] for worker in body["workers"]}
    assert anew != nursery
    node.process.send_signal(signal.SIGKILL)
    await node.end()
    # a process that ends lets go of its output before it is gone
    while any(map(alive, [anew, *(worker["pid"] for worker in body["workers"])])):
        pass


async def test_a_nursery_that_is_killed_again_and_again_keeps_no_worker_away(start):
    node = await start(command=SERVE, workers=1, seal_seconds="0", purge_seconds="0", index="false")
    await node.says("ready: ")
    for _ in range(2):
        (pid,) = await node.pids()
        (nursery,) = children(node.process.pid) - {pid}
        os.kill(nursery, signal.SIGKILL)
        os.kill(pid, signal.SIGKILL)
        await node.until(lambda status, body: status == 200 and body["workers"][0]["pid"] != pid)  # noqa: B023
    node.process.terminate()
    assert (await node.end())[0] == 0


NURSERY = """
import os, sys
from extproc.nursery import main
sys.exit(main([str(os.getppid()), sys.argv[1]]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked from a nursery on Linux only")
def test_a_nursery_whose_supervisor_goes_while_it_answers_ends_without_a_word():
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs, Path(os.devnull).open("rb") as nothing:
        socket.send_fds(ours, [b"0"], [nothing.fileno()])
        command = [sys.executable, "-c", NURSERY, str(theirs.fileno())]
        nursery = subprocess.Popen(command, pass_fds=[theirs.fileno()], stderr=subprocess.PIPE, text=True)
    # its answer comes once everything is loaded, long after this
    ours.shutdown(socket.SHUT_RD)
    ours.close()
    _, said = nursery.communicate(timeout=PATIENCE)
    assert (nursery.returncode, said) == (0, "")


async def test_sigterm_before_the_first_worker_serves_ends_at_once(start):
    node = await start(command=SERVE, seal_seconds="0", purge_seconds="0", index="false")
    async with asyncio.timeout(PATIENCE):
        while True:
            with contextlib.suppress(httpx.TransportError):  # nobody listens yet
                await node.readiness()
                break
    node.process.terminate()
    status, said = await node.end()
    assert status == 0, said
    assert "Traceback" not in said


async def test_a_file_of_sinks_that_is_broken_stops_the_start(start, tmp_path):
    (tmp_path / "sinks.yaml").write_text("sinks: [{name: copy, type: fiel}]")
    node = await start(command=SERVE, sinks=str(tmp_path / "sinks.yaml"))
    status, said = await node.end()
    assert status == 2
    assert "sinks.yaml:1:22: type:" in said
    assert "Traceback" not in said


async def test_a_stream_that_outlives_the_drain_ends_with_an_error_and_never_cleanly(start):
    node = await start(command=SERVE, workers=1, drain_seconds="0.2")
    line = await node.says("ready: ")
    address = line.partition("ext_proc on ")[2].partition(";")[0]
    async with (
        grpc.aio.insecure_channel(address) as channel,
        httpx.AsyncClient(verify=NO_AUTHORITY, timeout=PATIENCE) as client,
    ):
        stream = channel.stream_stream("/envoy.service.ext_proc.v3.ExternalProcessor/Process")()
        while "extproc_streams 1.0\n" not in (await client.get(f"{node.metrics}/metrics")).text:
            pass
        node.process.terminate()
        # invariant 4: Envoy goes on uninspected after a clean end
        with pytest.raises(grpc.aio.AioRpcError):
            await stream.read()
        assert await stream.code() is not grpc.StatusCode.OK
    status, said = await node.end()
    assert status == 0, said


async def test_extproc_serve_is_ready_with_mutual_tls_too(start, tmp_path):
    authority, certificate = certificates(tmp_path)
    node = await start(
        command=SERVE,
        workers=1,
        tls_cert=str(certificate.with_suffix(".crt")),
        tls_key=str(certificate.with_suffix(".key")),
        tls_client_ca=str(authority),
        tls_clients="spiffe://example.com/envoy",
    )
    line = await node.says("ready: ")
    address = line.partition("ext_proc on ")[2].partition(";")[0]
    async with grpc.aio.insecure_channel(address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=PATIENCE)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE  # and not that nobody answered


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"text": "version: 9\n"}, "policy.yaml:1:"),
        ({"listen": "0.0.0.0:1"}, "whoever reaches it can speak as Envoy"),
        ({"shadw": "1"}, "EXTPROC_SHADW: unknown setting; did you mean EXTPROC_SHADOW?"),
    ],
)
async def test_extproc_serve_says_in_lines_why_it_cannot_start(start, settings, line):
    status, said = await (await start(command=SERVE, workers=1, **settings)).end()
    assert status == 2
    assert line in said
    assert "Traceback" not in said
    assert all(": " in each for each in said.splitlines())


async def test_extproc_serve_names_a_taken_port(start):
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        status, said = await (await start(command=SERVE, workers=1, listen=address)).end()
    assert (status, said) == (
        2,
        f"{address} is taken by another program; stop it or choose another address with --listen\n",
    )


async def test_a_second_serve_on_one_state_directory_is_refused(start):
    first = await start(workers=1)
    await first.says("ready: ")
    status, said = await (await start(command=SERVE, workers=1)).end()
    assert status == 2
    assert "another `extproc serve` uses this state directory" in said


def certificates(folder):
    """An authority and a server certificate of it, as files; the authority's path and the certificate's stem."""
    now = dt.datetime.now(dt.UTC)

    def made(name, key, signer_name, signer_key, *, authority):
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(signer_name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .sign(signer_key, hashes.SHA256())
            .public_bytes(serialization.Encoding.PEM)
        )

    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name, name = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, word)]) for word in ("authority", "extproc"))
    (folder / "ca.crt").write_bytes(made(ca_name, ca_key, ca_name, ca_key, authority=True))
    (folder / "server.crt").write_bytes(made(name, key, ca_name, ca_key, authority=False))
    (folder / "server.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "ca.crt", folder / "server"
