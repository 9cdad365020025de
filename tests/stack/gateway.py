"""A real Envoy, run from the shipped configuration, with the policy service behind it and an MCP server of your choice.

Use it through the fixture ``gateway`` (conftest.py), once for each chain, or by hand::

    async with Gateway(chain="one-message", upstream=url, policy=policy_file, folder=tmp_path) as gateway:
        answer = await client.post(gateway.url, headers={"authorization": f"Bearer {gateway.token('ada')}"}, ...)

``policy`` starts ``extproc serve`` with it, ``workers`` workers and the environment ``settings`` (``{"EXTPROC_SHADOW":
"true"}``); it is forked from a process that has loaded it (warm.py), or begins from nothing where ``anew`` says so.
``processors`` names gRPC addresses of your own instead (see scripted.py), and starts no service. ``adapt`` may change
the derived Envoy configuration before it is written, to show that a setting matters. ``issuer`` puts another token
issuer in the place of the built-in one.

While it runs: ``url`` (the MCP endpoint), ``base`` (scheme, host and port), ``admin`` (Envoy's admin URL), ``token()``
(a signed token of the trusted issuer), ``issuer`` (its key set can be changed), ``state`` (the service's state folder),
``envoy`` and ``service`` (the processes), ``envoy_log()``, ``service_log()``, ``access_log()``, ``stat(name)``.
The server's name in the policy is ``sales-db`` unless ``server`` says otherwise; its issuer is ``gateway.issuer.url`` and
its audience ``gateway.url``: a policy given as a text may say ``{issuer}``, ``{audience}`` and ``{jwks_uri}`` for them.
``succeed()`` starts a second Envoy that takes over from the first (hot restart), where ``hot`` gives the options of both.
``ENVOY_BIN`` in the environment runs another Envoy than the installed wheel.
"""

import asyncio
import contextlib
import json
import os
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Any, Final, Protocol, Self

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from extproc.demo.proxy import Chain, find_envoy, gateway_configuration
from plain import NO_AUTHORITY, PATIENCE
from ports import free_ports
from schemas import faults_in
from warm import CAN_FORK, Forked, forked

__all__ = ["Gateway", "Issuer", "free_ports"]

ATTEMPT: Final = 0.05
EXTPROC: Final = Path(sys.executable).with_name("extproc")


class TrustedIssuer(Protocol):
    """What a gateway needs of a token issuer; its key set is at ``url``/jwks.json."""

    url: str

    def close(self) -> None: ...

    def token(self, subject: str = "ada", *, audience: str, **claims: Any) -> str: ...


class Issuer:
    """A token issuer: an ES256 key, its key set on loopback, and tokens of any shape."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.kid = uuid.uuid4().hex
        self.fetches = 0
        public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key()))
        self.key_set: dict[str, Any] = {"keys": [public | {"kid": self.kid, "use": "sig", "alg": "ES256"}]}
        issuer = self

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.fetches += 1
                body = json.dumps(issuer.key_set).encode()
                self.send_response(200 if self.path == "/jwks.json" else 404)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": ATTEMPT})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def token(
        self, subject: str = "ada", *, audience: str, header: Mapping[str, Any] | None = None, **claims: Any
    ) -> str:
        """A token for ``subject``; a claim given as None is left out."""
        now = int(time.time())
        payload = {
            "iss": self.url,
            "sub": subject,
            "aud": audience,
            "iat": now,
            "exp": now + 600,
            "jti": uuid.uuid4().hex,
        } | claims
        payload = {name: value for name, value in payload.items() if value is not None}
        return jwt.encode(payload, self.key, "ES256", {"kid": self.kid, "typ": "at+jwt"} | dict(header or {}))


class Gateway:
    """One running gateway; see the module's text."""

    def __init__(
        self,
        *,
        chain: Chain,
        upstream: str,
        folder: Path,
        policy: str | Path | None = None,
        processors: Sequence[str] = (),
        settings: Mapping[str, str] | None = None,
        workers: int = 2,
        server: str = "sales-db",
        adapt: Callable[[dict[str, Any]], None] | None = None,
        issuer: TrustedIssuer | None = None,
        anew: bool = False,
        hot: Sequence[str] = (),
    ) -> None:
        assert (policy is None) == bool(processors), "give a policy, or processors of your own"
        self.chain, self.upstream, self.folder, self.server = chain, upstream, folder, server
        self.policy, self.processors, self.settings, self._adapt = (
            policy,
            tuple(processors),
            dict(settings or {}),
            adapt,
        )
        # what is to be loaded before the program itself is not for one that is loaded already
        self._anew = anew or not CAN_FORK or "LD_PRELOAD" in self.settings
        port, admin_port, self._metrics_port, *worker_ports = free_ports(3 + (0 if processors else workers))
        # a base id belongs to the Envoys that succeed each other, and to nobody else on the machine
        self._epoch, self._hot = 0, (*hot, "--base-id", str(admin_port)) if hot else ()
        self.workers = self.processors or tuple(f"127.0.0.1:{each}" for each in worker_ports)
        self.port, self._admin_port = port, admin_port
        self.base, self.admin = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{admin_port}"
        self.metrics = f"http://127.0.0.1:{self._metrics_port}/metrics"
        self.url = f"{self.base}/mcp"
        self.state = folder / "state"
        self.policy_file = folder / "policy.yaml"
        self.issuer: Any = issuer
        self.envoy: asyncio.subprocess.Process
        self._formers: list[asyncio.subprocess.Process] = []
        self.service: asyncio.subprocess.Process | Forked | None = None

    async def __aenter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.issuer = self.issuer or Issuer()
        try:
            if self.policy is not None:
                await self.start_service()
            await self._start_envoy()
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in (*self._formers, getattr(self, "envoy", None), self.service):
            if process is not None:
                await _end(process)
        self.issuer.close()
        if kind is None:
            # whatever a test was about: what was recorded meanwhile is as published
            assert not (faults := faults_in(self.state)), faults

    def token(self, subject: str = "ada", **claims: Any) -> str:
        """A token for this gateway; ``groups=[...]`` and every other claim as wished, None leaves one out."""
        return self.issuer.token(subject, **({"audience": self.url} | claims))

    def envoy_log(self) -> str:
        return (self.folder / "envoy.log").read_text("utf-8", "replace")

    def service_log(self) -> str:
        return (self.folder / "service.log").read_text("utf-8", "replace")

    def access_log(self) -> list[dict[str, Any]]:
        """Envoy's access log so far; a line is written when its request is over."""
        return [json.loads(line) for line in (self.folder / "access.log").read_text("utf-8").splitlines()]

    async def stop_envoy(self) -> None:
        """End Envoy, so that its logs are whole."""
        await _end(self.envoy)

    async def stat(self, name: str) -> int:
        """One counter or gauge of Envoy by its full name, as an expression; one that matches nothing is a mistake."""
        async with httpx.AsyncClient(trust_env=False, verify=NO_AUTHORITY, timeout=PATIENCE) as client:
            answer = await client.get(f"{self.admin}/stats", params={"filter": f"^{name}$", "format": "json"})
        values = [each["value"] for each in answer.json()["stats"] if "value" in each]
        assert values, f"Envoy has no figure {name}"
        return sum(values)

    async def well(self) -> list[bool]:
        """What Envoy's health checks have found of each worker."""
        async with httpx.AsyncClient(trust_env=False, verify=NO_AUTHORITY, timeout=PATIENCE) as client:
            clusters = (await client.get(f"{self.admin}/clusters", params={"format": "json"})).json()
        (hosts,) = (each["host_statuses"] for each in clusters["cluster_statuses"] if each["name"] == "mcp_extproc")
        return [not each["health_status"].get("failed_active_health_check") for each in hosts]

    async def start_service(self) -> None:
        """Start ``extproc serve`` (again, after a test has ended it) and wait until it is ready."""
        text = self.policy.read_text("utf-8") if isinstance(self.policy, Path) else self.policy or ""
        values = {"{issuer}": self.issuer.url, "{audience}": self.url, "{jwks_uri}": f"{self.issuer.url}/jwks.json"}
        for placeholder, value in values.items():
            text = text.replace(placeholder, value)
        self.policy_file.write_text(text, "utf-8")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("EXTPROC_")}
        environment |= {
            "EXTPROC_POLICY": str(self.policy_file),
            "EXTPROC_STATE_DIR": str(self.state),
            "EXTPROC_LISTEN": ",".join(self.workers),
            "EXTPROC_METRICS": f"127.0.0.1:{self._metrics_port}",
            # what seals and indexes is a process more to start each time; test_supervisor.py and test_operations.py have it
            "EXTPROC_SEAL_SECONDS": "0",
            "EXTPROC_PURGE_SECONDS": "0",
            "EXTPROC_INDEX": "false",
        } | self.settings
        if self._anew:
            self.service = await self._start([str(EXTPROC), "serve"], "service", environment)
        else:
            self.service = await forked(["serve"], environment=environment, output=self.folder / "service.log")
        await self._ready(self.service, f"http://127.0.0.1:{self._metrics_port}/readyz", self.service_log)

    async def stop_service(self) -> None:
        """Tell the service to end, and wait until it has."""
        assert self.service is not None
        await _end(self.service)

    async def succeed(self, adapt: Callable[[dict[str, Any]], None] | None = None) -> asyncio.subprocess.Process:
        """Start an Envoy in the place of the one that runs; that one, which drains and ends by itself."""
        former, self._adapt = self.envoy, adapt
        self._formers.append(former)
        self._epoch += 1
        await self._start_envoy()
        async with httpx.AsyncClient(trust_env=False, verify=NO_AUTHORITY, timeout=PATIENCE) as client:
            while True:  # at first it is the other one that answers
                with contextlib.suppress(httpx.HTTPError):
                    told = (await client.get(f"{self.admin}/server_info")).json()
                    if (told["command_line_options"]["restart_epoch"], told["state"]) == (self._epoch, "LIVE"):
                        return former
                await asyncio.sleep(ATTEMPT)

    async def _start_envoy(self) -> None:
        document = gateway_configuration(
            self.chain,
            port=self.port,
            admin_port=self._admin_port,
            workers=self.workers,
            upstream=self.upstream,
            issuer=self.issuer.url,
            server=self.server,
        )
        if self._adapt:
            self._adapt(document)
        configuration = self.folder / f"envoy-{self._epoch}.json"
        configuration.write_text(json.dumps(document), "utf-8")
        binary = os.environ.get("ENVOY_BIN") or str(find_envoy())
        how = [*self._hot, "--restart-epoch", str(self._epoch)] if self._hot else ["--disable-hot-restart"]
        arguments = ["-c", str(configuration), *how, "--concurrency", "2", "-l", "warn"]
        # the access log goes to stdout, Envoy's own log to stderr
        self.envoy = await self._start([binary, *arguments], "envoy", dict(os.environ), stdout="access.log")
        await self._ready(self.envoy, f"{self.admin}/ready", self.envoy_log)

    async def _start(
        self, command: Sequence[str], name: str, environment: Mapping[str, str], *, stdout: str | None = None
    ) -> asyncio.subprocess.Process:
        with contextlib.ExitStack() as stack:
            log = stack.enter_context((self.folder / f"{name}.log").open("ab"))
            out = stack.enter_context((self.folder / stdout).open("ab")) if stdout else log
            return await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=log, env=environment
            )

    async def _ready(self, process: asyncio.subprocess.Process | Forked, url: str, log: Callable[[], str]) -> None:
        deadline = time.monotonic() + PATIENCE
        ended = asyncio.create_task(process.wait())
        async with httpx.AsyncClient(trust_env=False, verify=NO_AUTHORITY) as client:
            while not ended.done():
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.get(url, timeout=1)).status_code == 200:
                        ended.cancel()
                        return
                if time.monotonic() > deadline:
                    ended.cancel()
                    raise TimeoutError(f"not ready in {PATIENCE} s: {url}\n{log()[-4000:]}")
                await asyncio.wait({ended}, timeout=ATTEMPT)
        raise RuntimeError(f"ended with {process.returncode} before it was ready\n{log()[-4000:]}")


async def _end(process: asyncio.subprocess.Process | Forked) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), PATIENCE)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    transport = getattr(process, "_transport", None)
    if transport is not None:
        transport.close()
