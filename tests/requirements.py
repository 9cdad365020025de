"""What this gateway promises: each promise with its source and the tests that hold it; test_requirements.py holds both.

A test is named by its file below ``tests/``, or by file and a shell pattern over its functions: ``file.py::test_a_*``.
"""

from dataclasses import dataclass
from typing import Final

__all__ = ["REQUIREMENTS", "Requirement"]


@dataclass(frozen=True, slots=True)
class Requirement:
    """One promise: where it is made, what it is in one sentence, and its tests."""

    source: str
    behaviour: str
    tests: tuple[str, ...]


REQUIREMENTS: Final[dict[str, Requirement]] = {
    "I1": Requirement(
        "invariant 1",
        "No byte reaches the upstream before the decision, and what reaches it is the value that was judged.",
        (
            "core/exchange/test_corridor.py",
            "core/wire/test_strict_json.py",
            "core/wire/test_mcp.py",
            "core/wire/test_headers.py",
            "core/wire/test_uris.py",
            "attacks/test_json.py",
        ),
    ),
    "I2": Requirement(
        "invariant 2",
        "What no rule allows is denied, and what is unknown, ambiguous or erring is refused.",
        (
            "core/policy/test_decide.py",
            "core/policy/test_conditions.py",
            "core/policy/test_question.py",
            "core/policy/test_cases.py",
            "core/policy/test_patterns.py",
            "core/policy/test_verbs.py",
            "core/wire/test_jsonrpc.py",
            "core/wire/test_methods.py",
            "core/wire/test_targets.py",
            "attacks/test_http.py",
        ),
    ),
    "I3": Requirement(
        "invariant 3",
        "The decision is stored before the call is forwarded; a call that cannot be recorded is not made.",
        (
            "core/exchange/test_corridor.py::test_nothing_is_forwarded_but_in_answer_to_stored_*",
            "core/exchange/test_corridor.py::test_a_call_that_cannot_be_recorded_is_not_made",
            "edges/journal/test_writer.py",
            "edges/journal/test_recovery.py",
            "attacks/test_kill.py",
        ),
    ),
    "I4": Requirement(
        "invariant 4",
        "A gRPC stream ends cleanly only when everything owed is answered; no fault lets Envoy go on uninspected.",
        (
            "attacks/test_e03_clean_close.py",
            "attacks/test_envoy_rules.py",
            "attacks/test_envoy_faults.py",
            "core/exchange/test_corridor.py::test_after_a_failure_there_is_nothing_but_abort",
            "edges/processor/test_stream.py",
            "edges/processor/test_server.py",
            "edges/processor/test_translate.py",
            "edges/processor/test_protos.py",
            "stack/test_shipped_files.py",
            "stack/test_envoy_configurations.py",
        ),
    ),
    "I5": Requirement(
        "invariant 5",
        "Of a response that owes work nothing reaches the client before the work; what cannot be read is withheld.",
        (
            "core/exchange/test_responding.py",
            "core/exchange/test_visible.py",
            "core/exchange/test_refusing.py",
            "core/wire/test_sse.py",
            "core/wire/test_replies.py",
            "stack/test_bodies.py",
        ),
    ),
    "masking": Requirement(
        "issue 3, threats R01-R30",
        "What a masking rule claims is masked wherever text can be, in one way, and stays masked.",
        (
            "attacks/test_masking.py",
            "cli/test_mask.py",
            "core/exchange/test_masking.py",
            "core/exchange/test_outgoing.py",
            "core/exchange/test_passing.py",
            "core/exchange/test_snapshot.py",
            "core/policy/test_detectors.py",
            "core/policy/test_mask_reach.py",
            "core/policy/test_masks.py",
            "core/policy/test_owed.py",
            "core/policy/test_paths.py",
            "core/policy/test_styles.py",
            "core/redaction/test_embedded.py",
            "core/redaction/test_encodings.py",
            "core/redaction/test_fields.py",
            "core/redaction/test_marks.py",
            "core/redaction/test_masker.py",
            "core/redaction/test_places.py",
            "core/redaction/test_rules.py",
            "core/redaction/test_search.py",
            "core/redaction/test_sinks.py",
            "core/redaction/test_spans.py",
            "core/redaction/test_treatments.py",
            "core/redaction/test_tree.py",
        ),
    ),
    "I6": Requirement(
        "invariant 6",
        "An approval is bound to exactly what was shown, is given by another human, expires, and runs once.",
        (
            "core/test_approval.py",
            "core/policy/test_approvals.py",
            "core/policy/test_subjects.py",
            "core/exchange/test_holding.py",
            "core/exchange/test_asking.py",
            "core/exchange/test_rounds.py",
            "core/exchange/test_admitting.py",
            "core/exchange/test_request.py",
            "stack/test_approvals.py",
            "core/audit/test_steps.py",
            "edges/store/test_tickets.py",
            "test_desk.py",
            "edges/console/test_local_approvers.py",
        ),
    ),
    "I7": Requirement(
        "invariant 7",
        "Identity comes from what Envoy verified or from a token verified here, never from a plain header.",
        (
            "core/identity/test_claims.py",
            "core/identity/test_key_sets.py",
            "core/identity/test_principals.py",
            "core/identity/test_tokens.py",
            "edges/keys/test_fetcher.py",
            "edges/keys/test_sources.py",
            "stack/test_own_verification.py",
            "attacks/test_identity.py",
            "attacks/test_mesh.py",
        ),
    ),
    "P4": Requirement(
        "issue 5",
        "What a server asks of its clients reaches them only where the policy opens it, and is on the record.",
        (
            "core/policy/test_server_requests.py",
            "core/exchange/test_questions.py",
            "core/exchange/test_announcing.py",
            "stack/test_server_requests.py",
        ),
    ),
    "T04": Requirement(
        "threats T04",
        "A tool whose definition changes is neither shown nor called until somebody has looked at the change.",
        ("core/test_definitions.py", "core/exchange/test_pinned.py", "stack/test_catalog.py"),
    ),
    "FACTS": Requirement(
        "issue 3",
        "A call of a shell tool has the verb and the facts of its command; what cannot be read is the worst.",
        ("core/policy/test_inspections.py", "core/exchange/test_inspecting.py"),
    ),
    "SHELL": Requirement(
        "issue 3",
        "What a command line runs, writes, reaches and destroys is known through wrappers and quotes, or it is the worst.",
        (
            "core/inspection/shell/test_arguments.py",
            "core/inspection/shell/test_assigning.py",
            "core/inspection/shell/test_awk.py",
            "core/inspection/shell/test_braces.py",
            "core/inspection/shell/test_catalogue.py",
            "core/inspection/shell/test_characters.py",
            "core/inspection/shell/test_commands.py",
            "core/inspection/shell/test_corpora.py",
            "core/inspection/shell/test_databases.py",
            "core/inspection/shell/test_effects.py",
            "core/inspection/shell/test_elsewhere.py",
            "core/inspection/shell/test_facts.py",
            "core/inspection/shell/test_fetching.py",
            "core/inspection/shell/test_files.py",
            "core/inspection/shell/test_gitting.py",
            "core/inspection/shell/test_harm.py",
            "core/inspection/shell/test_inline.py",
            "core/inspection/shell/test_own.py",
            "core/inspection/shell/test_places.py",
            "core/inspection/shell/test_reading.py",
            "core/inspection/shell/test_resolving.py",
            "core/inspection/shell/test_rules.py",
            "core/inspection/shell/test_scripts.py",
            "core/inspection/shell/test_searching.py",
            "core/inspection/shell/test_sed.py",
            "core/inspection/shell/test_tree.py",
            "core/inspection/shell/test_words.py",
            "core/inspection/shell/test_wrappers.py",
            "cli/test_inspect.py",
        ),
    ),
    "DETECTORS": Requirement(
        "issue 3",
        "Personal data, payment data, national numbers and secrets are found whole, in any script, and little else.",
        (
            "core/redaction/detectors/test_detectors.py",
            "core/redaction/detectors/test_checks.py",
            "core/redaction/detectors/test_folding.py",
            "core/redaction/detectors/test_secrets.py",
            "core/redaction/detectors/test_national.py",
            "core/redaction/detectors/test_corpora.py",
        ),
    ),
    "NOTIFY": Requirement(
        "issue 5",
        "Approvers are told of each request once, together where one requester asks often, and never the arguments.",
        ("edges/notify/test_channels.py", "edges/notify/test_notifier.py"),
    ),
    "A14": Requirement(
        "threats A14",
        "What an approver is shown is whole: nothing invisible, nothing reordered, nothing that looks like other text.",
        ("core/test_legible.py", "edges/console/test_console.py", "stack/test_console.py"),
    ),
    "REVOCATION": Requirement(
        "issue 5",
        "Who is revoked is out, a lent role ends by itself, and a copy of the shared state that is too old is not used.",
        ("core/test_shared_state.py", "edges/store/test_shared.py", "cli/test_approvals.py"),
    ),
    "I8": Requirement(
        "invariant 8",
        "No token or secret stands in a log, metric, error or recording.",
        (
            "core/redaction/test_tokens.py",
            "core/exchange/test_intent.py",
            "edges/test_telemetry.py",
            "attacks/test_lists.py::test_t09_*",
        ),
    ),
    "I9": Requirement(
        "invariant 9",
        "Shadow mode changes the answer in the last step only, and every event says so.",
        (
            "core/exchange/test_corridor.py::test_shadow_mode_*",
            "core/exchange/test_intent.py::test_every_event_names_the_policy_and_its_mode_*",
            "stack/test_policy_life.py",
        ),
    ),
    "I10": Requirement(
        "invariant 10",
        "The core is pure, rooms do not know each other, and only one module speaks protobuf.",
        ("test_architecture.py", "test_requirements.py"),
    ),
    "lists": Requirement(
        "DESIGN: lists and calls follow one decision",
        "A list shows what the caller may use and nothing else; a hidden and a missing thing answer alike.",
        (
            "core/test_catalog.py",
            "core/policy/test_answers.py",
            "core/policy/test_membership.py",
            "attacks/test_lists.py",
        ),
    ),
    "sessions": Requirement(
        "DESIGN: handles are sealed to their principal",
        "Somebody else's session, stream, event or request is unknown.",
        (
            "core/test_handles.py",
            "core/exchange/test_opening.py",
            "edges/keys/test_session_keys.py",
            "attacks/test_sessions.py",
            "attacks/test_review.py",
        ),
    ),
    "policy": Requirement(
        "DESIGN: the policy file",
        "A policy file loads whole or not at all, with every mistake named by line, column and fix.",
        (
            "core/policy/test_compiled.py",
            "core/policy/test_document.py",
            "core/policy/test_issuers.py",
            "core/policy/test_positions.py",
            "core/policy/test_reach.py",
            "core/policy/test_reading.py",
            "core/policy/test_explain.py",
            "edges/test_policy_files.py",
            "cli/test_check.py",
            "cli/test_explain.py",
        ),
    ),
    "limits": Requirement(
        "DESIGN: limits",
        "A limit is never exceeded, whatever the number of workers.",
        (
            "edges/store/test_counters.py",
            "core/exchange/test_corridor.py::test_a_call_*_its_limit_*",
        ),
    ),
    "recording": Requirement(
        "DESIGN: recording",
        "Events are whole, chained, found again by session, and any change of them is found and located.",
        (
            "core/audit/test_chain.py",
            "core/audit/test_events.py",
            "core/audit/test_sessions.py",
            "core/audit/test_proof.py",
            "core/audit/test_notes.py",
            "core/audit/test_seals.py",
            "edges/journal/test_reader.py",
            "edges/journal/test_sealer.py",
            "attacks/test_tamper.py",
            "cli/test_recordings.py",
            "cli/test_seal.py",
            "attacks/test_records.py",
        ),
    ),
    "clients": Requirement(
        "DESIGN: any MCP client of any revision, unchanged",
        "Real SDK clients and servers of both eras work through the gateway as they do without it.",
        (
            "stack/test_sdks.py",
            "stack/test_counterparts.py",
            "stack/test_published_servers.py",
            "stack/test_recorder.py",
            "conformance/test_conformance.py",
        ),
    ),
    "discovery": Requirement(
        "RFC 9728, MCP authorization",
        "Without a token a client is told where to get one, and its SDK finds the way.",
        ("stack/test_discovery.py", "demo/test_issuer.py", "demo/test_people.py", "cli/test_token.py"),
    ),
    "operations": Requirement(
        "DESIGN: processes and state",
        "The service starts, stops, drains and recovers in good order, and says in one line what is wrong.",
        (
            "test_supervisor.py",
            "test_preflight.py",
            "test_settings.py",
            "stack/test_operations.py",
            "stack/test_containers.py",
        ),
    ),
    "playground": Requirement(
        "README: try it",
        "One command brings the whole walk up on loopback and leaves nothing behind.",
        ("stack/test_up.py", "demo/test_decisions.py", "demo/test_sample_server.py", "test_readme.py"),
    ),
}
