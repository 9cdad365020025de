import pytest

from extproc.core.inspection.shell import inspect_shell
from extproc.core.model import Verb


@pytest.mark.parametrize(
    "program",
    [
        "{print $1}",
        "$3 > 100 {print $1, $2}",
        "/foo|bar/ {n++} END {print n}",
        'BEGIN {FS=","} {s += $2} END {printf "%d\\n", s}',
        "NR==1, NR==5",
        'a || b {print "x > y | z"}',
        "!seen[$0]++",
        "$1 ~ /a|b/ {print}",
    ],
)
def test_programs_that_read_and_print_are_queries(program):
    facts = inspect_shell(f"awk '{program}' f")
    assert (facts.verb, facts.findings) == (Verb.QUERY, ())


@pytest.mark.parametrize(
    "program",
    [
        'BEGIN {system("id")}',
        'BEGIN {print "id" | "sh"}',
        '{print | "sort"}',
        '{"date" | getline d}',
        'BEGIN {while (("ls" | getline x) > 0) print x}',
        '{print |& "x"}',
        'BEGIN {f = "system"; @f("id")}',
        '/"/ {system("x")}',
        '{getline < "a"}',
    ],
)
def test_programs_that_run_commands_are_findings(program):
    assert inspect_shell(f"gawk '{program}' f").findings == ("an awk program that runs commands",)


@pytest.mark.parametrize(
    "command",
    [
        "awk '{print > \"a\"}' f",
        "awk '{printf \"x\" >> $1}' f",
        "awk -f a f",
        "awk --file=a f",
        "awk",
        "awk -i inplace '{print}' f",
        "awk '{print \"}' f",
    ],
)
def test_programs_that_write_or_are_not_seen_are_admin(command):
    facts = inspect_shell(command)
    assert (facts.verb, facts.findings) == (Verb.ADMIN, ())


def test_a_program_in_an_option_is_one():
    assert inspect_shell("gawk --source='BEGIN {system(1)}' f").destructive
    assert inspect_shell("gawk -e 'BEGIN {system(1)}' f").destructive
    assert inspect_shell("mawk -W exec=f").verb is Verb.ADMIN


def test_a_program_of_run_time_is_a_finding():
    assert inspect_shell('awk "$x" f').findings == ("an awk program only known at run time",)


def test_values_of_options_are_no_program():
    assert inspect_shell("awk -F: -v x=1 '{print $1}' f").verb is Verb.QUERY
    assert inspect_shell("awk -F '|' '{print $1}' f").verb is Verb.QUERY
