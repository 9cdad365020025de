"""Tools that call tools (threat J21): each call inside is judged as if it was made directly, and the strictest counts."""

import json

import pytest

from extproc.core.definitions import definition_of
from extproc.core.exchange import AskApproval, Forward
from extproc.core.limits import MAX_CALL_DEPTH, MAX_INNER_CALLS
from extproc.core.model import Principal, ResourceKind, Target
from extproc.core.policy import decide
from extproc.core.policy.explain import explain, in_role
from extproc.core.shared_state import SharedState
from script import AUDIENCE, ISSUER, NOW, Script, answer_of, call, claims, policy, released, reply

POLICY = f"""
version: 1
identity:
  issuers:
    - {{name: corp, issuer: "{ISSUER}", audience: ["{AUDIENCE}", vault-aud], jwks_file: keys.json, max_token_age: 1h}}
servers:
  hub:
    tools:
      call_tool: {{verb: calls, calls: {{tool: name, arguments: arguments}}}}
      batch: {{verb: calls, calls: {{tool: calls.*.name, arguments: calls.*.arguments}}}}
      relay:
        verb: calls
        calls:
          tool: request.@json.params.name
          arguments: request.@json.params.arguments
          fixed: {{request.@json.method: tools/call, request.@json.jsonrpc: "2.0"}}
          other: [request.@json.id]
      route: {{verb: calls, calls: {{server: server, tool: tool, arguments: arguments}}}}
      vault_call: {{verb: calls, calls: {{on: vault, tool: tool, arguments: arguments}}}}
      secret_call: {{verb: calls, calls: {{tool: name, arguments: arguments}}}}
      echo: {{verb: query}}
      update: {{verb: mutate}}
      drop_table: {{verb: admin}}
      pay: {{verb: mutate}}
      sign: {{verb: mutate}}
      sql: {{verb: sql, sql: {{argument: sql, dialect: postgres}}}}
      run_shell: {{verb: shell}}
      hidden_query: {{verb: query}}
      hidden_admin: {{verb: admin}}
  other:
    tools: {{find: {{verb: query}}, secret: {{verb: query}}}}
  vault:
    audience: vault-aud
    tools: {{open: {{verb: query}}}}
roles:
  agent:
    assigned_to: {{groups: [data-analysts]}}
    grants:
      - {{servers: [hub], tools: [call_tool, batch, relay, route, vault_call]}}
      - {{servers: [hub], tools: [echo], when: '!("text" in arguments) || arguments.text != "no"'}}
      - {{servers: [hub], tools: [sql], verbs: [query], when: 'sql.tables.all(t, t.startsWith("sales."))'}}
      - {{servers: [hub], tools: [run_shell], verbs: [query, mutate]}}
      - {{servers: [hub], tools: [update], arguments: {{database: [dev]}}}}
      - {{servers: [hub], tools: [pay], approval: money}}
      - {{servers: [hub], tools: [sign], approval: law}}
      - {{servers: [other, vault], tools: [find, open]}}
approvals:
  money: {{approvers: {{groups: [finance]}}}}
  law: {{approvers: {{groups: [lawyers]}}}}
deny:
  - {{name: no-prod, servers: ["*"], arguments: {{database: ["prod*"]}}, message: Not there.}}
  - {{name: no-destruction, servers: ["*"], when: shell.destructive || shell.network}}
"""
MASKING = """
masking:
  - {name: mails, servers: [hub], tools: [echo], fields: [{path: "$.mail"}], on: both}
  - {name: finds, servers: [other], tools: [find], fields: [{path: "$.row.ssn"}]}
  - {name: deep, servers: [other], tools: [secret], fields: [{path: "$..pin"}]}
"""


def played(tool, arguments, text=POLICY, **more):
    script = Script(text, server="hub", **more)
    script.said = script.post(call(tool, arguments))
    return script


def event(tool, arguments, text=POLICY, **more):
    script = played(tool, arguments, text, **more)
    (record,) = script.world.records
    allowed = any(isinstance(command, Forward) for command in script.said)
    assert allowed == (record["effect"] == "allow")
    return record


def words(tool, arguments, text=POLICY, **more):
    status, body = answer_of(played(tool, arguments, text, **more).said)
    assert status == 200
    assert body["result"]["isError"] is True
    return body["result"]["content"][0]["text"]


def ways(name, arguments=None):
    """The same call through each tool that can make it."""
    inner = {"name": name, "arguments": arguments or {}}
    rpc = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": inner}
    return {
        "call_tool": inner,
        "batch": {"calls": [{"name": "echo"}, inner]},
        "relay": {"request": json.dumps(rpc)},
        "route": {"server": "hub", "tool": name, "arguments": arguments or {}},
    }


@pytest.mark.parametrize("through", ["call_tool", "batch", "relay", "route"])
@pytest.mark.parametrize(
    ("name", "arguments", "effect", "verb", "rule"),
    [
        ("echo", {"text": "hi"}, "allow", "query", "role:agent#1"),
        ("echo", {"text": "no"}, "deny", "query", "role:agent#2"),
        ("sql", {"sql": "SELECT a FROM sales.orders"}, "allow", "query", "role:agent#1"),
        ("sql", {"sql": "SELECT a FROM hr.staff"}, "deny", "query", "role:agent#3"),
        ("sql", {"sql": "DROP TABLE sales.orders"}, "deny", "admin", "role:agent#3"),
        ("run_shell", {"command": "ls"}, "allow", "query", "role:agent#1"),
        ("run_shell", {"command": "rm -rf /"}, "deny", "admin", "deny:no-destruction"),
        ("run_shell", {}, "deny", "admin", "deny:no-destruction"),
        ("update", {"database": "dev"}, "allow", "mutate", "role:agent#1"),
        ("update", {"database": "prod-1"}, "deny", "mutate", "deny:no-prod"),
        ("update", {}, "deny", "mutate", "role:agent#5"),
        ("drop_table", {"table": "x"}, "deny", "admin", "default"),
        ("Echo", {}, "deny", "admin", "default"),
        ("nothing", {}, "deny", "admin", "default"),
    ],
)
def test_a_call_inside_is_judged_like_the_same_call_made_directly(  # noqa: PLR0917 - the columns of the table
    through, name, arguments, effect, verb, rule
):
    direct = event(name, arguments)
    assert (direct["effect"], direct["verb"]) == (effect, verb)
    found = event(through, ways(name, arguments)[through])
    assert (found["effect"], found["verb"], found["rule"]) == (effect, verb, rule)
    if effect == "deny":
        assert direct["rule"] == rule
        said = words(through, ways(name, arguments)[through])
        assert said.startswith(f'The tool "{through}" on server "hub" was not called, because of what it would call. ')
        assert said.endswith(words(name, arguments))


def test_the_worst_call_of_several_counts_wherever_it_stands():
    calls = [{"name": "echo"}, {"name": "run_shell", "arguments": {"command": "ls"}}, {"name": "echo"}]
    assert event("batch", {"calls": calls})["effect"] == "allow"
    for place in range(3):
        worse = [*calls[:place], {"name": "drop_table"}, *calls[place:]]
        assert event("batch", {"calls": worse})["effect"] == "deny"


def test_the_record_lists_what_would_be_called_and_what_was_found_in_it():
    calls = [{"name": "sql", "arguments": {"sql": "SELECT a FROM sales.orders"}}, {"name": "drop_table"}]
    record = event("batch", {"calls": calls})
    assert record["targets"] == [{"kind": "tool", "name": "batch"}]
    assert record["calls"]["verb"] == "admin"
    assert [(each["server"], each["tool"]) for each in record["calls"]["tools"]] == [
        ("hub", "sql"),
        ("hub", "drop_table"),
    ]
    assert record["calls"]["tools"][0]["sql"]["tables"] == ["sales.orders"]
    assert event("batch", {"calls": []})["calls"] == {
        "verb": "admin",
        "parsed": False,
        "fault": "`calls` must be a list that is not empty",
        "tools": [],
    }


def test_what_does_not_fit_the_declaration_is_refused_and_says_what_does_not():
    record = event("batch", {"calls": [{"name": "echo", "tool": "run_shell"}]})
    assert (record["rule"], record["reason"]) == ("calls", "calls_unread")
    said = words("batch", {"calls": [{"name": "echo", "tool": "run_shell"}]})
    assert "rule `calls`" in said
    assert "`calls.*` may have only the members `name`, `arguments`" in said
    assert "run_shell" not in said


def test_the_tool_itself_must_be_granted_and_one_that_is_not_tells_nothing():
    inner = {"name": "echo", "arguments": {}}
    unknown, hidden = words("no_such_call", inner), words("secret_call", inner)
    assert unknown.replace("no_such_call", "secret_call") == hidden
    assert words("secret_call", {"wrong": 1}) == hidden


def test_a_hidden_tool_inside_is_refused_like_one_that_is_not_there():
    for through in ("call_tool", "batch", "relay", "route"):
        said = {
            words(through, ways(name)[through]).replace(name, "NAME")
            for name in ("hidden_query", "hidden_admin", "no_such_tool", "secret_call")
        }
        assert len(said) == 1
    servers = {words("route", {"server": name, "tool": "secret"}).replace(name, "NAME") for name in ("other", "nope")}
    assert len(servers) == 1
    many = {"name": "hidden_query", "arguments": {}}, {"name": "secret_call", "arguments": {"name": "x", "y": 1}}
    assert len({words("batch", {"calls": [each]}).replace(each["name"], "NAME") for each in many}) == 1
    # also where the tool itself may be called with some verbs only
    narrow = POLICY.replace("vault_call]}}", "vault_call], verbs: [query]}}").replace(
        "vault_call]}", "vault_call], verbs: [query]}"
    )
    assert words("call_tool", {"name": "hidden_query"}, narrow).replace("query", "admin") == words(
        "call_tool", {"name": "hidden_admin"}, narrow
    )


def test_the_verb_of_the_tool_is_the_strictest_of_its_calls():
    narrow = POLICY.replace("vault_call]}", "vault_call], verbs: [query]}")
    assert event("call_tool", {"name": "echo", "arguments": {}}, narrow)["effect"] == "allow"
    said = words("call_tool", {"name": "update", "arguments": {"database": "dev"}}, narrow)
    assert "this is mutate (calls update), and rule `role:agent#1` allows query" in said
    denied = POLICY + "  - {name: calls-read, servers: [hub], tools: [call_tool], verbs: [mutate, admin]}\n"
    assert event("call_tool", {"name": "update", "arguments": {"database": "dev"}}, denied)["rule"] == "deny:calls-read"


def test_calls_inside_of_calls_are_judged_to_a_bounded_depth():
    inner = {"name": "echo", "arguments": {}}
    for depth in range(1, MAX_CALL_DEPTH):
        inner = {"name": "call_tool", "arguments": inner}
        record = event("call_tool", inner)
        assert record["effect"] == "allow", depth
    assert record["calls"]["tools"][0]["calls"]["tools"][0]["calls"]["tools"] == [{"server": "hub", "tool": "echo"}]
    deeper = event("call_tool", {"name": "call_tool", "arguments": inner})
    assert deeper["rule"] == "calls"
    deepest = words("call_tool", {"name": "call_tool", "arguments": inner})
    assert "calls stand deeper inside of each other than 3" in deepest
    worse = {"name": "call_tool", "arguments": {"name": "batch", "arguments": {"calls": [{"name": "drop_table"}]}}}
    assert event("call_tool", worse)["rule"] == "default"
    assert words("call_tool", worse).count("because of what it would call") == 3
    unfit = {"name": "batch", "arguments": {"calls": [{}]}}
    assert event("call_tool", unfit)["rule"] == "calls"


def test_all_depths_together_have_one_bound():
    half = {"name": "batch", "arguments": {"calls": [{"name": "echo"}] * (MAX_INNER_CALLS // 2 - 1)}}
    assert event("batch", {"calls": [half, half]})["effect"] == "allow"
    more = event("batch", {"calls": [half, half, {"name": "echo"}]})
    assert more["rule"] == "calls"
    assert [each.get("calls", {}).get("fault") for each in more["calls"]["tools"]] == [
        None,
        "there are more than 64 calls",
        None,
    ]


def test_a_server_that_is_named_is_the_one_whose_rules_count():
    assert event("route", {"server": "other", "tool": "find"})["effect"] == "allow"
    assert event("route", {"server": "other", "tool": "echo"})["rule"] == "default"
    assert event("route", {"server": "hub", "tool": "find"})["rule"] == "default"
    assert event("route", {"server": "nowhere", "tool": "find"})["rule"] == "default"


def test_a_token_that_is_for_no_other_server_calls_nothing_there():
    assert event("vault_call", {"tool": "open"})["rule"] == "default"
    both = claims(aud=[AUDIENCE, "vault-aud"])
    assert event("vault_call", {"tool": "open"}, who=both)["effect"] == "allow"
    assert event("route", {"server": "vault", "tool": "open"})["rule"] == "default"


def test_a_call_inside_that_is_held_holds_the_whole_call():
    script = played("batch", {"calls": [{"name": "echo"}, {"name": "pay", "arguments": {"sum": 7}}]})
    (ask,) = [command for command in script.said if isinstance(command, AskApproval)]
    assert (ask.ask.target, ask.ask.approval, ask.rule.name) == ("batch", "money", "money")
    assert json.loads(ask.ask.arguments) == {"calls": [{"name": "echo"}, {"name": "pay", "arguments": {"sum": 7}}]}
    assert ask.ask.findings == ("calls echo", "calls pay")
    refused = event("batch", {"calls": [{"name": "pay"}, {"name": "drop_table"}]})
    assert refused["effect"] == "deny"
    assert event("batch", {"calls": [{"name": "pay"}, {"name": "sign"}]})["reason"] == "two_approvals"


def test_every_call_inside_is_counted_beside_the_call_itself():
    limits = (
        "limits:\n  - {per: principal, servers: [hub], calls: 9/1m}\n  - {per: tool, servers: [other], calls: 5/1m}\n"
    )
    script = played("batch", {"calls": [{"name": "echo"}, {"name": "echo"}]}, POLICY + limits)
    (taken,) = [command.quotas for command in script.world.asked if hasattr(command, "quotas")]
    assert [quota.rule for quota in taken] == ["limit#1"] * 3
    assert len({quota.key for quota in taken}) == 1
    script = played("route", {"server": "other", "tool": "find"}, POLICY + limits)
    (taken,) = [command.quotas for command in script.world.asked if hasattr(command, "quotas")]
    assert [quota.rule for quota in taken] == ["limit#1", "limit#2"]
    assert "4:find," in taken[1].key
    unlimited = [command for command in played("call_tool", {"name": "echo"}).world.asked if hasattr(command, "quotas")]
    assert unlimited == []


def test_earlier_calls_are_counted_where_a_condition_of_any_reached_server_asks():
    asking = POLICY.replace("tools: [find, open]}", "tools: [find, open], when: session.calls < 2}")
    assert decide.asks_session_calls(policy(asking), "hub")
    assert not decide.asks_session_calls(policy(POLICY), "hub")
    assert not decide.asks_session_calls(policy(POLICY), "nowhere")


def test_a_call_inside_of_a_tool_that_changed_is_not_made():
    pinned = POLICY.replace("  hub:\n", "  hub:\n    tool_definitions: pin\n", 1)
    seen = {("hub", "echo"): definition_of("hub", {"name": "echo"}, NOW)}
    changed = SharedState(as_of=NOW, candidates=seen)
    assert event("call_tool", {"name": "echo"}, pinned, shared=changed)["rule"] == "tool_definitions"
    assert '"echo"' in words("call_tool", {"name": "echo"}, pinned, shared=changed)
    other = {"name": "run_shell", "arguments": {"command": "ls"}}
    assert event("call_tool", other, pinned, shared=changed)["effect"] == "allow"
    assert event("echo", {}, pinned, shared=changed)["rule"] == "tool_definitions"


def test_as_little_is_recorded_as_any_server_that_is_called_says():
    kept = POLICY + "recording: {payloads: masked, servers: {other: none}}\n"
    assert event("route", {"server": "other", "tool": "find"}, kept)["arguments"] is None
    assert event("route", {"server": "hub", "tool": "echo"}, kept)["arguments"] is not None
    assert event("route", {"server": "nowhere", "tool": "echo"}, kept)["arguments"] is not None


def test_what_a_tool_inside_owes_in_masking_is_owed_wherever_it_stands():
    text = POLICY + MASKING
    script = played("batch", {"calls": [{"name": "echo", "arguments": {"mail": "a@b.c"}}]}, text)
    (forward,) = script.said
    assert b"a@b.c" not in forward.body
    said = script.response(reply({"content": [], "structuredContent": {"results": [{"mail": "x@y.z", "n": 1}]}}))
    assert json.loads(released(said))["result"]["structuredContent"] == {"results": [{"mail": "[masked]", "n": 1}]}
    script = played("route", {"server": "other", "tool": "find"}, text)
    said = script.response(reply({"content": [], "structuredContent": {"out": {"row": {"ssn": "1"}}, "mail": "x"}}))
    assert json.loads(released(said))["result"]["structuredContent"] == {
        "out": {"row": {"ssn": "[masked]"}},
        "mail": "x",
    }


def test_where_it_is_not_known_what_is_called_everything_is_owed():
    loaded, who = policy(POLICY + MASKING), Principal(issuer=ISSUER, subject="ann", groups=frozenset({"data-analysts"}))

    def owed(name, kind=ResourceKind.TOOL):
        return decide.masking(loaded, who, "hub", (Target(kind=kind, name=name),)).rules

    assert owed("batch") == ("mails", "finds", "deep")
    assert owed("", ResourceKind.SERVER) == ("mails", "finds", "deep")
    assert owed("echo") == ("mails",)
    assert owed("run_shell") == ()
    assert owed("x", ResourceKind.PROMPT) == ()
    assert decide.masking(loaded, who, "other", (Target(kind=ResourceKind.TOOL, name="find"),)).rules == ("finds",)


def test_explain_tells_each_call_inside():
    loaded, who = in_role(policy(POLICY), "agent")
    script = played("route", {"server": "other", "tool": "secret"})
    request = script.exchange._request
    found = explain(loaded, who, "hub", request.message, facts=request.facts)
    assert found.decision.rule == "default"
    assert "for the call of `secret` on server `other`: verb query" in found.notes
    request = played("batch", {"calls": [{"name": "echo"}, {"name": "nope"}]}).exchange._request
    found = explain(loaded, who, "hub", request.message, facts=request.facts)
    granting = [(each.rule, each.speaks) for each in found.granting]
    assert granting == [("role:agent#1", True), ("role:agent#2", True)]
    assert found.granting[1].why.startswith("for the call of `echo` on server `hub`: the condition")
    assert any("`nope` is not listed under server `hub`" in note for note in found.notes)
    request = played("route", {"server": "nowhere", "tool": "echo"}).exchange._request
    found = explain(loaded, who, "hub", request.message, facts=request.facts)
    assert "for the call of `echo` on server `nowhere`: the policy has no server `nowhere`" in found.notes
    request = played("batch", {"calls": 7}).exchange._request
    found = explain(loaded, who, "hub", request.message, facts=request.facts)
    assert "the arguments do not say what would be called: `calls` must be a list that is not empty" in found.notes
