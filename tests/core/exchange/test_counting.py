"""Which calls are counted together, and which message takes which call back."""

import pytest
from msgspec.structs import replace

from asked import message, tool
from extproc.core.exchange import counting
from extproc.core.handles import Owner
from extproc.core.model import Era

OWNER = Owner(issuer="https://idp", subject="ann", server="db", session="s1")
CALL = replace(message(tool("query")), era=Era.LEGACY, id=7)
CANCEL = replace(CALL, method="notifications/cancelled", id=None, params={"requestId": 7})


def test_a_session_counts_for_itself():
    assert counting.session(OWNER) == counting.session(replace(OWNER))
    others = [replace(OWNER, **{name: "other"}) for name in ("issuer", "subject", "server", "session")]
    assert len({counting.session(each) for each in (OWNER, *others)}) == 5


def test_a_message_takes_back_the_call_of_its_owner_with_that_id_alone():
    key = counting.cancelling(OWNER, CANCEL)
    assert key is not None
    assert key == counting.cancelled_as(OWNER, CALL)
    assert key != counting.cancelled_as(OWNER, replace(CALL, id="7"))
    assert key != counting.cancelled_as(OWNER, replace(CALL, id=8))
    assert key != counting.cancelled_as(replace(OWNER, subject="eve"), CALL)
    assert key != counting.session(OWNER)


@pytest.mark.parametrize(
    "sent",
    [
        CALL,
        replace(CANCEL, era=Era.MODERN),
        replace(CANCEL, params={}),
        replace(CANCEL, params={"requestId": None}),
    ],
)
def test_no_other_message_takes_a_call_back(sent):
    assert counting.cancelling(OWNER, sent) is None


def test_without_a_session_nothing_is_taken_back():
    nobody = replace(OWNER, session="")
    assert counting.cancelling(nobody, CANCEL) is None
    assert counting.cancelled_as(nobody, CALL) is None
    assert counting.cancelled_as(OWNER, replace(CALL, era=Era.MODERN)) is None
