"""The words of closed lists that a server's message may hold: kinds, roles, levels, scopes, states and methods.

Masking leaves them alone, because a client that reads anything else there understands nothing. MCP schema of
2024-11-05 to 2026-07-28.
"""

from typing import Final

from extproc.core.wire.methods import REVISIONS

__all__ = ["WORDS"]

_KINDS: Final = ("text", "image", "audio", "resource", "resource_link", "tool_use", "tool_result")
_ROLES: Final = ("user", "assistant")
_LEVELS: Final = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")
_RESULTS: Final = ("complete", "input_required", "task")
_SCOPES: Final = ("public", "private", "none", "thisServer", "allServers", "form", "url")
_NOTIFICATIONS: Final = (
    "notifications/cancelled",
    "notifications/elicitation/complete",
    "notifications/message",
    "notifications/progress",
    "notifications/prompts/list_changed",
    "notifications/resources/list_changed",
    "notifications/resources/updated",
    "notifications/subscriptions/acknowledged",
    "notifications/tools/list_changed",
)
_REQUESTS: Final = ("elicitation/create", "ping", "roots/list", "sampling/createMessage")

WORDS: Final = frozenset(
    {"2.0", *_KINDS, *_ROLES, *_LEVELS, *_RESULTS, *_SCOPES, *_NOTIFICATIONS, *_REQUESTS, *REVISIONS}
)
"""All of them: no one of these words is a secret in the place of another."""
