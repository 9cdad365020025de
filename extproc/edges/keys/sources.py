"""Reading one published key set, from a file or over HTTP, whole or not at all.

Only https is fetched (http from loopback), without redirects, uncompressed, to the end within the time and up to the
core's size limit. The bytes are not judged here. No error quotes what was read.
"""

import asyncio
from pathlib import Path

import httpx

from extproc.core.limits import MAX_KEY_SET_BYTES
from extproc.core.loopback import may_be_fetched

__all__ = ["KeySourceError", "client", "fetch", "read_file"]


class KeySourceError(Exception):
    """A key set cannot be had; the message names the reason, never what was read."""


def client(transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """An HTTP client that follows nothing and asks for plain bytes."""
    headers = {"accept": "application/json", "accept-encoding": "identity"}
    return httpx.AsyncClient(transport=transport, follow_redirects=False, headers=headers)


async def fetch(http: httpx.AsyncClient, uri: str, *, within_seconds: float) -> bytes:
    """The body of a plain 200 answer; raises for any other one, for too much of it, and for one that is late."""
    if not may_be_fetched(uri):
        raise KeySourceError("jwks_uri must be https, or http on loopback, without a password")
    try:
        async with asyncio.timeout(within_seconds), http.stream("GET", uri, timeout=None) as response:
            return await _read_whole(response)
    except TimeoutError:
        raise KeySourceError(f"no whole answer within {within_seconds:g} s") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        raise KeySourceError(f"the request failed: {type(error).__name__}") from None


async def _read_whole(response: httpx.Response) -> bytes:
    if response.status_code != 200:
        raise KeySourceError(f"the answer has status {response.status_code}")
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise KeySourceError("the answer is compressed, which was not asked for")
    body = bytearray()
    async for piece in response.aiter_raw():
        body += piece
        if len(body) > MAX_KEY_SET_BYTES:
            raise KeySourceError(f"the answer is larger than {MAX_KEY_SET_BYTES} bytes")
    return bytes(body)


def read_file(path: str) -> bytes:
    """The file's bytes; raises if it is missing or too large."""
    try:
        with Path(path).open("rb") as file:
            raw = file.read(MAX_KEY_SET_BYTES + 1)
    except (OSError, ValueError) as error:
        raise KeySourceError(f"{path!r} cannot be read: {type(error).__name__}") from None
    if len(raw) > MAX_KEY_SET_BYTES:
        raise KeySourceError(f"{path!r} is larger than {MAX_KEY_SET_BYTES} bytes")
    return raw
