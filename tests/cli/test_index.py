"""What is looked up in the index is never old: it is brought up to date, or the journals are read anew."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from cli.test_recordings import HOUR, call, extproc, outcome, record
from extproc.edges.keys.seal_keys import load_signer
from postgres import postgres_server
from stores import Store


@pytest.fixture
def state(tmp_path) -> Path:
    record(tmp_path, "n-0", *(each for number in range(5) for each in events(f"a{number}", number * HOUR)))
    return tmp_path


def events(decision: str, at: int) -> list[dict]:
    return [call(decision, at), outcome(decision, at + 5)]


def ids(state: Path, *options: object) -> list[str]:
    return [each["id"] for each in json.loads(extproc("sessions", "--json", "--state", state, *options))]


def test_what_was_written_since_is_shown(state):
    assert len(ids(state)) == 5
    record(state, "n-1", *events("b", 9 * HOUR))
    (row,) = (row for row in json.loads(extproc("index", "status", "--json", "--state", state)) if row["behind"])
    assert (row["journal"], row["records"], row["behind"]) == ("n-1", 0, 3)
    assert len(ids(state)) == 6
    told = extproc("index", "status", "--state", state).splitlines()
    assert [line.split()[0] + line.split()[-2] for line in told[1:]] == ["n-00", "n-10"]


def test_pages_follow_each_other_without_gap(state):
    whole = ids(state)
    first = json.loads(extproc("sessions", "--json", "--state", state, "--limit", "2"))
    second = ids(state, "--limit", "2", "--after", first[-1]["cursor"])
    assert [each["id"] for each in first] + second == whole[:4]
    told = re.search(r"--after (\S+)", extproc("sessions", "--state", state, "--limit", "4"))
    assert ids(state, "--after", told[1]) == whole[4:]
    assert "write what an earlier page said" in extproc("sessions", "--state", state, "--after", "x", code=2)


def test_an_index_is_built_anew(state):
    before = ids(state)
    assert "from 11 records of 1 journals" in extproc("index", "rebuild", "--state", state)
    assert ids(state) == before
    assert [path.name for path in (state / "index").glob("*.db")] == ["00000002.db"]


def test_where_the_index_cannot_be_the_journals_are_read_anew(state):
    (state / "index").write_text("in the way")
    output = extproc("sessions", "--state", state)
    assert "the journals are read anew, because the index cannot be" in output
    assert output.count("sales-db") == 5
    assert "in the way" not in extproc("index", "status", "--state", state, code=2)
    assert extproc("index", "rebuild", "--state", state, code=2).count("\n") == 1


@pytest.mark.parametrize("content", ["", "https://x", "a\nb"])
def test_a_file_that_holds_no_url_is_one_line_and_2(state, content):
    (state / "url").write_text(content)
    for command in (("sessions",), ("index", "status"), ("index", "rebuild")):
        output = extproc(*command, "--state", state, "--index-url", state / "url", code=2)
        assert str(state / "url") in output
        assert output.count("\n") == 1


def test_nodes_that_share_an_index_find_each_others_sessions(tmp_path):
    one, two, url = tmp_path / "one", tmp_path / "two", tmp_path / "url"
    record(one, "one-0", *events("a", 0))
    record(two, "two-0", *events("b", HOUR))
    with postgres_server() as server:
        url.write_text(server.database())
        (mine,) = ids(one, "--index-url", url)
        other, same = ids(two, "--index-url", url)
        assert (same, ids(one, "--index-url", url)) == (mine, [other, mine])
        shown = json.loads(extproc("sessions", "show", other, "--json", "--state", one, "--index-url", url))
        assert [(each["decision"], each["size"]) for each in shown["calls"]] == [("b", 812)]
        assert "secret_column" in extproc("replay", other, "--state", one, "--index-url", url)
        refused = extproc("export", other, "--state", one, "--index-url", url, code=1)
        assert "journals of other nodes (two-0): run `extproc export" in refused
        assert "on two, or name the state directory of two, or a copy, with --also-state" in refused
        assert "two-0" in refused
        server.kill()
        alone = extproc("sessions", "--state", one, "--index-url", url)
        assert "these are the records of this node alone" in alone
        assert alone.count("sales-db") == 1
        server.start()


def test_what_several_nodes_recorded_is_exported_where_their_journals_can_be_read(tmp_path):
    keys, url = [], tmp_path / "url"
    for turn, node in enumerate(("one", "two")):
        signer = load_signer(tmp_path / node, name=f"extproc/{node}")
        store = Store(tmp_path / node, signer=signer)
        asyncio.run(store.write(f"{node}-0", [call(node, turn, session="s"), outcome(node, turn)]))
        asyncio.run(store.seal())
        keys += ["--key", signer.public]
    with postgres_server() as server:
        url.write_text(server.database())
        run = ("--index-url", url, "--state", tmp_path / "two")
        ids(tmp_path / "one", "--index-url", url)
        (session,) = ids(tmp_path / "two", "--index-url", url)
        shown = json.loads(extproc("sessions", "show", session, "--json", *run))
        assert [each["decision"] for each in shown["calls"]] == ["one", "two"]
        assert "name the state directory of one" in extproc("export", session, *run, "-o", tmp_path / "x.zip", code=1)
        evidence = tmp_path / "evidence.zip"
        extproc("export", session, *run, "--also-state", tmp_path / "one", "-o", evidence)
    proved = json.loads(extproc("verify", evidence, *keys, "--json"))
    assert [(each["journal"], each["sealed"] > 0) for each in proved["reports"]] == [("one-0", True), ("two-0", True)]
    assert json.loads(extproc("verify", evidence, "--json"))["holds"]
    assert "its key is not the one that was given" in extproc("verify", evidence, *keys[:2], code=1)
