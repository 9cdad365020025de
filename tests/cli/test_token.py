import json

import jwt
import pytest
from typer.testing import CliRunner

from extproc.cli import app
from extproc.demo.people import PEOPLE, DevelopmentIssuer

URL, AUDIENCE = "http://127.0.0.1:9000", "http://127.0.0.1:10000/mcp"


@pytest.fixture
def folder(tmp_path):
    DevelopmentIssuer.keep(tmp_path, url=URL, audience=AUDIENCE)
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(app, ["token", *map(str, arguments)])


def claims_of(result):
    assert result.exit_code == 0, result.output
    assert result.stdout.count("\n") == 1
    return jwt.decode(result.stdout.strip(), options={"verify_signature": False})


def test_it_prints_one_token_of_the_playgrounds_issuer(folder):
    claims = claims_of(run("--dir", folder))
    assert (claims["iss"], claims["aud"], claims["sub"]) == (URL, AUDIENCE, "ann")
    assert claims["exp"] - claims["iat"] == 3600


@pytest.mark.parametrize("name", list(PEOPLE))
def test_it_prints_a_token_for_whom_is_asked_for_what_and_how_long(folder, name):
    claims = claims_of(run("--dir", folder, "--as", name, "--audience", "http://127.0.0.1:1/x", "--for", "90s"))
    assert (claims["sub"], claims["aud"]) == (PEOPLE[name].subject, "http://127.0.0.1:1/x")
    assert claims["exp"] - claims["iat"] == 90


def test_it_prints_the_key_set_that_verifies_them(folder):
    result = run("--dir", folder, "--jwks")
    keys = jwt.PyJWKSet.from_dict(json.loads(result.stdout))
    minted = run("--dir", folder).stdout.strip()
    assert jwt.decode(minted, keys.keys[0], algorithms=["ES256"], audience=AUDIENCE)["sub"] == "ann"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--as", "admin"], "choose one of analyst, steward"),
        (["--for", "1w"], "write 30m or 1h"),
        (["--for", "0s"], "write 30m or 1h"),
        (["--for", "2d"], "write 30m or 1h"),
        (["--for", "-1h"], "write 30m or 1h"),
        (["--for", ""], "write 30m or 1h"),
    ],
)
def test_a_mistake_is_one_clear_line(folder, arguments, words):
    result = run("--dir", folder, *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert words in result.stderr
    assert result.stderr.count("\n") == 1


def test_without_a_playground_it_says_how_to_get_one(tmp_path):
    result = run("--dir", tmp_path)
    assert result.exit_code == 2
    assert "run `extproc up` first" in result.stderr
    assert result.stderr.count("\n") == 1


def test_the_state_directory_is_looked_for_where_up_puts_it(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert run().exit_code == 2
    DevelopmentIssuer.keep(folder / ".extproc", url=URL, audience="http://127.0.0.1:7/mcp")
    assert claims_of(run())["aud"] == "http://127.0.0.1:7/mcp"
