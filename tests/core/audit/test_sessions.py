"""Calls become sessions by name, by trace or by nearness, and never across principals."""

from hypothesis import given
from hypothesis import strategies as st

from extproc.core import audit
from extproc.core.audit.sessions import SESSION_GAP_NS, sessions

MINUTE = 60 * 1_000_000_000


def call(decision: str, at: int, **changes) -> dict:
    given_ = {
        "kind": "decision",
        "at": at,
        "decision": decision,
        "server": "sales-db",
        "principal": {"issuer": "https://idp", "subject": "ana"},
        "client": {"name": "agent", "version": "1"},
        "session": None,
        "trace": None,
        "method": "tools/call",
        "targets": [{"kind": "tool", "name": "query"}],
        "verb": "query",
        "effect": "allow",
        "rule": "role:analyst#1",
        "reason": "granted",
    }
    return {**given_, **changes}


def outcome(decision: str, at: int, **changes) -> dict:
    given_ = {
        "kind": "outcome",
        "at": at,
        "decision": decision,
        "session": None,
        "status": 200,
        "result": "complete",
        "duration_ns": 5,
    }
    return {**given_, **changes}


def grouped(*events: dict) -> list[list[str]]:
    return [[call.decision for call in session.calls] for session in sessions(events)]


def test_who_approved_a_call_stands_with_it():
    people = [{"issuer": "i", "subject": "dan", "name": "Dan"}, {"issuer": "i", "subject": "eva", "name": ""}]
    (session,) = sessions([call("a", 10, ticket="t1", approved_by=people), call("b", 11, approved_by="odd")])
    assert [each.approvers for each in session.calls] == [("Dan", "eva"), ()]


def test_of_several_outcomes_one_counts_wherever_each_stands():
    first, second = outcome("a", 30, result="first"), outcome("a", 40, result="second")
    for given_ in ([first, second], [second, first]):
        (session,) = sessions([call("a", 10), *given_])
        assert (session.calls[0].result, session.last_at) == ("second", 40)
    (session,) = sessions([call("a", 10), outcome("a", 3, result="early"), outcome("a", 2, result="last")])
    assert session.calls[0].result == "last", "both end with their call, and the one that stands behind counts"


def test_an_outcome_that_names_the_session_counts_before_a_later_one_that_does_not():
    for given_ in (
        [outcome("a", 30, session="s"), outcome("a", 40)],
        [outcome("a", 40), outcome("a", 30, session="s")],
    ):
        (session,) = sessions([call("a", 10), *given_])
        assert session.last_at == 30
    (session,) = sessions([call("a", 10, session="s"), outcome("a", 30, session="s"), outcome("a", 40)])
    assert session.last_at == 40


def test_a_call_and_its_outcome_are_one_row():
    (session,) = sessions([call("a", 10), outcome("a", 30)])
    assert (session.issuer, session.subject, session.server, session.client) == (
        "https://idp",
        "ana",
        "sales-db",
        "agent 1",
    )
    assert (session.first_at, session.last_at, session.denied) == (10, 30, 0)
    (row,) = session.calls
    assert (row.targets, row.status, row.result, row.duration_ns) == (("tool:query",), 200, "complete", 5)
    assert not row.refused


def test_a_call_without_outcome_says_so():
    (session,) = sessions([call("a", 10)])
    assert (session.calls[0].status, session.calls[0].result, session.calls[0].duration_ns) == (None, None, None)
    assert session.last_at == 10


def test_the_messages_of_a_stream_belong_to_their_call_in_order():
    def message(number: int, **changes) -> dict:
        given_ = {"kind": "message", "at": 20 + number, "decision": "a", "number": number, "message": "notification"}
        return {**given_, "method": "m", "bytes": 7, "payload": {"n": number}, "masked": {"email": 1}, **changes}

    other = message(0, decision="b")
    (session,) = sessions([message(1, method=None), call("a", 10), other, message(0), outcome("a", 30)])
    (row,) = session.calls
    assert [(said.number, said.method, said.payload) for said in row.messages] == [
        (0, "m", {"n": 0}),
        (1, "", {"n": 1}),
    ]
    assert (row.messages[0].at, row.messages[0].size, row.messages[0].masked) == (20, 7, {"email": 1})


def test_who_can_read_what_is_encrypted_stands_at_the_call():
    locked = {"encrypted": {"sealed": "x", "for": {"b": "w", "a": "w"}}}
    message = {"kind": "message", "decision": "a", "at": 1, **locked}
    (session,) = sessions([call("a", 10, arguments=None, **locked), outcome("a", 30, encrypted=[]), message])
    assert session.calls[0].encrypted == session.calls[0].messages[0].encrypted == ("a", "b")
    assert sessions([call("a", 10)])[0].calls[0].encrypted == ()


def test_refusals_are_counted_and_a_shadowed_one_was_let_through():
    effects = ["allow", "deny", "shadow", "reject"]
    (session,) = sessions([call(effect, at, effect=effect) for at, effect in enumerate(effects)])
    assert session.denied == 2


def test_modern_calls_join_while_the_gaps_stay_under_thirty_minutes():
    assert grouped(call("a", 0), call("b", 29 * MINUTE), call("c", 58 * MINUTE)) == [["a", "b", "c"]]
    assert grouped(call("a", 0), call("b", SESSION_GAP_NS)) == [["a"], ["b"]]


def test_a_gap_is_measured_from_the_end_of_the_last_call():
    assert grouped(call("a", 0), outcome("a", 20 * MINUTE), call("b", 40 * MINUTE)) == [["a", "b"]]


def test_one_trace_id_joins_over_any_gap():
    assert grouped(call("a", 0, trace="t"), call("b", 90 * MINUTE, trace="t")) == [["a", "b"]]
    assert grouped(
        call("a", 0, trace="t"), call("b", 60 * MINUTE), call("c", 61 * MINUTE, trace="t"), call("d", 62 * MINUTE)
    ) == [["a", "c", "d"], ["b"]]


def test_neither_trace_nor_session_nor_nearness_joins_different_principals():
    bob = {"issuer": "https://idp", "subject": "bob"}
    other_issuer = {"issuer": "https://other", "subject": "ana"}
    for shared in ({"trace": "t"}, {"session": "s"}, {}):
        events = [
            call("a", 0, **shared),
            call("b", 1, principal=bob, **shared),
            call("c", 2, principal=other_issuer, **shared),
        ]
        assert grouped(*events) == [["a"], ["b"], ["c"]]
        assert len({session.id for session in sessions(events)}) == 3


def test_other_servers_and_other_clients_are_other_sessions():
    assert grouped(call("a", 0), call("b", 1, server="files")) == [["a"], ["b"]]
    assert grouped(call("a", 0), call("b", 1, client={"name": "other", "version": "1"})) == [["a"], ["b"]]


def test_legacy_calls_belong_to_the_session_they_name():
    assert grouped(
        call("a", 0, session="s1"),
        call("b", 1, session="s2", client=None),
        call("c", 9 * SESSION_GAP_NS, session="s1", client=None),
    ) == [["a", "c"], ["b"]]


def test_a_handshake_belongs_to_the_session_that_its_answer_named():
    handshake = call("a", 0, method="initialize")
    events = [handshake, outcome("a", 1, session="s1"), call("b", 2, session="s1", client=None)]
    (session,) = sessions(events)
    assert session.client == "agent 1"
    assert [row.decision for row in session.calls] == ["a", "b"]


def test_the_id_of_a_session_stays_as_it_grows():
    first = [call("a", 0)]
    assert sessions(first)[0].id == sessions([*first, call("b", 1)])[0].id
    assert sessions([call("a", 0, session="s")])[0].id == sessions([call("z", 5, session="s")])[0].id


def test_events_of_several_workers_may_come_in_any_order():
    events = [call("a", 0), outcome("a", 1), call("b", 2), call("c", 9 * SESSION_GAP_NS)]
    assert sessions(events) == sessions(events[::-1])


def test_nobody_is_a_principal_of_its_own():
    (session,) = sessions([call("a", 0, principal=None, client=None, effect="reject", rule=None, method=None)])
    assert (session.issuer, session.subject, session.client) == ("", "", "")
    assert session.calls[0].rule == ""


def test_targets_without_a_name_are_left_out():
    (session,) = sessions([call("a", 0, targets=[{"kind": "server", "name": ""}, {"kind": "prompt", "name": "p"}])])
    assert session.calls[0].targets == ("prompt:p",)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
fields = st.sampled_from([*sorted(call("a", 0)), "status", "duration_ns", "result"])


@given(st.lists(st.dictionaries(fields, json_values).map(lambda d: {**d, "kind": "decision"})))
def test_every_event_has_a_place_whatever_it_holds(events):
    assert sum(len(session.calls) for session in sessions(events)) == len(events)


def test_other_kinds_of_event_are_passed_over():
    assert sessions([audit.stopped(at=1, reason="x"), {}, outcome("nothing", 1)]) == ()


def test_what_was_masked_in_a_call_is_counted_over_request_and_response():
    asked = call("a", 0, masked={"email": 1, "iban": 2}, ticket="t", source="10.0.0.7", arguments={"n": 1})
    ((row,),) = (session.calls for session in sessions([asked, outcome("a", 1, masked={"email": 3}, bytes=7)]))
    assert row.masked == {"email": 4, "iban": 2}
    assert (row.ticket, row.source, row.arguments, row.size) == ("t", "10.0.0.7", {"n": 1}, 7)
