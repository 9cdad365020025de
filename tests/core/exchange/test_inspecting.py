import pytest

from extproc.core.access import NO_FACTS
from extproc.core.exchange.inspecting import facts_of
from script import POLICY, Script, answer_of, call, claims, modern, policy

SHELL = POLICY.replace("echo: {verb: query}", "echo: {verb: query}\n      run: {verb: shell}").replace(
    'tools: [echo, "list_*"]', 'tools: [echo, "list_*", run]'
)


def found(arguments):
    played = Script(SHELL)
    played.post(call("run", arguments))
    return played.world.records[0]


def test_the_facts_of_a_command_are_on_record():
    event = found({"command": "ls -l"})
    assert (event["effect"], event["verb"], event["shell"]["commands"]) == ("allow", "query", ["ls"])


def test_a_destructive_command_is_refused_with_what_was_found():
    played = Script(SHELL)
    _, body = answer_of(played.post(call("run", {"command": "sudo rm -rf /"})))
    assert body["result"]["isError"] is True
    assert played.world.records[0]["shell"]["destructive"] is True
    assert "rm" in body["result"]["content"][0]["text"]


def test_a_command_may_be_a_list_of_words():
    assert found({"command": ["ls", "-l"]})["effect"] == "allow"


@pytest.mark.parametrize("arguments", [{}, {"command": 7}, {"command": []}, {"command": ["ls", 7]}, {"command": None}])
def test_what_is_no_command_is_the_worst(arguments):
    event = found(arguments)
    assert (event["effect"], event["verb"], event["shell"]["parsed"]) == ("deny", "admin", False)


def test_nothing_else_is_inspected():
    played = Script(SHELL)
    played.post(call("echo", {"command": "rm -rf /"}))
    assert "shell" not in played.world.records[0]
    played = Script(SHELL, who=claims())
    played.post(modern("prompts/get", {"name": "run"}))
    message = played.exchange._request.message
    assert facts_of(policy(SHELL), "sales-db", message) is NO_FACTS
    assert facts_of(policy(SHELL), "nowhere", message) is NO_FACTS


SQL = POLICY.replace(
    "echo: {verb: query}", "echo: {verb: query}\n      run: {verb: sql, sql: {argument: sql, dialect: postgres}}"
).replace('tools: [echo, "list_*"]', 'tools: [echo, "list_*", run]')


@pytest.mark.parametrize(
    ("value", "effect", "verb"),
    [
        ("SELECT a FROM t", "allow", "query"),
        (["SELECT a FROM t", "SELECT b FROM t"], "allow", "query"),
        (["SELECT a FROM t", "DROP TABLE t"], "deny", "admin"),
        ("WITH x AS (DELETE FROM t WHERE a = 1 RETURNING *) SELECT * FROM x", "deny", "mutate"),
        (None, "deny", "admin"),
        ([], "deny", "admin"),
        (["SELECT 1", 7], "deny", "admin"),
        ({"sql": "SELECT 1"}, "deny", "admin"),
    ],
)
def test_a_call_is_judged_by_its_sql_and_the_facts_are_on_record(value, effect, verb):
    played = Script(SQL)
    played.post(call("run", {"sql": value}))
    event = played.world.records[0]
    assert (event["effect"], event["verb"], event["sql"]["verb"]) == (effect, verb, verb)
    assert "t" in event["sql"]["tables"] or not event["sql"]["parsed"]


def test_a_refusal_says_what_the_sql_does():
    _, body = answer_of(Script(SQL).post(call("run", {"sql": "SELECT 1; TRUNCATE t"})))
    assert "TRUNCATE on t" in body["result"]["content"][0]["text"]
