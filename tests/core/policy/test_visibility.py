"""What lists show of tools that call others: those that are granted, and could call something that is granted too."""

from extproc.core.model import Client, Principal, ResourceKind
from extproc.core.policy.decide import sees
from policies import HEAD, load

ANN = Principal(issuer="https://idp", subject="ann", groups=frozenset({"readers"}))
ROUTE = "{tool: name, server: server}"


def shown(tools, *grants, name="call", who=ANN, **more):
    """Whether the caller sees a tool of the server `hub`; the server `vault` has one tool, `open`."""
    granted = ", ".join(f"{{servers: [hub, vault], {grant}}}" for grant in grants)
    policy = load(
        HEAD.replace("audience: aud", "audience: [aud, vault]")
        + f"servers:\n  hub:\n    unlisted_tools: {more.get('unlisted', 'deny')}\n    tools: {{{tools}}}\n"
        + "  vault: {audience: vault, tools: {open: {verb: query}}}\n"
        + f"roles:\n  reader: {{assigned_to: {{groups: [readers]}}, grants: [{granted}]}}\n"
        + more.get("deny", "")
    )
    return sees(policy, who, "hub", Client(), ResourceKind.TOOL, name)


def call(calls="{tool: name}"):
    return f"call: {{verb: calls, calls: {calls}}}, echo: {{verb: query}}, put: {{verb: mutate}}, sh: {{verb: shell}}"


def test_the_tool_and_something_that_it_calls_must_be_granted():
    assert shown(call(), "tools: [call, echo]")
    assert shown(call(), "tools: [call, sh]", "tools: [put]")
    assert not shown(call(), "tools: [call]")
    assert not shown(call(), "tools: [echo]")
    assert not shown(call(), "tools: [call]", 'prompts: ["*"]')


def test_what_could_be_called_is_what_could_be_called_directly():
    assert shown(call(), "tools: [call]", "tools: [put], when: arguments.n > 1")
    assert not shown(call(), "tools: [call]", 'tools: [put], when: principal.subject == "bob"')
    deny = "deny: [{name: no, servers: [hub], tools: [put]}]\n"
    assert not shown(call(), "tools: [call]", "tools: [put]", deny=deny)


def test_only_the_servers_that_it_reaches_count():
    assert not shown(call(), "tools: [call, open]")
    for reaching in (ROUTE, "{tool: name, on: vault}"):
        assert shown(call(reaching), "tools: [call, open]")
    assert not shown(
        call("{tool: name, on: vault}"),
        "tools: [call, echo]",
        "tools: [open], verbs: [admin, query], when: \"server == 'x'\"",
    )


def test_a_server_that_the_token_is_not_for_does_not_count():
    def bearer(*audiences):
        claims = {"aud": list(audiences)}
        return Principal(issuer="https://idp", subject="ann", groups=frozenset({"readers"}), claims=claims)

    assert shown(call(ROUTE), "tools: [call, open]", who=bearer("aud", "vault"))
    assert not shown(call(ROUTE), "tools: [call, open]", who=bearer("aud"))


def test_a_pattern_of_tools_counts_where_a_grant_meets_it():
    wide = 'call: {verb: calls, calls: {tool: name}}, "get_*": {verb: query}'
    assert shown(wide, "tools: [call]", 'tools: ["*_row"]')
    assert shown(wide, "tools: [call]", "verbs: [query]")
    assert not shown(wide, "tools: [call]", 'resources: ["a://*"]')
    assert not shown(wide + ", put: {verb: mutate}", "tools: [call]", "tools: [put], when: principal.subject == 'bob'")
    only = "call: {verb: calls, calls: {tool: name}}"
    assert shown(only, "tools: [call]", "tools: [other]", unlisted="query")
    assert not shown(only, "tools: [call], verbs: [admin]", unlisted="query")


def test_tools_that_only_call_each_other_call_nothing():
    both = "call: {verb: calls, calls: {tool: name}}, again: {verb: calls, calls: {tool: name}}"
    assert not shown(both, "tools: [call, again]")
    assert shown(both + ", echo: {verb: query}", "tools: [call, again, echo]")
