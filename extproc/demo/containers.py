"""The sample server and the token issuer as containers: what ``docker-compose.yml`` starts beside Envoy.

In a container loopback is the container's own, so these two listen on every address of theirs; what reaches them is
said by the compose file: the server stands on a network that only Envoy shares, the issuer's port is published on the
host's loopback. Both still answer to loopback host names alone. Never start this outside of a container.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import uvicorn

__all__ = ["main"]

GATEWAY: Final = "http://127.0.0.1:8080/mcp"
ISSUER: Final = "http://127.0.0.1:8099"
SERVER_PORT: Final = 3000
ISSUER_PORT: Final = 8099
EVERY_ADDRESS: Final = "0.0.0.0"  # noqa: S104 - of a container, see above


def main(arguments: Sequence[str]) -> int:
    """Run ``server`` or ``issuer`` until SIGTERM."""
    match arguments:
        case ["server"]:
            # the SDK is in the sample image alone, and the issuer does without
            from extproc.demo.server import build, seeded  # noqa: PLC0415

            app, port = build(seeded()).streamable_http_app(), SERVER_PORT
        case ["issuer"]:
            from extproc.demo.issuer import create_app  # noqa: PLC0415
            from extproc.demo.people import DevelopmentIssuer  # noqa: PLC0415

            kept = DevelopmentIssuer.keep(
                Path(os.environ.get("EXTPROC_STATE_DIR", "/var/lib/extproc")), url=ISSUER, audience=GATEWAY
            )
            app, port = create_app(kept), ISSUER_PORT
        case _:
            sys.stderr.write("usage: python -m extproc.demo.containers server|issuer\n")
            return 2
    uvicorn.run(app, host=EVERY_ADDRESS, port=port, log_level="warning", access_log=False, timeout_graceful_shutdown=1)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
