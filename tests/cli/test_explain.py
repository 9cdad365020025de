import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from extproc.cli import app
from policies import HEAD

POLICY = (
    HEAD
    + """\
servers:
  db:
    tools: {query: {verb: query}, drop: {verb: admin}}
roles:
  analyst:
    assigned_to: {groups: [analysts], roles: [an], when: principal.claims.team == "data"}
    grants:
      - {servers: [db], tools: [query], when: '!has(arguments.rows) || arguments.rows < 10'}
      - {servers: [db], prompts: [hello], resources: ["a://*"]}
  agent:
    assigned_to: {workloads: ["spiffe://prod.example.com/a"]}
    grants: [{servers: [db], tools: [query]}]
  steward:
    assigned_to: {subjects: [sam]}
    grants: [{servers: [db]}]
"""
)


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    file = tmp_path / "p.yaml"
    file.write_text(POLICY)
    return file


def explain(policy: Path, *options: str, server: str = "db") -> Result:
    return CliRunner().invoke(app, ["explain", "--policy", str(policy), "--server", server, *options])


@pytest.mark.parametrize(
    ("options", "status", "says"),
    [
        (["--as", "analyst", "--tool", "query"], 0, "allow by rule role:analyst#1 (granted), verb query"),
        (["--as", "analyst", "--tool", "drop"], 3, "role:steward#1 would allow, but: needs role `steward`"),
        (["--as", "analyst", "--tool", "query", "--args", '{"rows": 50}'], 3, "is false"),
        (["--as", "analyst", "--prompt", "hello"], 0, "role:analyst#2"),
        (["--as", "analyst", "--resource", "a://x"], 0, "role:analyst#2"),
        (["--as", "analyst", "--resource", "b://x"], 3, "the client is told: The resource"),
        (["--as", "analyst", "--method", "tools/list"], 0, "allows something on this server"),
        (["--as", "steward", "--tool", "other"], 3, "no grant of any role covers this"),
        (["--subject", "sam", "--tool", "drop"], 0, "roles: steward"),
        (["--group", "analysts", "--tool", "query"], 0, "roles: analyst"),
        (["--token-role", "an", "--tool", "query"], 0, "roles: analyst"),
        (["--claims", '{"team": "data"}', "--tool", "query"], 0, "roles: analyst"),
        (["--subject", "x", "--tool", "query"], 3, "note: the principal has no role"),
        (["--subject", "sam", "--issuer", "https://other", "--tool", "query"], 3, "roles: none"),
        (["--workload", "spiffe://prod.example.com/a", "--tool", "query"], 0, "roles: agent"),
        (["--subject", "sam", "--workload", "spiffe://prod.example.com/b", "--tool", "query"], 3, "steward and none"),
    ],
)
def test_a_question_is_answered_with_the_rule_and_an_exit_status(
    policy: Path, options: list[str], status: int, says: str
) -> None:
    ran = explain(policy, *options)
    assert ran.exit_code == status, ran.output
    assert says in ran.stdout


def test_json_has_the_whole_explanation(policy: Path) -> None:
    ran = explain(policy, "--as", "analyst", "--tool", "drop", "--json")
    found = json.loads(ran.stdout)
    assert found["decision"] == "deny"
    assert found["rule"] == "default"
    assert found["verb"] == "admin"
    assert found["roles"] == [["analyst"]]
    assert found["grants"] == [{"rule": "role:steward#1", "applies": False, "why": "needs role `steward`"}]
    assert found["policy_digest"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--as", "nobody", "--tool", "query"], "no role `nobody`; it has agent, analyst, steward"),
        (["--as", "analyst", "--group", "x", "--tool", "query"], "leave out"),
        (["--as", "analyst"], "ask for one of --tool, --prompt, --resource"),
        (["--as", "analyst", "--tool", "a", "--prompt", "b"], "ask for one of --tool, --prompt, --resource"),
        (["--as", "analyst", "--method", "x/y"], "there is no method `x/y`"),
        (["--as", "analyst", "--tool", "a", "--args", "["], "--args is no JSON object"),
        (["--as", "analyst", "--tool", "a", "--args", '{"a": 1, "a": 2}'], "--args is no JSON object"),
        (["--as", "analyst", "--tool", "a", "--claims", "5"], "--claims is no JSON object"),
    ],
)
def test_a_wrong_question_is_one_line(policy: Path, options: list[str], says: str) -> None:
    ran = explain(policy, *options)
    assert ran.exit_code == 2
    assert says in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


def test_an_unknown_server_and_a_file_that_does_not_load_are_told(policy: Path, tmp_path: Path) -> None:
    ran = explain(policy, "--as", "analyst", "--tool", "query", server="x")
    assert ran.exit_code == 2
    assert "the policy has no server `x`; it has db" in ran.stderr
    ran = explain(tmp_path / "none", "--as", "analyst", "--tool", "query")
    assert ran.exit_code == 2
    assert "cannot be read" in ran.stderr
    assert "Traceback" not in ran.output
