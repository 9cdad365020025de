import pytest

from extproc.core.access import AccessRequest
from extproc.core.model import Principal, ResourceKind, Target, Verb
from extproc.core.policy.conditions import Condition, compile_condition
from extproc.core.policy.patterns import compile_patterns
from extproc.core.policy.question import Question, covers_kind, covers_name, looks_denied
from extproc.core.policy.rules import DenyRule, Reach
from policies import GOOD, load

OPEN = frozenset({"arguments"})


def request(kind: ResourceKind = ResourceKind.TOOL, name: str = "query", verb: Verb = Verb.QUERY) -> AccessRequest:
    principal = Principal(issuer="i", subject="s")
    return AccessRequest(
        principal=principal, server="db", method="m", verb=verb, target=Target(kind=kind, name=name), arguments={"n": 1}
    )


def condition(text: str) -> Condition:
    compiled = compile_condition(text)
    assert isinstance(compiled, Condition)
    return compiled


def test_without_a_condition_a_rule_always_speaks() -> None:
    question = Question(request=request())
    assert question.could(None)
    assert question.certainly(None)


def test_an_error_never_allows_and_always_refuses() -> None:
    question = Question(request=request())
    broken = condition("arguments.missing == 1")
    assert not question.could(broken)
    assert question.certainly(broken)


def test_what_depends_on_an_open_variable_could_be_and_is_not_certain() -> None:
    question = Question(request=request(), unbound=OPEN, tolerant=True)
    undecided = condition("arguments.n == 1")
    assert question.could(undecided)
    assert not question.certainly(undecided)
    assert not question.could(condition('arguments.n == 1 && server == "x"'))
    assert question.certainly(condition('arguments.n == 1 || server == "db"'))


def test_another_error_keeps_its_meaning_also_in_an_open_question() -> None:
    question = Question(request=request(), unbound=OPEN, tolerant=True)
    broken = condition("principal.claims.missing == 1")
    assert not question.could(broken)
    assert question.certainly(broken)


def test_an_unbound_variable_of_a_closed_question_is_an_error() -> None:
    question = Question(request=request(), unbound=OPEN)
    assert not question.could(condition("arguments.n == 1"))
    assert question.certainly(condition("arguments.n == 1"))


@pytest.mark.parametrize(
    ("text", "refuses"),
    [
        ("sql.drops", False),
        ("sql.tables[0] == 'orders'", False),
        ("server == 'db' && sql.tables.exists(t, t == 'orders')", False),
        ("sql.drops || arguments.n == 1", True),
        ("sql.drops || arguments.n == 2", False),
        ("sql.drops || arguments.missing == 1", True),
        ("sql.drops || arguments.n > 'x'", True),
        ("sql.drops && arguments.missing == 1", False),
        ("shell.network || arguments.missing == 1", True),
    ],
)
def test_a_call_without_facts_is_refused_by_what_holds_or_errs_without_them(text: str, refuses: bool) -> None:
    assert Question(request=request()).certainly(condition(text)) is refuses


def reach(**patterns: list[str]) -> Reach:
    return Reach(everything=not patterns, **{kind: compile_patterns(texts) for kind, texts in patterns.items()})


def test_a_reach_covers_only_the_kinds_it_names() -> None:
    tools = reach(tools=["query"], resources=["a://*"])
    assert covers_name(tools, Target(kind=ResourceKind.TOOL, name="query"))
    assert not covers_name(tools, Target(kind=ResourceKind.PROMPT, name="query"))
    assert covers_name(tools, Target(kind=ResourceKind.RESOURCE, name="a://x"))
    assert covers_name(tools, Target(kind=ResourceKind.TEMPLATE, name="{scheme}://x"))
    assert not covers_name(tools, Target(kind=ResourceKind.SERVER))
    assert covers_name(reach(prompts=["p*"]), Target(kind=ResourceKind.PROMPT, name="pq"))
    assert covers_name(reach(), Target(kind=ResourceKind.SERVER))


def test_a_reach_covers_only_its_verbs() -> None:
    writes = Reach(everything=True, verbs=frozenset({Verb.MUTATE}))
    assert covers_kind(writes, Question(request=request(verb=Verb.MUTATE)))
    assert not covers_kind(writes, Question(request=request(verb=Verb.ADMIN)))
    rule = DenyRule(rule="deny:d", reach=writes, looks=writes, when=None, message="")
    assert looks_denied(rule, Question(request=request(verb=Verb.MUTATE)))
    assert not looks_denied(rule, Question(request=request(verb=Verb.QUERY)))


def test_a_deny_rule_covers_a_template_only_with_all_that_it_stands_for() -> None:
    rule = load(GOOD + "deny: [{name: d, servers: [db], resources: ['schema://HR/*']}]\n").servers["db"].denies[0]

    def denied(name: str) -> bool:
        return looks_denied(rule, Question(request=request(ResourceKind.TEMPLATE, name)))

    assert denied("schema://HR/{table}")
    assert denied("schema://hr/{table}")
    assert not denied("schema://{db}/{table}")
    assert not looks_denied(rule, Question(request=request(ResourceKind.PROMPT, "schema://HR/x")))
