"""A policy service that allows whatever it gets, for the floor of the transport: ``python bench/answering.py ADDRESS``.

The server is the product's own, so what a setup costs beyond this one is what identifying, judging and recording cost.
"""

import asyncio
import signal
import sys
from typing import Final

import uvloop

from extproc.core.exchange import Forward
from extproc.edges.processor.server import ProcessorServer
from extproc.edges.processor.stream import EnvoyGone, Stream
from extproc.edges.processor.translate import Translation, decode

_ALLOWED: Final = Forward(rule="role:analyst#1", decision_id="0" * 24, headers={}, body=None, owes=False, until=None)


class Answering:
    """Reads one message and allows it."""

    async def serve(self, server: str, stream: Stream) -> None:
        """One message in, one out, and a clean end."""
        try:
            decode(await stream.read())
            for answer in Translation(server).frames(_ALLOWED):
                await stream.write(answer)
            await stream.finish()
        except EnvoyGone:
            return

    async def settle(self) -> None:
        """Nothing is late."""


async def main() -> None:
    server = ProcessorServer(Answering(), address=sys.argv[1], tls=None, drain_seconds=1.0)  # type: ignore[arg-type]
    await server.start()
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    await stopping.wait()
    await server.drain()


if __name__ == "__main__":
    uvloop.run(main())
