"""Command lines: found is what has a finding, also that it cannot be read."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

from family import Family, counted, rows

from extproc.core.inspection.shell import inspect_shell
from extproc.core.model import Verb


def found(command: str) -> bool:
    return inspect_shell(command).destructive


def families(corpora: Path) -> Iterator[Family]:
    """The families of command lines; which of them have a floor stands in the tests."""
    dcg = list(rows(corpora / "destructive-commands" / "dcg.dev.jsonl"))
    net = list(rows(corpora / "destructive-commands" / "safety-net.dev.jsonl"))
    for name, records in (("dcg", dcg), ("safety-net", net)):
        yield counted(
            f"shell: destructive commands, {name}",
            [row["cmd"] for row in records if row["expected"] == "deny"],
            [row["cmd"] for row in records if row["expected"] == "allow"],
            found,
        )
    everyday = [row["cmd"] for row in rows(corpora / "benign-commands" / "tldr-2000.dev.jsonl")]
    read = [command for command in everyday if inspect_shell(command).parsed]
    yield counted("shell: everyday commands", [], everyday, found)
    yield counted("shell: everyday commands that are command lines", [], read, found)
    own = list(rows(corpora / "shell" / "shell_corpus.dev.jsonl"))
    tricky = [row["cmd"] for row in own if row["dangerous"]]
    yield counted("shell: tricky spellings", tricky, [row["cmd"] for row in own if not row["dangerous"]], found)
    attacks = [row["cmd"] for row in rows(corpora / "attack-commands" / "atomic-linux.dev.jsonl")]
    yield counted("shell: attack techniques, findings", attacks, [], found)
    yield counted("shell: attack techniques, not a query", attacks, [], _is_no_query)
    values = [row for row in rows(corpora / "crs" / "crs.dev.jsonl") if row["fam"] == "932"]
    injected = [row["value"] for row in values if row["attack"]]
    near = [row["value"] for row in values if not row["attack"]]
    yield counted("shell: injected into web forms, findings", injected, near, found)
    yield counted("shell: injected into web forms, not a query", injected, [], _is_no_query)
    yield counted("shell: obfuscated by agents", list(_obfuscated(corpora)), [], found)


def _is_no_query(command: str) -> bool:
    return inspect_shell(command).verb is not Verb.QUERY


def _obfuscated(corpora: Path) -> Iterator[str]:
    for row in rows(corpora / "agent-egress-bench" / "cases.dev.jsonl"):
        if row["path"].startswith("shell-obfuscation/"):
            case = json.loads(base64.b64decode(row["b64"]))
            for message in case["payload"].get("jsonrpc_messages", ()):
                yield message["params"]["arguments"]["command"]
