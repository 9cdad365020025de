import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.core.inspection.shell import inspect_shell
from extproc.core.model import Verb


@pytest.mark.parametrize(
    "script",
    [
        "s/a/b/",
        "s/a/b/g",
        "s|/a|/b|2gp",
        "s/[a-z]/x/",
        "s/a\\/b/c/",
        "y/abc/xyz/",
        "1,5p",
        "$d",
        "/x/d",
        "/x/,/y/p",
        "/x/,+3d",
        "2~3p",
        "1!G;h;$!d",
        "/a/{s/b/c/;p}",
        ":a;N;$!ba;s/a/b/g",
        "5q",
        "a text; e here is text",
        "i\\\nsome text",
        "r file",
        "\\,x,p",
        "# a comment\np",
        "=",
        "",
        "s,a,b,",
    ],
)
def test_scripts_that_read_and_print_are_queries(script):
    facts = inspect_shell(["sed", script, "f"])
    assert (facts.verb, facts.findings, facts.writes) == (Verb.QUERY, (), ())


@pytest.mark.parametrize(
    "script", ["s/a/b/e", "s/a/b/ge", "e", "1e rm -rf a", "p;e", "/x/{e\n}", "s|a|b|;1e", "\\,x,e", "s/[a]/b/e"]
)
def test_scripts_that_run_programs_are_findings(script):
    assert inspect_shell(["sed", script, "f"]).findings == ("a sed script that runs a program",)


@pytest.mark.parametrize(
    ("script", "writes"),
    [("w a", ("a",)), ("/x/w a b", ("a b",)), ("s/a/b/w c", ("c",)), ("W a\np", ("a",)), ("w", ("",))],
)
def test_scripts_that_write_files_name_them(script, writes):
    facts = inspect_shell(["sed", "-n", script, "f"])
    assert (facts.verb, facts.writes) == (Verb.MUTATE, writes)


@pytest.mark.parametrize(
    "script", ["s/a/b", "s", "s/[/]/e/", "s/[a/b/", "%", "s/a/b/k", "/[/]/e", "s\\a\\b\\", "s a b ", "s/a\\"]
)
def test_scripts_that_cannot_be_told_are_admin(script):
    assert inspect_shell(["sed", script, "f"]).verb is Verb.ADMIN


@pytest.mark.parametrize(
    ("command", "verb", "writes"),
    [
        ("sed -i s/a/b/ f g", Verb.MUTATE, ("f", "g")),
        ("sed -i.bak s/a/b/ f", Verb.MUTATE, ("f",)),
        ("sed --in-place=x -e s/a/b/ f", Verb.MUTATE, ("f",)),
        ("sed -ni -e p f", Verb.MUTATE, ("f",)),
        ("sed -e p -e d f", Verb.QUERY, ()),
        ("sed -f a f", Verb.ADMIN, ()),
        ('sed "s/a/$x/" f', Verb.ADMIN, ()),
        ("sed -i s/a/b/ /etc/hosts", Verb.ADMIN, ("/etc/hosts",)),
        ("sed", Verb.QUERY, ()),
    ],
)
def test_options_of_sed(command, verb, writes):
    facts = inspect_shell(command)
    assert (facts.verb, facts.writes) == (verb, writes)


@given(st.text(alphabet="sypdew/|;{}\\[]a1,!$ \n", max_size=30))
def test_every_script_has_an_end(script):
    assert inspect_shell(["sed", script, "f"]).verb in Verb
