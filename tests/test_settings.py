"""Settings: read once, whole, and never a guess."""

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from extproc.settings import MAX_WORKERS, Settings, SettingsError, default_workers, host_and_port, read_settings


@pytest.fixture(autouse=True)
def no_inherited_settings(monkeypatch):
    for name in list(os.environ):
        if name.upper().startswith("EXTPROC_"):
            monkeypatch.delenv(name)


@pytest.fixture
def certificates(tmp_path):
    given = {}
    for name in ("tls_cert", "tls_key", "tls_client_ca"):
        given[name] = tmp_path / name
        given[name].write_text("x")
    return given | {"tls_clients": "spiffe://example.com/ns/gateway/sa/envoy"}


def problem(**given):
    with pytest.raises(SettingsError) as caught:
        read_settings(**{"policy": "p.yaml"} | given)
    return str(caught.value)


def test_a_policy_alone_is_enough():
    settings = read_settings(policy="p.yaml")
    assert settings.policy == Path("p.yaml")
    assert settings.state_dir == Path(".extproc")
    assert settings.workers == default_workers() == len(settings.listen)
    assert settings.listen[0] == "127.0.0.1:50051"
    assert settings.identity == "envoy"
    assert settings.durability == "process"
    assert settings.shadow is False


def test_without_a_policy_the_line_says_how_to_name_one():
    with pytest.raises(SettingsError, match="EXTPROC_POLICY is not set: name the policy file there or with --policy"):
        read_settings()


def test_each_worker_gets_the_next_port():
    assert read_settings(policy="p", workers=3).listen == ("127.0.0.1:50051", "127.0.0.1:50052", "127.0.0.1:50053")


def test_the_addresses_count_the_workers():
    assert read_settings(policy="p", listen="127.0.0.1:1, unix:/run/x.sock").workers == 2


def test_addresses_and_workers_that_disagree_are_refused():
    assert "each worker needs one" in problem(listen="127.0.0.1:1", workers=2)


def test_more_workers_than_the_most_are_refused_also_by_their_addresses():
    assert "less than or equal to 64" in problem(workers=MAX_WORKERS + 1)
    addresses = ",".join(f"127.0.0.1:{port}" for port in range(1, MAX_WORKERS + 2))
    assert "64 workers are the most" in problem(listen=addresses)


def test_command_line_wins_over_environment_wins_over_file(tmp_path, monkeypatch):
    file = tmp_path / "settings.yaml"
    file.write_text("policy: file.yaml\nnode: from-file\nlog_level: debug\nworkers: 2\n")
    monkeypatch.setenv("EXTPROC_NODE", "from-environment")
    monkeypatch.setenv("EXTPROC_LOG_LEVEL", "error")
    settings = read_settings(config=file, log_level="warning")
    assert (settings.workers, settings.node, settings.log_level) == (2, "from-environment", "warning")


def test_paths_in_a_file_start_at_its_folder_and_toml_is_read_too(tmp_path, monkeypatch):
    file = tmp_path / "settings.toml"
    file.write_text('policy = "p.yaml"\nlisten = ["127.0.0.1:7001"]\n')
    monkeypatch.setenv("EXTPROC_CONFIG", str(file))
    settings = read_settings()
    assert settings.policy == tmp_path / "p.yaml"
    assert settings.listen == ("127.0.0.1:7001",)


def test_an_empty_variable_is_no_value(monkeypatch):
    monkeypatch.setenv("EXTPROC_TLS_CERT", "")
    assert read_settings(policy="p").tls_cert is None


def test_an_unknown_variable_is_refused_with_the_nearest_name(monkeypatch):
    monkeypatch.setenv("EXTPROC_TLS_CLIENT", "x")
    assert problem() == "EXTPROC_TLS_CLIENT: unknown setting; did you mean EXTPROC_TLS_CLIENTS?"


def test_an_unknown_key_of_the_file_is_refused_with_the_nearest_name(tmp_path):
    file = tmp_path / "s.yaml"
    file.write_text("polcy: x\nqqqqqq: y\n")
    first, second = problem(config=file).splitlines()
    assert first == f"{file}: polcy: unknown setting; did you mean policy?"
    assert "qqqqqq: unknown setting; known: policy, state_dir" in second


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("s.yaml", "policy: a\npolicy: hunter2\n", ":2: is not YAML: found duplicate key"),
        ("s.yaml", "policy: [\n", "is not YAML"),
        ("s.toml", "policy = \n", "is not TOML"),
        ("s.yaml", "[" * 20_000, "is not YAML"),
        ("s.toml", "a = " + "[" * 20_000, "is not TOML"),
        ("s.yaml", "policy: !!int hunter2\n", "is not YAML"),
        ("s.yaml", "9" * 5_000, "is not YAML"),
        ("s.yaml", "- a\n", "must be a mapping"),
        ("s.yaml", "1: a\n", "must be a mapping"),
    ],
)
def test_a_broken_file_is_one_line_without_its_values(tmp_path, name, text, words):
    file = tmp_path / name
    file.write_text(text)
    line = problem(config=file)
    assert words in line
    assert "hunter2" not in line
    assert "\n" not in line


def test_a_file_that_is_not_there_and_one_that_is_not_text_are_named(tmp_path):
    assert "cannot be read: No such file" in problem(config=tmp_path / "none.yaml")
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe")
    assert "is not YAML" in problem(config=tmp_path / "b.yaml")


def test_an_empty_file_says_nothing(tmp_path):
    (tmp_path / "s.yaml").write_text("")
    assert read_settings(config=tmp_path / "s.yaml", policy="p").policy == Path("p")


def test_each_bad_value_is_a_line_with_its_place_and_without_the_value(monkeypatch, tmp_path):
    file = tmp_path / "s.yaml"
    file.write_text("drain_seconds: hunter2\n")
    monkeypatch.setenv("EXTPROC_WORKERS", "hunter2")
    lines = problem(config=file, identity="hunter2")
    assert "EXTPROC_WORKERS: Input should be a valid integer" in lines
    assert "--identity: Input should be 'envoy' or 'token'" in lines
    assert f"{file}: drain_seconds: Input should be a valid number" in lines
    assert "hunter2" not in lines


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "127.0.0.1:70000", "example.com:1", ":1", "[zz]:1", "127.0.0.1:-1", "1"]
)
def test_an_address_is_an_ip_address_and_a_port(address):
    assert "--listen: " in problem(listen=address)


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "unix:relative", "unix:/" + "a" * 120, "127.0.0.1:1,127.0.0.1:1"])
def test_an_address_that_envoy_could_not_use_is_refused(listen):
    assert "--listen: " in problem(listen=listen)


def test_the_parts_of_an_address():
    assert host_and_port("[::1]:80") == ("::1", 80)
    assert host_and_port("localhost:80") == ("127.0.0.1", 80)


@pytest.mark.parametrize("address", ["0.0.0.0:1", "10.0.0.1:1", "[::]:1", "[::ffff:10.0.0.1]:1"])
def test_an_address_that_others_reach_is_refused_in_the_clear(address):
    line = problem(listen=address)
    assert "can speak as Envoy" in line
    assert "allow_plaintext" in line


@pytest.mark.parametrize("address", ["127.9.9.9:1", "[::1]:1", "localhost:1", "unix:/run/x.sock"])
def test_an_address_of_this_machine_needs_no_tls(address):
    assert read_settings(policy="p", listen=address).listen == (address,)


def test_an_operator_may_allow_plaintext():
    assert read_settings(policy="p", listen="0.0.0.0:1", allow_plaintext=True).listen == ("0.0.0.0:1",)


def test_mutual_tls_opens_an_address(certificates):
    settings = read_settings(policy="p", listen="0.0.0.0:1", **certificates)
    assert settings.tls
    assert settings.health_address(0) == f"unix:{settings.state_dir.absolute()}/run/0.sock"


def test_tls_over_a_unix_socket_is_refused_at_the_start(certificates):
    assert "TLS is for host:port" in problem(listen="unix:/run/x.sock", **certificates)


def test_without_tls_health_is_asked_at_the_worker_s_own_address():
    assert read_settings(policy="p", listen="127.0.0.1:7").health_address(0) == "127.0.0.1:7"


@pytest.mark.parametrize("missing", ["tls_cert", "tls_key", "tls_client_ca", "tls_clients"])
def test_half_of_tls_is_refused(certificates, missing):
    assert missing in problem(**{name: value for name, value in certificates.items() if name != missing})


def test_a_certificate_that_cannot_be_read_is_refused(certificates):
    certificates["tls_key"].unlink()
    assert "tls_key cannot be read" in problem(**certificates)


def test_a_state_directory_too_long_for_health_sockets_is_refused_with_tls(certificates):
    assert "choose a shorter one" in problem(state_dir="/" + "d" * 100, **certificates)


@pytest.mark.parametrize("ids", ["example.com/x", "spiffe://UPPER/x", "spiffe://a/x y", "spiffe://a"])
def test_an_identity_that_is_no_spiffe_id_is_refused(certificates, ids):
    assert "--tls-clients: write whole SPIFFE ids" in problem(**certificates | {"tls_clients": ids})


@pytest.mark.parametrize("node", ["", "a b", "a/b", "-a"])
def test_a_node_name_is_a_host_name(node):
    assert "--node" in problem(node=node)


def test_a_metrics_address_is_checked_and_may_take_a_free_port():
    assert "--metrics" in problem(metrics="x")
    assert read_settings(policy="p", metrics="127.0.0.1:0").metrics == "127.0.0.1:0"


def test_settings_cannot_be_changed():
    settings = read_settings(policy="p")
    with pytest.raises(ValidationError, match="frozen"):
        settings.shadow = True


def test_a_worker_gets_the_same_settings_whatever_its_environment_says(monkeypatch):
    settings = read_settings(policy="p", workers=2)
    monkeypatch.setenv("EXTPROC_WORKERS", "5")
    monkeypatch.setenv("EXTPROC_SHADOW", "true")
    assert Settings.model_validate_json(settings.model_dump_json()) == settings


def test_a_stray_dotenv_file_configures_nothing(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("EXTPROC_SHADOW=true\n")
    monkeypatch.chdir(tmp_path)
    assert read_settings(policy="p").shadow is False


def test_a_value_stays_out_of_the_error_also_when_nobody_words_it():
    with pytest.raises(ValidationError) as caught:
        Settings(policy="p", workers="hunter2")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"console": "8080"}, "--console: write host:port"),
        ({"console": "0.0.0.0:8080"}, "others reach the console"),
        ({"console": "127.0.0.1:8080", "console_url": "http://gateway.example.com"}, "logins in the clear"),
        ({"console": "127.0.0.1:8080", "console_url": "gateway"}, "write a URL"),
        ({"login_issuer": "https://idp.example.com"}, "login_issuer and login_client_id, both or none"),
        ({"login_issuer": "https://idp.example.com", "login_client_id": "x"}, "set console as well"),
        ({"console_audience": "x"}, "console_audience wants login_issuer"),
        ({"notify_webhook": "url"}, "both or none"),
        ({"notify_mail": "url"}, "notify_mail wants notify_mail_from"),
    ],
)
def test_a_console_that_would_be_open_or_half_set_is_refused(given, words):
    assert words in problem(**given)


def test_the_console_has_an_address_for_people():
    assert read_settings(policy="p").console_base == ""
    assert read_settings(policy="p", console="127.0.0.1:8080").console_base == "http://127.0.0.1:8080"
    behind = read_settings(policy="p", console="0.0.0.0:8080", console_url="https://gateway.example.com/")
    assert behind.console_base == "https://gateway.example.com"
    assert read_settings(policy="p", notify_mail_to="a@b.example, c@d.example").notify_mail_to == (
        "a@b.example",
        "c@d.example",
    )
