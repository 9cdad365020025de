import pytest

from policies import HEAD, ROLES, SERVERS, load, problems

GRANT = "roles:\n  reader:\n    assigned_to: {groups: [readers]}\n    grants: [%s]\n"
ASSIGNED = "roles:\n  reader:\n    assigned_to: {%s}\n    grants: [{servers: [db]}]\n"


def told(text: str) -> list[str]:
    return [problem.what for problem in problems(text)]


@pytest.mark.parametrize(
    ("grant", "what"),
    [
        ("{servers: [dbx]}", "there is no server `dbx`"),
        ("{servers: [db], tools: [qury]}", "`qury` matches no tool"),
        ("{servers: [db], tools: ['drop_*']}", "`drop_*` matches no tool"),
        ("{servers: [db], tools: [Query]}", "`Query` matches no tool"),
        ("{servers: [db], tools: [update], verbs: [query]}", "`update` matches no tool with a verb of `query`"),
        ("{servers: [db], verbs: [admin]}", "this grant can match nothing: no tool has a verb of `admin`"),
        ("{servers: [db], verbs: [mutate], resources: ['a://*']}", "resources are read with the verb `query`"),
        ("{servers: [db], verbs: [mutate], prompts: [x]}", "prompts are read with the verb `query`"),
        ("{servers: [db], when: 'false'}", "the condition can never be true"),
    ],
)
def test_a_grant_that_can_match_nothing_is_refused(grant: str, what: str) -> None:
    found = told(HEAD + SERVERS + GRANT % grant)
    assert len(found) == 1
    assert what in found[0]


@pytest.mark.parametrize(
    "grant",
    [
        "{servers: ['*']}",
        "{servers: [db], tools: ['*']}",
        "{servers: [db], tools: ['q*y'], verbs: [query]}",
        "{servers: [db], verbs: [mutate]}",
        "{servers: [db], verbs: [admin, query]}",
        "{servers: [db], prompts: [anything], resources: ['x://*'], verbs: [query]}",
    ],
)
def test_a_grant_that_can_match_loads(grant: str) -> None:
    load(HEAD + SERVERS + GRANT % grant)


def test_any_tool_may_match_where_unlisted_ones_have_the_verb() -> None:
    servers = SERVERS + "    unlisted_tools: admin\n"
    load(HEAD + servers + GRANT % "{servers: [db], tools: [other], verbs: [admin]}")
    assert told(HEAD + servers + GRANT % "{servers: [db], tools: [other], verbs: [mutate]}")


def test_a_pattern_must_match_on_one_server_not_on_each() -> None:
    servers = SERVERS + "  files: {tools: {read: {verb: query}}}\n"
    load(HEAD + servers + GRANT % "{servers: [db, files], tools: [query, read]}")
    load(HEAD + servers + GRANT % "{servers: ['*'], tools: [read]}")


@pytest.mark.parametrize(
    ("rule", "what"),
    [
        ("{name: d, servers: [db], tools: [shell]}", "`shell` matches no tool"),
        ("{name: d, servers: [db], verbs: [admin]}", "deny rule `d` can match nothing"),
        ("{name: d, servers: [nowhere]}", "there is no server `nowhere`"),
        ("{name: d, servers: [db], when: '1 == 2'}", "the condition can never be true"),
    ],
)
def test_a_deny_rule_that_can_match_nothing_is_refused(rule: str, what: str) -> None:
    assert what in "\n".join(told(HEAD + SERVERS + ROLES + f"deny: [{rule}]\n"))


def test_a_deny_rule_may_name_what_only_looks_like_a_tool() -> None:
    load(HEAD + SERVERS + ROLES + "deny: [{name: d, servers: [db], tools: [QUERY]}]\n")


@pytest.mark.parametrize(
    ("assigned", "what"),
    [
        ("workloads: ['spiffe://other.example/x']", "no workload can come from `other.example`"),
        ("workloads: ['prod.example.com/x']", "a workload is a SPIFFE id with a path"),
        ("workloads: ['spiffe://prod.example.com']", "a workload is a SPIFFE id with a path"),
        ("workloads: ['spiffe://prod.example.com/']", "a workload is a SPIFFE id with a path"),
        ("workloads: ['spiffe://*/x']", "a workload is a SPIFFE id with a path"),
        ("subjects: [{issuer: nobody, subject: x}]", "there is no issuer named `nobody`"),
        ("when: server == 'db'", "undeclared reference to 'server'"),
        ("when: 'false'", "the condition can never be true"),
    ],
)
def test_a_role_that_nobody_can_have_is_refused(assigned: str, what: str) -> None:
    found = told(HEAD + SERVERS + ASSIGNED % assigned)
    assert len(found) == 1
    assert what in found[0]


def test_without_identity_nobody_has_any_role() -> None:
    for assigned in ("groups: [g]", "roles: [r]", "subjects: [s]", "when: principal.subject == 'x'"):
        assert "nobody can have role `reader`" in "\n".join(told("version: 1\n" + SERVERS + ASSIGNED % assigned))
    found = problems("version: 1\n" + SERVERS + ASSIGNED % "subjects: [{issuer: corp, subject: x}]")
    assert "Add the issuer" in [problem.fix for problem in found]


def test_a_bare_subject_is_refused_where_two_issuers_could_be_meant() -> None:
    head = HEAD.replace("audience: aud}", 'audience: aud}, {name: b, issuer: "https://b", audience: x}')
    assert "is a subject of which issuer?" in told(head + SERVERS + ASSIGNED % "subjects: [alice]")[0]
    load(head + SERVERS + ASSIGNED % "subjects: [{issuer: b, subject: alice}]")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (SERVERS + "  DB: {}\n" + ROLES, "two servers look alike: `db` and `DB`"),
        (SERVERS + "  x: {audience: other, tools: {t: {verb: query}}}\n" + ROLES, "no token can be for server `x`"),
        (SERVERS + "  '*': {}\n" + ROLES, "`*` is no name for one of servers"),
        (SERVERS + ROLES + "limits: [{per: server, servers: [x], calls: 1/1s}]\n", "there is no server `x`"),
        (SERVERS + ROLES + "recording: {servers: {x: none}}\n", "there is no server `x`"),
        (SERVERS + ROLES + "recording: {servers: {'*': none}}\n", "there is no server `*`"),
        (
            SERVERS.replace("update: {verb: mutate}", "'a*b': {verb: query}, 'a**b': {verb: admin}") + ROLES,
            "`a*b` never matters: `a**b` covers it with a stricter verb",
        ),
    ],
)
def test_names_that_mislead_or_lead_nowhere_are_refused(text: str, what: str) -> None:
    assert any(what in line for line in told(HEAD + text))


def test_a_grant_on_a_server_of_an_empty_list_is_told_how_to_declare_it() -> None:
    fixes = [problem.fix for problem in problems(HEAD + "servers: {}\n" + ROLES)]
    assert "Declare it under `servers`" in fixes


def test_a_resource_pattern_that_no_uri_in_normal_form_fits_is_refused() -> None:
    for pattern in ("HTTP://x/*", "https://Example.com/*", "a://x/../y", "file:///a//b"):
        assert "never matches" in "\n".join(
            told(HEAD + SERVERS + GRANT % f"{{servers: [db], resources: ['{pattern}']}}")
        )
    for pattern in ("*", "https://example.com*", "schema://Sales/*", "*://x", "file:///a/*"):
        load(HEAD + SERVERS + GRANT % f"{{servers: [db], resources: ['{pattern}']}}")
