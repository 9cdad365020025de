"""Golden cases: a policy, a question, the whole decision. The files are in tests/cases."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from extproc.core.model import (
    Client,
    Decision,
    Effect,
    Era,
    Message,
    MessageKind,
    Principal,
    ResourceKind,
    Target,
    Verb,
)
from extproc.core.policy import compiled, decide
from extproc.core.policy.rules import Policy
from extproc.core.wire.methods import METHODS

CASES = Path(__file__).resolve().parents[2] / "cases"
FILES = sorted(CASES.glob("*.yaml"))
THINGS = {
    "tool": "tools/call",
    "prompt": "prompts/get",
    "resource": "resources/read",
    "template": "completion/complete",
}


def questions() -> list[Any]:
    found = []
    for file in FILES:
        document = YAML(typ="safe", pure=True).load(file.read_text("utf-8"))
        cases = document["cases"]
        found += [pytest.param(document["policy"], case, id=f"{file.stem}: {case['it']}") for case in cases]
    return found


def principal_of(who: dict[str, Any]) -> Principal:
    return Principal(
        issuer=who.get("issuer", "https://idp"),
        subject=who.get("subject", "somebody"),
        groups=frozenset(who.get("groups", ())),
        roles=frozenset(who.get("roles", ())),
        claims=who.get("claims", {}),
        workload=who.get("workload"),
    )


def message_of(case: dict[str, Any]) -> Message:
    thing = next((thing for thing in THINGS if thing in case), None)
    method = case.get("method") or THINGS[thing or ""]
    target = Target(kind=ResourceKind(thing), name=case[thing]) if thing else Target(kind=ResourceKind.SERVER)
    client = Client(name=case["client"]) if "client" in case else None
    return Message(
        kind=MessageKind.REQUEST,
        method=method,
        era=Era.MODERN,
        revision="2026-07-28",
        verb=METHODS[method].verb,
        targets=(target,),
        id=1,
        arguments=case.get("arguments", {}),
        client=client,
    )


@pytest.mark.parametrize(("text", "case"), questions())
def test_the_decision_is_the_one_of_the_case(text: str, case: dict[str, Any]) -> None:
    policy = compiled.load(text, source="policy.yaml")
    assert isinstance(policy, Policy), "\n".join(map(str, policy))
    who, message, server = principal_of(case["who"]), message_of(case), case.get("server", "db")
    decision = decide.judge(policy, who, server, message, session_calls=case.get("session_calls", 0))
    effect, rule, reason, verb = case["expect"]
    assert decision == Decision(
        effect=Effect(effect),
        rule=rule,
        reason=reason,
        verb=Verb[verb.upper()],
        message=decision.message,
        policy_digest=policy.digest,
        shadowed=case.get("shadowed", False),
    )
    assert bool(decision.message) == (effect == "deny")
    assert case.get("says", "") in decision.message
    target = message.targets[0]
    if target.kind is ResourceKind.SERVER:  # no list shows one
        assert "visible" not in case
    else:
        seen = decide.sees(policy, who, server, message.client or Client(), target.kind, target.name)
        assert seen == case["visible"]


def test_there_are_case_files() -> None:
    assert FILES
