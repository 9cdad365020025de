import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.core.limits import MAX_ID_CHARS, MAX_METHOD_CHARS
from extproc.core.model import MessageKind
from extproc.core.rejection import INVALID_REQUEST, PARSE_ERROR, Rejection
from extproc.core.wire.jsonrpc import Envelope, ServerMessage, open_envelope, read_server_message, readable_id

REQUEST = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


def refused(value) -> str:
    rejection = open_envelope(value)
    assert isinstance(rejection, Rejection), value
    assert (rejection.status, rejection.code) == (400, INVALID_REQUEST)
    return rejection.reason


@pytest.mark.parametrize(
    "batch", [[], [REQUEST], [REQUEST, REQUEST], [[REQUEST]], [{"jsonrpc": "2.0", "method": "x"}, REQUEST]]
)
def test_a_batch_is_refused_whatever_is_in_it(batch):
    assert refused(batch) == "batch"


@pytest.mark.parametrize("value", [None, 1, "x", True])
def test_a_body_that_is_no_object_is_refused(value):
    assert refused(value) == "not_an_object"


@pytest.mark.parametrize(
    "member", ["Method", "METHOD", "param\u017f", "method\0", "id\u200b", "extra", "__proto__", " id"]
)
def test_an_unknown_or_disguised_member_is_refused(member):
    assert refused({**REQUEST, member: {}}) == "unknown_member"


@pytest.mark.parametrize("version", [None, "1.0", 2.0, "2", "2.0 ", ["2.0"]])
def test_only_json_rpc_2_is_read(version):
    assert refused({**REQUEST, "jsonrpc": version}) == "version"
    assert refused({"id": 1, "method": "ping"}) == "version"


@pytest.mark.parametrize(
    "outcome", [{"result": {}}, {"error": {"code": 1, "message": ""}}, {"result": {}, "error": {}}]
)
def test_a_message_is_a_request_or_a_response_never_both(outcome):
    assert refused({**REQUEST, **outcome}) == "shape"


@pytest.mark.parametrize(
    "value",
    [
        {"jsonrpc": "2.0"},
        {"jsonrpc": "2.0", "id": 1},
        {"jsonrpc": "2.0", "result": {}},
        {"jsonrpc": "2.0", "id": 1, "result": {}, "error": {}},
        {"jsonrpc": "2.0", "id": 1, "result": {}, "params": {}},
        {"jsonrpc": "2.0", "id": 1, "error": "no"},
        {"jsonrpc": "2.0", "id": 1, "result": [{"name": "hidden"}]},
        {"jsonrpc": "2.0", "id": 1, "result": None},
        {"jsonrpc": "2.0", "id": 1, "params": {}},
    ],
)
def test_a_response_has_one_exact_shape(value):
    assert refused(value) == "shape"


@pytest.mark.parametrize("bad", [None, True, False, 1.5, 1.0, {}, [], "x" * (MAX_ID_CHARS + 1)])
def test_an_id_is_an_integer_or_a_short_string(bad):
    assert refused({**REQUEST, "id": bad}) == "id"
    assert refused({"jsonrpc": "2.0", "id": bad, "result": {}}) == "id"
    assert refused({"jsonrpc": "2.0", "id": bad, "error": {}}) == "id"
    assert readable_id({**REQUEST, "id": bad}) is None


@pytest.mark.parametrize("good", [0, -1, 2**63, 10**30, "", "1", "x" * MAX_ID_CHARS])
def test_an_id_comes_back_as_it_was_sent(good):
    envelope = open_envelope({**REQUEST, "id": good})
    assert isinstance(envelope, Envelope)
    assert (envelope.id, type(envelope.id), envelope.kind) == (good, type(good), MessageKind.REQUEST)
    assert readable_id({**REQUEST, "id": good}) == good


def test_a_response_is_not_answered():
    assert readable_id({"jsonrpc": "2.0", "id": 1, "result": {}}) is None
    assert readable_id([REQUEST]) is None


@pytest.mark.parametrize("method", [None, 1, "", {}, "x" * (MAX_METHOD_CHARS + 1)])
def test_a_method_is_a_short_string(method):
    assert refused({**REQUEST, "method": method}) == "method"


@pytest.mark.parametrize("params", [None, [], "x", 1])
def test_params_are_an_object_or_absent(params):
    assert refused({**REQUEST, "params": params}) == "params"


def test_without_an_id_a_request_is_a_notification():
    envelope = open_envelope({"jsonrpc": "2.0", "method": "x", "params": {"a": 1}})
    assert envelope == Envelope(kind=MessageKind.NOTIFICATION, id=None, method="x", params={"a": 1})


@pytest.mark.parametrize(
    ("value", "kind", "method"),
    [
        ({"jsonrpc": "2.0", "id": "a", "result": {}}, MessageKind.RESPONSE, None),
        ({"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": ""}}, MessageKind.RESPONSE, None),
        ({"jsonrpc": "2.0", "id": 5, "method": "roots/list"}, MessageKind.REQUEST, "roots/list"),
        (
            {"jsonrpc": "2.0", "method": "notifications/message", "params": {}},
            MessageKind.NOTIFICATION,
            "notifications/message",
        ),
    ],
)
def test_a_server_message_is_classified_and_kept_whole(value, kind, method):
    read = read_server_message(json.dumps(value).encode())
    assert read == ServerMessage(kind=kind, id=value.get("id"), method=method, value=value)


def test_rows_of_a_result_may_differ_in_case_alone():
    read = read_server_message(b'{"jsonrpc":"2.0","id":1,"result":{"ID":1,"id":2}}')
    assert isinstance(read, ServerMessage)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b'{"jsonrpc":"2.0","id":1,"result":{"a":1,"a":2}}', PARSE_ERROR),
        (b'[{"jsonrpc":"2.0","id":1,"result":{}}]', INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":null,"result":{}}', INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":1,"Result":{}}', INVALID_REQUEST),
        (b"<html>", PARSE_ERROR),
    ],
)
def test_a_server_message_with_two_readings_is_refused(raw, code):
    read = read_server_message(raw)
    assert isinstance(read, Rejection)
    assert read.code == code


MEMBERS = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.sampled_from(["2.0", "1.0", 2]),
        "id": st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
        "method": st.none() | st.text(),
        "params": st.none() | st.dictionaries(st.text(), st.none()) | st.lists(st.none()),
        "result": st.none() | st.dictionaries(st.text(), st.none()),
        "error": st.none() | st.dictionaries(st.text(), st.none()),
        "Method": st.text(),
    },
)


@given(MEMBERS | st.lists(MEMBERS))
def test_every_value_is_opened_or_refused(value):
    for null_id in (False, True):
        assert isinstance(open_envelope(value, null_id=null_id), Envelope | Rejection)
