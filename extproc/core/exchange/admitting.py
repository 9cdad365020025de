"""Who may come in: identified, not revoked, by a copy of the shared state that is fresh enough to tell.

A token for one server of several is none for the others (RFC 8707). Asked again after a hold: a token may have
expired meanwhile, and its bearer may have been sent away (threat A08).
"""

import dataclasses

from msgspec.structs import replace

from extproc.core.access import is_meant_for
from extproc.core.audit import session_digest
from extproc.core.exchange.snapshot import Snapshot
from extproc.core.identity.claims import refused
from extproc.core.identity.principals import challenge, identify
from extproc.core.limits import TOKEN_SKEW_SECONDS
from extproc.core.model import Principal, RequestHead
from extproc.core.rejection import INTERNAL_ERROR, INVALID_REQUEST, Rejection
from extproc.core.shared_state import Elevation, Revoked

__all__ = ["admitted", "loans", "still_admitted"]


def admitted(snapshot: Snapshot, head: RequestHead, at: int) -> Principal | Rejection:
    """The principal behind a request, with the roles on loan to him; no session is known yet."""
    identity = snapshot.policy.identity
    identified = identify(
        identity,
        head,
        now=at / 1e9,
        keys=snapshot.keys,
        memory=snapshot.memory,
        acquaintances=snapshot.acquaintances,
    )
    return identified if isinstance(identified, Rejection) else still_admitted(snapshot, head, identified, "", at)


def still_admitted(
    snapshot: Snapshot, head: RequestHead, principal: Principal, session: str, at: int
) -> Principal | Rejection:
    """The same principal at ``at``, with the roles on loan to him by then; ``session`` is the upstream's own id."""
    shared, identity = snapshot.shared, snapshot.policy.identity
    if not shared.is_fresh(at):
        return Rejection(
            status=503,
            code=INTERNAL_ERROR,
            message="It cannot be told right now who is revoked, so no call is made. Try again later.",
            reason="shared_state_stale",
        )
    over = None if principal.expires_at is None else principal.expires_at + TOKEN_SKEW_SECONDS
    if over is not None and at / 1e9 >= over:
        no = refused("token_expired", "The token has expired.")
        return replace(no, challenge=challenge(identity, head.path, error="invalid_token"))
    revocation = shared.revocation(principal, session_digest(session) if session else "", at)
    if revocation is not None and revocation.kind is Revoked.SESSION:
        return Rejection(status=404, code=INVALID_REQUEST, message="Session not found.", reason="session_revoked")
    if revocation is not None:
        no = refused("revoked", "The access of this token was revoked.")
        return replace(no, challenge=challenge(identity, head.path, error="invalid_token"))
    server = snapshot.policy.servers.get(head.server)
    if server is not None and not is_meant_for(server.audiences, principal):
        no = refused("token_audience", "The token is meant for another server.")
        return replace(no, challenge=challenge(identity, head.path, error="invalid_token"))
    lent = frozenset(loan.role for loan in loans(snapshot, principal, at))
    return principal if lent == principal.lent else replace(principal, lent=lent)


def loans(snapshot: Snapshot, principal: Principal, at: int) -> tuple[Elevation, ...]:
    """The roles that the principal has on loan at ``at``: those that the policy lends now, and as long as it does.

    Whoever approved a loan did so under the policy of that day.
    """
    terms = snapshot.policy.lent
    cut = [
        dataclasses.replace(loan, until=min(loan.until, loan.at + terms[loan.role].seconds * 1_000_000_000))
        for loan in snapshot.shared.lent(principal, at)
        if loan.role in terms
    ]
    return tuple(loan for loan in cut if at < loan.until)
