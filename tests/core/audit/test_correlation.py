"""What comes of a call is found with it."""

from extproc.core.audit import session_digest
from extproc.core.audit.correlation import NO_CALL, Correlation


def test_a_session_is_named_as_on_record_and_never_by_its_id():
    found = Correlation.of("d", "the-id", "t")
    assert (found.decision, found.session, found.trace) == ("d", session_digest("the-id"), "t")
    assert Correlation.of("d", "", None).session is None


def test_what_comes_of_no_call_names_none():
    assert (NO_CALL.decision, NO_CALL.session, NO_CALL.trace) == ("", None, None)
