"""What inspection found is on record under the name of its kind, calls inside of calls too."""

from extproc.core.access import NO_FACTS, CallFacts, Facts, InnerCall, ShellFacts, SqlFacts
from extproc.core.audit.facts import facts_found
from extproc.core.model import Verb

SQL = SqlFacts(
    verb=Verb.MUTATE,
    tables=("sales.orders",),
    statements=("DELETE",),
    functions=(),
    findings=("DELETE without WHERE",),
    parsed=True,
)
SHELL = ShellFacts(verb=Verb.ADMIN, commands=("curl",), findings=(), network=True, parsed=True)


def test_nothing_found_is_nothing_on_record():
    assert facts_found(NO_FACTS) == {}


def test_each_kind_has_its_name_and_the_words_of_the_schema():
    found = facts_found(Facts(sql=SQL, shell=SHELL))
    assert (found["sql"]["verb"], found["sql"]["tables"]) == ("mutate", ["sales.orders"])
    assert (found["shell"]["verb"], found["shell"]["network"]) == ("admin", True)


def test_the_calls_inside_of_a_call_have_theirs():
    call = InnerCall(server="sales-db", tool="query", arguments={"sql": "secret"}, facts=Facts(sql=SQL))
    found = facts_found(Facts(calls=CallFacts(verb=Verb.MUTATE, calls=(call,))))
    (inner,) = found["calls"]["tools"]
    assert (inner["tool"], inner["sql"]["findings"]) == ("query", ["DELETE without WHERE"])
    assert "secret" not in str(found)
