"""The guard behind ext_proc and what may stand between it and the server."""

import pytest

from shipped import ext_proc, front, http_filter, problems, route, shipped

GUARD = "unsafe: nothing refuses a call that was never decided"
OTHER = {"name": "lua", "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua"}}


def filters(document):
    return front(document)["http_filters"]


def no_guard(document):
    filters(document).remove(http_filter(document, "mcp.guard"))


def guard_first(document):
    guard = http_filter(document, "mcp.guard")
    filters(document).remove(guard)
    filters(document).insert(0, guard)


def permissions(*permissions):
    def changed(document):
        http_filter(document, "mcp.guard")["typed_config"]["rules"]["policies"]["decided"]["permissions"] = list(
            permissions
        )

    return changed


def wanted(document):
    return http_filter(document, "mcp.guard")["typed_config"]["rules"]["policies"]["decided"]["permissions"][0]


def one_more(document):
    rules = http_filter(document, "mcp.guard")["typed_config"]["rules"]
    rules["policies"]["more"] = {"permissions": [{"any": True}], "principals": [{"any": True}]}


def denies(document):
    http_filter(document, "mcp.guard")["typed_config"]["rules"]["action"] = "DENY"


def only_shadow(document):
    settings = http_filter(document, "mcp.guard")["typed_config"]
    settings["shadow_rules"] = settings.pop("rules")


def inverted(document):
    wanted(document)["sourced_metadata"]["metadata_matcher"]["invert"] = True


def off_on_a_route(document):
    route(document)["typed_per_filter_config"]["mcp.guard"] = {
        "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig",
        "disabled": True,
    }


def other_rules_on_a_route(document):
    route(document)["typed_per_filter_config"]["mcp.guard"] = {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBACPerRoute",
        "rbac": {"rules": {"policies": {"all": {"permissions": [{"any": True}], "principals": [{"any": True}]}}}},
    }


def no_rules_on_a_route(document):
    route(document)["typed_per_filter_config"]["mcp.guard"] = {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBACPerRoute"
    }


UNGUARDED = {
    "no-guard": no_guard,
    "before-ext_proc": guard_first,
    "anything": permissions({"any": True}),
    "no-permission": permissions(),
    "a-second-way": one_more,
    "denies": denies,
    "shadow": only_shadow,
    "inverted": inverted,
    "another-key": permissions(
        {
            "metadata": {
                "filter": "mcp_extproc",
                "path": [{"key": "rule"}],
                "value": {"string_match": {"exact": "allow"}},
            }
        }
    ),
    "no-conjunct": permissions({"and_rules": {"rules": [{"any": True}]}}),
    "off-on-a-route": off_on_a_route,
    "other-rules-on-a-route": other_rules_on_a_route,
    "no-rules-on-a-route": no_rules_on_a_route,
}


@pytest.mark.parametrize("chain", ["one-message", "portable"])
@pytest.mark.parametrize("name", UNGUARDED)
def test_a_guard_that_does_not_want_the_decision_is_none(chain, name):
    document = shipped(chain)
    UNGUARDED[name](document)
    assert [each for each in problems(document) if each.startswith(GUARD)]


def test_a_guard_may_want_more_than_the_decision_and_be_written_the_old_way():
    document = shipped()
    matcher = wanted(document)["sourced_metadata"]["metadata_matcher"]
    permissions({"and_rules": {"rules": [{"any": True}, {"metadata": matcher}]}})(document)
    assert problems(document) == []


def test_what_could_change_the_call_after_it_was_judged_is_named():
    document = shipped()
    filters(document).insert(len(filters(document)) - 1, OTHER)
    assert "unsafe: lua (Lua) stands behind ext_proc and could change what was judged" in problems(document)
    filters(document)[-2] = {"name": "found", "config_discovery": {}}
    assert [each for each in problems(document) if "found (its settings come from elsewhere)" in each]
    filters(document)[-2] = OTHER | {"disabled": True}
    assert problems(document) == []


def test_without_the_buffer_the_guard_looks_too_early():
    document = shipped()
    filters(document).remove(http_filter(document, "buffer"))
    assert "broken: the guard looks before the body is judged, and refuses" in problems(document)
    ext_proc(document)["processing_mode"]["request_header_mode"] = "SEND"
    assert problems(document) == []


def test_a_buffer_behind_no_guard_is_looked_for_up_to_the_end():
    document = shipped()
    no_guard(document)
    assert [each[: len(GUARD)] for each in problems(document)] == [GUARD]
