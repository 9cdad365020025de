"""A policy ready to be asked: one file in, either a whole policy or every mistake of the file.

Promises: a file with any mistake gives no policy at all; what loads has no unknown key, no rule that can never apply,
and only conditions that compile. The digest is the SHA-256 of the file's bytes, so ``sha256sum policy.yaml`` tells
which file an event was decided by.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from extproc.core.limits import MAX_POLICY_BYTES
from extproc.core.masking import NAMES, Masks, Recogniser
from extproc.core.model import Recording
from extproc.core.policy.approvals import check_approvals
from extproc.core.policy.call_reach import check_calls
from extproc.core.policy.conditions import SESSION_CALLS, Condition
from extproc.core.policy.document import read_document
from extproc.core.policy.entries import DenyEntry, Document, MaskEntry, ScopeEntry, ServerEntry
from extproc.core.policy.holders import approvals_of, lent_of, membership_of, principal_of
from extproc.core.policy.inspections import compile_inspections
from extproc.core.policy.mask_reach import check_masking
from extproc.core.policy.metatools import reached
from extproc.core.policy.patterns import Patterns, compile_patterns, folded
from extproc.core.policy.positions import Problem, read_tree
from extproc.core.policy.reach import check_reach
from extproc.core.policy.reading import Reading, Word
from extproc.core.policy.rule_conditions import condition_of_rule
from extproc.core.policy.rules import DenyRule, Grant, Limit, MaskRule, Policy, Reach, Server
from extproc.core.policy.verbs import compile_verbs
from extproc.core.retention import Retention

__all__ = ["Policy", "Problem", "load", "load_bytes"]

_EVERY_SERVER: Final = "*"


def load_bytes(raw: bytes, *, source: str, recogniser: Recogniser | None = None) -> Policy | tuple[Problem, ...]:
    """The policy in the bytes of a file; refuses what is not UTF-8."""
    if len(raw) > MAX_POLICY_BYTES:
        what = f"the file is larger than {MAX_POLICY_BYTES} bytes"
        return (Problem(source=source, line=1, column=1, what=what, fix="Make it smaller"),)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        good = raw[: error.start].decode("utf-8").split("\n")
        what = "the file is not UTF-8"
        return (Problem(source=source, line=len(good), column=len(good[-1]) + 1, what=what, fix="Save it as UTF-8"),)
    return load(text, source=source, recogniser=recogniser)


def load(text: str, *, source: str, recogniser: Recogniser | None = None) -> Policy | tuple[Problem, ...]:
    """The policy, or every mistake of the file in the order of its lines.

    Without a ``recogniser`` a policy that wants names or places found is refused.
    """
    root = read_tree(text, source=source)
    if isinstance(root, tuple):
        return root
    reading = Reading(source=source, recogniser=recogniser)
    document = read_document(root, reading)
    check_reach(document, reading)
    check_masking(document, reading)
    check_calls(document, reading)
    check_approvals(document.approvals, document.roles, document.identity, reading)
    compiler = _Compiler(document=document, reading=reading)
    servers = compiler.servers()
    policy = Policy(
        source=source,
        digest=hashlib.sha256(text.encode("utf-8")).hexdigest(),
        identity=document.identity,
        shadow=document.shadow,
        servers=MappingProxyType(servers),
        membership=membership_of(document, reading),
        roles=tuple(role.name.value for role in document.roles),
        detectors=tuple(detector.name for _, detector in document.detectors),
        wants_names=any(rule.masks.recogniser for server in servers.values() for rule in server.masks),
        lent=MappingProxyType(lent_of(document)),
        retention=compiler.retention(),
    )
    if reading.problems:
        unique = dict.fromkeys(reading.problems)
        return tuple(sorted(unique, key=lambda problem: (problem.line, problem.column)))
    return policy


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compiler:
    """One document on its way to a policy; mistakes in conditions go into the reading."""

    document: Document
    reading: Reading

    def servers(self) -> dict[str, Server]:
        grants = [
            (entry, self._grant(entry, role.name.value, number))
            for role in self.document.roles
            for number, entry in enumerate(role.grants, start=1)
        ]
        denies = [(rule.scope, self._deny(rule)) for rule in self.document.deny]
        masks = [(rule.scope, self._mask(rule)) for rule in self.document.masking]
        return {
            server.name.value: self._server(
                server,
                tuple(grant for entry, grant in grants if _names(entry.servers, server)),
                tuple(deny for entry, deny in denies if _names(entry.servers, server)),
                tuple(mask for entry, mask in masks if _names(entry.servers, server)),
            )
            for server in self.document.servers
        }

    def _server(
        self,
        server: ServerEntry,
        grants: tuple[Grant, ...],
        denies: tuple[DenyRule, ...],
        masks: tuple[MaskRule, ...],
    ) -> Server:
        recordings = {name.value: entry.level for name, entry in self.document.recordings}
        shapes = [inspection.shape for _, inspection in server.inspected if inspection.shape is not None]
        return Server(
            name=server.name.value,
            tools=compile_verbs(((name.value, verb) for name, verb in server.tools), server.unlisted),
            grants=grants,
            denies=denies,
            masks=masks,
            limits=tuple(
                Limit(rule=f"limit#{number}", per=limit.per, calls=limit.calls, seconds=limit.seconds)
                for number, limit in enumerate(self.document.limits, start=1)
                if _names(limit.servers, server)
            ),
            recording=recordings.get(server.name.value) or self.document.recording.level or Recording.MASKED,
            shadow=self.document.shadow if server.shadow is None else server.shadow,
            asks_calls=any(
                when is not None and SESSION_CALLS in when.names
                for when in (*(grant.when for grant in grants), *(rule.when for rule in denies))
            ),
            holds=any(grant.approval is not None for grant in grants),
            url=server.url,
            audiences=frozenset(audience.value for audience in server.audiences),
            pinning=server.pinning,
            inspections=compile_inspections(server.inspected, (name.value for name, _ in server.tools)),
            asks=server.asks,
            calls=bool(shapes),
            reaches=reached(shapes, server.name.value, (each.name.value for each in self.document.servers)),
        )

    def retention(self) -> Retention:
        """How long records are kept."""
        document = self.document
        servers = {name.value: entry.seconds for name, entry in document.recordings if entry.seconds is not None}
        return Retention(seconds=document.recording.seconds, servers=MappingProxyType(servers))

    def _grant(self, entry: ScopeEntry, role: str, number: int) -> Grant:
        when = self._when(entry)
        approval = approvals_of(self.document).get(entry.approval.value) if entry.approval is not None else None
        return Grant(
            rule=f"role:{role}#{number}",
            role=role,
            reach=_reach(entry),
            when=when,
            arguments=entry.arguments,
            approval=approval,
        )

    def _when(self, scope: ScopeEntry) -> Condition | None:
        named = [server for server in self.document.servers if _names(scope.servers, server)]
        had = {inspection.kind for server in named for _, inspection in server.inspected}
        return condition_of_rule(scope.when, had, self.reading)

    def _deny(self, entry: DenyEntry) -> DenyRule:
        return DenyRule(
            rule=f"deny:{entry.name.value}",
            reach=_reach(entry.scope),
            looks=_reach(entry.scope, fold=folded),
            when=self._when(entry.scope),
            arguments=entry.scope.arguments,
            message=entry.message,
        )

    def _mask(self, entry: MaskEntry) -> MaskRule:
        own = {detector.name: detector for _, detector in self.document.detectors}
        kinds = dict.fromkeys(kind for detection in entry.detections for kind in detection.types)
        return MaskRule(
            name=entry.name.value,
            reach=_reach(entry.scope),
            looks=_reach(entry.scope, fold=folded),
            roles=None if entry.roles is None else frozenset(word.value for word in entry.roles),
            exempt_roles=frozenset(word.value for word in entry.exempt_roles),
            exempt_groups=frozenset(word.value for word in entry.exempt_groups),
            exempt_subjects=frozenset(principal_of(self.document, subject) for subject in entry.exempt_subjects),
            masks=Masks(
                fields=entry.fields,
                detections=entry.detections,
                own=tuple(own[kind] for kind in kinds if kind in own),
                blocks_opaque=entry.blocks_opaque,
                recogniser=None if kinds.keys().isdisjoint(NAMES) else self.reading.recogniser,
            ),
            on_responses=entry.on_responses,
            on_requests=entry.on_requests,
            blocks=entry.blocks,
            message=entry.message,
        )


def _names(words: tuple[Word, ...], server: ServerEntry) -> bool:
    return any(word.value in (_EVERY_SERVER, server.name.value) for word in words)


def _reach(entry: ScopeEntry, *, fold: Callable[[str], str] = str) -> Reach:
    def patterns(words: tuple[Word, ...] | None) -> Patterns | None:
        return None if words is None else compile_patterns(fold(word.value) for word in words)

    return Reach(
        everything=entry.tools is None and entry.prompts is None and entry.resources is None,
        verbs=entry.verbs,
        tools=patterns(entry.tools),
        prompts=patterns(entry.prompts),
        resources=patterns(entry.resources),
    )
