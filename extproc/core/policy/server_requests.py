"""What a server may ask of its clients: sampling, their roots, words of their humans, a visit to a page.

Nothing, unless the policy opens it for that server: a sampled text is an injection that runs in the client's model,
what a client answers leaves it, and a URL is where somebody types a password (MCP 2026-07-28 basic/patterns/mrtr and
client/elicitation; 2025-11-25 the same as requests of the server). A URL passes only with a host that stands in
``elicitation_hosts``, by https, or by http to loopback; one that two readers could take for two hosts never does.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from extproc.core.model import Json
from extproc.core.policy.positions import Node
from extproc.core.policy.reading import Reading, Word

__all__ = ["NOTHING_OPEN", "ServerRequests", "kind_of", "place_of", "read_hosts", "read_kinds"]

SAMPLING: Final = "sampling"
ROOTS: Final = "roots"
ELICITATION: Final = "elicitation"
"""In form mode; in URL mode the host decides."""
OTHER: Final = "other"
_KINDS: Final[Mapping[Json, str]] = {
    "sampling/createMessage": SAMPLING,
    "roots/list": ROOTS,
    "elicitation/create": ELICITATION,
}
_OPENED: Final = (SAMPLING, ROOTS, ELICITATION)
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_DEFAULT_PORTS: Final = {"https": "443", "http": "80"}
_HOST: Final = r"([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::([1-9][0-9]{0,4}))?"
_ENTRY: Final = re.compile(_HOST)
_URL: Final = re.compile(rf"(https?)://{_HOST}(?:[/?#][!-\[\]-~]*)?", re.IGNORECASE | re.ASCII)
# visible ASCII without the backslash: browsers read that as a slash, and what is not ASCII as another host


@dataclass(frozen=True, slots=True)
class ServerRequests:
    """What one server may ask: kinds of ``kind_of``, and hosts (with a port where it is not the scheme's own)."""

    kinds: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()

    def fault(self, method: Json, params: Json) -> str | None:
        """Why a request of the server does not pass, as a stable word; None where it does."""
        if method == "ping":
            return None
        kind = kind_of(method)
        if kind == ELICITATION and isinstance(params, Mapping) and _sends_away(params):
            host = place_of(params)
            return None if host is not None and host in self.hosts else "host_not_open"
        return None if kind in self.kinds else f"{kind}_not_open"

    def announced(self, capabilities: Mapping[str, Json]) -> Mapping[str, Json]:
        """A client's capabilities without those that the server must not use; the same where all may stay."""
        kept = {name: value for name, value in capabilities.items() if self._may_know(name)}
        if ELICITATION in capabilities:
            modes = self._modes(capabilities[ELICITATION])
            if modes is not None:
                kept[ELICITATION] = modes
        return capabilities if kept == capabilities else kept

    def _may_know(self, name: str) -> bool:
        if name in {SAMPLING, ROOTS}:
            return name in self.kinds
        return name not in {ELICITATION, "tasks"}  # a client's own tasks are answers to sampling and elicitation

    def _modes(self, elicitation: Json) -> Json:
        """What stays of the elicitation that a client offers; None for nothing. Without a mode it is forms."""
        declared = elicitation if isinstance(elicitation, Mapping) else {}
        forms = "form" in declared or "url" not in declared
        kept = {name: value for name, value in declared.items() if name not in {"form", "url"}}
        if forms and ELICITATION in self.kinds:
            kept |= {"form": declared["form"]} if "form" in declared else {}
        elif not (self.hosts and "url" in declared):
            return None
        return kept | ({"url": declared["url"]} if self.hosts and "url" in declared else {})


NOTHING_OPEN: Final = ServerRequests()
"""What every server may ask until its policy says more."""


def kind_of(method: Json) -> str:
    """The kind of a server's request: sampling, roots, elicitation, other."""
    return _KINDS.get(method, OTHER) if isinstance(method, str) else OTHER


def place_of(params: Mapping[str, Json]) -> str | None:
    """The host to which an elicitation sends somebody, as ``elicitation_hosts`` has it; None where it is not clear."""
    url = params.get("url")
    found = _URL.fullmatch(url) if params.get("mode") == "url" and isinstance(url, str) else None
    if found is None:
        return None
    scheme, host, port = found[1].lower(), found[2].lower(), found[3]
    if scheme != "https" and host not in _LOOPBACK:
        return None
    return host if port in {None, _DEFAULT_PORTS[scheme]} else f"{host}:{port}"


def _sends_away(params: Mapping[str, Json]) -> bool:
    # a client that overlooks a mode it does not know still sees a URL
    return params.get("mode", "form") != "form" or "url" in params


def read_kinds(node: Node | None, server: str, reading: Reading) -> frozenset[str]:
    """``server_requests`` of a server."""
    what = f"each of `server_requests` of {server}"
    chosen = [reading.choice(item, what, _OPENED) for item in reading.items(node, f"`server_requests` of {server}")]
    return frozenset(kind for kind in chosen if kind is not None)


def read_hosts(node: Node | None, server: str, reading: Reading) -> frozenset[str]:
    """``elicitation_hosts`` of a server: exact hosts, each with a port where URLs will have one."""
    found: list[str] = []
    for word in reading.words(node, f"`elicitation_hosts` of {server}"):
        if _is_host(word):
            found.append(word.value)
        else:
            what = f"`{word.value}` in `elicitation_hosts` of {server} is no host"
            reading.problem(word.spot, what, "Write a lower-case host as `login.example.com` or `127.0.0.1:8080`")
    return frozenset(found)


def _is_host(word: Word) -> bool:
    return _ENTRY.fullmatch(word.value) is not None
