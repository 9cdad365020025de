"""Exchanges that are held for humans: who answers them, and what their clients send."""

from dataclasses import dataclass, field

from extproc.core.approval import Refusal, answer, open_ticket, resume, settled, use
from extproc.core.exchange import (
    ApprovalAnswered,
    ApprovalRefused,
    ApprovalUsed,
    AskApproval,
    Snapshot,
    StoreFailed,
    UseApproval,
)
from extproc.core.shared_state import Revocation, SharedState
from extproc.core.tickets import Approver, Ticket, TicketState
from script import ISSUER, NOW, POLICY, Script, World, answer_of, call, claims, legacy, modern, reply

SECOND = 1_000_000_000
CONSOLE = "https://gateway.example.com"
STEWARD = """\
  steward:
    assigned_to: {groups: [stewards]}
    lend: {approval: schema-change, at_most: 1h}
    grants:
      - {servers: [sales-db], verbs: [query, admin], approval: schema-change}
recording:"""
APPROVALS = "approvals: {schema-change: {approvers: {groups: [dba]}, hold: 30s}}\n"
HELD = POLICY.replace("recording:", STEWARD) + APPROVALS
UNHELD = HELD.replace(", approval: schema-change}\n", "}\n")
DAN = Approver(issuer=ISSUER, subject="dan", groups=frozenset({"dba"}), name="Dan")
URLS = {"_meta": {"io.modelcontextprotocol/clientCapabilities": {"elicitation": {"url": {}}}}}


@dataclass
class Desk(World):
    """A world with humans: ``says`` is their answer to whatever is asked, None for silence."""

    says: bool | None = True
    reason: str = "fine"
    ticket: Ticket | None = None
    snapshot: Snapshot | None = None
    at: int = NOW + SECOND
    refuses: str = ""
    asks: list = field(default_factory=list)

    def answer(self, command):
        match command:
            case AskApproval(ask=ask, rule=rule):
                self.asks.append(command)
                if self.refuses:
                    return ApprovalRefused(at=self.at, reason=self.refuses, words="Not now.")
                if not self.stored:
                    return StoreFailed(at=self.at, reason="down")
                self.ticket = self.ticket or open_ticket(ask, rule, id="t-1", at=NOW)
                if self.says is not None and self.ticket.state is TicketState.PENDING:
                    self.ticket = answer(self.ticket, DAN, approves=self.says, reason=self.reason, at=NOW)
                self.ticket = settled(self.ticket, at=self.at)
                return ApprovalAnswered(at=self.at, ticket=self.ticket, snapshot=self.snapshot)
            case UseApproval(ask=ask, used=used):
                step = use(self.ticket, ask, at=self.at) if used is None else resume(self.ticket, ask, used, at=self.at)
                if isinstance(step, Refusal):
                    return ApprovalRefused(at=self.at, reason=step.reason, words=step.words)
                self.ticket = step
                return ApprovalUsed(at=self.at, ticket=step)
        return super().answer(command)


def script(text=HELD, *, desk=None, console="", groups=("stewards",), **more) -> Script:
    world = desk or Desk()
    made = Script(text, world=world, who=claims(groups=groups), console=console, **more)
    world.snapshot = world.snapshot or made.exchange._request.snapshot
    return made


def words_of(said) -> str:
    status, body = answer_of(said)
    assert status == 200
    assert body["result"]["isError"] is True
    return body["result"]["content"][0]["text"]


DROP = call("drop_table", {"table": "orders"})


def urls(tool="drop_table", arguments=None, **more):
    params = {"name": tool, "arguments": arguments or {"table": "orders"}} | URLS | more
    return modern("tools/call", params)


def state_after_first_round(desk) -> str:
    _, body = answer_of(script(desk=desk, console=CONSOLE).post(urls()))
    return body["result"]["requestState"]


def second_round(state, desk, *, accepted=True, **more) -> Script:
    played = script(desk=desk, console=CONSOLE)
    answers = {"inputResponses": {"mcp_extproc_approval": {"action": "accept"}}} if accepted else {}
    played.said = played.post(urls(requestState=state, **answers, **more))
    return played


def handshake(capabilities) -> str:
    played = script(desk=Desk(says=None), console=CONSOLE)
    played.post(legacy("initialize", {"protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": {}}))
    said = played.response(reply({}), mcp_session_id="upstream-1")
    return said[0].headers["mcp-session-id"]


def out(kind, value) -> SharedState:
    return SharedState(as_of=NOW, revocations=(Revocation(id="r", kind=kind, value=value, at=NOW),))
