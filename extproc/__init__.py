"""Least privilege on MCP traffic, as an Envoy external processor.

The walk of one ``tools/call``, forward only::

    Envoy ── ext_proc ──► processor (translate) ─► identity (claims, SPIFFE → Principal)
          ─► wire (strict JSON → JSON-RPC → MCP, header/body agreement) ─► policy (Decision, obligations)
          ─► audit (intent, stored) ─► Forward ─► upstream
          ─► catalog (lists filtered), handles (sessions sealed) ─► audit (outcome) ─► client

``core/exchange.py`` is the corridor that owns this order; the rooms beside it own the rules.

The invariants that comments and tests cite by number:

1. No byte reaches the upstream before the decision. The decision is on the strictly parsed value, and what is
   forwarded is that value: the original bytes only where they are proven to have one reading, else the canonical
   re-serialisation.
2. Default deny. Unknown method, tool, envelope field, content type, encoding, revision, message kind: refused.
   deny > hold > allow. A rule whose condition errors denies.
3. The audit event of the decision is stored before the call is forwarded. If it cannot be stored, the call is refused.
4. The gRPC stream ends cleanly only after an answered allow that owes nothing more, or after a refusal. Every other
   exit aborts with an error status: Envoy goes on uninspected after a clean close. Behind ext_proc stands a guard
   RBAC that wants our decision metadata.
5. No byte of a response that owes work reaches the client before that work is done. What cannot be parsed is
   withheld, and the client gets a JSON-RPC error.
6. An approval is bound to principal, server, tool, digest of the canonical arguments and policy digest.
7. Identity comes only from what Envoy verified or from a token we verified; never from a plain request header.
8. No secret, token or unmasked value in a log, metric, trace, error message or recording.
9. Shadow mode changes the answer in the last step only, is set by the operator only, and is written on every event.
10. ``core/`` is pure: no I/O, no clock, no randomness, no protobuf; total functions, refusals are values.
"""

from typing import Final

__all__ = ["__version__"]

__version__: Final = "0.1.0"
