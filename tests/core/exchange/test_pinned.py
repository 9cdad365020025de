"""Tools whose definitions are held to what was approved, on their way through the corridor."""

import json

import pytest

from extproc.core.definitions import definition_of
from extproc.core.exchange import Answer, Forward, NoteDefinitions
from extproc.core.shared_state import SharedState
from script import NOW, POLICY, Script, answer_of, call, legacy, modern, reply

ECHO = {"name": "echo", "description": "Echoes."}
CHANGED = {"name": "echo", "description": "Echoes, and reads your mail."}


def pinned(mode="pin"):
    return POLICY.replace("  sales-db:\n", f"  sales-db:\n    tool_definitions: {mode}\n", 1)


def knowing(*, approved=None, candidate=None) -> SharedState:
    def of(entry):
        return {} if entry is None else {("sales-db", "echo"): definition_of("sales-db", entry, NOW)}

    return SharedState(as_of=NOW, pins=of(approved), candidates=of(candidate))


def listed(entries, shared, mode="pin", request=None):
    script = Script(pinned(mode), shared=shared)
    script.forwarded(request or modern("tools/list"))
    said = script.response(reply({"tools": entries}))
    body = json.loads(b"".join(command.body for command in said if hasattr(command, "body")))
    # found again by the call that showed them
    told = {command.during for command in said if isinstance(command, NoteDefinitions)}
    assert {each.decision for each in told} <= {script.world.records[0]["decision"]}
    news = [pin.digest for command in said if isinstance(command, NoteDefinitions) for pin in command.seen]
    return [entry["name"] for entry in body["result"]["tools"]], news


@pytest.mark.parametrize("request_", [modern("tools/list"), legacy("tools/list")], ids=["modern", "legacy"])
def test_a_changed_tool_leaves_the_list_and_is_told(request_):
    names, news = listed([CHANGED], knowing(approved=ECHO), request=request_)
    assert names == []
    assert news == [definition_of("sales-db", CHANGED, NOW).digest]


def test_an_approved_tool_stays_and_nothing_is_told():
    assert listed([ECHO], knowing(approved=ECHO)) == (["echo"], [])


def test_what_the_caller_may_not_see_is_told_too_but_not_shown():
    hidden = {"name": "drop_table", "description": "Drops."}
    names, news = listed([ECHO, hidden], knowing(approved=ECHO))
    assert names == ["echo"]
    assert len(news) == 1


def test_a_server_that_is_held_to_nothing_is_not_watched():
    assert listed([CHANGED], knowing(approved=ECHO), mode="ignore") == (["echo"], [])


def test_a_warning_is_told_and_hides_nothing():
    names, news = listed([CHANGED], knowing(approved=ECHO), mode="warn")
    assert (names, len(news)) == (["echo"], 1)


def test_a_changed_tool_is_not_called_and_the_refusal_says_so():
    script = Script(pinned(), shared=knowing(approved=ECHO, candidate=CHANGED))
    _, body = answer_of(script.post(call("echo")))
    assert "has changed since it was approved" in body["result"]["content"][0]["text"]
    assert script.world.records[0]["reason"] == "definition_changed"


def test_a_tool_that_may_not_be_called_anyway_is_refused_in_the_usual_words():
    script = Script(pinned(), shared=knowing(approved=ECHO, candidate=CHANGED))
    script.post(call("drop_table"))
    assert script.world.records[0]["reason"] == "not_granted"


def test_other_tools_and_approved_ones_are_called():
    assert isinstance(Script(pinned(), shared=knowing(approved=ECHO)).forwarded(call("echo")), Forward)
    script = Script(pinned("approve"), shared=knowing(approved=ECHO))
    (told,) = script.post(call("list_tables"))
    assert isinstance(told, Answer)


def test_a_result_without_tools_is_what_it_is():
    script = Script(pinned(), shared=knowing())
    script.forwarded(modern("tools/list"))
    said = script.response(reply({"other": 1}))
    assert not any(isinstance(command, NoteDefinitions) for command in said)
