"""Policies that tests are built from."""

from extproc.core.masking import Recogniser
from extproc.core.policy import compiled
from extproc.core.policy.positions import Problem
from extproc.core.policy.rules import Policy

HEAD = """\
version: 1
identity:
  issuers: [{name: corp, issuer: "https://idp", audience: aud}]
  workloads: [{trust_domain: prod.example.com}]
"""
SERVERS = """\
servers:
  db:
    tools: {query: {verb: query}, update: {verb: mutate}}
"""
ROLES = """\
roles:
  reader:
    assigned_to: {groups: [readers]}
    grants: [{servers: [db], verbs: [query]}]
"""
GOOD = HEAD + SERVERS + ROLES
LIMITS = (
    GOOD
    + """\
limits:
  - {per: principal, servers: [db], calls: 60/1m}
  - {per: tool, servers: ["*"], calls: 5/10s}
  - {per: server, servers: [db], calls: 1000/1h}
"""
)


def load(text: str, *, recogniser: Recogniser | None = None) -> Policy:
    """The policy of a text without mistakes."""
    policy = compiled.load(text, source="p.yaml", recogniser=recogniser)
    assert isinstance(policy, Policy), "\n".join(map(str, policy))
    return policy


def problems(text: str) -> tuple[Problem, ...]:
    """The mistakes of a text that has some."""
    found = compiled.load(text, source="p.yaml")
    assert not isinstance(found, Policy)
    return found
