"""What a call that goes upstream says of its response."""

import pytest
from msgspec.structs import replace

from asked import message, tool
from extproc.core.exchange.call import Call
from extproc.core.handles import Owner
from extproc.core.masking import NO_MASKING
from extproc.core.model import Decision, Effect, MessageKind, Obligations, Recording
from script import RING

CALL = Call(
    message=message(tool("query")),
    decision=Decision(effect=Effect.ALLOW, rule="r", reason="granted", obligations=Obligations()),
    owner=Owner(issuer="https://idp", subject="ann", server="db"),
    ring=RING,
    sees=lambda kind, name: True,  # noqa: ARG005
    owed=lambda things: NO_MASKING,  # noqa: ARG005
    decision_id="d-1",
    started=0,
)


@pytest.mark.parametrize(("level", "kept"), [("masked", True), ("digest", False), ("none", False)])
def test_what_it_gets_is_kept_at_the_full_level_alone(level, kept):
    obligations = Obligations(recording=Recording(level))
    assert replace(CALL, decision=replace(CALL.decision, obligations=obligations)).is_recorded is kept


def test_a_stream_answers_nobody():
    assert not CALL.is_stream
    assert replace(CALL, message=replace(CALL.message, kind=MessageKind.STREAM)).is_stream
