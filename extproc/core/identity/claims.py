"""The claims of an access token: whose it is, for whom, from when to when.

``check_claims`` is the one judgement of claims, for a token verified here and for one that Envoy's jwt_authn has
verified; every date is compared with the clock that is handed in, with one skew. A refusal names the rule that was
broken and never quotes a claim. RFC 7519 section 4.1, RFC 8725, RFC 9068 section 4.
"""

from collections.abc import Mapping
from typing import Final

from extproc.core.access import audiences_of
from extproc.core.limits import MAX_SUBJECT_BYTES, TOKEN_SKEW_SECONDS
from extproc.core.model import Issuer, Json
from extproc.core.rejection import DENIED, Rejection

__all__ = ["check_claims", "ends_at", "fits", "refused"]

LATEST_DATE: Final = 253_402_300_799.0
"""The last second of the year 9999; a date beyond it is a mistake or an attack, not a lifetime."""


def refused(reason: str, message: str) -> Rejection:
    """A 401 for a token that does not hold; the challenge is added where the audience asked for is known."""
    return Rejection(status=401, code=DENIED, message=message, reason=reason)


def check_claims(claims: Mapping[str, Json], issuers: tuple[Issuer, ...], *, now: float) -> Issuer | Rejection:
    """The issuer of the policy whose token this is, if its audience, subject and dates hold at ``now``."""
    issuer = _issuer(claims, issuers)
    if isinstance(issuer, Rejection):
        return issuer
    subject = claims.get("sub")
    if not isinstance(subject, str) or not fits(subject):
        return refused("token_subject", "The token's subject is missing or malformed.")
    if "cnf" in claims:
        # A token bound to a certificate or a DPoP key is worth nothing without that proof, which is not seen here.
        return refused("token_bound", "The token is bound to a key, which cannot be proven here.")
    return _check_dates(claims, issuer.max_token_age, now) or issuer


def ends_at(claims: Mapping[str, Json], issuer: Issuer) -> float:
    """When a token that was checked is over, in seconds since the epoch: by its expiry, or by its age."""
    return float(min(claims["exp"], claims["iat"] + issuer.max_token_age))


def fits(name: str) -> bool:
    """Whether a subject, group or role is not empty, not too long, and free of what a reader cannot see."""
    if not 0 < len(name) <= MAX_SUBJECT_BYTES or not name.isprintable():
        return False
    return name.isascii() or len(name.encode()) <= MAX_SUBJECT_BYTES


def _issuer(claims: Mapping[str, Json], issuers: tuple[Issuer, ...]) -> Issuer | Rejection:
    """The issuer with exactly this name and one of these audiences."""
    name, audiences = claims.get("iss"), audiences_of(claims)
    named = [issuer for issuer in issuers if issuer.issuer == name]
    if not named:
        return refused("token_issuer", "The token's issuer is not trusted.")
    for entry in audiences:
        if not isinstance(entry, str):
            return refused("token_audience", "The token's audience is missing or malformed.")
    for issuer in named:
        if not frozenset(issuer.audiences).isdisjoint(audiences):
            return issuer
    return refused("token_audience", "The token is meant for another audience.")


def _check_dates(claims: Mapping[str, Json], max_token_age: float, now: float) -> Rejection | None:
    """None if the token has begun, has not ended, and was not issued too long ago, give or take the skew."""
    expires, issued, begins = _date(claims.get("exp")), _date(claims.get("iat")), _date(claims.get("nbf", 0))
    if expires is None or issued is None or begins is None:
        return refused("token_dates", "The token's dates are missing or malformed.")
    if now >= expires + TOKEN_SKEW_SECONDS:
        return refused("token_expired", "The token has expired.")
    if max(issued, begins) > now + TOKEN_SKEW_SECONDS:
        return refused("token_not_yet", "The token is not valid yet.")
    if now - issued > max_token_age + TOKEN_SKEW_SECONDS:
        return refused("token_too_old", "The token was issued too long ago.")
    return None


def _date(value: Json) -> float | None:
    """A claim that is a number of seconds which a calendar knows; NaN and infinities fail both comparisons."""
    return float(value) if type(value) in (int, float) and 0 <= value <= LATEST_DATE else None
