from extproc.core.model import Verb
from extproc.core.policy.verbs import compile_verbs, verb_of

TOOLS = [("*", Verb.ADMIN), ("get_*", Verb.QUERY), ("get_key*", Verb.MUTATE), ("get_keys", Verb.QUERY)]


def test_the_most_specific_entry_gives_the_verb() -> None:
    tools = compile_verbs(TOOLS, None)
    assert verb_of(tools, "get_keys") is Verb.QUERY
    assert verb_of(tools, "get_key_1") is Verb.MUTATE
    assert verb_of(tools, "get_x") is Verb.QUERY
    assert verb_of(tools, "x") is Verb.ADMIN


def test_of_two_equally_specific_patterns_the_stricter_verb_counts() -> None:
    for order in (1, -1):
        tools = compile_verbs([("a*b", Verb.QUERY), ("ab*", Verb.ADMIN)][::order], None)
        assert verb_of(tools, "abb") is Verb.ADMIN


def test_a_tool_without_an_entry_has_the_verb_of_unlisted_tools_or_none() -> None:
    assert verb_of(compile_verbs([("x", Verb.ADMIN)], None), "y") is None
    assert verb_of(compile_verbs([("x", Verb.ADMIN)], Verb.MUTATE), "y") is Verb.MUTATE


def test_a_name_that_only_looks_like_a_listed_one_is_no_tool_that_anybody_knows() -> None:
    tools = compile_verbs([("drop_all", Verb.ADMIN), ("Wipe", Verb.ADMIN), ("hr_*", Verb.ADMIN)], Verb.QUERY)
    for name in ("Drop_All", "drop_all ", "drop\u200b_all", "dr\u043ep_all", "wipe", "HR_delete", " hr_delete"):
        assert verb_of(tools, name) is None, name
    assert verb_of(tools, "drop") is Verb.QUERY
    assert verb_of(compile_verbs([("*_all", Verb.QUERY), ("drop_all", Verb.ADMIN)], None), "Drop_all") is None
    twins = compile_verbs([("query", Verb.QUERY), ("Query", Verb.ADMIN)], None)
    assert (verb_of(twins, "query"), verb_of(twins, "Query")) == (Verb.QUERY, Verb.ADMIN)


def test_names_of_javascript_objects_are_plain_names() -> None:
    tools = compile_verbs([("x", Verb.QUERY)], None)
    assert verb_of(tools, "__proto__") is None
    assert verb_of(tools, "constructor") is None
