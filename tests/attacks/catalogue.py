"""Which test tries which case of the threat catalogue; a case without a test has the reason why it cannot apply.

A test stands as ``file::function`` below ``tests``, with ``*`` for any ending, and the id of its parameters in brackets
where one test tries many cases.
"""

from typing import Final

__all__ = ["CASES", "SIZES"]

SIZES: Final = {"J": 22, "H": 34, "S": 14, "T": 10, "A": 20, "G": 24, "E": 22, "X": 15}
"""How many cases each group of the catalogue has."""

_JSON: Final = "attacks/test_json.py::test_one_meaning_or_none"
_HTTP: Final = "attacks/test_http.py::test_no_spelling_leads_past_the_policy"
_FORGED: Final = "attacks/test_identity.py::test_a_token_that_no_issuer_meant_for_us_lets_nobody_in"
_RULES: Final = "attacks/test_envoy_rules.py::test_every_unsafe_setting_would_be_found"
_FAULTS: Final = "attacks/test_envoy_faults.py::test_"
_SESSIONS: Final = "attacks/test_sessions.py::test_"
_LISTS: Final = "attacks/test_lists.py::test_"
_APPROVALS: Final = "stack/test_approvals.py::test_"
_ASKED: Final = "attacks/test_approvals.py::test_"
_HELD: Final = "stack/test_held_sdks.py::test_"
_PAGE: Final = "edges/console/test_console.py::test_"
_DESK: Final = "test_desk.py::test_"
_DOCTOR: Final = "stack/test_doctor.py::test_"

CASES: Final[dict[str, tuple[str, ...] | str]] = {
    **{f"J{n:02}": (f"{_JSON}[J{n:02}-",) for n in (*range(1, 17), 20, 21, 22)},
    "J17": (f"{_JSON}[J17-", "attacks/test_json.py::test_j17_*"),
    "J18": ("attacks/test_json.py::test_j18_*",),
    "J19": ("attacks/test_json.py::test_j17_j19_*",),
    **{f"H{n:02}": (f"{_HTTP}[H{n:02}-",) for n in (*range(1, 12), *range(13, 18), 19, 22, 23, 26, 30, 33, 34)},
    "H12": ("attacks/test_http.py::test_h12_*",),
    "H18": (f"{_HTTP}[H16-encoded-bodies",),
    "H20": (f"{_HTTP}[H20-", "attacks/test_http.py::test_h20_*"),
    "H21": (f"{_HTTP}[H21-", "attacks/test_http.py::test_h21_*"),
    "H24": (f"{_HTTP}[H24-", "attacks/test_http.py::test_h24_*"),
    "H25": (f"{_HTTP}[H25-", "attacks/test_http.py::test_h25_*"),
    "H27": (f"{_HTTP}[H27-", "attacks/test_http.py::test_h21_h27_*", f"{_RULES}[H27"),
    "H28": (f"{_HTTP}[H28-", "attacks/test_http.py::test_h28_*", f"{_RULES}[H28"),
    "H29": ("attacks/test_http.py::test_h29_*", f"{_RULES}[H29"),
    "H31": (f"{_HTTP}[H31-", "attacks/test_http.py::test_h31_*"),
    "H32": ("attacks/test_http.py::test_h32_*",),
    "S01": (f"{_SESSIONS}s01_*",),
    "S02": (f"{_SESSIONS}the_session_of_somebody_else_*[S02-",),
    "S03": (f"{_SESSIONS}s03_*",),
    "S04": (f"{_SESSIONS}s04_*", f"{_SESSIONS}a_session_that_is_no_single_handle_never_passes[S04-"),
    "S05": (f"{_SESSIONS}s05_*", f"{_SESSIONS}a_real_session_answers_its_owner_alone_until_its_end"),
    "S06": (f"{_SESSIONS}s06_*", f"{_SESSIONS}a_real_session_answers_its_owner_alone_until_its_end"),
    "S07": (f"{_SESSIONS}s07_*",),
    "S08": (f"{_SESSIONS}s08_*", f"{_SESSIONS}an_endpoint_elsewhere_ends_the_stream[S08-"),
    "S09": (f"{_SESSIONS}s09_*", f"{_SESSIONS}an_answer_to_another_id_is_nobodys[S09-"),
    "S10": (f"{_SESSIONS}s10_*", "attacks/test_review.py::test_a_stream_ends_with_the_policy_that_opened_it"),
    "S11": (f"{_SESSIONS}s11_*", f"{_SESSIONS}news_of_a_hidden_resource_is_dropped[S11-"),
    "S12": (f"{_SESSIONS}tasks_are_refused[S12-",),
    "S13": (f"{_SESSIONS}s13_*", "stack/test_held_sdks.py::test_a_client_that_goes_gets_nothing_run"),
    "S14": (f"{_SESSIONS}s14_*",),
    "T01": (f"{_LISTS}t02_*", "core/policy/test_decide.py"),
    "T02": (f"{_LISTS}t02_*",),
    "T03": (f"{_LISTS}t03_*",),
    "T04": ("stack/test_catalog.py", "core/exchange/test_pinned.py"),
    "T05": (f"{_LISTS}t05_*", f"{_LISTS}a_hidden_thing_and_a_missing_one_are_the_same_bytes[T05-"),
    "T06": (f"{_LISTS}t06_*", f"{_LISTS}a_list_in_another_shape_shows_nothing[T06-"),
    "T07": (f"{_LISTS}what_is_cut_for_one_is_cached_for_nobody_else_and_not_for_long[T07-",),
    "T08": (f"{_LISTS}t08_*",),
    "T09": (f"{_LISTS}t09_*",),
    "T10": (f"{_LISTS}t10_*", f"{_LISTS}a_list_too_large_to_be_read_is_withheld[T10-"),
    "A01": (f"{_APPROVALS}a_held_call_runs_exactly_as_shown_*", f"{_HELD}an_approved_call_*"),
    "A02": (f"{_ASKED}a02_*", "core/test_approval.py::test_an_approval_runs_nothing_else"),
    "A03": ("stack/test_races.py", f"{_DESK}of_fifty_calls_at_once_*"),
    "A04": (
        f"{_ASKED}a02_a04_*",
        "stack/test_races.py",
        "stack/test_nodes.py::test_an_approval_on_one_node_*",
        f"{_HELD}a_restart_during_the_hold_*",
        "edges/store/test_tickets.py::test_of_a_hundred_executions_*",
    ),
    "A05": (
        "core/test_approval.py::test_nobody_approves_*",
        "core/test_approval.py::test_two_logins_of_one_human_*",
        "stack/test_console.py::test_another_account_of_the_same_human_*",
    ),
    "A06": (f"{_PAGE}who_is_no_approver_*", f"{_PAGE}the_api_hides_*"),
    "A07": (f"{_HELD}a_call_that_nobody_answers_*", f"{_DESK}what_expired_*"),
    "A08": (
        f"{_DESK}what_somebody_approved_who_is_revoked_since_*",
        f"{_APPROVALS}who_signs_out_is_removed_or_revoked_*",
        f"{_HELD}a_role_that_is_taken_back_*",
        f"{_HELD}who_is_revoked_*",
        f"{_HELD}a_token_that_expires_*",
    ),
    "A09": (f"{_PAGE}no_other_credential_*", f"{_PAGE}a_cookie_opens_no_api"),
    "A10": (f"{_ASKED}a10_*", "core/exchange/test_asking.py::test_what_a_client_answers_*"),
    "A11": (f"{_ASKED}a10_a11_*", "core/exchange/test_rounds.py::test_a_state_that_is_not_of_this_call_*"),
    "A12": (f"{_ASKED}a10_a11_*", "core/exchange/test_rounds.py::test_a_state_too_large_*"),
    "A13": (f"{_ASKED}a10_a11_a13_*", "core/exchange/test_rounds.py::test_only_answers_to_what_*"),
    "A14": (
        "core/test_legible.py",
        "stack/test_console.py::test_hostile_*",
        "stack/test_console.py::test_a_mebibyte_*",
    ),
    "A15": (f"{_ASKED}a15_*", "edges/notify/test_notifier.py::test_each_request_is_told_once_*"),
    "A16": (f"{_DESK}of_two_answers_at_once_*", "edges/store/test_tickets.py::test_of_a_yes_and_a_no_*"),
    "A17": (f"{_APPROVALS}who_hangs_up_*", f"{_HELD}a_client_that_goes_*"),
    "A18": (f"{_APPROVALS}a_worker_that_dies_*", f"{_HELD}a_restart_*"),
    "A19": ("core/test_approval.py::test_an_approval_waits_*", "core/test_shared_state.py::test_a_copy_without_news_*"),
    "A20": ("stack/test_long_hold.py",),
    **{f"G{n:02}": (f"{_FORGED}[G{n:02}-",) for n in (1, 2, 3, 4, 9, 11)},
    "G05": (f"{_FORGED}[G05-", "attacks/test_identity.py::test_g05_*"),
    "G06": (f"{_FORGED}[G06-",),
    "G07": ("attacks/test_identity.py::test_g07_*", "edges/keys/test_sources.py", "edges/keys/test_fetcher.py"),
    "G08": (f"{_FORGED}[G08-", "attacks/test_identity.py::test_g08_*"),
    "G10": ("attacks/test_identity.py::test_g10_*",),
    "G12": ("attacks/test_identity.py::test_g10_*",),
    "G13": (f"{_FORGED}[G13-",),
    "G14": ("attacks/test_identity.py::test_g14_*", "stack/test_held_sdks.py::test_a_token_that_expires_during_the_*"),
    "G15": (f"{_FORGED}[G15-",),
    "G16": ("attacks/test_identity.py::test_g16_*", "attacks/test_mesh.py::test_g16_*"),
    "G17": ("attacks/test_identity.py::test_g16_g17_*", "attacks/test_http.py::test_h21_h27_*"),
    "G18": ("attacks/test_mesh.py::test_g18_*",),
    "G19": ("stack/test_nodes.py::test_a_rev*", "stack/test_approvals.py::test_a_revoked_requester_*"),
    "G20": ("stack/test_held_sdks.py::test_who_is_revoked_*", "stack/test_held_sdks.py::test_a_role_that_is_taken_*"),
    "G21": ("attacks/test_identity.py::test_g14_g21_*", "attacks/test_review.py::test_a_stream_ends_with_the_*"),
    "G22": ("attacks/test_identity.py::test_g22_*", f"{_LISTS}a_hidden_thing_and_a_missing_one_are_the_same_bytes"),
    "G23": ("attacks/test_mesh.py::test_g23_*",),
    "G24": ("attacks/test_identity.py::test_g24_*", "attacks/test_identity.py::test_a_token_comes_in_one_form_only"),
    "E01": (f"{_FAULTS}e01_*",),
    "E02": (f"{_FAULTS}e02_*",),
    "E03": ("attacks/test_e03_clean_close.py", f"{_FAULTS}e03_*"),
    "E04": (f"{_FAULTS}e04_*", f"{_RULES}[E04"),
    "E05": (f"{_DOCTOR}an_envoy_that_asks_nobody_*", "core/doctor/test_canaries.py"),
    "E06": (f"{_FAULTS}e06_*", "attacks/test_masking.py::test_r29_*"),
    "E07": (f"{_FAULTS}e07_*",),
    "E08": (f"{_FAULTS}e08_*",),
    "E09": (f"{_FAULTS}e09_*",),
    "E10": (f"{_RULES}[E10",),
    "E11": (f"{_FAULTS}e03_a_service_that_drains_*", f"{_RULES}[E11"),
    "E12": (f"{_RULES}[E12",),
    "E13": (f"{_FAULTS}e13_*",),
    "E14": (f"{_RULES}[E14", "core/doctor/test_setup.py"),
    "E15": ("attacks/test_ways_past.py::test_e15_*",),
    "E16": (f"{_RULES}[E16", "core/doctor/test_setup.py"),
    "E17": ("attacks/test_http.py::test_e17_*",),
    "E18": (f"{_RULES}[E18", "core/doctor/test_setup.py"),
    "E19": (f"{_FAULTS}e19_*", f"{_RULES}[E19"),
    "E20": ("attacks/test_envoy_rules.py::test_e20_*", "core/doctor/test_instance.py"),
    "E21": (f"{_FAULTS}e21_*", "attacks/test_ways_past.py::test_e21_*", "attacks/test_hot_restart.py"),
    "E22": "Envoy's own MCP filter is in none of the configurations; it stands in the benchmark alone.",
    "X01": (
        "stack/test_bodies.py::test_a_body_at_the_limit_arrives_and_one_above_it_is_a_json_rpc_error",
        f"{_FAULTS}e08_*",
    ),
    "X02": ("attacks/test_records.py::test_x02_*",),
    "X03": ("attacks/test_records.py::test_x02_x03_*",),
    "X04": ("attacks/test_exhaustion.py::test_x04_*",),
    "X05": ("attacks/test_exhaustion.py::test_x05_*", f"{_HTTP}[H16-"),
    "X06": (f"{_JSON}[J11-", f"{_JSON}[J16-", "attacks/test_json.py::test_j17_*"),
    "X07": ("attacks/test_hostile_text.py",),
    "X08": ("test_holding.py", "test_desk.py", "core/exchange/test_holding.py"),
    "X09": ("attacks/test_records.py::test_x09_*", "stack/test_operations.py::test_no_word_of_a_client_*"),
    "X10": (
        "stack/test_policy_life.py::test_a_limit_holds_over_all_workers_*",
        "edges/store/test_counters.py::test_processes_together_*",
        "core/policy/test_decide.py",
    ),
    "X11": ("core/audit/test_events.py", "stack/test_operations.py::test_a_full_disk_*"),
    "X12": ("attacks/test_exhaustion.py::test_x12_*", "stack/test_bodies.py::test_an_upstream_that_says_nothing_*"),
    "X13": ("attacks/test_hostile_text.py",),
    "X14": ("attacks/test_exhaustion.py::test_x04_*",),
    "X15": ("attacks/test_exhaustion.py::test_x15_*", "attacks/test_exhaustion.py::test_x04_*"),
}
