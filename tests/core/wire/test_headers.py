import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp.shared.inbound import decode_header_value, encode_header_value

from extproc.core.model import Era
from extproc.core.rejection import HEADER_MISMATCH, INVALID_PARAMS, UNSUPPORTED_VERSION, Rejection
from extproc.core.wire import headers
from extproc.core.wire.headers import CAPABILITIES, PROTOCOL_VERSION, Revision
from extproc.core.wire.methods import LEGACY_REVISIONS, MODERN_REVISIONS

MODERN = {PROTOCOL_VERSION: "2026-07-28", CAPABILITIES: {}}


def sentinel(octets: bytes) -> str:
    return f"=?base64?{base64.b64encode(octets).decode()}?="


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "application/json\t",
    ],
)
def test_plain_json_is_taken(content_type):
    assert headers.content_fault({"content-type": content_type}) is None


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "application/json-rpc",
        "application/json,application/json",
        "text/plain, application/json",
        "application/json; charset=x",
        "application/json;charset=utf-16",
        "application/json;charset=latin-1",
        "application/json;charset=utf-7",
        "application/json;charset=ISO-2022-JP",
        "multipart/form-data",
        "application/json;",
        "application/json;charset=utf-8;charset=utf-16",
        "application/jsonx",
        "application/json; profile=x",
    ],
)
def test_any_other_content_type_is_refused(content_type):
    rejection = headers.content_fault({} if content_type is None else {"content-type": content_type})
    assert isinstance(rejection, Rejection)
    assert (rejection.status, rejection.reason) == (415, "content_type")


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity", "gzip, gzip", "x-gzip", ""])
def test_an_encoded_body_is_refused_also_when_it_is_only_labelled(encoding):
    rejection = headers.content_fault({"content-type": "application/json", "content-encoding": encoding})
    assert isinstance(rejection, Rejection)
    assert (rejection.status, rejection.reason) == (415, "content_encoding")


@pytest.mark.parametrize("needs_claim", [True, False])
def test_header_and_body_name_the_era_together(needs_claim):
    def revision(sent, meta):
        return headers.revision(sent, meta, needs_claim=needs_claim)

    assert revision({}, {}) == Revision(era=Era.LEGACY, name="2025-03-26")
    for name in LEGACY_REVISIONS:
        assert revision({"mcp-protocol-version": name}, {}) == Revision(era=Era.LEGACY, name=name)
    for spelling in ("2026-07-28", "2026-07-28 ", "\t2026-07-28"):
        sent = {"mcp-protocol-version": spelling}
        assert revision(sent, MODERN) == Revision(era=Era.MODERN, name="2026-07-28")


@pytest.mark.parametrize(
    ("header", "claim"),
    [
        (None, "2026-07-28"),
        ("2025-06-18", "2026-07-28"),
        ("2026-07-28", "2025-06-18"),
        ("2026-07-28,2025-06-18", "2026-07-28"),
        ("2026-07-28", None),
        (None, None),
        ("2026-07-28", ["2026-07-28"]),
        ("2026-07-28", "2026-07-28 "),
        ("2099-01-01", "2026-07-28"),
    ],
)
def test_a_contradiction_about_the_version_is_refused_and_never_legacy(header, claim):
    sent = {} if header is None else {"mcp-protocol-version": header}
    for needs_claim in (True, False):
        rejection = headers.revision(sent, {**MODERN, PROTOCOL_VERSION: claim}, needs_claim=needs_claim)
        assert isinstance(rejection, Rejection)
        assert (rejection.status, rejection.code) == (400, HEADER_MISMATCH)


@pytest.mark.parametrize("version", ["2099-01-01", "2025-06-18", "2025-06-18,2025-06-18", "latest", "", "v999.0.0"])
def test_an_unknown_version_is_refused_with_the_ones_that_need_no_handshake(version):
    metas = [MODERN | {PROTOCOL_VERSION: version}] if version in LEGACY_REVISIONS else [{}, {PROTOCOL_VERSION: version}]
    for meta in metas:
        rejection = headers.revision({"mcp-protocol-version": version}, meta, needs_claim=True)
        assert isinstance(rejection, Rejection)
        assert (rejection.status, rejection.code) == (400, UNSUPPORTED_VERSION)
        assert rejection.data["supported"] == list(MODERN_REVISIONS)
        assert rejection.data.get("requested") == (version if version and "," not in version else None)


@pytest.mark.parametrize(
    "meta", [{}, {CAPABILITIES: {}}, {PROTOCOL_VERSION: "2026-07-28"}, {**MODERN, CAPABILITIES: None}]
)
def test_a_modern_request_says_what_it_speaks_and_can(meta):
    sent = {"mcp-protocol-version": "2026-07-28"}
    rejection = headers.revision(sent, meta, needs_claim=True)
    assert isinstance(rejection, Rejection)
    assert (rejection.status, rejection.code) == (400, INVALID_PARAMS)
    assert isinstance(headers.revision(sent, meta, needs_claim=False), Revision)


@pytest.mark.parametrize(
    "sent", ["echo", "echo,run_shell", "run_shell,echo", "run_shell,run_shell", "Run_shell", sentinel(b"echo")]
)
def test_a_lying_or_repeated_mirror_is_refused(sent):
    for required in (True, False):
        rejection = headers.mirror_fault({"mcp-name": sent}, "mcp-name", "run_shell", required=required)
        assert isinstance(rejection, Rejection)
        assert (rejection.status, rejection.code) == (400, HEADER_MISMATCH)


@pytest.mark.parametrize("sent", ["run_shell", " run_shell\t", sentinel(b"run_shell")])
def test_a_true_mirror_passes_plain_or_encoded(sent):
    assert headers.mirror_fault({"mcp-name": sent}, "mcp-name", "run_shell", required=True) is None


def test_a_mirror_is_missed_where_it_is_required_and_refused_where_it_mirrors_nothing():
    assert isinstance(headers.mirror_fault({}, "mcp-name", "x", required=True), Rejection)
    assert headers.mirror_fault({}, "mcp-name", "x", required=False) is None
    for sent in ("x", "=?base64?x?="):
        assert isinstance(headers.mirror_fault({"mcp-name": sent}, "mcp-name", None, required=False), Rejection)


@pytest.mark.parametrize(
    "sent",
    [
        "=?BASE64?cnVuX3NoZWxs?=",
        "=?Base64?cnVuX3NoZWxs?=",
        "=?base64?cnVuX3NoZWx?=",
        "=?base64?cnVuX3N oZWxs?=",
        "=?base64?cnVuX3NoZWxz====?=",
        "=?base64?_-8=?=",
        "=?base64?YR==?=",
        "=?base64?/w==?=",
        "=?base64?7aCA?=",
        "=?base64?Y?=",
        "caf\u00e9",
        "a\x00b",
        "a\x7f",
    ],
)
def test_an_inexact_sentinel_and_raw_octets_mirror_nothing(sent):
    assert headers.decode(sent) is None


def test_a_name_that_looks_like_a_sentinel_is_not_what_it_encodes():
    literal = "=?base64?ZWNobw==?="
    assert headers.decode(literal) == "echo"
    assert isinstance(headers.mirror_fault({"mcp-name": literal}, "mcp-name", literal, required=True), Rejection)
    twice = sentinel(literal.encode())
    assert headers.mirror_fault({"mcp-name": twice}, "mcp-name", literal, required=True) is None
    assert isinstance(headers.mirror_fault({"mcp-name": twice}, "mcp-name", "echo", required=True), Rejection)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_the_official_sdk_encodes_is_decoded(text):
    sent = encode_header_value(text)
    if sent[:9].lower() != "=?base64?" or sent.startswith("=?base64?"):
        assert headers.decode(sent) == text == decode_header_value(sent)


@pytest.mark.parametrize(
    ("sent", "arguments"),
    [
        ("eu", {"region": "eu"}),
        ("eu", {"REGION": "eu", "other": 1}),
        (sentinel("zürich".encode()), {"a": {"region": "zürich"}}),
        ("42", {"region": 42}),
        ("42.0", {"region": 42}),
        ("42", {"region": 42.0}),
        ("-1", {"region": -1}),
        ("true", {"region": True}),
        ("false", {"region": False}),
        ("eu", {}),
        ("eu", {"region": None}),
        ("eu", {"region": ["us"]}),
        ("eu", {"region": {"name": "us"}}),
        ("eu", {"regions": "us"}),
    ],
)
def test_a_parameter_header_that_agrees_or_mirrors_nothing_here_passes(sent, arguments):
    assert headers.param_fault({"mcp-param-region": sent, "accept": "x"}, arguments) is None


@pytest.mark.parametrize(
    ("sent", "arguments"),
    [
        ("eu", {"region": "us"}),
        ("eu,us", {"region": "eu"}),
        ("eu", {"a": {"b": {"region": "us"}}}),
        ("eu", {"region": "eu", "a": {"region": "us"}}),
        ("43", {"region": 42}),
        ("4.2e1", {"region": 42}),
        ("42.5", {"region": 42.5}),
        ("1", {"region": True}),
        ("True", {"region": True}),
        ("true", {"region": "false"}),
        ("eu", {"region": 1}),
        ("=?base64?eu?=", {}),
        ("1" * 5000, {"region": 1}),
    ],
)
def test_a_parameter_header_that_disagrees_is_refused(sent, arguments):
    rejection = headers.param_fault({"mcp-param-region": sent}, arguments)
    assert isinstance(rejection, Rejection)
    assert (rejection.status, rejection.code) == (400, HEADER_MISMATCH)
    assert "region" not in rejection.message


def test_a_dash_in_a_parameter_header_may_stand_for_an_underscore():
    assert isinstance(headers.param_fault({"mcp-param-tenant-id": "1"}, {"tenant_id": "2"}), Rejection)
    assert headers.param_fault({"mcp-param-tenant_id": "1"}, {"tenant-id": "1"}) is None


def test_headers_of_one_argument_must_all_agree_with_it():
    sent = {"mcp-param-tenant-id": "1", "mcp-param-tenant_id": "2"}
    for value in ("1", "2"):
        assert isinstance(headers.param_fault(sent, {"tenant_id": value}), Rejection)
    assert headers.param_fault(dict.fromkeys(sent, "1"), {"tenant_id": "1"}) is None


def test_many_headers_and_many_arguments_are_compared_in_one_pass():
    sent = {f"mcp-param-{number}": "v" for number in range(10_000)}
    arguments = {f"a{number}": "v" for number in range(50_000)}
    assert headers.param_fault(sent, arguments) is None
    assert isinstance(headers.param_fault(sent, {**arguments, "9999": "w"}), Rejection)
