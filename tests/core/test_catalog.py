import pytest

from extproc.core.catalog import (
    LISTS,
    for_one,
    only_completions,
    only_contents,
    only_visible,
    only_whatever,
    without_output_schemas,
)
from extproc.core.limits import MAX_LIST_TTL_MS
from extproc.core.model import Era, ResourceKind

MODERN, LEGACY = Era.MODERN, Era.LEGACY


def sees_only(*names):
    return lambda _kind, name: name in names


@pytest.mark.parametrize(
    ("method", "member", "field", "kind"),
    [
        ("tools/list", "tools", "name", ResourceKind.TOOL),
        ("prompts/list", "prompts", "name", ResourceKind.PROMPT),
        ("resources/list", "resources", "uri", ResourceKind.RESOURCE),
        ("resources/templates/list", "resourceTemplates", "uriTemplate", ResourceKind.TEMPLATE),
    ],
)
def test_every_list_keeps_what_the_caller_sees_and_nothing_else(method, member, field, kind):
    asked = []

    def sees(asked_kind, name):
        asked.append((asked_kind, name))
        return name == "a"

    result = {member: [{field: "a", "x": 1}, {field: "b"}], "nextCursor": "c", "_meta": {"k": 1}}
    filtered = only_visible(LISTS[method], result, sees, LEGACY)
    assert filtered.result == {member: [{field: "a", "x": 1}], "nextCursor": "c", "_meta": {"k": 1}}
    assert filtered.hidden == 1
    assert asked == [(kind, "a"), (kind, "b")]


def test_an_empty_page_keeps_its_next_cursor():
    result = {"tools": [{"name": "b"}], "nextCursor": ""}
    assert only_visible(LISTS["tools/list"], result, sees_only(), LEGACY).result == {"tools": [], "nextCursor": ""}


@pytest.mark.parametrize("entry", [None, "a", 1, {}, {"name": None}, {"name": 7}, {"Name": "a"}, ["a"]])
def test_an_entry_that_cannot_be_read_is_left_out(entry):
    filtered = only_visible(LISTS["tools/list"], {"tools": [entry]}, lambda *_: True, LEGACY)
    assert (filtered.result["tools"], filtered.hidden) == ([], 1)


def test_a_list_that_is_none_becomes_empty():
    assert only_visible(LISTS["tools/list"], {"tools": {"name": "a"}}, lambda *_: True, LEGACY).result == {"tools": []}


def test_the_second_tool_of_one_name_is_left_out():
    result = {"tools": [{"name": "a", "n": 1}, {"name": "a", "n": 2}]}
    assert only_visible(LISTS["tools/list"], result, sees_only("a"), LEGACY).result["tools"] == [{"name": "a", "n": 1}]


@pytest.mark.parametrize(
    ("upstream", "expected"),
    [
        ({"cacheScope": "public", "ttlMs": 3_600_000}, MAX_LIST_TTL_MS),
        ({"cacheScope": "private", "ttlMs": 5}, 5),
        ({}, 0),
        ({"ttlMs": -1}, 0),
        ({"ttlMs": True}, 0),
        ({"ttlMs": "9"}, 0),
        ({"ttlMs": 1e300}, 0),
    ],
)
def test_a_filtered_modern_list_is_private_and_soon_stale(upstream, expected):
    filtered = only_visible(LISTS["tools/list"], {"tools": [], **upstream}, sees_only(), MODERN)
    assert filtered.result == {"tools": [], "cacheScope": "private", "ttlMs": expected}


def test_a_legacy_list_that_names_a_scope_becomes_private_too():
    result = {"tools": [], "cacheScope": "public"}
    assert only_visible(LISTS["tools/list"], result, sees_only(), LEGACY).result["cacheScope"] == "private"


def test_the_upstreams_own_result_is_not_touched():
    result = {"tools": [{"name": "b"}], "cacheScope": "public", "ttlMs": 1}
    only_visible(LISTS["tools/list"], result, sees_only(), MODERN)
    assert result == {"tools": [{"name": "b"}], "cacheScope": "public", "ttlMs": 1}


def test_a_result_nobody_knows_the_question_of_is_filtered_as_all_that_it_looks_like():
    result = {
        "tools": [{"name": "a"}, {"name": "b"}],
        "prompts": [{"name": "b"}],
        "resources": [{"uri": "x:a"}, {"uri": "x:b"}],
        "resourceTemplates": [{"uriTemplate": "x:{b}"}],
        "contents": [{"uri": "x:a"}, {"uri": ""}, {"uri": "x:b"}],
        "completion": {"values": ["b", "c"], "total": 2, "hasMore": False},
        "nextCursor": "",
    }
    filtered = only_whatever(result, sees_only("a", "x:a"), LEGACY)
    assert filtered.result == {
        "tools": [{"name": "a"}],
        "prompts": [],
        "resources": [{"uri": "x:a"}],
        "resourceTemplates": [],
        "contents": [{"uri": "x:a"}],
        "completion": {"values": []},
        "nextCursor": "",
    }
    assert filtered.hidden == 8


@pytest.mark.parametrize(
    "result", [{"content": []}, {"tools": "none"}, {"contents": {}}, {"completion": {"values": []}}, {"completion": []}]
)
def test_a_result_that_looks_like_no_list_passes_as_it_is(result):
    assert only_whatever(result, sees_only(), LEGACY).result is result


def test_completion_values_that_are_no_list_go_too_where_the_question_is_unknown():
    assert only_whatever({"completion": {"values": "b"}}, sees_only(), LEGACY).result == {"completion": {"values": []}}


def test_contents_of_another_uri_need_their_own_permission():
    result = {"contents": [{"uri": "a://1"}, {"uri": "a://2"}, {"uri": "a://3"}, {"text": "no uri"}, "text"]}
    filtered = only_contents("a://1", result, sees_only("a://2"), LEGACY)
    assert filtered.result == {"contents": [{"uri": "a://1"}, {"uri": "a://2"}]}
    assert filtered.hidden == 3


def test_contents_read_in_the_modern_era_are_private():
    assert only_contents("a://1", {"contents": []}, sees_only(), MODERN).result["cacheScope"] == "private"


def test_contents_that_are_no_list_are_withheld():
    assert only_contents("a://1", {"contents": {"uri": "a://1"}}, sees_only(), LEGACY).result == {"contents": []}


def test_an_interim_result_without_contents_passes():
    result = {"resultType": "input_required", "requestState": "s"}
    assert only_contents("a://1", result, sees_only(), MODERN).result is result


def complete(values, *, ref=None, argument=None, context=None, **more):
    params = {
        "ref": ref if ref is not None else {"type": "ref/resource", "uri": "schema://sales/{table}"},
        "argument": argument if argument is not None else {"name": "table", "value": ""},
    }
    if context is not None:
        params["context"] = {"arguments": context}
    return only_completions(params, {"completion": {"values": values, **more}}, sees_only("schema://sales/orders"))


def test_a_completion_does_not_name_a_hidden_resource_nor_count_it():
    filtered = complete(["orders", "staff"], total=2, hasMore=False)
    assert filtered.result == {"completion": {"values": ["orders"]}}
    assert filtered.hidden == 1


def test_a_completion_that_hides_nothing_stays_as_it_is():
    assert complete(["orders"], total=1).result == {"completion": {"values": ["orders"], "total": 1}}


def test_a_completion_is_judged_with_the_arguments_that_are_known():
    ref = {"type": "ref/resource", "uri": "schema://{area}/{table}"}
    assert complete(["orders", "staff"], ref=ref, context={"area": "sales"}).result["completion"]["values"] == [
        "orders"
    ]


def sees_kinds(**names):
    return lambda kind, name: name in names.get(kind, ())


@pytest.mark.parametrize(
    ("template", "name", "context", "shown"),
    [
        ("schema://{area}/{table}", "area", {}, "schema://sales/{table}"),
        ("schema://{area}/{table}", "area", {"area": "sales"}, "schema://sales/{table}"),
        ("schema://{area}/{table}", "area", {"area": "sales", "table": 7}, "schema://sales/{table}"),
        ("schema://{area}/{table}", "area", {"table": "{area}"}, "schema://sales/{area}"),
    ],
)
def test_a_completion_of_half_a_uri_names_nothing_below_which_all_is_hidden(template, name, context, shown):
    params = {"ref": {"uri": template}, "argument": {"name": name}, "context": {"arguments": context}}
    values = {"completion": {"values": ["sales", "hr"]}}
    filtered = only_completions(params, values, sees_kinds(template=[shown]))
    assert filtered.result == {"completion": {"values": ["sales"]}}


def test_the_argument_in_question_cannot_be_told_beforehand():
    params = {
        "ref": {"uri": "schema://{area}/{table}"},
        "argument": {"name": "area"},
        "context": {"arguments": {"area": "sales", "table": "orders"}},
    }
    values = {"completion": {"values": ["sales", "hr"]}}
    filtered = only_completions(params, values, sees_kinds(resource=["schema://sales/orders"]))
    assert filtered.result == {"completion": {"values": ["sales"]}}


@pytest.mark.parametrize(
    ("template", "uri"),
    [
        ("file:///{+path}", "file:///a"),
        ("file://{/path*}", "file:///a"),
        ("file:///x{.path}", "file:///x.a"),
        ("demo:x{;path}", "demo:x;path=a"),
        ("demo:x{?path}", "demo:x?path=a"),
        ("demo:x?y=1{&path}", "demo:x?y=1&path=a"),
        ("demo:x{#path}", "demo:x#a"),
    ],
)
def test_every_operator_of_a_template_is_filled_in(template, uri):
    params = {"ref": {"uri": template}, "argument": {"name": "path"}}
    values = {"completion": {"values": ["a", "b"]}}
    assert only_completions(params, values, sees_kinds(resource=[uri])).result["completion"]["values"] == ["a"]


@pytest.mark.parametrize("template", ["demo:{x,y}", "demo:{x:3}", "demo:{y}", "demo:x", "demo:{x"])
def test_a_value_that_fits_nowhere_in_the_template_is_left_out(template):
    params = {"ref": {"uri": template}, "argument": {"name": "x"}}
    assert only_completions(params, {"completion": {"values": ["a"]}}, lambda *_: True).hidden == 1


def test_a_completion_value_is_judged_as_a_client_would_fill_it_in():
    params = {"ref": {"uri": "notes://public/{t}"}, "argument": {"name": "t"}}
    asked = []
    only_completions(
        params,
        {"completion": {"values": ["tea", "green tea", "a/b", "../secret"]}},
        lambda _, name: asked.append(name) or False,
    )
    assert asked == [
        "notes://public/tea",
        "notes://public/green%20tea",
        "notes://public/a/b",
        "notes://public/..%2Fsecret",
    ]


def test_a_completion_value_that_is_no_text_is_left_out():
    assert complete(["orders", 7]).result["completion"]["values"] == ["orders"]


def test_a_completion_of_a_prompt_names_no_resource():
    params = {"ref": {"type": "ref/prompt", "name": "p"}, "argument": {"name": "x"}}
    result = {"completion": {"values": ["a"]}}
    assert only_completions(params, result, sees_only()).result is result


@pytest.mark.parametrize("argument", [None, "x", {}, {"name": 1}])
@pytest.mark.parametrize("completion", [None, ["a"], {"values": "a"}, {"values": {"a": 1}}, {"values": ["a"]}])
def test_a_completion_that_cannot_be_judged_shows_nothing(argument, completion):
    params = {"ref": {"type": "ref/resource", "uri": "a://{x}"}, "argument": argument}
    filtered = only_completions(params, {"completion": completion}, lambda *_: True)
    assert filtered.result == {"completion": {"values": []}}


@pytest.mark.parametrize("context", ["no", {"arguments": "no"}])
def test_odd_context_is_ignored(context):
    params = {"ref": {"uri": "schema://sales/{t}"}, "argument": {"name": "t"}, "context": context}
    result = {"completion": {"values": ["orders"]}}
    assert only_completions(params, result, sees_only("schema://sales/orders")).hidden == 0


def test_a_tool_whose_results_are_masked_has_no_output_schema():
    tools = [
        {"name": "a", "outputSchema": {}},
        {"name": "b", "outputSchema": {}},
        {"name": "c"},
        5,
        {"outputSchema": {}},
    ]
    result = {"tools": tools, "nextCursor": "2"}
    shown = without_output_schemas(result, {"a", ""}.__contains__)
    assert shown == {"tools": [{"name": "a"}, *tools[1:4], {}], "nextCursor": "2"}
    assert without_output_schemas(result, lambda _: False) is result
    assert without_output_schemas({"tools": 5}, lambda _: True) == {"tools": 5}


def test_a_result_for_one_caller_is_kept_by_no_shared_cache():
    assert for_one({"cacheScope": "public", "ttlMs": 9e9}, Era.MODERN) == {"cacheScope": "private", "ttlMs": 0}
    assert for_one({"ttlMs": 5}, Era.LEGACY) == {"cacheScope": "private", "ttlMs": 5}
    plain = {"content": []}
    assert for_one(plain, Era.MODERN) is plain
