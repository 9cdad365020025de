"""What is written down before anything happens: who, what, under which policy, and no secret."""

import hashlib
import json

import pytest

from extproc.core import audit
from extproc.core.audit.steps import approval_step
from extproc.core.exchange import BodyReceived
from held import HELD
from held import script as held
from script import NOW, POLICY, RING, Script, call, legacy, modern

SHADOW = POLICY.replace("version: 1", "version: 1\nmode: shadow")


def test_every_event_names_the_policy_and_its_mode_also_of_a_server_that_is_none():
    for script, shadow in ((Script(), False), (Script(SHADOW), True), (Script(SHADOW, server="hr-db"), True)):
        script.begin()
        script.play(BodyReceived(at=NOW, body=b"[]"))
        assert (script.world.records[0]["policy"], script.world.records[0]["shadow"]) == (
            script.exchange._request.snapshot.policy.digest,
            shadow,
        )


def test_secrets_in_arguments_are_masked_in_the_record_and_not_in_the_call():
    script = Script()
    secret = "Bearer eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl"
    forward = script.forwarded(call("echo", {"text": secret}))
    assert forward.body is None
    assert "eyJzdWIi" not in json.dumps(script.world.records)


@pytest.mark.parametrize("level", ["digest", "none"])
def test_lower_recording_levels_keep_the_digest_of_the_arguments_alone(level):
    script = Script(POLICY.replace("masked", level))
    script.forwarded(call("echo", {"text": "x"}))
    (event,) = script.world.records
    assert (event["arguments"], event["arguments_digest"]) == (None, RING.digests.of({"text": "x"}))


def test_what_was_masked_for_the_record_is_said_and_its_digest_is_no_way_back():
    script = Script()
    script.forwarded(call("echo", {"text": "Bearer eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl"}))
    (masked,) = script.world.records
    assert masked["arguments_masked"]
    script = Script()
    script.forwarded(call("echo", {"text": "123-45-6789"}))
    (plain,) = script.world.records
    assert "arguments_masked" not in plain
    guess = hashlib.sha256(audit.encode({"text": "123-45-6789"})).hexdigest()
    assert guess not in json.dumps(script.world.records)


URI = "schema://sales/ann.smith@example.com"
TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl"
PII = "masking: [{name: pii, servers: [sales-db], detect: [email]}]\n"


def test_the_uris_of_a_message_are_masked_in_the_record_also_where_it_was_refused_before_it_was_judged():
    reads = legacy("resources/read", {"uri": URI})
    unknown = legacy("resources/read", {"uri": URI}, **{"mcp-session-id": "nobody-s"})
    for request, effect in ((reads, "allow"), (unknown, "reject")):
        script = Script(POLICY + PII)
        script.post(request)
        (event,) = script.world.records
        assert (event["effect"], event["targets"]) == (
            effect,
            [{"kind": "resource", "name": "schema://sales/[email]"}],
        )


def test_no_token_in_a_uri_is_on_record_whatever_is_masked():
    for text in (POLICY, POLICY + PII):
        script = Script(text)
        script.post(legacy("resources/read", {"uri": f"schema://sales/x?access_token={TOKEN}"}))
        assert TOKEN not in json.dumps(script.world.records)
        assert script.world.records[0]["targets"][0]["name"].startswith("schema://sales/x?access_token=[")


def test_what_waits_for_an_approval_is_named_on_record_as_the_call_itself_is():
    grant = 'resources: ["schema://*"], approval: schema-change}'
    played = held(HELD.replace("verbs: [query, admin], approval: schema-change}", grant) + PII)
    played.post(modern("resources/read", {"uri": "schema://hr/ann.smith@example.com"}))
    ticket = played.world.ticket
    assert ticket.ask.target == "schema://hr/ann.smith@example.com"
    step = approval_step(at=NOW, step="asked", ticket=ticket)
    assert step["target"] == "schema://hr/[email]" == played.world.records[-1]["targets"][0]["name"]
