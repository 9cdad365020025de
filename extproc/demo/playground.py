"""The whole of it on loopback: a token issuer, an MCP server, the policy service, and Envoy in front.

``prepare`` finds what is wrong before anything is started, each problem one line; ``Playground`` starts the parts in
the order in which they need each other, says which one has died, and stops them in the reverse order. Nothing listens
on any other address than 127.0.0.1, and nothing of it is for production: the issuer gives anybody a token.
"""

import asyncio
import contextlib
import importlib.util
import json
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from extproc.core.policy.rules import Policy
from extproc.demo.children import LOOPBACK, Child, ChildError, free_ports, is_free
from extproc.demo.issuer import create_app, loopback_server
from extproc.demo.people import DevelopmentIssuer, DevelopmentIssuerError, Person
from extproc.demo.proxy import Chain, EnvoyMissing, find_envoy, gateway_configuration
from extproc.edges.console.local_approvers import LocalApprovers, LocalApproversError
from extproc.edges.control import QuietServer
from extproc.edges.envoy import EnvoyUnreachableError, tried
from extproc.edges.names.presidio import installed
from extproc.edges.policy_files import PolicyError, read_policy
from extproc.office import LOCAL_APPROVERS

__all__ = ["APPROVER", "Plan", "Playground", "PlaygroundError", "Prepared", "prepare"]

WORKERS: Final = 2
STOP_SECONDS: Final = 8.0
DRAIN_SECONDS: Final = 2
CONNECT_SECONDS: Final = 3.0
CANARY_SECONDS: Final = 60
SAMPLE_POLICY: Final = Path(__file__).with_name("policy.yaml")
APPROVER: Final = "dana"
"""The local approver of the playground."""
POLICY_NAME: Final = "policy.yaml"
SERVE: Final = (sys.executable, "-P", "-c", "from extproc.cli import main; main()", "serve")
SAMPLE_SERVER: Final = (sys.executable, "-P", "-m", "extproc.demo.server")


class PlaygroundError(Exception):
    """The playground cannot run; the message is what to print, one line for each problem."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the user asked for. Without ``upstream`` the sample server runs, without ``policy`` the sample policy."""

    port: int
    issuer_port: int
    state: Path
    chain: Chain
    upstream: str | None = None
    policy: Path | None = None
    server: str | None = None
    config: Path | None = None
    """More settings for the service, in a file."""

    @property
    def mcp_server(self) -> str:
        """What is behind the gateway, as it may be printed: parameters of an address are often keys."""
        return "the sample server" if self.upstream is None else self.upstream.partition("?")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A plan that can be carried out."""

    plan: Plan
    envoy: Path
    issuer: DevelopmentIssuer
    policy: Path
    server: str
    approver: str = ""
    """The secret of the local approver ``APPROVER``; empty where the policy asks for no approval."""

    @property
    def url(self) -> str:
        """The MCP endpoint for clients."""
        return self.issuer.audience


def prepare(plan: Plan) -> Prepared:
    """Check everything that can be checked before a process is started, and write what the processes need.

    Raises:
        PlaygroundError: a line for each problem of the kind that was found first.
    """
    try:
        envoy = find_envoy()
        if plan.upstream is None and importlib.util.find_spec("mcp") is None:
            raise PlaygroundError("the sample server needs the package mcp; install it: pip install 'mcp-extproc[up]'")
        _check_upstream(plan)
        for port, option in ((plan.port, "--port"), (plan.issuer_port, "--issuer-port")):
            if not is_free(port):
                raise PlaygroundError(f"port {port} is taken by another program; choose another with {option}")
        before = _last_issuer(plan.state)
        url, audience = f"http://{LOOPBACK}:{plan.issuer_port}", f"http://{LOOPBACK}:{plan.port}/mcp"
        policy = plan.policy or _sample_policy(plan.state, before, url=url, audience=audience)
        server = _check_policy(plan, policy, url=url, audience=audience)
        plan.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        issuer = DevelopmentIssuer.keep(plan.state, url=url, audience=audience)
        approver = _approver(plan.state, policy)
    except (EnvoyMissing, DevelopmentIssuerError, LocalApproversError) as error:
        raise PlaygroundError(str(error)) from None
    except OSError as error:
        raise PlaygroundError(f"{error.filename or plan.state}: {error.strerror}") from None
    return Prepared(plan=plan, envoy=envoy, issuer=issuer, policy=policy, server=server, approver=approver)


def _approver(state: Path, path: Path) -> str:
    """The secret of somebody who may answer whatever the policy holds; empty where it holds nothing."""
    policy = read_policy(path, recogniser=installed())
    rules = [grant.approval for server in policy.servers.values() for grant in server.grants if grant.approval]
    rules += [loan.approval for loan in policy.lent.values()]
    groups = {group for rule in rules for group in rule.approvers.groups}
    return LocalApprovers(state / LOCAL_APPROVERS).add(APPROVER, groups=groups) if groups else ""


def _check_upstream(plan: Plan) -> None:
    if plan.upstream is None:
        return
    target = urlsplit(plan.upstream)
    try:
        port = target.port or {"http": 80, "https": 443}[target.scheme]
        host = target.hostname or ""
    except (ValueError, KeyError):
        host, port = "", 0
    if not host or target.username is not None or target.fragment:
        raise PlaygroundError("--upstream wants the URL of an MCP endpoint, for example http://127.0.0.1:3000/mcp")
    if plan.policy is None:
        raise PlaygroundError(
            f"--upstream needs --policy: nothing is allowed without one; start from a copy of {SAMPLE_POLICY}"
        )
    try:
        socket.create_connection((host, port), CONNECT_SECONDS).close()
    except OSError as error:
        why = error.strerror or str(error) or "no answer"
        raise PlaygroundError(f"no MCP server answers at {plan.mcp_server}: {why}") from None


def _last_issuer(state: Path) -> DevelopmentIssuer | None:
    with contextlib.suppress(DevelopmentIssuerError):
        return DevelopmentIssuer.load(state)
    return None


def _sample_policy(state: Path, before: DevelopmentIssuer | None, *, url: str, audience: str) -> Path:
    """The sample policy in the state directory, for these addresses; what the user changed in it is kept."""
    path = state / POLICY_NAME
    if path.exists() and before is not None:
        text, known = path.read_text("utf-8"), (before.url, before.audience)
    else:
        text = SAMPLE_POLICY.read_text("utf-8")
        trusted = read_policy(SAMPLE_POLICY).identity.issuers[0]
        known = (trusted.issuer, trusted.audiences[0])
    for old, new in zip(known, (url, audience), strict=True):
        text = text.replace(old, new)
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def _check_policy(plan: Plan, path: Path, *, url: str, audience: str) -> str:
    """The name of the server that the policy guards; raises unless the policy can be used here."""
    if not path.is_file():
        raise PlaygroundError(f"there is no policy file {path}")
    try:
        policy: Policy = read_policy(path, recogniser=installed())
    except PolicyError as error:
        raise PlaygroundError("\n".join((*(str(each) for each in error.problems), f"{path} does not load"))) from None
    if not any(each.issuer == url and audience in each.audiences for each in policy.identity.issuers):
        raise PlaygroundError(
            f"{path} does not trust the playground's tokens; add under identity.issuers: "
            f"{{name: playground, issuer: {url}, audience: {audience}, jwks_uri: {url}/jwks.json, max_token_age: 24h}}"
        )
    names = sorted(policy.servers)
    if plan.server is None and len(names) != 1:
        raise PlaygroundError(f"{path} has several servers; choose one with --server: {', '.join(names)}")
    server = plan.server or names[0]
    if server not in names:
        raise PlaygroundError(f"{path} has no server {server}; it has {', '.join(names)}")
    return server


class Playground:
    """The running parts of ``prepared``."""

    def __init__(self, prepared: Prepared) -> None:
        self._prepared = prepared
        self._logs = prepared.plan.state / "logs"
        self._children: list[Child] = []
        self._metrics_port, self._admin_port, self._server_port, console, *self._worker_ports = free_ports(4 + WORKERS)
        self.console = f"{LOOPBACK}:{console}" if prepared.approver else ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """All parts, ready; they are stopped with the block, front to back.

        Raises:
            PlaygroundError: a part did not start.
        """
        self._logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        issuer = QuietServer(loopback_server(create_app(self._prepared.issuer), self._prepared.plan.issuer_port).config)
        issuing = asyncio.create_task(issuer.serve())
        try:
            await self._start()
            yield
        except ChildError as error:
            raise PlaygroundError(str(error)) from None
        finally:
            for child in reversed(self._children):
                await child.stop(STOP_SECONDS)
            issuer.should_exit = True
            await issuing

    async def first_death(self) -> PlaygroundError:
        """Return when a part has ended by itself, with the line to print."""
        endings = {asyncio.create_task(child.process.wait()): child for child in self._children}
        try:
            done, _ = await asyncio.wait(endings, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for ending in endings:
                ending.cancel()
        return PlaygroundError(str(endings[done.pop()].ended_early()))

    def kill(self) -> None:
        """End everything at once."""
        for child in self._children:
            child.kill()

    async def _start(self) -> None:
        prepared, plan = self._prepared, self._prepared.plan
        upstream = plan.upstream
        if upstream is None:
            upstream = f"http://{LOOPBACK}:{self._server_port}/mcp"
            command = (*SAMPLE_SERVER, "--port", str(self._server_port))
            server = await self._child("the sample MCP server", "server", command)
            await server.ready(f"tcp://{LOOPBACK}:{self._server_port}")
        workers = [f"{LOOPBACK}:{port}" for port in self._worker_ports]
        metrics = f"{LOOPBACK}:{self._metrics_port}"
        options = ["--policy", str(prepared.policy), "--state", str(plan.state), "--metrics", metrics]
        options += [part for worker in workers for part in ("--listen", worker)]
        options += ["--config", str(plan.config)] if plan.config is not None else []
        environment = _without_settings(os.environ) | {"EXTPROC_DRAIN_SECONDS": str(DRAIN_SECONDS)}
        if self.console:
            environment["EXTPROC_CONSOLE"] = self.console
        service = await self._child("the policy service", "service", (*SERVE, *options), environment)
        await service.ready(f"http://{metrics}/readyz")
        document = gateway_configuration(
            plan.chain,
            port=plan.port,
            admin_port=self._admin_port,
            workers=workers,
            upstream=upstream,
            issuer=prepared.issuer.url,
            server=prepared.server,
        )
        configuration = plan.state / "envoy.json"
        configuration.write_text(json.dumps(document, indent=1), "utf-8")
        command = (str(prepared.envoy), "-c", str(configuration), "--use-dynamic-base-id", "--concurrency", "2")
        envoy = await self._child("Envoy", "envoy", (*command, "--log-level", "warning"))
        await envoy.ready(f"http://{LOOPBACK}:{self._admin_port}/ready")
        await self._prove()

    async def _prove(self) -> None:
        """See that what must be refused is refused, before anybody is told that this is a gateway."""
        prepared = self._prepared
        nobody = Person(subject="extproc-canary", name="Nobody", groups=())
        token = prepared.issuer.mint(nobody, audience=prepared.url, lifetime=CANARY_SECONDS, now=time.time())
        try:
            findings = await asyncio.to_thread(tried, prepared.url, token=token)
        except EnvoyUnreachableError as error:
            raise PlaygroundError(f"Envoy does not answer: {error}") from None
        if findings:
            told = "; ".join(f"{each.problem} ({', '.join(each.where)})" for each in findings)
            raise PlaygroundError(f"the gateway does not refuse what it must: {told}; see {self._logs}")

    async def _child(
        self, name: str, log: str, command: tuple[str, ...], environment: Mapping[str, str] | None = None
    ) -> Child:
        child = await Child.start(name, command, log=self._logs / f"{log}.log", environment=environment)
        self._children.append(child)
        return child


def _without_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without the settings of a service that the user runs elsewhere."""
    return {name: value for name, value in environment.items() if not name.upper().startswith("EXTPROC_")}
