"""What a client is told while nobody has answered, by what it can do."""

import json

import pytest

from extproc.core.approval import digest
from extproc.core.tickets import TicketState
from held import CONSOLE, HELD, Desk, handshake, script, second_round, state_after_first_round, urls, words_of
from script import RING, answer_of, legacy, modern


def test_a_modern_client_that_opens_urls_is_sent_to_the_page_at_once():
    played = script(desk=Desk(says=None), console=CONSOLE)
    _, body = answer_of(played.post(urls()))
    assert body["result"]["resultType"] == "input_required"
    (asked,) = body["result"]["inputRequests"].values()
    assert asked["params"]["url"] == f"{CONSOLE}/approvals/t-1"
    assert played.world.asks[0].seconds == 0


def test_the_record_is_told_which_call_asks_and_nothing_of_its_arguments_that_could_be_guessed():
    desk = Desk(says=None)
    played = script(desk=desk, console=CONSOLE)
    played.post(urls())
    ask = desk.ticket.ask
    (event,) = played.world.records
    assert (ask.decision, ask.arguments_digest) == (event["decision"], event["arguments_digest"])
    assert ask.arguments_digest == RING.digests.of({"table": "orders"})
    assert (ask.session, ask.trace) == (event["session"] or "", event["trace"] or "")


def test_it_is_held_when_it_comes_back_and_asked_no_second_time():
    desk = Desk(says=None)
    played = second_round(state_after_first_round(desk), desk)
    _, body = answer_of(played.said)
    assert body["result"]["resultType"] == "input_required"
    assert "inputRequests" not in body["result"]
    assert played.world.asks[-1].seconds == 30


def test_what_a_client_answers_is_no_approval():
    desk = Desk(says=None)
    state = state_after_first_round(desk)
    _, body = answer_of(second_round(state, desk).said)
    assert body["result"]["resultType"] == "input_required"
    assert desk.ticket.state is TicketState.PENDING


def test_the_approved_round_reaches_the_upstream_as_a_first_call():
    desk = Desk(says=None)
    state = state_after_first_round(desk)
    desk.says = True
    (forward,) = second_round(state, desk).said
    params = json.loads(forward.body)["params"]
    assert "requestState" not in params
    assert "inputResponses" not in params
    assert params["arguments"] == {"table": "orders"}


def test_a_legacy_client_that_opens_urls_is_told_the_page_in_an_error():
    session = handshake({"elicitation": {"url": {}}})
    played = script(desk=Desk(says=None), console=CONSOLE)
    request = legacy(
        "tools/call", {"name": "drop_table", "arguments": {"table": "orders"}}, **{"mcp-session-id": session}
    )
    _, body = answer_of(played.post(request))
    assert body["error"]["code"] == -32042
    assert body["error"]["data"]["elicitations"][0]["url"] == f"{CONSOLE}/approvals/t-1"
    assert played.world.asks[0].seconds == 0


@pytest.mark.parametrize("capabilities", [{}, {"elicitation": {}}, {"elicitation": {"form": {}}}, {"elicitation": []}])
def test_every_other_client_is_held_and_told_in_words(capabilities):
    session = handshake(capabilities)
    played = script(desk=Desk(says=None), console=CONSOLE)
    request = legacy(
        "tools/call", {"name": "drop_table", "arguments": {"table": "orders"}}, **{"mcp-session-id": session}
    )
    assert CONSOLE in words_of(played.post(request))
    assert played.world.asks[0].seconds == 30


def test_an_approved_completion_is_for_the_argument_that_was_shown():
    text = HELD.replace("verbs: [query, admin], approval", "prompts: [report], approval")
    asks = []
    for value in ("a", "b"):
        played = script(text)
        argument = {"argument": {"name": "table", "value": value}}
        played.post(modern("completion/complete", {"ref": {"type": "ref/prompt", "name": "report"}} | argument))
        asks += [command.ask for command in played.world.asks]
    assert [json.loads(ask.arguments)["argument"]["value"] for ask in asks] == ["a", "b"]
    assert digest(asks[0]) != digest(asks[1])
