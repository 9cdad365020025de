"""The recogniser of the extra ``presidio``; the tests of the model itself need that extra: ``make names``."""

import gc
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.core.masking import NAME_SCORE, NAMES
from extproc.edges.names import presidio
from masks import detect, masker

needs_model = pytest.mark.skipif(
    not presidio.is_installed(), reason="the extra presidio is not installed; `make names` installs it and runs this"
)
EXTPROC = Path(sys.executable).with_name("extproc")
POLICY = """\
version: 1
identity:
  workloads: [{trust_domain: prod.example.com}]
servers: {crm: {tools: {notes: {verb: query}}}}
roles: {reader: {assigned_to: {workloads: ["spiffe://prod.example.com/*"]}, grants: [{servers: [crm], verbs: [query]}]}}
masking:
  - {name: people, servers: [crm], detect: [person_name]}
"""


def run(*words: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [EXTPROC, *words],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.skipif(presidio.is_installed(), reason="the extra presidio is installed here, so nothing is refused")
def test_without_the_extra_a_policy_that_names_names_is_refused_with_its_place_and_the_cure(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(POLICY)
    (tmp_path / "r.json").write_text("{}")
    line = "p.yaml:7:45: detector `person_name` needs a language model that is not installed. Install it: "
    for words in (
        ("check", "p.yaml"),
        ("mask", "preview", "--policy", "p.yaml", "--server", "crm", "--tool", "notes", "--as", "reader", "r.json"),
        ("serve", "--policy", "p.yaml", "--state", "state"),
    ):
        ended = run(*words, cwd=tmp_path)
        assert ended.returncode in {1, 2}
        assert line + "pip install 'mcp-extproc[presidio]'" in ended.stderr
        assert "Traceback" not in ended.stderr
    listed = run("mask", "detectors", cwd=tmp_path).stdout
    assert "place (needs: pip install 'mcp-extproc[presidio]')" in listed


def test_an_extra_that_cannot_be_loaded_is_one_line_and_no_preview(tmp_path: Path) -> None:
    """Modules of these names that raise stand for a broken installation."""
    broken = tmp_path / "broken"
    for name in ("presidio_analyzer", "spacy", presidio.MODEL, "greenlet"):
        (broken / name).mkdir(parents=True)
        (broken / name / "__init__.py").write_text("raise ValueError('Ann Lee')\n")
    (tmp_path / "p.yaml").write_text(POLICY)
    (tmp_path / "r.json").write_text('{"content": [{"type": "text", "text": "Ann Lee"}]}')
    where = {"cwd": tmp_path, "PYTHONPATH": str(broken)}
    assert run("check", "p.yaml", **where).returncode == 0  # type: ignore[arg-type]
    ended = run(
        *("mask", "preview", "--policy", "p.yaml", "--server", "crm", "--tool", "notes", "--as", "reader", "r.json"),
        **where,  # type: ignore[arg-type]
    )
    assert ended.returncode == 2
    assert re.fullmatch(
        f"the language model {presidio.MODEL} cannot be loaded \\(ValueError\\); Install it anew: .*\n", ended.stderr
    )


TEXTS = [
    "Please call Alice Johnson about the order.",
    "The parcel went from Berlin to New York.",
    "nothing to see here",
    "half a character \ud800 of Maria Garcia",
    "",
    "Maria Garcia moved to London",
]


@needs_model
def test_names_and_places_are_found_whole_with_a_score() -> None:
    found = presidio.load()(TEXTS)
    said = [
        [(find.type, text[find.start : find.end]) for find in finds] for text, finds in zip(TEXTS, found, strict=True)
    ]
    assert said[0] == [("person_name", "Alice Johnson")]
    assert said[1] == [("place", "Berlin"), ("place", "New York")]
    assert said[2] == said[4] == []
    assert ("person_name", "Maria Garcia") in said[3]
    assert {find.type for finds in found for find in finds} <= set(NAMES)
    assert {find.score for finds in found for find in finds} == {NAME_SCORE}


@needs_model
def test_what_is_found_in_a_text_does_not_hang_on_what_is_read_beside_it() -> None:
    recognise = presidio.load()
    assert [recognise([text])[0] for text in TEXTS] == list(recognise(TEXTS)) == list(recognise(TEXTS[::-1]))[::-1]


@needs_model
def test_masking_twice_is_masking_once_with_the_model_too() -> None:
    using = masker(detect("person_name", "place", "mail"), recogniser=presidio.load())
    text = "\n".join(
        f"{one} {other} bob@example.com {one}" for one in TEXTS for other in TEXTS if "\ud800" not in one + other
    )
    found = using.document({"note": text, "rows": [{"who": "John Miller", "at": "Hamburg"}]})
    assert found.counts["person_name"] > 10
    assert found.value["rows"] == [{"who": "[person_name]", "at": "[place]"}]
    assert using.document(found.value).value == found.value


@needs_model
def test_it_says_nothing_and_asks_nobody(tmp_path: Path) -> None:
    """Every connection and every look-up of a name is an error in this process, and so is any output."""
    code = (
        "import socket, logging\n"
        "def no(*_, **__): raise SystemExit('the network was used')\n"
        "socket.socket.connect = socket.getaddrinfo = socket.create_connection = no\n"
        "logging.basicConfig(level=logging.DEBUG)\n"
        "from extproc.edges.names.presidio import load\n"
        "assert load()(['Please call Alice Johnson at www.example.com', 'x' * 3000])[0]\n"
    )
    ended = subprocess.run(
        [sys.executable, "-W", "default", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


@needs_model
def test_an_engine_is_loaded_once_in_a_process() -> None:
    assert presidio.load() is presidio.load()


@given(st.lists(st.one_of(st.text(max_size=9), st.integers(1, 400).map("(".__mul__)), max_size=9).map("".join))
def test_a_text_is_read_in_parts_none_of_which_goes_on_for_long_without_a_space(text: str) -> None:
    """Uncut, sixteen thousand brackets took the model half a minute: the square of their number."""
    parts = list(presidio._parts(text))
    assert "".join(part for _, part in parts) == text
    assert all(text.startswith(part, start) for start, part in parts)
    assert all(len(word) <= 128 for _, part in parts for word in part.split())


@needs_model
@pytest.mark.parametrize("run", ["(", "\U0001f600", "x"])
def test_names_around_what_has_no_space_for_long_are_found(run: str) -> None:
    text = "Alice Johnson said " + run * 2000 + " to Maria Garcia"
    (finds,) = presidio.load()([text])
    assert {text[find.start : find.end] for find in finds} >= {"Alice Johnson", "Maria Garcia"}


@needs_model
def test_words_that_were_never_met_before_do_not_stay_in_memory() -> None:
    recognise = presidio.load()
    recognise(["warm"])
    vocabulary = import_module("spacy.vocab").Vocab
    (known,) = [each for each in gc.get_objects() if isinstance(each, vocabulary) and len(each.strings) > 10_000]
    before = len(known.strings)
    recognise([" ".join(f"Word{number}x{start}" for number in range(200)) for start in range(20)])
    assert len(known.strings) == before
