"""What inspection found in a call, as it stands on record: the words of the schema, and nothing of the call itself."""

from typing import Final

from extproc.core.access import Facts
from extproc.core.model import Json

__all__ = ["VERBS", "facts_found"]

VERBS: Final = {1: "query", 2: "mutate", 3: "admin"}


def facts_found(facts: Facts) -> dict[str, Json]:
    """What inspection found, under the name of its kind."""
    found: dict[str, Json] = {}
    if facts.sql is not None:
        found["sql"] = {
            "verb": VERBS[facts.sql.verb],
            "parsed": facts.sql.parsed,
            "statements": list(facts.sql.statements),
            "tables": list(facts.sql.tables),
            "functions": list(facts.sql.functions),
            "unbounded_write": facts.sql.unbounded_write,
            "findings": list(facts.sql.findings),
        }
    if facts.shell is not None:
        found["shell"] = {
            "verb": VERBS[facts.shell.verb],
            "parsed": facts.shell.parsed,
            "commands": list(facts.shell.commands),
            "network": facts.shell.network,
            "destructive": facts.shell.destructive,
            "findings": list(facts.shell.findings),
        }
    if facts.calls is not None:
        found["calls"] = {
            "verb": VERBS[facts.calls.verb],
            "parsed": facts.calls.parsed,
            "fault": facts.calls.fault or None,
            "tools": [
                {"server": call.server, "tool": call.tool, **facts_found(call.facts)} for call in facts.calls.calls
            ],
        }
    return found
