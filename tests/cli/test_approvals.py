import asyncio
import json

import pytest
from typer.testing import CliRunner

from extproc.cli import app
from extproc.core.approval import open_ticket
from extproc.core.model import Principal
from extproc.core.tickets import ApprovalRule, Approvers, Ask, AskKind
from extproc.edges.store.database import open_database
from extproc.edges.store.shared import DatabaseSharedState
from extproc.edges.store.tickets import DatabaseTickets

NOW = 1_800_000_000_000_000_000
FAR = 10**11  # seconds
RULE = ApprovalRule(
    name="schema-change", approvers=Approvers(groups=frozenset({"dba"})), reason_required=True, expires_after=FAR // 100
)
ASK = Ask(
    kind=AskKind.CALL,
    issuer="https://idp.example.com",
    subject="ann\x1b[2J",
    policy_digest="p1",
    approval="schema-change",
    server="sales-db",
    method="tools/call",
    target="drop_table",
    verb="admin",
    arguments='{"table":"orders","note":"hid\\u202eden"}',
    findings=("DROP TABLE orders",),
)


class World:
    """A state directory with one request in it, and the command line."""

    def __init__(self, state) -> None:
        self.state = state
        (state / "journal").mkdir(parents=True)
        self._secrets: dict[str, str] = {}

    def run(self, *arguments: str, secret: str | None = None):
        environment = {"EXTPROC_STATE_DIR": str(self.state), "EXTPROC_APPROVER_SECRET": secret or ""}
        return CliRunner().invoke(app, arguments, env={name: value or None for name, value in environment.items()})

    def asks(self, ask: Ask = ASK) -> None:
        async def add() -> None:
            database = open_database(self.state / "shared.db")
            await DatabaseTickets(database).add(open_ticket(ask, RULE, id="abc123", at=NOW))
            await database.close()

        asyncio.run(add())

    def approver(self, name: str, group: str) -> str:
        made = self.run("approvers", "add", name, "--group", group)
        assert made.exit_code == 0
        return made.output.splitlines()[1]

    def revoked(self, principal: Principal) -> bool:
        async def look() -> bool:
            database = open_database(self.state / "shared.db")
            state = DatabaseSharedState(database)
            await state.refresh()
            await database.close()
            return state.current.revocation(principal, "", NOW) is not None

        return asyncio.run(look())

    def recorded(self) -> list[dict]:
        lines = [line for file in self.state.rglob("*.jsonl") for line in file.read_text().splitlines()]
        return [json.loads(line)["event"] for line in lines]


@pytest.fixture
def world(tmp_path):
    return World(tmp_path / "state")


def test_a_request_is_listed_shown_whole_and_approved(world):
    world.asks()
    secret = world.approver("dan", "dba")
    listed = world.run("approvals", "list")
    assert "abc123" in listed.output
    assert "drop_table on sales-db" in listed.output
    shown = world.run("approvals", "show", "abc")
    for part in ("DROP TABLE orders", "orders", "hid⟨U+202E RIGHT-TO-LEFT OVERRIDE⟩den", "ann⟨U+001B", "admin"):
        assert part in shown.output
    assert "\x1b" not in shown.output
    approved = world.run("approvals", "approve", "abc123", "--as", "dan", "--reason", "ticket 4711", secret=secret)
    assert (approved.exit_code, approved.output) == (0, "abc123: approved\n")
    assert json.loads(world.run("approvals", "list", "--json").output)[0]["state"] == "approved"


def test_a_request_is_denied(world):
    world.asks()
    secret = world.approver("dan", "dba")
    denied = world.run("approvals", "deny", "abc123", "--as", "dan", "--reason", "no", secret=secret)
    assert denied.output == "abc123: denied\n"
    assert world.run("approvals", "list").output == "nothing waits for an answer\n"
    assert "denied" in world.run("approvals", "list", "--all").output


@pytest.mark.parametrize(
    ("group", "arguments", "words"),
    [
        ("sales", ["--reason", "x"], "You are no approver of `schema-change`."),
        ("dba", [], "`schema-change` asks for a reason."),
        ("dba", ["--reason", "x", "--force"], "You may not approve this request alone."),
    ],
)
def test_an_answer_that_does_not_count_says_why(world, group, arguments, words):
    world.asks()
    secret = world.approver("dan", group)
    answer = world.run("approvals", "approve", "abc123", "--as", "dan", *arguments, secret=secret)
    assert answer.exit_code == 1
    assert words in answer.output


def test_a_wrong_secret_answers_nothing(world):
    world.asks()
    world.approver("dan", "dba")
    answer = world.run("approvals", "approve", "abc123", "--as", "dan", "--reason", "x", secret="guess")
    assert answer.exit_code == 1
    assert "no such local approver" in answer.output
    assert json.loads(world.run("approvals", "show", "abc123", "--json").output)["state"] == "pending"


def test_an_unknown_request_or_state_directory_is_one_line(world, tmp_path):
    unknown = world.run("approvals", "show", "zzz")
    assert (unknown.exit_code, len(unknown.output.splitlines())) == (1, 1)
    nowhere = CliRunner().invoke(app, ["approvals", "list", "--state", str(tmp_path / "none")])
    assert nowhere.exit_code == 2
    assert "there is no state directory; name the service's with --state" in nowhere.output


def test_a_revocation_in_a_directory_of_no_service_is_refused_instead_of_lost(tmp_path):
    answer = CliRunner().invoke(app, ["revoke", "--subject", "bob", "--state", str(tmp_path)])
    assert answer.exit_code == 2
    assert (
        answer.output
        == f"{tmp_path}: no service has started in this directory; name its state directory with --state\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_removed_approver_is_gone(world):
    world.approver("dan", "dba")
    assert world.run("approvers", "list").output == "dan\tdba\n"
    assert world.run("approvers", "remove", "dan").exit_code == 0
    assert world.run("approvers", "remove", "dan").exit_code == 1
    assert "is no name" in world.run("approvers", "add", "a b", "--group", "x").output
    steps = [(each["step"], each["name"], each["groups"]) for each in world.recorded() if each["kind"] == "approver"]
    assert steps == [("added", "dan", ["dba"]), ("removed", "dan", ["dba"])]


def test_a_wrong_secret_on_the_command_line_is_on_record_without_the_name(world):
    world.approver("dan", "dba")
    world.asks()
    refused = world.run("approvals", "approve", "abc123", "--as", "dan", "--reason", "x", secret="wrong")
    assert refused.exit_code == 1
    (event,) = [each for each in world.recorded() if each["kind"] == "login"]
    assert (event["step"], event["by"], event["reason"]) == ("refused", None, "secret")


def test_who_cannot_be_put_on_record_is_not_added(world):
    (world.state / "journal").rmdir()
    (world.state / "journal").write_text("in the way")
    refused = world.run("approvers", "add", "dan", "--group", "dba")
    assert (refused.exit_code, len(refused.output.splitlines())) == (2, 1)
    assert not world.run("approvers", "list").output


def test_somebody_is_revoked_listed_and_let_back_with_both_on_the_record(world):
    bob = Principal(issuer="https://idp.example.com", subject="bob")
    out = world.run("revoke", "--subject", "bob", "--reason", "left")
    assert out.exit_code == 0
    assert world.revoked(bob)
    listed = json.loads(world.run("revocations", "list", "--json").output)
    assert [(one["revokes"], one["value"], one["reason"]) for one in listed] == [("subject", "bob", "left")]
    assert "bob" in world.run("revocations", "list").output
    assert world.run("revocations", "lift", listed[0]["id"]).exit_code == 0
    assert world.run("revocations", "lift", listed[0]["id"]).exit_code == 1
    assert not world.revoked(bob)
    assert [event["step"] for event in world.recorded() if event["kind"] == "revocation"] == ["revoked", "lifted"]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--subject", "a", "--session", "b"],
        ["--subject", "a", "--until", "soon"],
        ["--subject", "a", "--until", "2001-01-01"],
        ["--subject", "a", "--until", "99999999999999999999d"],
        ["--subject", "a", "--until", ""],
    ],
)
def test_a_revocation_that_names_nothing_or_no_time_is_refused(world, arguments):
    refused = world.run("revoke", *arguments)
    assert (refused.exit_code, len(refused.output.splitlines())) == (2, 1)
    assert json.loads(world.run("revocations", "list", "--json").output) == []
