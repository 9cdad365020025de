import pytest

from extproc.core.limits import MAX_QUOTED_CHARS
from extproc.core.model import ResourceKind, Target
from extproc.core.policy import answers
from extproc.core.policy.rules import DenyRule, Grant, Reach

REACH = Reach(everything=True)


def denied(message: str = "") -> str:
    rule = DenyRule(rule="deny:d", reach=REACH, looks=REACH, when=None, message=message)
    return answers.denied_by(rule, "db", Target(kind=ResourceKind.TOOL, name="drop"))


@pytest.mark.parametrize(
    ("kind", "named", "then"),
    [
        (ResourceKind.TOOL, 'The tool "x" on server "db"', "tools/list"),
        (ResourceKind.PROMPT, 'The prompt "x" on server "db"', "prompts/list"),
        (ResourceKind.RESOURCE, 'The resource "x" on server "db"', "resources/list"),
        (ResourceKind.TEMPLATE, 'The resource template "x" on server "db"', "resources/templates/list"),
        (ResourceKind.SERVER, 'The server "db"', "Ask the operator"),
    ],
)
def test_a_refusal_says_what_by_which_rule_and_what_to_do(kind: ResourceKind, named: str, then: str) -> None:
    words = answers.not_available("db", Target(kind=kind, name="x"))
    assert words.startswith(named)
    assert "rule `default`" in words
    assert then in words


def test_the_operators_sentence_ends_the_refusal_of_a_deny_rule() -> None:
    assert denied("Ask a steward.").endswith("rule `deny:d`. Ask a steward.")
    assert denied().endswith("ask the operator of this gateway if you need it.")


def test_a_condition_that_is_not_met_is_named_by_its_rule() -> None:
    grant = Grant(rule="role:a#1", role="a", reach=REACH, when=None)
    words = answers.arguments_refused(grant, "db", Target(kind=ResourceKind.TOOL, name="query"))
    assert "rule `role:a#1`" in words
    assert "Change the arguments" in words


def test_a_limit_says_how_many_in_how_long() -> None:
    assert "at most 5 calls in 60 seconds" in answers.too_many("limit#1", 5, 60)


def test_a_quoted_name_is_cut_and_without_control_characters() -> None:
    words = answers.not_available("db", Target(kind=ResourceKind.TOOL, name="\x1b[2J\u202e\n" + "x" * 5000))
    assert words.isprintable() or "\ufffd" in words
    assert not set(words) & {"\x1b", "\u202e", "\n"}
    assert len(words) < MAX_QUOTED_CHARS + 300
