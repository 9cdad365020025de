from dataclasses import replace

from extproc.core.approval import answer, digest, open_ticket
from extproc.core.audit.begun import SCHEMA_VERSION
from extproc.core.audit.correlation import Correlation
from extproc.core.audit.steps import (
    approval_step,
    approver_step,
    definition_step,
    export_step,
    key_step,
    loan_step,
    login_step,
    purge_step,
    read_step,
    revocation_step,
    seal_step,
    sink_step,
)
from extproc.core.shared_state import Elevation, Pin, Revocation, Revoked
from extproc.core.tickets import ApprovalRule, Approver, Approvers, Ask, AskKind, Ticket

NOW = 1_800_000_000_000_000_000
RULE = ApprovalRule(name="schema-change", approvers=Approvers(groups=frozenset({"dba"})))


def asked(**more: object) -> Ticket:
    ask = Ask(
        kind=AskKind.CALL,
        issuer="i",
        subject="ann",
        policy_digest="p",
        approval="schema-change",
        arguments="{}",
        **more,
    )
    return open_ticket(ask, RULE, id="t1", at=NOW)


def test_a_question_is_on_record_without_its_arguments():
    event = approval_step(at=NOW, step="asked", ticket=asked(server="db", target="drop_table"))
    assert event["kind"] == "approval"
    assert (event["step"], event["ticket"], event["target"], event["by"]) == ("asked", "t1", "drop_table", None)
    assert "arguments" not in event
    assert event["role"] is None
    assert (event["decision"], event["session"], event["trace"], event["arguments_digest"]) == (None,) * 4


def test_every_step_is_found_with_the_call_that_asks_and_its_use_with_the_call_that_runs():
    first = {"decision": "d1", "session": "s", "trace": "t", "arguments_digest": "hmac-sha256:0:ab"}
    ticket = asked(**first)
    event = approval_step(at=NOW, step="asked", ticket=ticket)
    assert {name: event[name] for name in first} == first
    again = replace(ticket.ask, decision="d2", trace="")
    assert digest(again) == ticket.digest
    used = approval_step(at=NOW, step="used", ticket=ticket, ask=again)
    assert (used["decision"], used["trace"], used["arguments_digest"]) == ("d2", None, "hmac-sha256:0:ab")


def test_an_answer_says_who_and_why():
    dan = Approver(issuer="i", subject="dan", groups=frozenset({"dba"}), name="Dan")
    ticket = answer(asked(), dan, approves=False, reason="not on a Friday", at=NOW)
    assert isinstance(ticket, Ticket)
    event = approval_step(at=NOW, step="denied", ticket=ticket, vote=ticket.votes[-1])
    assert event["by"] == {"issuer": "i", "subject": "dan", "name": "Dan"}
    assert (event["approves"], event["reason"], event["state"]) == (False, "not on a Friday", "denied")


def test_loans_revocations_and_definitions_name_who_did_it():
    loan = Elevation(id="t1", issuer="i", subject="ann", role="steward", at=NOW, until=NOW + 1)
    assert loan_step(at=NOW, step="lent", loan=loan, by="dan")["by"] == "dan"
    out = Revocation(id="r1", kind=Revoked.SUBJECT, value="ann", at=NOW)
    assert revocation_step(at=NOW, step="revoked", revocation=out, by="sec")["issuer"] is None
    pin = Pin(server="db", tool="query", digest="b", definition="{}", at=NOW)
    event = definition_step(at=NOW, step="changed", pin=pin, before="a")
    assert (event["by"], event["decision"], event["session"], event["trace"]) == (None,) * 4
    event = definition_step(at=NOW, step="found", pin=pin, before=None, during=Correlation(decision="d", trace="t"))
    assert (event["decision"], event["session"], event["trace"]) == ("d", None, "t")


def test_a_login_says_who_with_which_groups():
    dan = Approver(issuer="local", subject="dan", groups=frozenset({"dba", "a"}), name="Dan")
    event = login_step(at=NOW, step="signed_in", person=dan, local=True)
    assert (event["by"]["subject"], event["groups"], event["local"]) == ("dan", ["a", "dba"], True)


def test_who_is_refused_a_login_is_not_named_but_where_from_and_why():
    event = login_step(at=NOW, step="refused", person=None, local=True, source="10.0.0.7", reason="secret")
    assert (event["by"], event["groups"], event["source"], event["reason"]) == (None, [], "10.0.0.7", "secret")


def test_approvers_keys_sinks_and_readers_go_on_record():
    assert approver_step(at=1, step="added", name="dan", groups=("b", "a"), by="ops")["groups"] == ["a", "b"]
    assert key_step(at=1, step="rotated", of="seals", keys=("k",), by="ops")["keys"] == ["k"]
    assert sink_step(at=1, step="failed", sink="siem", reason="away")["sink"] == "siem"
    assert read_step(at=1, session="s", calls=2, recipient="r", by="ops")["recipient"] == "r"


def test_a_seal_goes_on_record_with_its_notes_and_what_could_not_be_sealed():
    event = seal_step(at=7, notes=("note",), broken={"n-0": "event 3: the line was changed"})
    assert event == {
        "kind": "sealed",
        "schema": SCHEMA_VERSION,
        "at": 7,
        "notes": ["note"],
        "broken": {"n-0": "event 3: the line was changed"},
    }


def test_a_purge_goes_on_record_with_the_places_that_are_empty():
    event = purge_step(at=7, journal="n-0", ranges=((1, 2),), events=2, policy="p")
    assert (event["kind"], event["ranges"], event["events"]) == ("purged", [[1, 2]], 2)


def test_an_export_goes_on_record_with_what_was_taken_out_and_by_whom():
    event = export_step(at=7, session="s", calls=3, digest="d", by="ops@host")
    assert (event["kind"], event["session"], event["calls"], event["digest"]) == ("exported", "s", 3, "d")
    assert (event["decrypted"], event["by"]) == (False, "ops@host")
