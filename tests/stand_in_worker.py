"""A worker that answers health and does what ``STAND_IN`` says: for faults that a real worker does not have.

It is tied to its supervisor by the code of the real one.
"""

import asyncio
import os
import signal
import sys

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from extproc import worker


def say(line):
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def serve(address, mode):
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    server.add_insecure_port(address)
    await server.start()
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, (lambda: None) if mode == "stubborn" else stopping.set)
    loop.add_signal_handler(signal.SIGHUP, lambda: say("reload"))
    await servicer.set("", health_pb2.HealthCheckResponse.SERVING)
    await stopping.wait()
    say("drained")
    await server.stop(0)


def run_worker(_settings, _index, address):
    mode = os.environ.get("STAND_IN", "")
    if mode == "refuses":
        raise OSError("the stand-in cannot start")
    if mode == "crashes":
        os._exit(7)
    asyncio.run(serve(address, mode))


if __name__ == "__main__":
    sys.exit(worker.main(sys.argv[1:], run_worker))
