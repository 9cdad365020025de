import asyncio

import httpx
import pytest

from extproc.core.limits import MAX_KEY_SET_BYTES
from extproc.edges.keys.sources import KeySourceError, client, fetch, read_file


@pytest.mark.parametrize(
    "uri", ["http://idp.example.com/jwks.json", "http://169.254.169.254/latest", "file:///etc/passwd", ""]
)
async def test_nothing_else_is_fetched(uri):
    asked = []
    http = client(httpx.MockTransport(lambda request: asked.append(request) or httpx.Response(200, content=b"{}")))
    with pytest.raises(KeySourceError, match="jwks_uri must be https"):
        await fetch(http, uri, within_seconds=1)
    assert asked == []


async def serve(answer: bytes) -> tuple[asyncio.Server, str, list[bytes]]:
    requests = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        try:
            await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/jwks", requests


async def fetched(answer: bytes, times: int = 1) -> bytes:
    server, uri, requests = await serve(answer)
    async with server, client() as http:
        try:
            return await fetch(http, uri, within_seconds=30)
        finally:
            assert len(requests) == times


async def test_a_plain_answer_over_a_socket_is_read():
    assert await fetched(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}") == b"{}"


async def test_a_redirect_is_not_followed():
    with pytest.raises(KeySourceError, match="status 302"):
        await fetched(b"HTTP/1.1 302 Found\r\nlocation: /other\r\ncontent-length: 0\r\n\r\n")


async def test_a_compressed_answer_is_not_unpacked():
    with pytest.raises(KeySourceError, match="compressed"):
        await fetched(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}")


async def test_an_endless_answer_is_cut_off():
    body = b" " * (50 << 20)
    with pytest.raises(KeySourceError, match="larger than"):
        await fetched(b"HTTP/1.1 200 OK\r\n\r\n" + body)


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n{}"])
async def test_a_broken_answer_is_an_error_with_a_reason(answer):
    with pytest.raises(KeySourceError, match="request failed"):
        await fetched(answer)


async def test_a_port_that_nobody_listens_on_is_an_error_with_a_reason():
    server, uri, _ = await serve(b"")
    server.close()
    await server.wait_closed()
    async with client() as http:
        with pytest.raises(KeySourceError, match="request failed"):
            await fetch(http, uri, within_seconds=30)


def test_a_file_is_read_up_to_the_limit(tmp_path):
    path = tmp_path / "jwks.json"
    path.write_bytes(b" " * MAX_KEY_SET_BYTES)
    assert len(read_file(str(path))) == MAX_KEY_SET_BYTES
    path.write_bytes(b" " * (MAX_KEY_SET_BYTES + 1))
    with pytest.raises(KeySourceError, match="larger than"):
        read_file(str(path))


@pytest.mark.parametrize("name", ["missing.json", ".", "a\x00b", ""])
def test_a_file_that_cannot_be_read_is_an_error_with_a_reason(tmp_path, name):
    with pytest.raises(KeySourceError, match="cannot be read"):
        read_file(f"{tmp_path}/{name}")
