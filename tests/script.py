"""Plays one exchange as a conversation: events go in, commands come out, and the world answers as it is told to."""

import json
from dataclasses import dataclass, field
from functools import cache

from msgspec.structs import replace

from extproc.core.exchange import (
    BodyReceived,
    Conclude,
    CountSession,
    Exchange,
    Forward,
    HeadReceived,
    QuotasTaken,
    Release,
    ResponseBodyReceived,
    ResponseHeadReceived,
    ResponseTrailersReceived,
    SessionCounted,
    Snapshot,
    Store,
    Stored,
    StoreFailed,
    TakeQuotas,
)
from extproc.core.handles import KeyRing
from extproc.core.model import RequestHead
from extproc.core.policy.compiled import load
from named import recognise

NOW = 1_800_000_000_000_000_000
RING = KeyRing([b"r" * 64])
ISSUER, AUDIENCE = "https://idp.example.com", "https://mcp.example.com/sales-db/mcp"

POLICY = f"""
version: 1
identity:
  issuers:
    - {{name: corp, issuer: "{ISSUER}", audience: "{AUDIENCE}", jwks_file: keys.json, max_token_age: 1h}}
servers:
  sales-db:
    tools:
      echo: {{verb: query}}
      list_tables: {{verb: query}}
      drop_table: {{verb: admin}}
roles:
  analyst:
    assigned_to: {{groups: [data-analysts]}}
    grants:
      - {{servers: [sales-db], verbs: [query], tools: [echo, "list_*"]}}
      - {{servers: [sales-db], resources: ["schema://sales/*"]}}
      - {{servers: [sales-db], prompts: [summarise]}}
recording: {{payloads: masked}}
"""

ASKING = POLICY.replace("    tools:\n", "    server_requests: [sampling, roots, elicitation]\n    tools:\n", 1)
"""The same with everything open that a server may ask of its clients, but no URL."""


@cache
def policy(text=POLICY, recogniser=recognise):
    loaded = load(text, source="policy.yaml", recogniser=recogniser)
    assert not isinstance(loaded, tuple), [str(problem) for problem in loaded]
    return loaded


def claims(subject="ann", groups=("data-analysts",), **more):
    seconds = NOW / 1e9
    return {
        "iss": ISSUER,
        "sub": subject,
        "aud": AUDIENCE,
        "iat": seconds - 10,
        "exp": seconds + 600,
        "groups": list(groups),
    } | more


def modern(method, params=None, *, request_id=1, **headers):
    """A 2026-07-28 POST: the headers that mirror its body, and the body."""
    params = dict(params or {})
    params["_meta"] = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    } | params.get("_meta", {})
    sent = {"mcp-protocol-version": "2026-07-28", "mcp-method": method}
    name = params.get("uri") if method == "resources/read" else params.get("name")
    if method in {"tools/call", "prompts/get", "resources/read"}:
        sent["mcp-name"] = name
    return sent | headers, json.dumps({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}).encode()


def legacy(method, params=None, *, request_id=1, **headers):
    """A 2025-06-18 POST; without an id it is a notification."""
    message = {"jsonrpc": "2.0", "method": method} | ({"params": params} if params is not None else {})
    if request_id is not None:
        message["id"] = request_id
    return {"mcp-protocol-version": "2025-06-18"} | headers, json.dumps(message).encode()


def call(tool, arguments=None, *, era=modern, **more):
    return era("tools/call", {"name": tool, "arguments": arguments or {}}, **more)


@dataclass
class World:
    """What answers the commands that ask; ``asked`` keeps every command in order."""

    stored: bool = True
    counted: bool = True
    session_calls: int = 0
    exceeded: object = None
    records: list = field(default_factory=list)
    asked: list = field(default_factory=list)

    def answer(self, command):
        match command:
            case Store(event=event):
                if not self.stored:
                    return StoreFailed(at=NOW, reason="disk full")
                self.records.append(event)
                return Stored(at=NOW)
            case CountSession():
                return SessionCounted(at=NOW, calls=self.session_calls) if self.counted else self.broken()
            case TakeQuotas(quotas=quotas):
                if not self.counted:
                    return self.broken()
                return QuotasTaken(at=NOW, exceeded=quotas[0] if self.exceeded else None)
        return None

    def broken(self):
        return StoreFailed(at=NOW, reason="locked")


class Script:
    """One exchange with its world; ``play`` returns the commands that the world does not answer."""

    def __init__(self, text=POLICY, *, world=None, server="sales-db", who=None, recogniser=recognise, **snapshot):
        self.world = world or World()
        self.exchange = Exchange(Snapshot(policy=policy(text, recogniser), ring=RING, **snapshot), decision_id="d-1")
        self.head = RequestHead(
            server=server, http_method="POST", path="/mcp", claims=claims() if who is None else who, source="10.0.0.9:1"
        )

    def play(self, *events):
        said = []
        for event in events:
            pending = list(self.exchange.handle(event))
            while pending:
                command = pending.pop(0)
                self.world.asked.append(command)
                answer = self.world.answer(command)
                if answer is None:
                    said.append(command)
                else:
                    pending.extend(self.exchange.handle(answer))
        return said

    def begin(self, headers=(), **head):
        head = replace(self.head, headers={"content-type": "application/json"} | dict(headers), **head)
        return self.play(HeadReceived(at=NOW, head=head, bodiless=False))

    def post(self, request, **head):
        headers, body = request
        return [*self.begin(headers, **head), *self.play(BodyReceived(at=NOW, body=body))][1:]

    def bodiless(self, method, headers=(), **head):
        head = replace(self.head, http_method=method, headers=dict(headers), **head)
        return self.play(HeadReceived(at=NOW, head=head, bodiless=True))

    def forwarded(self, request, **head):
        (forward,) = self.post(request, **head)
        assert isinstance(forward, Forward), forward
        return forward

    def response(self, body=None, *, status=200, media="application/json", chunks=None, trailers=(), **headers):
        """The response whole or in chunks; returns the commands."""
        headers = {"content-type": media} | {name.replace("_", "-"): value for name, value in headers.items()}
        said = self.play(
            ResponseHeadReceived(at=NOW, status=status, headers=headers, bodiless=body is None and not chunks)
        )
        parts = list(chunks) if chunks is not None else [] if body is None else [body]
        for index, part in enumerate(parts):
            last = index == len(parts) - 1 and not trailers
            if not self.exchange.over:
                said += self.play(ResponseBodyReceived(at=NOW, chunk=part, last=last))
        if trailers:
            said += self.play(ResponseTrailersReceived(at=NOW, names=tuple(trailers)))
        return said


def released(commands):
    return b"".join(command.body for command in commands if isinstance(command, Release))


def answer_of(commands):
    """The status and the parsed body of the one answer among the commands."""
    (reply,) = [command.reply for command in commands if hasattr(command, "reply")]
    return reply.status, json.loads(reply.body)


def reply(result, request_id=1):
    return json.dumps({"jsonrpc": "2.0", "id": request_id, "result": result}).encode()


def events(*messages, end="\n\n"):
    return "".join(f"data: {json.dumps(message)}{end}" for message in messages).encode()


def asked(request, text=POLICY, **head):
    script = Script(text)
    script.forwarded(request, **head)
    return script


def stream(headers=(), **who):
    """An open stream of the legacy era, on which messages answer no request."""
    script = Script(who=claims(**who)) if who else Script()
    script.bodiless("GET", {"accept": "text/event-stream"} | dict(headers))
    return script


def conclusion(said):
    (found,) = [command for command in said if isinstance(command, Conclude)]
    return found
