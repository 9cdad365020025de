"""Whom a token named lately, so that its next use costs no second reading of its claims.

Envoy's metadata of one token is decoded once, so the very same objects come with every call of its bearer; by them, and
by the very policy, a person is known again. Only what cannot have changed is remembered: the dates are asked at every
use, and within a second of either end of its time a token is read anew.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from extproc.core.limits import TOKEN_SKEW_SECONDS
from extproc.core.model import IdentityConfig, Json, Principal, RequestHead

__all__ = ["Acquaintance", "Acquaintances"]

_MARGIN_SECONDS: Final = 1.0


class Acquaintance(msgspec.Struct, frozen=True, kw_only=True):
    """A person, and what was judged to know him; compared by identity, and kept alive by being here."""

    config: IdentityConfig
    claims: Mapping[str, Json]
    header: Mapping[str, Json] | None
    workload: str | None
    begins: float
    ends: float
    person: Principal


@dataclass(slots=True)
class Acquaintances:
    """Those of one worker; the one seen longest ago is forgotten when there are too many."""

    capacity: int = 4096
    known: OrderedDict[int, Acquaintance] = field(default_factory=OrderedDict)

    def recall(self, config: IdentityConfig, head: RequestHead, workload: str | None, now: float) -> Principal | None:
        """The person, where this token of Envoy's was judged before by this policy and holds at ``now``."""
        met = self.known.get(id(head.claims))
        if (
            met is None
            or met.claims is not head.claims
            or met.header is not head.token_header
            or met.config is not config
            or met.workload != workload
            or not met.begins < now < met.ends
        ):
            return None
        self.known.move_to_end(id(head.claims))
        return met.person

    def keep(self, config: IdentityConfig, head: RequestHead, person: Principal, max_token_age: float) -> None:
        """Remember whom the token of ``head`` names, which was judged and holds, at most ``max_token_age`` seconds."""
        claims = person.claims
        begins = max(claims["iat"], claims.get("nbf", 0)) - TOKEN_SKEW_SECONDS
        ends = min(claims["exp"], claims["iat"] + max_token_age) + TOKEN_SKEW_SECONDS
        self.known[id(claims)] = Acquaintance(
            config=config,
            claims=claims,
            header=head.token_header,
            workload=person.workload,
            begins=begins + _MARGIN_SECONDS,
            ends=ends - _MARGIN_SECONDS,
            person=person,
        )
        self.known.move_to_end(id(claims))
        while len(self.known) > self.capacity:
            self.known.popitem(last=False)
