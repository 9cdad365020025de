"""Post batches to a collector over HTTP, for every sink that does.

A batch counts as stored on a 2xx answer; on everything else it is given again. Redirects are not followed: the token
is for this address alone.
"""

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import httpx

from extproc.edges.sinks.tls import TlsContext, line_in
from extproc.ports import RecordsRefusedError, SinkError

__all__ = ["Poster"]

_ANSWER_BYTES: Final = 64 << 10
"""No collector has more to say."""
_REFUSED: Final = frozenset({400, 403, 409, 413, 415, 422})
"""What a collector answers that does not take these bytes; the rest is about the address, the token or the hour."""


class Poster:
    """Posts to ``url``; the token is read from ``token_file`` for each batch, so that it can be changed there.

    ``token`` is the name of the header that carries it, and what stands before it there.
    """

    def __init__(
        self, url: str, *, token_file: Path | None, token: tuple[str, str], tls: TlsContext, timeout: float
    ) -> None:
        self._url = url
        self._token_file = token_file
        self._token = token
        self._tls = tls
        self._timeout = timeout
        self._client: httpx.AsyncClient | None = None

    async def post(self, body: bytes, headers: Mapping[str, str]) -> bytes:
        """What the collector answers to a body that it took.

        Raises:
            SinkError: it does not say that it has it.
        """
        sent = {**headers, "content-encoding": "gzip"}
        if self._token_file is not None:
            name, before = self._token
            sent[name] = before + line_in(self._token_file)
        if self._client is None:
            self._client = httpx.AsyncClient(
                trust_env=False, timeout=self._timeout, follow_redirects=False, verify=self._tls()
            )
        content = gzip.compress(body, 1, mtime=0)
        try:
            async with self._client.stream("POST", self._url, content=content, headers=sent) as answer:
                if answer.status_code in _REFUSED:
                    raise RecordsRefusedError(f"the collector answers {answer.status_code}")
                if not answer.is_success:
                    raise SinkError(f"the collector answers {answer.status_code}")
                said = b""
                async for piece in answer.aiter_bytes():
                    said += piece
                    if len(said) > _ANSWER_BYTES:
                        raise SinkError("the collector's answer is larger than any answer to records")
                return said
        except httpx.HTTPError as error:
            # the next connection is made with the files as they are then
            await self.close()
            raise SinkError(f"the collector does not answer: {type(error).__name__}") from None

    async def close(self) -> None:
        """Let go of connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()
