from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from asked import ALICE, SERVER, message, tool, uri
from extproc.core.model import (
    Client,
    Effect,
    Recording,
    ResourceKind,
    Target,
    Verb,
)
from extproc.core.policy import decide
from policies import GOOD, HEAD, LIMITS, load

KINDS = {
    ResourceKind.SERVER: "tools/list",
    ResourceKind.TOOL: "tools/call",
    ResourceKind.PROMPT: "prompts/get",
    ResourceKind.RESOURCE: "resources/read",
    ResourceKind.TEMPLATE: "completion/complete",
}


def test_every_target_is_judged_and_the_strictest_wins() -> None:
    text = GOOD.replace("verbs: [query]}", "resources: ['a://*']}")
    policy = load(text)
    for targets, effect in (
        ((SERVER, uri("a://x")), Effect.ALLOW),
        ((SERVER, uri("a://x"), uri("b://x")), Effect.DENY),
        ((uri("b://x"), SERVER), Effect.DENY),
    ):
        assert decide.judge(policy, ALICE, "db", message(*targets)).effect is effect


def test_a_message_that_touches_nothing_is_refused() -> None:
    decision = decide.judge(load(GOOD), ALICE, "db", message())
    assert (decision.effect, decision.rule) == (Effect.DENY, "default")


def test_the_verb_of_an_allow_is_the_strictest_of_its_targets() -> None:
    policy = load(GOOD.replace(", verbs: [query]", ""))
    assert decide.judge(policy, ALICE, "db", message(tool("query"), tool("update"), tool("query"))).verb is Verb.MUTATE


def test_obligations_carry_the_recording_of_the_server() -> None:
    text = GOOD + "recording: {payloads: none, servers: {db: digest}}\n"
    for name in ("query", "update"):
        assert decide.judge(load(text), ALICE, "db", message(tool(name))).obligations.recording is Recording.DIGEST
    assert decide.judge(load(text), ALICE, "other", message(tool("query"))).obligations.recording is Recording.MASKED


def test_a_call_over_a_limit_is_refused_by_the_limit() -> None:
    policy = load(LIMITS)
    allowed = decide.judge(policy, ALICE, "db", message(tool("query")))
    decision = decide.over_quota(policy, "db", allowed, allowed.obligations.quotas[0])
    assert (decision.effect, decision.rule, decision.reason) == (Effect.DENY, "limit#1", "over_limit")
    assert decision.verb is Verb.QUERY
    assert decision.obligations.quotas == ()
    assert not decision.shadowed
    shadowed = load("mode: shadow\n" + LIMITS)
    assert decide.over_quota(shadowed, "db", allowed, allowed.obligations.quotas[0]).shadowed


def test_session_calls_are_asked_for_where_a_condition_names_them() -> None:
    policy = load(GOOD.replace("verbs: [query]}", "when: session.calls < 5}"))
    assert decide.asks_session_calls(policy, "db")
    assert not decide.asks_session_calls(policy, "other")
    assert not decide.asks_session_calls(load(GOOD), "db")


def test_a_client_that_says_nothing_is_empty() -> None:
    assert decide.client_of(message(SERVER)) == Client()
    assert decide.client_of(replace(message(SERVER), client=Client(name="x"))) == Client(name="x")


def test_names_of_javascript_objects_change_nothing() -> None:
    policy = load(GOOD.replace("verbs: [query]}", "tools: [query], when: arguments.n == 1}"))
    for name in ("__proto__", "constructor", "prototype"):
        assert decide.judge(policy, ALICE, "db", message(tool(name), n=1)).rule == "default"
        assert decide.judge(policy, ALICE, name, message(tool("query"), n=1)).rule == "default"
        nested = {name: {"n": 1}}
        assert decide.judge(policy, ALICE, "db", message(tool("query"), **nested)).effect is Effect.DENY


# --- lists and calls agree -----------------------------------------------------------------------------------------

NAMES = ("query", "get_x", "get_y", "update", "drop", "QUERY", "other")
patterns = st.lists(
    st.sampled_from(["query", "get_*", "*", "update", "d*p", "get_x"]), min_size=1, max_size=2, unique=True
)
uris = st.lists(st.sampled_from(["a://*", "a://x", "b://*"]), min_size=1, max_size=2, unique=True)
verbs = st.lists(st.sampled_from(["query", "mutate", "admin"]), min_size=1, max_size=3, unique=True)
WHENS = (
    'arguments.n == "x"',
    'arguments.n == "x" || server == "db"',
    'server == "other" && arguments.n == "x"',
    "session.calls < 2",
    'tool == "query"',
    'uri.startsWith("a:") || prompt == "query"',
    'verb == "query" && "readers" in principal.groups',
    "principal.claims.missing == 1",
    'method == "prompts/get"',
    'client.name == ""',
)


def rule(conditions: bool) -> st.SearchStrategy[dict[str, Any]]:
    optional: dict[str, st.SearchStrategy[Any]] = {
        "tools": patterns,
        "prompts": patterns,
        "resources": uris,
        "verbs": verbs,
    }
    if conditions:
        optional["when"] = st.sampled_from(WHENS)
    return st.fixed_dictionaries({"servers": st.just(["*"])}, optional=optional)


def policies(conditions: bool) -> st.SearchStrategy[str]:
    def text(grants: list[dict[str, Any]], denies: list[dict[str, Any]], unlisted: str) -> str:
        rules = [{**one, "name": f"d{number}"} for number, one in enumerate(denies)]
        return HEAD + (
            "servers:\n  db:\n    tools: {query: {verb: query}, 'get_*': {verb: query}, get_y: {verb: admin}, "
            "update: {verb: mutate}, drop: {verb: admin}}\n"
            f"    unlisted_tools: {unlisted}\n"
            f"roles: {{r: {{assigned_to: {{groups: [readers]}}, grants: {flow(grants)}}}}}\n"
            + (f"deny: {flow(rules)}\n" if rules else "")
        )

    return st.builds(
        text,
        st.lists(rule(conditions), min_size=1, max_size=3),
        st.lists(rule(conditions), max_size=2),
        st.sampled_from(["deny", "query", "mutate", "admin"]),
    )


def flow(value: Any) -> str:
    import json  # noqa: PLC0415 - JSON is YAML; only this test writes it

    return json.dumps(value)


targets = st.one_of(
    st.sampled_from(NAMES).map(tool),
    st.sampled_from(NAMES).map(lambda name: Target(kind=ResourceKind.PROMPT, name=name)),
    st.sampled_from(["a://x", "a://y", "b://x", "c://x"]).map(uri),
    st.sampled_from(["a://{x}", "{s}://x", "c://{x}"]).map(lambda name: Target(kind=ResourceKind.TEMPLATE, name=name)),
)


def compiled_or_none(text: str) -> Any:
    from extproc.core.policy import compiled  # noqa: PLC0415 - beside its only use

    policy = compiled.load(text, source="p")
    return None if isinstance(policy, tuple) else policy


@settings(deadline=None)
@given(policies(conditions=False), targets)
def test_without_conditions_a_list_shows_exactly_what_may_be_used(text: str, target: Target) -> None:
    policy = compiled_or_none(text)
    if policy is not None:
        judged = decide.judge(policy, ALICE, "db", message(target, method=KINDS[target.kind]))
        assert decide.sees(policy, ALICE, "db", Client(), target.kind, target.name) == (judged.effect is Effect.ALLOW)


@settings(deadline=None)
@given(policies(conditions=True), targets, st.sampled_from(["x", "y", 1, None]), st.integers(0, 3))
def test_whatever_is_allowed_is_shown(text: str, target: Target, argument: Any, calls: int) -> None:
    policy = compiled_or_none(text)
    if policy is not None:
        asked = message(target, method=KINDS[target.kind], **({} if argument is None else {"n": argument}))
        judged = decide.judge(policy, ALICE, "db", asked, session_calls=calls)
        if judged.effect is Effect.ALLOW:
            assert decide.sees(policy, ALICE, "db", Client(), target.kind, target.name)
        if not decide.sees(policy, ALICE, "db", Client(), target.kind, target.name):
            assert judged.rule == "default" or judged.rule.startswith("deny:")


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_list_of_an_unknown_server_is_empty(kind: ResourceKind) -> None:
    assert not decide.sees(load(GOOD), ALICE, "other", Client(), kind, "query")
    assert decide.sees(load("mode: shadow\n" + GOOD), ALICE, "other", Client(), kind, "query")
