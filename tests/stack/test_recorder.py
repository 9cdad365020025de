"""The raw recorder, without a gateway."""

import asyncio

import httpx
import pytest

from plain import NO_AUTHORITY
from stack.servers.recorder import dies, early, json_reply, raw_server, sse


async def test_the_recorder_keeps_the_bytes_of_the_request() -> None:
    async with raw_server() as upstream, httpx.AsyncClient(trust_env=False, verify=NO_AUTHORITY) as http:
        upstream.script = json_reply({"ok": True}, headers=[("x-a", "1")])

        async def chunks():
            yield b"one"
            yield b"two"

        assert (await http.post(upstream.url, content=chunks(), headers=[("X-B", "1"), ("X-B", "2")])).json() == {
            "ok": True
        }
        assert (await http.post(upstream.url, content=b"plain")).headers["x-a"] == "1"
        first, second = upstream.requests
        assert (bytes(first.framed), bytes(first.body)) == (b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n", b"onetwo")
        assert first.values("x-b") == ["1", "2"]
        assert first.first_byte_at < second.first_byte_at
        assert bytes(second.body) == b"plain"
        assert not upstream.faults


async def test_the_recorder_streams_replies_early_and_dies_as_told() -> None:
    async with raw_server() as upstream, httpx.AsyncClient(trust_env=False, verify=NO_AUTHORITY) as http:
        go_on = asyncio.Event()
        upstream.script = sse(b"data: 1\n\n", go_on, b"data: 2\n\n", trailers=[("x-t", "1")])
        async with http.stream("GET", upstream.sse_url) as answer:
            events = answer.aiter_raw()
            assert await anext(events) == b"data: 1\n\n"
            go_on.set()
            assert await anext(events) == b"data: 2\n\n"
        upstream.script = early(202)
        assert (await http.post(upstream.url, content=b"x" * 100_000)).status_code == 202
        upstream.script = dies(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")
        with pytest.raises(httpx.HTTPError):
            await http.post(upstream.url, content=b"{}")
