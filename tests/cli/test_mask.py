"""``extproc mask``: before and after by the engine that serves clients, with counts, exit codes, and a safe terminal."""

import asyncio
import itertools
import json
import re
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from extproc.cli import app
from extproc.cli.side_by_side import side_by_side
from extproc.edges.journal.writer import JournalWriter
from leaks import leaks
from policies import GOOD

MAIL = "bob@example.com"
POLICY = (
    GOOD
    + """\
  auditor:
    assigned_to: {groups: [auditors]}
    grants: [{servers: [db]}]
masking:
  - name: pii
    servers: [db]
    tools: [query]
    fields: [{path: $..ssn}, {path: "$..card", as: {keep_last: 4}}]
    detect: [mail, card]
    except: {roles: [auditor]}
  - name: mailboxes
    servers: [db]
    resources: ["mail://*"]
    detect: [mail]
detectors:
  mail: {patterns: ["[a-z]+@[a-z]+[.]com"]}
  card: {patterns: ["[0-9]{16}"]}
"""
)
RESULT = {
    "content": [{"type": "text", "text": json.dumps([{"ssn": 1, "mail": MAIL}])}],
    "structuredContent": {"rows": [{"ssn": 1, "card": "4111111111111234", "n": 4111111111111111, "note": f"{MAIL}, {MAIL}"}]},
}  # fmt: skip
MESSAGE = {"jsonrpc": "2.0", "id": 1, "result": RESULT}


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    file = tmp_path / "p.yaml"
    file.write_text(POLICY)
    return file


def preview(policy: Path, *options: str, given: str | bytes | None = None, tool: str | None = "query") -> Result:
    words = [
        "mask",
        "preview",
        "--policy",
        str(policy),
        "--server",
        "db",
        *(["--tool", tool] if tool else []),
        *options,
    ]
    return CliRunner().invoke(app, words, input=given)


def shown(result: Result) -> dict:
    assert result.exit_code in {0, 3}, result.output
    return json.loads(result.stdout)


def test_a_response_is_shown_before_and_after_with_what_was_masked_counted(policy: Path, tmp_path: Path) -> None:
    file = tmp_path / "response.json"
    file.write_text(json.dumps(MESSAGE))
    result = preview(policy, "--as", "reader", str(file))
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "masking rules: pii"
    assert lines[-1] == "7 values masked: card 1, mail 3, masked 3"
    (number,) = [line for line in lines if '"n":' in line]
    assert number.split() == ['"n":', "4111111111111111,", '"n":', '"[card]",']
    (note,) = [line for line in lines if '"note":' in line]
    assert '"note": "[mail], [mail]"' in note


@pytest.mark.parametrize(
    ("given", "before", "masked"),
    [
        (MESSAGE, MESSAGE, {"mail": 3, "masked": 3, "card": 1}),
        (RESULT, RESULT, {"mail": 3, "masked": 3, "card": 1}),
        ([{"ssn": 1, "a": MAIL}], [{"ssn": 1, "a": MAIL}], {"masked": 1, "mail": 1}),
        ({"harmless": 1}, {"harmless": 1}, {}),
    ],
)
def test_a_message_a_result_and_any_json_are_taken(policy: Path, given: object, before: object, masked: dict) -> None:
    found = shown(preview(policy, "--json", "-", given=json.dumps(given)))
    assert found["messages"][0]["before"] == before
    assert found["masked"] == masked
    assert found["rules"] == ["pii"]
    assert not leaks(json.dumps(found["messages"][0]["after"]).encode(), MAIL)


@pytest.mark.parametrize("options", [(), ("--sse",)])
def test_an_event_stream_is_known_by_its_looks_or_by_saying_so(policy: Path, options: tuple[str, ...]) -> None:
    note = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": MAIL}}
    stream = f": hello\n\ndata: {json.dumps(note)}\n\nevent: message\r\ndata: {json.dumps(MESSAGE)}\r\n\r\nevent: x\ndata: y\n\n"
    found = shown(preview(policy, "--json", *options, "-", given=stream))
    assert [each["masked"] for each in found["messages"]] == [{"mail": 1}, {"mail": 3, "masked": 3, "card": 1}]
    assert found["masked"]["mail"] == 4


def test_who_is_exempt_sees_all_of_it(policy: Path) -> None:
    for options in (("--as", "auditor"), ("--group", "auditors")):
        result = preview(policy, *options, "-", given=json.dumps(MESSAGE))
        assert result.exit_code == 0
        assert "No masking rule is owed here" in result.stdout
        assert "nothing was masked" in result.stdout
    found = shown(preview(policy, "--as", "auditor", "--json", "-", given=json.dumps(MESSAGE)))
    assert (found["rules"], found["messages"][0]["after"]) == ([], MESSAGE)


def test_a_resource_is_masked_under_its_own_uri_and_lists_under_every_rule(policy: Path) -> None:
    uri = f"mail://{MAIL}"
    read = {"contents": [{"uri": uri, "text": MAIL}]}
    found = shown(preview(policy, "--json", "--resource", uri, "-", given=json.dumps(read), tool=None))
    assert found["messages"][0]["after"] == {"contents": [{"uri": uri, "text": "[mail]"}]}
    listed = {"tools": [{"name": "t", "description": MAIL}, {"name": MAIL}]}
    result = preview(policy, "-", given=json.dumps(listed), tool=None)
    assert "masking rules: pii, mailboxes" in result.stdout
    assert "left out of lists for their names: 1" in result.stdout
    assert "No masking" in preview(policy, "-", given="{}", tool="update").stdout


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ('{"a": 1, "a": 2}', "it cannot be read as JSON with one meaning (duplicate key)"),
        (b"\xff", "it cannot be read as JSON"),
        ('data: {"a": \n\n', "it cannot be read as JSON"),
        (b"data: \xff\n\n", "an event cannot be read (not utf8)"),
        (" " * (8 << 20) + "{}", "it is larger than"),
    ],
)
def test_what_would_be_withheld_is_said_to_be(policy: Path, given: str | bytes, why: str) -> None:
    result = preview(policy, "-", given=given)
    assert result.exit_code == 3
    assert f"withheld from here on: {why}" in result.stdout
    assert why in json.dumps(shown(preview(policy, "-", "--json", given=given)))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((), "name a file with a response"),
        (("no-such-file",), "no-such-file cannot be read: No such file or directory."),
        (("-",), "stdin is empty"),
        (("--as", "nobody", "-"), "the policy has no role `nobody`; it has auditor, reader."),
        (("--as", "reader", "--group", "x", "-"), "--as names a whole role"),
        (("--server", "nowhere", "-"), "the policy has no server `nowhere`; it has db."),
        (("--prompt", "p", "-"), "ask for one of --tool, --prompt, --resource"),
        (("--call", "d-1"), "--call needs --journal"),
        (("--call", "d-1", "--journal", "no-such-folder"), "no recording in no-such-folder"),
    ],
)
def test_a_question_that_is_wrong_is_answered_in_one_line(policy: Path, options: tuple[str, ...], says: str) -> None:
    result = preview(policy, *options, given="")
    assert result.exit_code == 2
    assert says in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_policy_with_mistakes_is_sent_to_check(policy: Path) -> None:
    policy.write_text(POLICY.replace("detect: [mail]", "detect: [mial]"))
    result = preview(policy, "-", given="{}")
    assert result.exit_code == 2
    assert "there is no detector `mial`" in result.stderr
    assert "extproc check" in result.stderr


def record(state: Path, *events: dict) -> None:
    ticks = itertools.count(1)

    async def write() -> None:
        journal = JournalWriter(
            state / "journal" / "n-0", node="n", worker="0", durability="process", clock=lambda: next(ticks)
        )
        journal.open()
        for event in events:
            await journal.append(event)
        await journal.close()

    asyncio.run(write())


def test_a_recorded_call_is_shown_as_another_policy_would_mask_it(policy: Path, tmp_path: Path) -> None:
    outcome = {"kind": "outcome", "at": 1, "server": "db", "result": "complete"}
    record(
        tmp_path / "state",
        {**outcome, "decision": "d-0", "payload": None},
        {**outcome, "decision": "d-1", "payload": RESULT},
    )
    where = ("--journal", str(tmp_path / "state"))
    found = shown(preview(policy, "--json", "--call", "d-1", *where))
    assert found["masked"] == {"mail": 3, "masked": 3, "card": 1}
    for decision, says in (("d-0", "only size and digest were recorded"), ("d-2", "is recorded in")):
        result = preview(policy, "--call", decision, *where)
        assert (result.exit_code, says in result.stderr) == (2, True)


def test_nothing_of_a_response_reaches_the_terminal_as_a_control_character(policy: Path) -> None:
    hostile = {"content": [{"type": "text", "text": f"\x1b]0;owned\x07 {MAIL} \u202e"}], "\x1b[31m": 1}
    result = preview(policy, "-", given=json.dumps(hostile))
    assert result.exit_code == 0
    assert not {"\x1b", "\x07", "\u202e"} & set(result.stdout)


def test_long_runs_of_what_stays_are_folded(policy: Path) -> None:
    value = {"a": [MAIL], **{f"k{n:02}": n for n in range(30)}, "z": [MAIL]}
    output = preview(policy, "-", given=json.dumps(value)).stdout
    assert "lines as they were" in output
    assert '"k15"' not in output


def test_a_member_that_changed_its_name_or_was_left_out_is_shown_on_its_side(policy: Path) -> None:
    value = {"tools": [{"name": MAIL, "x": {"y": [1, 2, 3]}}, {"name": "t"}], MAIL: 1}
    output = preview(policy, "-", given=json.dumps(value), tool=None).stdout
    assert f'"{MAIL}": 1' in output
    assert '"[mail]": 1' in output


def test_the_detectors_can_be_listed() -> None:
    result = CliRunner().invoke(app, ["mask", "detectors"])
    assert result.exit_code == 0
    assert "secrets: " in result.stdout
    assert "\nemail\n" in result.stdout


def test_colours_go_with_the_type_and_mark_only_what_was_masked() -> None:
    console = Console(force_terminal=True, color_system="standard", width=200, highlight=False)
    with console.capture() as capture:
        console.print(side_by_side({"a": "to bob@x.org or 4111", "b": 2}, {"a": "to [mail] or [card]", "b": 2}))
    line = next(each for each in capture.get().splitlines() if "bob@x.org" in each)
    assert "\x1b[1;" in line
    assert re.findall(r"\x1b\[1;\d+m([^\x1b]*)", line) == ["bob@x.org", "4111", "[mail]", "[card]"]
