from extproc.core.inspection.shell.effects import HARMLESS, Effect, finding, joined, unreadable
from extproc.core.model import Verb


def test_joining_nothing_is_harmless():
    assert joined() is HARMLESS
    assert joined(HARMLESS, HARMLESS) is HARMLESS


def test_joining_only_ever_adds():
    one = Effect(verb=Verb.MUTATE, commands=("a", "a"), writes=("x",), unknown=("a",))
    other = Effect(commands=("b",), network=True, writes=("x", "y"), unknown=("a",), secret=True)
    assert joined(one, HARMLESS, other) == Effect(
        verb=Verb.MUTATE,
        commands=("a", "a", "b"),
        unknown=("a",),
        writes=("x", "y"),
        network=True,
        secret=True,
    )


def test_one_part_alone_is_kept_as_it_is():
    one = Effect(verb=Verb.MUTATE)
    assert joined(HARMLESS, one) is one


def test_findings_are_admin_and_told_once():
    both = joined(finding("a"), finding("b"), finding("a"))
    assert (both.verb, both.findings, both.readable) == (Verb.ADMIN, ("a", "b"), True)


def test_nothing_is_ruled_out_of_what_is_not_read():
    both = joined(HARMLESS, unreadable("a"), Effect(verb=Verb.QUERY))
    assert (both.verb, both.readable, both.network, both.findings) == (Verb.ADMIN, False, True, ("a",))
