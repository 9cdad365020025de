"""The published schema and the events that are really made: neither says more than the other."""

import inspect

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from extproc.core.access import CallFacts, Facts, InnerCall, ShellFacts, SqlFacts
from extproc.core.audit import encode, events, facts, read_event, service, steps
from extproc.core.audit.begun import SCHEMA_VERSION
from extproc.core.audit.correlation import Correlation
from extproc.core.audit.schema import KINDS, event_schema
from extproc.core.limits import MAX_CALL_DEPTH
from extproc.core.masking import Masking
from extproc.core.model import (
    Client,
    Decision,
    Effect,
    Era,
    Message,
    MessageKind,
    Obligations,
    Principal,
    RequestHead,
    ResourceKind,
    Target,
    Verb,
)
from extproc.core.rejection import Rejection
from extproc.core.shared_state import Elevation, Pin, Revocation, Revoked
from extproc.core.tickets import ApprovalRule, Approver, Approvers, Ask, AskKind, Ticket, TicketState, Vote
from schemas import faults_of

# any text at all, and what people try on logs
TEXT = st.text(max_size=12) | st.sampled_from(
    ["", '\n{"kind":"decision"}', "\x1b[2J", "\u202e", "\x00", "\ud800", "${jndi:x}"]
)
NUMBER = st.integers(min_value=0, max_value=2**70)
JSON = st.dictionaries(TEXT, st.none() | st.booleans() | NUMBER | TEXT | st.lists(TEXT, max_size=2), max_size=3)
COUNTS = st.dictionaries(TEXT, st.integers(0, 9), max_size=2)
TEXTS = st.lists(TEXT, max_size=2).map(tuple)
NAMES = st.frozensets(TEXT, max_size=2)
FLAG = st.booleans()


def or_none(given):
    return st.none() | given


HEAD = st.builds(RequestHead, server=TEXT, http_method=TEXT, path=TEXT, source=TEXT, headers=st.just({}))
PRINCIPAL = st.builds(Principal, issuer=TEXT, subject=TEXT, groups=NAMES, roles=NAMES, workload=or_none(TEXT))
MESSAGE = st.builds(
    Message,
    kind=st.sampled_from(MessageKind),
    method=TEXT,
    era=st.sampled_from(Era),
    revision=TEXT,
    verb=st.sampled_from(Verb),
    targets=st.lists(st.builds(Target, kind=st.sampled_from(ResourceKind), name=TEXT), max_size=2).map(tuple),
    id=or_none(NUMBER | TEXT),
    client=or_none(st.builds(Client, name=TEXT, version=TEXT)),
    trace_id=or_none(TEXT),
    rewritten=FLAG,
)
VOTE = st.builds(Vote, at=NUMBER, issuer=TEXT, subject=TEXT, approves=FLAG, name=TEXT, reason=TEXT, forced=FLAG)
VERDICT = st.builds(
    Decision,
    effect=st.sampled_from(Effect),
    rule=TEXT,
    reason=TEXT,
    message=TEXT,
    verb=st.sampled_from(Verb),
    policy_digest=TEXT,
    shadowed=FLAG,
    approval=or_none(st.builds(ApprovalRule, name=TEXT, approvers=st.just(Approvers()))),
    ticket=TEXT,
    approved_by=st.lists(VOTE, max_size=2).map(tuple),
    obligations=st.builds(Obligations, masking=st.builds(Masking, rules=TEXTS)),
) | st.builds(
    Rejection, status=st.integers(400, 599), code=st.integers(), message=TEXT, reason=TEXT, id=or_none(NUMBER | TEXT)
)
PLAIN = {
    "sql": or_none(
        st.builds(
            SqlFacts,
            verb=st.sampled_from(Verb),
            tables=TEXTS,
            statements=TEXTS,
            functions=TEXTS,
            findings=TEXTS,
            parsed=FLAG,
            unbounded_write=FLAG,
        )
    ),
    "shell": or_none(
        st.builds(
            ShellFacts,
            verb=st.sampled_from(Verb),
            commands=TEXTS,
            findings=TEXTS,
            parsed=FLAG,
            network=FLAG,
            destructive=FLAG,
        )
    ),
}


def calling(found):
    """Facts of a tool that calls others, of whose calls these are the facts."""
    call = st.builds(InnerCall, server=TEXT, tool=TEXT, arguments=st.just({}), facts=found)
    calls = st.lists(call, max_size=2).map(tuple)
    return st.builds(CallFacts, verb=st.sampled_from(Verb), calls=calls, fault=TEXT)


INSIDE = st.builds(Facts, **PLAIN)
for _ in range(MAX_CALL_DEPTH):
    INSIDE = st.builds(Facts, calls=or_none(calling(INSIDE)), **PLAIN)
FACTS = st.builds(Facts, calls=or_none(calling(INSIDE)), **PLAIN)
ASK = st.builds(
    Ask,
    kind=st.sampled_from(AskKind),
    issuer=TEXT,
    subject=TEXT,
    policy_digest=TEXT,
    approval=TEXT,
    server=TEXT,
    role=TEXT,
    decision=TEXT,
    session=TEXT,
    trace=TEXT,
    arguments_digest=TEXT,
)
TICKET = st.builds(
    Ticket,
    id=TEXT,
    digest=TEXT,
    ask=ASK,
    rule=st.just(ApprovalRule(name="r", approvers=Approvers())),
    state=st.sampled_from(TicketState),
    created_at=NUMBER,
    expires_at=NUMBER,
)
PERSON = st.builds(Approver, issuer=TEXT, subject=TEXT, groups=NAMES, name=TEXT)
PIN = st.builds(Pin, server=TEXT, tool=TEXT, digest=TEXT, definition=TEXT, at=NUMBER, by=TEXT)
REVOCATION = st.builds(
    Revocation,
    id=TEXT,
    kind=st.sampled_from(Revoked),
    value=TEXT,
    at=NUMBER,
    issuer=TEXT,
    until=or_none(NUMBER),
    reason=TEXT,
    by=TEXT,
)
LOAN = st.builds(Elevation, id=TEXT, issuer=TEXT, subject=TEXT, role=TEXT, at=NUMBER, until=NUMBER)


def words(kind, member):
    """What the schema says that a member may be, so that a test of a word that it lacks is one in the code's own."""
    return st.sampled_from([word for word in KINDS[kind]["properties"][member]["enum"] if word is not None])


PLAIN = {"int": NUMBER, "str": TEXT, "bool": FLAG, "int | None": or_none(NUMBER), "str | None": or_none(TEXT)}
PLAIN |= {"bytes": st.binary(max_size=9)}
PLAIN |= {
    "Mapping[str, int]": COUNTS,
    "Sequence[str]": TEXTS,
    "Mapping[str, str]": st.dictionaries(TEXT, TEXT, max_size=2),
}
OWN = {
    "head": HEAD,
    "principal": or_none(PRINCIPAL),
    "message": or_none(MESSAGE),
    "verdict": VERDICT,
    "facts": FACTS,
    "ticket": TICKET,
    "ask": or_none(ASK),
    "during": st.builds(Correlation, decision=TEXT, session=or_none(TEXT), trace=or_none(TEXT)),
    "skipped": or_none(st.builds(steps.Skipped, journal=TEXT, seq=NUMBER, hash=TEXT, said=TEXT, by=TEXT)),
    "vote": or_none(VOTE),
    "loan": LOAN,
    "revocation": REVOCATION,
    "pin": PIN,
    "person": or_none(PERSON),
    "ranges": st.lists(st.tuples(NUMBER, NUMBER), max_size=2),
    "arguments": or_none(JSON),
    "payload": or_none(JSON),
    "id": or_none(NUMBER | TEXT),
}
MADE = {
    **{getattr(events, name): None for name in events.__all__ if name != "session_digest"},
    **{getattr(service, name): None for name in service.__all__},
    **{getattr(steps, name): None for name in steps.__all__ if name != "Skipped"},
}
KIND_OF = {
    events.decided: "decision",
    events.concluded: "outcome",
    events.server_asked: "server_request",
    service.policy_loaded: "policy",
    steps.export_step: "exported",
    steps.purge_step: "purged",
    steps.seal_step: "sealed",
}
WORDS = {
    (events.concluded, "result"): ("outcome", "result"),
    (events.concluded, "reason"): ("outcome", "reason"),
    (events.message, "kind"): ("message", "message"),
    (events.server_asked, "asks"): ("server_request", "asks"),
    (events.server_asked, "effect"): ("server_request", "effect"),
    (steps.key_step, "of"): ("key", "of"),
}


def kind_of(make):
    return KIND_OF.get(make) or make.__name__.removesuffix("_step")


def given_to(make):
    """Whatever a constructor may be given, by the names and types of its parameters."""
    found = {}
    for name, parameter in inspect.signature(make).parameters.items():
        if name == "step":
            found[name] = words(kind_of(make), "step")
        elif (make, name) in WORDS:
            found[name] = words(*WORDS[make, name])
        elif name in OWN:
            found[name] = OWN[name]
        else:
            found[name] = PLAIN[inspect.formatannotation(parameter.annotation).rpartition(".")[2]]
    return st.fixed_dictionaries(found)


def test_the_schema_is_one():
    Draft202012Validator.check_schema(event_schema())
    for kind in KINDS.values():
        assert kind["additionalProperties"] is False
        assert {"kind", "schema", "at"} <= set(kind["required"])
        for member in kind["properties"].values():
            assert member.get("description") or "const" in member


@pytest.mark.parametrize("make", MADE, ids=lambda make: make.__name__)
def test_whatever_an_event_is_made_of_it_follows_the_schema(make):
    seen = set()

    @given(given_to(make))
    @settings(max_examples=60, deadline=None)
    def holds(arguments):
        event = read_event(encode(make(**arguments)))
        assert event["schema"] == SCHEMA_VERSION
        assert event["kind"] == kind_of(make)
        assert not faults_of(event)
        seen.update(event)

    holds()
    seen |= {"encrypted"}
    missing = set(KINDS[kind_of(make)]["required"]) - seen
    assert not missing


def test_every_kind_of_the_schema_has_a_constructor_that_writes_each_of_its_members():
    assert {kind_of(make) for make in MADE} == set(KINDS)
    names = set()
    for module in (events, facts, service, steps):
        source = inspect.getsource(module)
        names |= {name for kind in KINDS.values() for name in kind["properties"] if f'"{name}"' in source}
    written = names | {"kind", "schema", "at", "encrypted"}
    assert {name for kind in KINDS.values() for name in kind["properties"]} <= written


def test_an_event_with_a_member_more_or_a_word_unknown_does_not_follow_it():
    event = service.stopped(at=1, reason="done")
    assert not faults_of(event)
    assert Draft202012Validator(event_schema()).is_valid(event)
    for wrong in (event | {"more": 1}, event | {"schema": 0}, event | {"kind": "halted"}, {"kind": "stopped"}):
        assert faults_of(wrong)
        assert not Draft202012Validator(event_schema()).is_valid(wrong)
