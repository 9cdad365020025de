"""The ``identity`` part of a policy file: whom the policy believes.

Issuers and audiences are compared exactly later on, so they are kept exactly. Keys may come over plain HTTP from this
machine only.
"""

from typing import Final

from extproc.core.loopback import may_be_fetched
from extproc.core.model import IdentityConfig, Issuer
from extproc.core.policy.positions import Listing, Node
from extproc.core.policy.reading import Reading, Word

__all__ = ["read_audiences", "read_identity"]

_DEFAULT_MAX_TOKEN_AGE: Final = 3600


def read_identity(node: Node | None, reading: Reading) -> IdentityConfig:
    """The issuers and trust domains; nobody without the key."""
    if node is None:
        return IdentityConfig()
    found = reading.members(node, "`identity`", ("issuers", "workloads"))
    issuers: list[Issuer] = []
    for item in reading.items(found.get("issuers"), "`issuers`"):
        issuer = _issuer(item, reading)
        if issuer is None:
            continue
        if any(issuer.name == other.name or issuer.issuer == other.issuer for other in issuers):
            reading.problem(item.spot, "two issuers have the same name or the same `issuer`", "Keep one of them")
        issuers.append(issuer)
    domains: list[Word] = []
    for item in reading.items(found.get("workloads"), "`workloads` of `identity`"):
        entry = reading.members(item, "a workload", ("trust_domain",), required=("trust_domain",))
        domain = reading.word(entry.get("trust_domain"), "`trust_domain`")
        if domain is None:
            continue
        if not domain.value or set(domain.value) - set("abcdefghijklmnopqrstuvwxyz0123456789.-_"):
            reading.problem(
                domain.spot, "this is no trust domain", "Write it like `prod.example.com`, without `spiffe://`"
            )
        domains.append(domain)
    return IdentityConfig(issuers=tuple(issuers), trust_domains=frozenset(domain.value for domain in domains))


def _issuer(node: Node, reading: Reading) -> Issuer | None:
    keys = ("name", "issuer", "audience", "jwks_uri", "jwks_file", "max_token_age", "claims")
    found = reading.members(node, "an issuer", keys, required=("name", "issuer", "audience"))
    name = reading.word(found.get("name"), "`name` of an issuer")
    issuer = reading.word(found.get("issuer"), "`issuer` of an issuer")
    audiences = read_audiences(found.get("audience"), reading)
    jwks_uri = reading.word(found.get("jwks_uri"), "`jwks_uri`")
    jwks_file = reading.word(found.get("jwks_file"), "`jwks_file`")
    if jwks_uri is not None and not may_be_fetched(jwks_uri.value):
        fix = "Use https://, or http:// on a loopback host"
        reading.problem(jwks_uri.spot, "`jwks_uri` would fetch keys that anybody on the way can replace", fix)
    if jwks_uri is not None and jwks_file is not None:
        reading.problem(jwks_file.spot, "an issuer has both `jwks_uri` and `jwks_file`", "Keep one of the two")
    age = reading.duration(found.get("max_token_age"), "`max_token_age`")
    groups, roles, human = _claims(found.get("claims"), reading)
    if name is None or issuer is None:
        return None
    if issuer.value.startswith("spiffe:"):
        fix = "Name mesh workloads under `workloads`"
        reading.problem(issuer.spot, "a token issuer cannot be a SPIFFE trust domain", fix)
    return Issuer(
        name=name.value,
        issuer=issuer.value,
        audiences=tuple(word.value for word in audiences),
        max_token_age=float(age or _DEFAULT_MAX_TOKEN_AGE),
        groups=groups,
        roles=roles,
        human=human,
        jwks_uri=jwks_uri.value if jwks_uri else None,
        jwks_file=jwks_file.value if jwks_file else None,
    )


def read_audiences(node: Node | None, reading: Reading) -> tuple[Word, ...]:
    """``audience``: one, or a list of them; they are compared exactly (RFC 7519 section 4.1.3)."""
    if isinstance(node, Listing):
        return reading.words(node, "`audience`")
    one = reading.word(node, "`audience`")
    return () if one is None else (one,)


def _claims(node: Node | None, reading: Reading) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    if node is None:
        return ("groups",), ("roles",), ()
    found = reading.members(node, "`claims`", ("groups", "roles", "human"))
    return (
        _path(found.get("groups"), "the claim for `groups`", reading) or ("groups",),
        _path(found.get("roles"), "the claim for `roles`", reading) or ("roles",),
        _path(found["human"], "the claim for `human`", reading) if "human" in found else (),
    )


def _path(node: Node | None, what: str, reading: Reading) -> tuple[str, ...]:
    """A dotted path, or a list of names where a claim's own name has dots."""
    if isinstance(node, Listing):
        return tuple(word.value for word in reading.words(node, what))
    word = reading.word(node, what)
    if word is None:
        return ()
    path = tuple(word.value.split("."))
    if not all(path):
        reading.problem(
            word.spot, f"{what} has an empty step", "Write it like `realm_access.roles`, or as a list of names"
        )
    return path
