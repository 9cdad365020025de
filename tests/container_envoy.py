"""envoy/standalone/containers.yaml = envoy/standalone/envoy.yaml at the addresses of docker-compose.yml.

Written by ``python tests/container_envoy.py``; the container tests hold the two files together.
"""

from pathlib import Path

__all__ = ["MOVES", "SHIPPED", "WRITTEN", "moved"]

FOLDER = Path(__file__).resolve().parents[1] / "envoy" / "standalone"
SHIPPED = FOLDER / "envoy.yaml"
WRITTEN = FOLDER / "containers.yaml"

HEAD = """\
# envoy.yaml beside this file at the addresses of docker-compose.yml: written by `python tests/container_envoy.py`, held
# equal by tests. Other addresses and nothing else: the listener is reached through a published port, the policy service
# over unix sockets on a shared volume, the MCP server and the issuer by their service names.
#
"""

# what is replaced, by what, and how often it must stand in envoy.yaml (None: at least once)
MOVES = (
    (
        "address: {socket_address: {address: 127.0.0.1, port_value: 10000}}",
        "address: {socket_address: {address: 0.0.0.0, port_value: 8080}}",
        1,
    ),
    ("127.0.0.1:10000", "127.0.0.1:8080", None),
    ("localhost:10000", "localhost:8080", None),
    ("127.0.0.1:9000", "127.0.0.1:8099", None),
    ("{socket_address: {address: 127.0.0.1, port_value: 50051}}", "{pipe: {path: /run/extproc/0.sock}}", 1),
    ("{socket_address: {address: 127.0.0.1, port_value: 50052}}", "{pipe: {path: /run/extproc/1.sock}}", 1),
    ("{address: 127.0.0.1, port_value: 3000}", "{address: server, port_value: 3000}", 1),
    ("{address: 127.0.0.1, port_value: 9000}", "{address: issuer, port_value: 8099}", 1),
    (
        "- name: mcp_upstream\n    type: STATIC                                          # STRICT_DNS for a host name\n",
        "- name: mcp_upstream\n    type: STRICT_DNS\n",
        1,
    ),
    ("- name: issuer\n    type: STATIC\n", "- name: issuer\n    type: STRICT_DNS\n", 1),
)


def moved(text):
    """The shipped configuration at the container addresses; an address that is not there is an error."""
    for old, new, times in MOVES:
        found = text.count(old)
        if found == 0 or (times is not None and found != times):
            raise ValueError(f"{SHIPPED.name}: {old!r} stands there {found} times, expected {times or 'some'}")
        text = text.replace(old, new)
    return HEAD + text


if __name__ == "__main__":
    WRITTEN.write_text(moved(SHIPPED.read_text("utf-8")), "utf-8")
