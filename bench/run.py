"""Runs every setup in turn for some rounds and hands the medians to the report: ``python bench/run.py --help``."""

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from events import Passage, passage
from report import Sample, write_passages, write_report
from setups import EVENT_SETUPS, SETUPS, Setup, upstream_configuration

from extproc.demo.proxy import find_envoy

HERE = Path(__file__).resolve().parent
ISSUER = "http://127.0.0.1:1"
WORKERS = 2
BUSY = 2.0
"""Runnable threads of other programs for each core, above which ratios between setups drown in noise."""
TICKS = os.sysconf("SC_CLK_TCK")
POLICY = """
version: 1
identity:
  issuers:
    - {{name: bench, issuer: "{issuer}", audience: "{audience}", jwks_uri: "{issuer}/jwks.json", max_token_age: 24h}}
servers:
  sales-db: {{tools: {{echo: {{verb: query}}, drop_table: {{verb: admin}}}}}}
roles:
  analyst:
    assigned_to: {{groups: [data-analysts]}}
    grants:
      - {{servers: [sales-db], verbs: [query], tools: [echo], when: 'arguments.text.size() < 1000'}}
recording: {{payloads: {payloads}}}
"""
MASKING = """
masking:
  - {name: personal, servers: [sales-db], detect: [email, credit_card, us_ssn, iban, phone, secrets], as: redact}
"""


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def is_up(where: str) -> bool:
    """Whether a URL answers 200, or somebody listens at ``host:port``."""
    try:
        if where.startswith("http:"):
            with urllib.request.urlopen(where, timeout=1) as answer:  # noqa: S310
                return bool(answer.status == 200)
        host, _, port = where.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=1):
            return True
    except OSError:
        return False


def wait_for(where: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        if is_up(where):
            return
        time.sleep(0.05)
    sys.exit(f"bench: {where} never came up:\n{log.read_text()[-2000:]}")


@contextlib.contextmanager
def running(command: list[str], log: Path, ready: str, **options: object) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, **options)  # type: ignore[call-overload]
    try:
        wait_for(ready, process, log)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def envoy(
    configuration: dict[str, object], folder: Path, admin_port: int, base: int
) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    path = folder / "envoy.json"
    path.write_text(json.dumps(configuration))
    command = [str(find_envoy()), "-c", str(path), "-l", "warn", "--base-id", str(base)]
    return running(command, folder / "envoy.log", f"http://127.0.0.1:{admin_port}/ready")


@dataclass(slots=True)
class Token:
    """A key of this run, the token made with it, and the key set that verifies it."""

    key: ec.EllipticCurvePrivateKey
    jwks: str

    @classmethod
    def make(cls) -> "Token":
        """A new one."""
        key = ec.generate_private_key(ec.SECP256R1())
        public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key()))
        return cls(key=key, jwks=json.dumps({"keys": [public | {"kid": "bench", "alg": "ES256", "use": "sig"}]}))

    def sign(self, audience: str, *, subject: str = "ann", groups: Sequence[str] = ("data-analysts",)) -> str:
        """A token for one gateway, good for longer than a run takes."""
        now = int(time.time())
        claims = {"iss": ISSUER, "sub": subject, "aud": audience, "iat": now, "exp": now + 7200}
        claims["groups"] = list(groups)
        return jwt.encode(claims, self.key, "ES256", {"kid": "bench", "typ": "at+jwt"})


@contextlib.contextmanager
def gateway(
    setup: Setup, folder: Path, upstream_port: int, token: Token, base: int, *, policy: str = POLICY
) -> Iterator[tuple[str, list[int]]]:
    """The setup, running: its URL and the processes of the service."""
    folder.mkdir()
    port, admin_port, metrics_port, *worker_ports = free_ports(3 + WORKERS)
    workers = tuple(f"127.0.0.1:{each}" for each in worker_ports)
    url = f"http://127.0.0.1:{port}/mcp"
    configuration = setup.configuration(
        port=port, admin_port=admin_port, upstream_port=upstream_port, workers=workers, issuer=ISSUER, jwks=token.jwks
    )
    with contextlib.ExitStack() as stack:
        processes: list[int] = []
        if setup.chain is not None and not setup.payloads:
            for number, address in enumerate(workers):
                command = [sys.executable, str(HERE / "answering.py"), address]
                answering = running(command, folder / f"answering-{number}.log", address)
                processes.append(stack.enter_context(answering).pid)
        elif setup.chain is not None:
            policy_file = folder / "policy.yaml"
            text = policy.format(issuer=ISSUER, audience=url, payloads=setup.payloads)
            policy_file.write_text(text + MASKING if setup.masks else text)
            command = [sys.executable, "-m", "extproc", "serve"]
            command += ["--policy", str(policy_file), "--state", str(folder / "state")]
            environment = os.environ | {
                "EXTPROC_LISTEN": ",".join(workers),
                "EXTPROC_METRICS": f"127.0.0.1:{metrics_port}",
                "EXTPROC_LOG_LEVEL": "warning",
                "EXTPROC_DURABILITY": setup.durability,
            }
            ready = f"http://127.0.0.1:{metrics_port}/readyz"
            stack.enter_context(running(command, folder / "service.log", ready, env=environment))
            with urllib.request.urlopen(ready, timeout=10) as answer:
                processes = [worker["pid"] for worker in json.load(answer)["workers"]]
        stack.enter_context(envoy(configuration, folder, admin_port, base))
        yield url, processes


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def load(url: str, audience_token: str, connections: int, seconds: float) -> dict[str, float]:
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "-s", str(HERE / "call.lua"), url]
    environment = os.environ | {"BENCH_TOKEN": audience_token}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        sys.exit(f"bench: wrk failed: {done.stderr}")
    figures: dict[str, float] = json.loads(done.stdout.rpartition("JSON ")[2])
    if figures["errors"]:
        sys.exit(f"bench: {figures['errors']:g} of {figures['requests']:g} calls failed at {url}")
    return figures


def call(token: str) -> tuple[dict[str, str], bytes]:
    """The headers and the body of one allowed call."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    params = {"name": "echo", "arguments": {"text": "x"}, "_meta": meta}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
    headers = {
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        "authorization": f"Bearer {token}",
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "tools/call",
        "mcp-name": "echo",
    }
    return headers, body.encode()


def check_answer(url: str, token: str, setup: Setup) -> None:
    """One call by hand: the allowed one passes with the upstream's own answer, masked where it must be."""
    headers, body = call(token)
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=10) as answer:  # noqa: S310
        got = answer.read().decode()
    if (got != setup.answer) is not setup.masks or ("@" in got and setup.masks):
        sys.exit(f"bench: {setup.name} does not give the upstream's answer as it should")


def measure(setup: Setup, url: str, processes: list[int], token: str, seconds: float) -> Sample:
    idle = max((memory_mb(pid) for pid in processes), default=0.0)
    load(url, token, 4, min(seconds, 1))  # warm: connections, caches, branch predictors
    one = load(url, token, 1, seconds)
    before = sum(map(cpu_seconds, processes))
    many = load(url, token, 16, seconds)
    spent = sum(map(cpu_seconds, processes)) - before
    return Sample(
        setup=setup.name,
        p50_ms=one["p50_ms"],
        p99_ms=one["p99_ms"],
        p50_16_ms=many["p50_ms"],
        p99_16_ms=many["p99_ms"],
        requests_per_second=many["requests"] / many["seconds"],
        cpu_us=spent / many["requests"] * 1e6,
        idle_mb=idle,
        loaded_mb=max((memory_mb(pid) for pid in processes), default=0.0),
    )


def measure_events(folder: Path, token: Token, rounds: int) -> dict[str, Passage]:
    """The median passage of an event through each setup of ``EVENT_SETUPS``."""
    passages: dict[str, list[Passage]] = {setup.name: [] for setup in EVENT_SETUPS}
    (port,) = free_ports(1)
    server = [sys.executable, str(HERE / "events.py"), str(port)]
    with contextlib.ExitStack() as stack:
        stack.enter_context(running(server, folder / "events.log", f"127.0.0.1:{port}"))
        gateways = []
        for index, setup in enumerate(EVENT_SETUPS):
            url, _ = stack.enter_context(gateway(setup, folder / f"events-{index}", port, token, 951 + index))
            gateways.append((setup.name, url, *call(token.sign(url))))
        for _ in range(rounds):
            for name, url, headers, body in gateways:
                passages[name].append(passage(url, headers, body))
    return {
        name: Passage(
            p50_ms=statistics.median(each.p50_ms for each in several),
            p99_ms=statistics.median(each.p99_ms for each in several),
        )
        for name, several in passages.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what the gateway costs, beside a plain Envoy.")
    parser.add_argument("--rounds", type=int, default=5, help="how often each setup is measured (default 5)")
    parser.add_argument("--seconds", type=float, default=3, help="length of each measurement (default 3)")
    parser.add_argument("--report", type=Path, default=HERE / "REPORT.md", help="where the table goes")
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("bench: wrk is not installed; on Debian and Ubuntu: apt-get install wrk")
    load_before = os.getloadavg()[0]
    if load_before > BUSY * (os.cpu_count() or 1):
        print(f"bench: the load average is {load_before:.1f} already; the figures will say little", file=sys.stderr)
    token, samples = Token.make(), []
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="extproc-bench-")))
        answers = tuple(dict.fromkeys(setup.answer for setup in SETUPS))
        upstream_admin, *ports = free_ports(1 + len(answers))
        upstream_ports = dict(zip(answers, ports, strict=True))
        (folder / "upstream").mkdir()
        upstream = upstream_configuration(upstream_ports, upstream_admin)
        stack.enter_context(envoy(upstream, folder / "upstream", upstream_admin, 900))
        gateways = []
        for index, setup in enumerate(SETUPS):
            running_gateway = gateway(setup, folder / str(index), upstream_ports[setup.answer], token, 901 + index)
            url, processes = stack.enter_context(running_gateway)
            signed = token.sign(url)
            check_answer(url, signed, setup)
            gateways.append((setup, url, processes, signed))
        for number in range(options.rounds):
            for setup, url, processes, signed in gateways:
                sample = measure(setup, url, processes, signed, options.seconds)
                samples.append(sample)
                print(
                    f"round {number + 1}: {sample.setup:22} p50 {sample.p50_ms:.3f} ms, "
                    f"{sample.requests_per_second:,.0f} requests/s at 16",
                    flush=True,
                )
    beside = {setup.name: setup.beside if setup.chain or setup.filters else setup.name for setup in SETUPS}
    print(
        write_report(
            samples, options.report, beside=beside, rounds=options.rounds, seconds=options.seconds, load=load_before
        )
    )
    with tempfile.TemporaryDirectory(prefix="extproc-bench-") as place:
        passages = measure_events(Path(place), token, options.rounds)
    print(write_passages(passages, options.report, rounds=options.rounds))


if __name__ == "__main__":
    main()
