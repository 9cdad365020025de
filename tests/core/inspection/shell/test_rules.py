import pytest

from extproc.core.inspection.shell.known.clouds import CLOUDS
from extproc.core.inspection.shell.known.containers import CONTAINERS
from extproc.core.inspection.shell.known.files import FILES
from extproc.core.inspection.shell.known.git import GIT
from extproc.core.inspection.shell.known.network import NETWORK
from extproc.core.inspection.shell.known.packages import PACKAGES
from extproc.core.inspection.shell.known.reading import READING
from extproc.core.inspection.shell.known.stores import STORES
from extproc.core.inspection.shell.known.system import SYSTEM
from extproc.core.inspection.shell.rules import assess, read_rules
from extproc.core.inspection.shell.words import Word, static
from extproc.core.model import Verb

SHEETS = read_rules(
    [
        """
        # a comment
        a|b takes -n --name
        . flags -v
        . glues -x
        . get : query
        . get secret|secret/* : admin
        . set : mutate net last
        . set -f|--force : destroy
        . set -d !--dry|-y : destroy
        . list $ : query
        . list * : mutate all
        . bare $$ : query
        . bare : admin
        . wipe|purge : destroy
        . x-* : destroy
        . copy : mutate =-o|--out rest
        . move : mutate first
        . job stop * : destroy
        . job : admin
        c ^-l|--list : query
        . : destroy
        d : query
        d -o|--out : mutate =-o|--out
        """
    ]
)
ALL = read_rules((*READING, *FILES, *SYSTEM, *GIT, *CONTAINERS, *CLOUDS, *PACKAGES, *STORES, *NETWORK))


def words(text):
    return [Word(each, (each[2:-1],)) if each.startswith("${") else static(each) for each in text.split()]


@pytest.mark.parametrize(
    ("command", "verb", "findings"),
    [
        ("a get x", Verb.QUERY, ()),
        ("b get x", Verb.QUERY, ()),
        ("a -n x get y", Verb.QUERY, ()),
        ("a -v get y", Verb.QUERY, ()),
        ("a get secret", Verb.ADMIN, ()),
        ("a get secret/x", Verb.ADMIN, ()),
        ("a set x", Verb.MUTATE, ()),
        ("a set -f", Verb.ADMIN, ("a set -f",)),
        ("a set -vf", Verb.ADMIN, ("a set -f",)),
        ("a set -xf", Verb.MUTATE, ()),
        ("a set --forc", Verb.ADMIN, ("a set --force",)),
        ("a set -- -f", Verb.MUTATE, ()),
        ("a set -d", Verb.ADMIN, ("a set -d",)),
        ("a set -d q --dry", Verb.MUTATE, ()),
        ("a set --dry -d", Verb.MUTATE, ()),
        ("a set -y -d", Verb.MUTATE, ()),
        ("a set -d --log --dry", Verb.ADMIN, ("a set -d",)),
        ("a set -d -n --dry", Verb.ADMIN, ("a set -d",)),
        ("a set -d -- --dry", Verb.ADMIN, ("a set -d",)),
        ("a set -d --log=x --dry", Verb.MUTATE, ()),
        ("a list", Verb.QUERY, ()),
        ("a list -v", Verb.QUERY, ()),
        ("a list x", Verb.MUTATE, ()),
        ("a bare", Verb.QUERY, ()),
        ("a bare -a", Verb.ADMIN, ()),
        ("a wipe", Verb.ADMIN, ("a wipe",)),
        ("a purge x", Verb.ADMIN, ("a purge",)),
        ("a x-y", Verb.ADMIN, ("a x-*",)),
        ("a job stop k", Verb.ADMIN, ("a job stop *",)),
        ("a job stop", Verb.ADMIN, ()),
        ("c -l", Verb.QUERY, ()),
        ("c --list x", Verb.QUERY, ()),
        ("c", Verb.ADMIN, ("c",)),
        ("c x -l", Verb.ADMIN, ("c",)),
        ("d x", Verb.QUERY, ()),
        ("d ${x}", Verb.MUTATE, ()),
        ("d -- ${x}", Verb.QUERY, ()),
        ("a set ${x}", Verb.ADMIN, ()),
        ("a get ${x}", Verb.QUERY, ()),
    ],
)
def test_the_longest_rule_says_what_it_is_and_options_add_to_it(command, verb, findings):
    name, *rest = words(command)
    effect = assess(name.text, SHEETS[name.text], rest)
    assert effect is not None
    assert (effect.verb, effect.findings) == (verb, findings)


@pytest.mark.parametrize("command", ["a", "a frob", "a -v frob", "a ${x} get", "a --unknown get"])
def test_a_subcommand_that_no_rule_knows_has_no_effect_that_is_known(command):
    name, *rest = words(command)
    assert assess(name.text, SHEETS[name.text], rest) is None


def test_the_value_of_an_unknown_option_may_be_taken_for_the_subcommand_and_the_worse_counts():
    effect = assess("a", SHEETS["a"], words("--unknown get wipe"))
    assert effect is not None
    assert effect.findings == ("a wipe",)


@pytest.mark.parametrize(
    ("command", "writes"),
    [
        ("a set x y", ("y",)),
        ("a list x y", ("x", "y")),
        ("a copy x y z -o q", ("q", "y", "z")),
        ("a move x y", ("x",)),
        ("d -o x y", ("x",)),
    ],
)
def test_rules_name_the_paths_that_are_written(command, writes):
    name, *rest = words(command)
    effect = assess(name.text, SHEETS[name.text], rest)
    assert effect is not None
    assert effect.touches == writes


def test_rules_say_what_talks_to_the_network():
    effect = assess("a", SHEETS["a"], words("set x"))
    assert effect is not None
    assert effect.network


def test_no_rule_of_the_tables_makes_a_command_better_by_an_option_that_is_looked_for_leniently():
    better = [
        (name, rule.options)
        for name, sheet in ALL.items()
        for rules in sheet.by_word.values()
        for rule in rules
        if rule.options and rule.verb is Verb.QUERY
    ]
    assert better == []


def test_no_reading_rule_of_the_tables_names_paths_that_are_written():
    wrong = [
        name
        for name, sheet in ALL.items()
        for rules in sheet.by_word.values()
        for rule in rules
        if rule.verb is Verb.QUERY and rule.writes
    ]
    assert wrong == []
