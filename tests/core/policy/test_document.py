import pytest

from extproc.core.model import Recording, Verb
from policies import HEAD, ROLES, SERVERS, load, problems

DB = "servers:\n  db:\n    tools: {query: {verb: query}}\n"
ROLE = "roles:\n  r:\n    assigned_to: {groups: [g]}\n"


def only(text: str) -> tuple[int, int, str, str]:
    found = problems(text)
    assert len(found) == 1, "\n".join(map(str, found))
    return found[0].line, found[0].column, found[0].what, found[0].fix


@pytest.mark.parametrize(
    ("text", "line", "column", "what", "fix"),
    [
        ("versoin: 1\n" + HEAD + SERVERS + ROLES, 1, 1, "unknown key `versoin`", "Did you mean `version`?"),
        ("zzz: 1\n" + HEAD + SERVERS + ROLES, 1, 1, "unknown key `zzz`", "Known keys: `version`"),
        ("mode: off\n" + HEAD + SERVERS + ROLES, 1, 7, "`mode` is none of `enforce`, `shadow`", "Use one of"),
        ("mode: [shadow]\n" + HEAD + SERVERS + ROLES, 1, 7, "`mode` is none of", "Use one of"),
        ("mode: shadwo\n" + HEAD + SERVERS + ROLES, 1, 7, "`mode` is none of", "Did you mean `shadow`?"),
        (HEAD.replace("version: 1", "version: 2") + SERVERS + ROLES, 1, 10, "version", "Write `version: 1`"),
        (HEAD.replace("version: 1", "version: 1.0") + SERVERS + ROLES, 1, 10, "version", "Write `version: 1`"),
        (HEAD.replace("version: 1", "version: {}") + SERVERS + ROLES, 1, 10, "version", "Write `version: 1`"),
        (HEAD.replace("version: 1", "mode: enforce") + SERVERS + ROLES, 1, 1, "has no `version`", "Add `version:`"),
        (HEAD + SERVERS, 1, 1, "the policy has no `roles`", "Add `roles:`"),
        (
            HEAD + DB.replace("verb: query}}", "verb: qurey}}") + ROLES,
            7,
            27,
            "`verb` of tool `query`",
            "Did you mean `query`",
        ),
        (
            HEAD + DB.replace("}}", ", sql: {argument: sql}}}") + ROLES,
            7,
            39,
            "`sql` without `verb: sql`",
            "Write `verb: sql`",
        ),
        (HEAD + DB + "    unlisted_tools: allow\n" + ROLES, 8, 21, "`unlisted_tools` is none of", "Use one of"),
        (HEAD + DB + "    url: 5\n" + ROLES, 8, 10, "`url` of server `db` must be text", "Put it into quotes"),
        (HEAD + DB + "    audience: 5\n" + ROLES, 8, 15, "`audience` must be text", "Put it into quotes"),
        (HEAD + DB + "    tools2: {}\n" + ROLES, 8, 5, "unknown key `tools2`", "Did you mean `tools`?"),
        (
            HEAD + "servers: {}\n" + ROLES.replace("[db]", '["*"]'),
            5,
            10,
            "`servers` must be a mapping that is not empty",
            "",
        ),
        (HEAD + DB + "  ' x': {}\n" + ROLES, 8, 3, "a name in `servers` is empty or has spaces", "plain name"),
        (HEAD + DB + "roles:\n  r:\n    grants: [{servers: [db]}]\n", 10, 5, "role `r` has no `assigned_to`", ""),
        (HEAD + DB + ROLE, 10, 5, "role `r` has no `grants`", "Add `grants:`"),
        (HEAD + DB + ROLE + "    grants: []\n", 11, 13, "must be a list that is not empty", ""),
        (HEAD + DB + ROLE + "    grants: {}\n", 11, 13, "must be a list that is not empty", ""),
        (HEAD + DB + ROLE + "    grants: [{verbs: [query]}]\n", 11, 14, "has no `servers`", "Add `servers:`"),
        (HEAD + DB + ROLE + "    grants: [{servers: []}]\n", 11, 24, "must be a list that is not empty", ""),
        (HEAD + DB + ROLE + "    grants: [{servers: [db], verbs: [sql]}]\n", 11, 38, "`sql` for each of `verbs`", ""),
        (
            HEAD + DB + ROLE + "    grants: [{servers: [db], tools: [query, query]}]\n",
            11,
            45,
            "stands twice",
            "Remove one",
        ),
        (HEAD + DB + ROLE + "    grants: [{servers: [db], tools: [1]}]\n", 11, 38, "must be text", "quotes"),
        (
            HEAD + DB + ROLE + "    grants: [{servers: [db], when: true}]\n",
            11,
            36,
            "`when` of a grant of role `r` must be text",
            "",
        ),
        (
            HEAD + DB + "roles: {r: {assigned_to: {}, grants: [{servers: [db]}]}}\n",
            8,
            26,
            "nobody can have role `r`",
            "",
        ),
        (HEAD + DB + "roles: {r: [x]}\n", 8, 12, "role `r` must be a mapping", "Use the keys"),
        (HEAD + SERVERS + ROLES + "deny: [{servers: [db]}]\n", 12, 8, "a deny rule has no `name`", ""),
        (
            HEAD + SERVERS + ROLES + "deny: [{name: a, servers: [db]}, {name: a, servers: [db]}]\n",
            12,
            41,
            "named `a`",
            "",
        ),
        (
            HEAD + SERVERS + ROLES + "deny: [{name: a, servers: [db], message: []}]\n",
            12,
            42,
            "`message` of a deny rule",
            "",
        ),
        (
            HEAD + SERVERS + ROLES + "limits: [{per: principal, servers: [db], calls: 60}]\n",
            12,
            49,
            "must be text",
            "quotes",
        ),
        (
            HEAD + SERVERS + ROLES + "limits: [{per: principal, servers: [db], calls: x/1m}]\n",
            12,
            49,
            "no number per",
            "60/1m",
        ),
        (
            HEAD + SERVERS + ROLES + "limits: [{per: principal, servers: [db], calls: 0/1m}]\n",
            12,
            49,
            "no number per",
            "60/1m",
        ),
        (
            HEAD + SERVERS + ROLES + "limits: [{per: principal, servers: [db], calls: 60/1x}]\n",
            12,
            49,
            "length of time",
            "30s",
        ),
        (
            HEAD + SERVERS + ROLES + "limits: [{per: client, servers: [db], calls: 6/1m}]\n",
            12,
            16,
            "`per` of a limit",
            "",
        ),
        (
            HEAD + SERVERS + ROLES + "recording: {retention: always}\n",
            12,
            24,
            "`retention` of `recording` must be a length of time",
            "`7d`",
        ),
        (HEAD + SERVERS + ROLES + "recording: {payloads: all}\n", 12, 23, "`payloads` of `recording` is none of", ""),
        (HEAD + SERVERS + ROLES + "recording: {servers: {db: full}}\n", 12, 27, "the recording of `db`", ""),
    ],
)
def test_a_mistake_is_told_with_its_place_and_the_fix(text: str, line: int, column: int, what: str, fix: str) -> None:
    found = only(text)
    assert found[:2] == (line, column), found
    assert what in found[2]
    assert fix in found[3]


def test_a_subject_that_is_neither_text_nor_whole_is_told() -> None:
    grants = "    grants: [{servers: [db]}]\n"
    roles = "roles:\n  r:\n    assigned_to: {subjects: [{issuer: corp}, 5, {issuer: 1, subject: x}]}\n" + grants
    assert [problem.what for problem in problems(HEAD + DB + roles)] == [
        "a subject has no `subject`",
        "a subject must be text",
        "`issuer` of a subject must be text",
    ]


def test_every_mistake_is_told_in_the_order_of_the_lines() -> None:
    text = "mode: x\n" + HEAD + SERVERS.replace("mutate", "mutant") + ROLES + "deny: 5\nextra: 1\n"
    assert [problem.line for problem in problems(text)] == [1, 8, 13, 14]


def test_the_whole_format_is_read() -> None:
    policy = load(
        """
version: 1
mode: shadow
identity:
  issuers:
    - {name: corp, issuer: "https://idp", audience: [a, b], jwks_file: keys.json, max_token_age: 1h}
servers:
  db:
    tools: {query: {verb: query}, "get_*": {verb: mutate}}
    unlisted_tools: admin
    tool_definitions: ignore
    mode: enforce
    url: http://127.0.0.1:3000/mcp
    audience: a
  other: {unlisted_tools: deny, audience: [a, b], tools: {x: {verb: admin}}}
roles:
  r:
    assigned_to: {groups: [g], roles: [x], subjects: [alice], when: '"g" in principal.groups'}
    grants:
      - {servers: ["*"], verbs: [query, mutate], tools: [query], prompts: [p], resources: ["a://*"], when: server == "db"}
deny:
  - {name: d, servers: [other], tools: [x], message: "  Two\\n lines "}
limits:
  - {per: tool, servers: [db], calls: 5/10s}
recording: {payloads: digest, retention: 365d, servers: {other: none, db: {retention: 30d}}}
"""
    )
    assert policy.shadow
    db, other = policy.servers["db"], policy.servers["other"]
    assert (db.shadow, other.shadow) == (False, True)
    assert (db.tools.unlisted, other.tools.unlisted) == (Verb.ADMIN, None)
    assert (db.audiences, other.audiences) == ({"a"}, {"a", "b"})
    assert (db.recording, other.recording) == (Recording.DIGEST, Recording.NONE)
    assert (policy.retention.seconds, policy.retention.servers) == (365 * 86400, {"db": 30 * 86400})
    assert db.url == "http://127.0.0.1:3000/mcp"
    assert [(limit.per, limit.calls, limit.seconds) for limit in db.limits] == [("tool", 5, 10)]
    assert other.limits == ()
    assert [rule.message for rule in other.denies] == ["Two lines"]
    assert db.denies == ()
    assert policy.roles == ("r",)
