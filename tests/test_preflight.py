"""What is wrong is found before the first worker starts: every problem, one line each."""

import os
import socket
import subprocess
import sys

import pytest

from extproc.edges.keys.payload_keys import RECIPIENTS, make_identity
from extproc.preflight import take_ground
from extproc.settings import SettingsError, read_settings
from ports import free_ports

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


@pytest.fixture
def settings(tmp_path, monkeypatch):
    for name in list(os.environ):
        if name.upper().startswith("EXTPROC_"):
            monkeypatch.delenv(name)
    (tmp_path / "policy.yaml").write_text(POLICY)

    def made(**given):
        standard = {
            "policy": tmp_path / "policy.yaml",
            "state_dir": tmp_path / "state",
            "listen": f"unix:{tmp_path}/0.sock",
            "metrics": "127.0.0.1:0",
        }
        return read_settings(**standard | given)

    return made


def lines(settings):
    with pytest.raises(SettingsError) as caught, take_ground(settings):
        pass
    return str(caught.value).splitlines()


def test_keys_that_payloads_cannot_be_encrypted_for_are_named(settings, tmp_path):
    (line,) = lines(settings(payload_keys=tmp_path / "none.pem"))
    assert line.endswith("none.pem cannot be used: No such file or directory")
    make_identity(tmp_path / "auditor.pem")
    (line,) = lines(settings(payload_keys=tmp_path / "auditor.pem"))
    assert "stays with the auditor" in line


def test_the_keys_are_kept_for_the_commands_that_know_no_settings(settings, tmp_path):
    _, public = make_identity(tmp_path / "auditor.pem")
    with take_ground(settings(payload_keys=public)):
        assert (tmp_path / "state" / RECIPIENTS).read_bytes() == public.read_bytes()


def test_sound_settings_give_a_listening_socket_and_an_empty_metrics_folder(settings, tmp_path):
    stale = tmp_path / "state" / "run" / "metrics" / "counter_0.db"
    stale.parent.mkdir(parents=True)
    stale.write_text("x")
    with take_ground(settings()) as ground:
        assert list(ground.metrics_dir.iterdir()) == []
        assert ground.metrics_dir.is_absolute()
        port = ground.control.getsockname()[1]
        assert ground.control_url == f"http://127.0.0.1:{port}"
        socket.create_connection(("127.0.0.1", port)).close()


def test_a_new_state_directory_is_for_its_owner_alone(settings, tmp_path):
    with take_ground(settings()):
        assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
        assert (tmp_path / "state" / "run").stat().st_mode & 0o777 == 0o700


def test_every_mistake_of_a_broken_policy_is_told_with_its_place(settings, tmp_path):
    (tmp_path / "policy.yaml").write_text(POLICY.replace("[query]", "[qery]").replace("version: 1", "version: 9"))
    told = lines(settings())
    assert len(told) >= 2
    assert all(line.startswith(f"{tmp_path}/policy.yaml:") for line in told)


def test_a_policy_that_cannot_be_read_is_told(settings, tmp_path):
    assert "cannot be read: No such file" in lines(settings(policy=tmp_path / "none.yaml"))[0]
    (tmp_path / "policy.yaml").write_bytes(b"\xff")
    assert "is not UTF-8" in lines(settings())[0]


def test_a_taken_port_is_told_for_each_option(settings):
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        taken = "is taken by another program; stop it or choose another address with"
        assert lines(settings(listen=address)) == [f"{address} {taken} --listen"]
        assert lines(settings(metrics=address)) == [f"{address} {taken} --metrics"]


def test_a_served_unix_socket_is_taken_and_a_left_one_is_not(settings, tmp_path):
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(f"{tmp_path}/0.sock")
        other.listen()
        assert "is taken by another program" in lines(settings())[0]
    with take_ground(settings()):
        pass


def test_an_address_that_is_not_of_this_machine_is_told(settings):
    assert "cannot be used" in lines(settings(listen="192.0.2.1:7001", allow_plaintext=True))[0]
    assert "its folder is missing" in lines(settings(listen="unix:/nonexistent/0.sock"))[0]


def test_a_state_directory_that_cannot_be_made_is_told(settings, tmp_path):
    (tmp_path / "file").write_text("")
    assert "the state directory cannot be written" in lines(settings(state_dir=tmp_path / "file" / "state"))[0]


def test_one_state_directory_has_one_supervisor_until_its_process_ends(settings, tmp_path):
    hold = "import fcntl,sys; f=open(sys.argv[1],'a'); fcntl.flock(f,fcntl.LOCK_EX); print(flush=True); input()"
    (tmp_path / "state").mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(tmp_path / "state" / "serve.lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        other.stdout.readline()
        assert "another `extproc serve` uses this state directory" in lines(settings())[0]
        other.kill()
        other.wait()
        with take_ground(settings()):
            pass


def test_a_refused_start_frees_what_it_took(settings, tmp_path):
    assert lines(settings(policy=tmp_path / "none.yaml"))
    with take_ground(settings()):
        pass


def test_certificates_that_are_none_are_told(settings, tmp_path):
    for name in ("cert", "key", "ca"):
        (tmp_path / name).write_text("no certificate")
    told = lines(
        settings(
            tls_cert=tmp_path / "cert",
            tls_key=tmp_path / "key",
            tls_client_ca=tmp_path / "ca",
            tls_clients="spiffe://example.com/envoy",
            state_dir=tmp_path / "s",
            listen=f"127.0.0.1:{free_ports(1)[0]}",
        )
    )
    assert [line.partition(":")[0] for line in told] == ["tls_cert, tls_key", "tls_client_ca"]


def test_a_torn_counter_file_is_thrown_away(settings, tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "counters.db").write_bytes(b"torn" * 1000)
    with take_ground(settings()):
        assert not (tmp_path / "state" / "counters.db").exists()
