"""The containers: what the compose file promises is read from it everywhere, and run where there is a Docker engine."""

import re
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest
from ruamel.yaml import YAML

import container_envoy
from extproc.demo.proxy import EnvoyMissing, find_envoy
from extproc.settings import read_settings

ROOT = Path(__file__).resolve().parents[2]
SERVICES = {"envoy", "extproc", "server", "issuer"}
GATEWAY = "http://127.0.0.1:8080/mcp"


def read(path):
    return YAML(typ="safe", pure=True).load((ROOT / path).read_text("utf-8"))


@pytest.fixture(scope="module")
def compose():
    return read("docker-compose.yml")


def no_engine():
    """Why there is no Docker engine to run the stack; None where there is one."""
    docker = shutil.which("docker")
    if docker is None:
        return "no Docker client is installed"
    asked = subprocess.run(
        [docker, "version", "--format", "{{.Server.Version}}"], capture_output=True, text=True, timeout=30, check=False
    )
    return None if asked.returncode == 0 else f"no Docker engine answers: {asked.stderr.strip().splitlines()[-1]}"


def docker_compose():
    """The client's compose command; skips with the reason where the client has none."""
    docker = shutil.which("docker")
    if docker is None:
        pytest.skip("no Docker client is installed")
    if subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this Docker client has no compose command")
    return [docker, "compose"]


def test_the_compose_command_accepts_the_file():
    checked = subprocess.run(
        [*docker_compose(), "--file", ROOT / "docker-compose.yml", "config", "--quiet"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr


def test_nothing_has_a_right_that_it_does_not_need(compose):
    assert set(compose["services"]) == SERVICES
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["user"] == "10001:10001", name
        assert service["pids_limit"] > 0, name
        unwanted = {"privileged", "cap_add", "network_mode", "pid", "ipc", "devices", "userns_mode", "extra_hosts"}
        assert not unwanted & set(service), name
        for mount in service.get("volumes", []):
            source, _, target = mount.partition(":")
            assert "docker.sock" not in mount
            # what comes from the checkout is read only
            assert not source.startswith(".") or target.endswith(":ro"), mount


def test_every_published_port_is_on_loopback(compose):
    published = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_only_envoy_reaches_the_mcp_server(compose):
    assert compose["networks"]["upstream"]["internal"] is True
    assert compose["services"]["server"]["networks"] == ["upstream"]
    assert "ports" not in compose["services"]["server"]
    assert [name for name, service in compose["services"].items() if "upstream" in service["networks"]] == [
        "envoy",
        "server",
    ]


def test_only_envoy_speaks_to_the_service(compose, monkeypatch):
    holders = [
        name
        for name, service in compose["services"].items()
        if any(mount.startswith("sockets:") for mount in service.get("volumes", []))
    ]
    assert holders == ["envoy", "extproc"]
    assert "mode=0700" in compose["volumes"]["sockets"]["driver_opts"]["o"]
    assert not {"front", "upstream"} & set(compose["services"]["extproc"]["networks"])
    for name, value in compose["services"]["extproc"]["environment"].items():
        monkeypatch.setenv(name, value)
    settings = read_settings(policy="policy.yaml")
    envoy = (ROOT / "envoy/standalone/containers.yaml").read_text("utf-8")
    assert settings.allow_plaintext is False
    assert [f"unix:{path}" for path in re.findall(r"pipe: \{path: ([^}]+)\}", envoy)] == list(settings.listen)


def test_every_service_is_asked_for_its_health_and_envoy_comes_last(compose):
    for name, service in compose["services"].items():
        assert "healthcheck" in service or name == "extproc", name
    waits = compose["services"]["envoy"]["depends_on"]
    assert {name: wait["condition"] for name, wait in waits.items()} == dict.fromkeys(
        ["extproc", "issuer", "server"], "service_healthy"
    )


def test_the_files_that_the_stack_mounts_are_there(compose):
    for service in compose["services"].values():
        for mount in service.get("volumes", []):
            if mount.startswith("."):
                assert (ROOT / mount.partition(":")[0]).is_file(), mount


def test_the_policy_believes_the_issuer_that_the_stack_runs():
    issuer = read("extproc/demo/policy.yaml")["identity"]["issuers"][0]
    envoy = (ROOT / "envoy/standalone/containers.yaml").read_text("utf-8")
    assert f"issuer: {issuer['issuer']}\n" in envoy
    assert issuer["audience"] == GATEWAY
    assert f'audiences: ["{GATEWAY}"]' in envoy


def test_envoy_runs_what_is_shipped_at_other_addresses():
    shipped, written = (path.read_text("utf-8") for path in (container_envoy.SHIPPED, container_envoy.WRITTEN))
    assert container_envoy.moved(shipped) == written, "write it anew: python tests/container_envoy.py"
    changes = {
        (old.strip(), new.strip())
        for old, new in zip(shipped.splitlines(), written.splitlines()[container_envoy.HEAD.count("\n") :], strict=True)
        if old != new
    }
    # whatever decides is untouched: filters, modes, guard
    words = ("failure_mode_allow", "processing_mode", "rbac", "disabled", "allow_mode_override", "forward:")
    assert changes
    assert not [old for old, _ in changes if any(word in old for word in words)]


def test_an_address_that_moved_away_is_an_error():
    with pytest.raises(ValueError, match="stands there 0 times"):
        container_envoy.moved("")


@pytest.mark.stack
def test_a_real_envoy_accepts_the_container_configuration():
    try:
        envoy = find_envoy()
    except EnvoyMissing as missing:
        pytest.skip(str(missing))
    checked = subprocess.run(
        [envoy, "--mode", "validate", "--config-path", container_envoy.WRITTEN, "--log-level", "warn"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr


def dockerfile():
    text = (ROOT / "Dockerfile").read_text("utf-8")
    return [line for line in re.sub(r"\\\n", " ", text).splitlines() if line and not line.startswith("#")]


def test_the_image_is_small_pinned_and_not_root():
    lines = dockerfile()
    stages = [line.split()[-1] for line in lines if line.startswith("FROM ")]
    assert stages == ["build", "build-sample", "base", "sample", "service"]
    bases = {line.split()[1] for line in lines if line.startswith("FROM ")} - set(stages)
    assert bases == {"python:${PYTHON}-slim-bookworm"}
    after = lines[next(number for number, line in enumerate(lines) if line.endswith(" AS base")) :]
    users = [line for line in after if line.startswith("USER ")]
    assert users == ["USER 10001:10001"]
    assert not [line for line in lines if re.search(r"apt-get|curl|wget|ADD |gcc|build-essential", line)]
    assert any("PIP_CONSTRAINT=/build/constraints.txt" in line for line in lines)
    assert any(line.startswith("HEALTHCHECK ") for line in after)
    assert any(line.startswith("LABEL ") for line in after)


def test_everything_that_the_image_copies_is_sent_to_the_build_and_nothing_else():
    sent = {
        line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")
    }
    copied = set()
    for line in dockerfile():
        if line.startswith("COPY ") and "--from" not in line:
            copied |= set(line.split()[1:-1])
    assert copied == sent
    assert all((ROOT / name).exists() for name in sent)
    assert "*" in (ROOT / ".dockerignore").read_text().splitlines()


@pytest.mark.docker
@pytest.mark.stack
@pytest.mark.timeout(900)
def test_the_stack_refuses_and_allows_in_containers():
    reason = no_engine()
    if reason is not None:
        pytest.skip(reason)
    docker_compose()
    from testcontainers.compose import DockerCompose  # noqa: PLC0415

    call = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}}  # fmt: skip
    headers = {"accept": "application/json, text/event-stream"}
    with DockerCompose(str(ROOT), build=True, wait=True) as stack, httpx.Client(timeout=30) as client:
        refused = client.post(GATEWAY, json=call, headers=headers)
        assert refused.status_code == 401
        assert "resource_metadata" in refused.headers["www-authenticate"]

        minting = ["extproc", "token", "--as", "analyst", "--dir", "/var/lib/extproc"]
        headers["authorization"] = f"Bearer {stack.exec_in_container(minting, 'issuer')[0].strip()}"
        opened = client.post(GATEWAY, json=call, headers=headers)
        assert opened.status_code == 200
        headers |= {"mcp-session-id": opened.headers["mcp-session-id"], "mcp-protocol-version": "2025-11-25"}
        client.post(GATEWAY, json={"jsonrpc": "2.0", "method": "notifications/initialized"}, headers=headers)
        listed = client.post(GATEWAY, json={"jsonrpc": "2.0", "id": 2, "method": "tools/list"}, headers=headers).text
        assert '"list_tables"' in listed
        assert '"drop_table"' not in listed

        writing = ["python", "-c", "open('/opt/extproc/x', 'w')"]
        with pytest.raises(subprocess.CalledProcessError):
            stack.exec_in_container(writing, "extproc")
        assert client.get("http://127.0.0.1:9464/readyz").json()["ready"] is True
