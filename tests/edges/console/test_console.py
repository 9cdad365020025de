import re
import time
from dataclasses import replace

import httpx
import pytest

from extproc.core.approval import open_ticket
from extproc.core.identity.key_sets import read_key_set
from extproc.core.identity.tokens import verify
from extproc.core.shared_state import NOTHING_SHARED, Revocation, Revoked, SharedState
from extproc.core.tickets import ApprovalRule, Approver, Approvers, Ask, AskKind, Ticket, TicketState
from extproc.desk import Desk
from extproc.edges.console.app import SHOWN, Console
from extproc.edges.console.entrance import ALL_ATTEMPTS, ATTEMPTS, REFUSALS
from extproc.edges.console.local_approvers import LocalApprovers
from extproc.edges.console.oidc import OidcLogin, Provider
from extproc.edges.console.pages import HEADERS
from extproc.edges.console.people import SESSION_SECONDS, ClaimPaths, People, approver_of
from extproc.edges.store.database import open_database
from extproc.edges.store.tickets import DatabaseTickets
from plain import NO_AUTHORITY
from signing import CORP, jwk, key_set, private_key, token

URL = "http://127.0.0.1:8080"
CONSOLE = replace(CORP, audiences=("https://gw.example.com/console",))
RULE = ApprovalRule(name="schema-change", approvers=Approvers(groups=frozenset({"dba"})), expires_after=600)
ASK = Ask(
    kind=AskKind.CALL,
    issuer=CORP.issuer,
    subject="ann",
    policy_digest="p1",
    approval="schema-change",
    server="sales-db",
    method="tools/call",
    target="drop_table",
    verb="admin",
    arguments='{"sql":"DROP TABLE orders","tables":["a",{}],"why":null}',
    findings=("DROP TABLE orders",),
)


class World:
    """A console with its store, its clock and its record, as a browser reaches it."""

    def __init__(self, database, folder) -> None:
        self.database = database
        self.now = int(time.time()) * 1_000_000_000
        self.events: list[dict] = []
        self.logins: list[tuple[str, str, bool]] = []
        self.tickets = DatabaseTickets(database)
        self.local = LocalApprovers(folder / "approvers.json")
        self.secret = self.local.add("dan", groups=["dba"])
        keys = {CONSOLE.name: read_key_set(key_set(jwk(private_key("ES256"), kid="k1", alg="ES256")))}
        people = People(
            bearer=lambda text: verify(text, (CONSOLE,), keys, now=1_800_000_000.0),
            paths=ClaimPaths(),
            is_out=lambda person, session: self.shared.revocation(person, session, self.now) is not None,
            clock=lambda: self.now / 1e9,
        )
        self.shared = NOTHING_SHARED
        desk = Desk(
            self.tickets,
            record=self._record,
            clock=lambda: self.now,
            new_id=lambda: "t1",
            lend=self._lend,
            shared=lambda: self.shared,
        )
        self.console = Console(
            url=URL,
            cookie_key="c" * 32,
            people=people,
            desk=desk,
            tickets=self.tickets,
            provider=OidcLogin(
                Provider(issuer="http://127.0.0.1:9", client_id="console"),
                callback=f"{URL}/login/callback",
                paths=ClaimPaths(),
            ),
            local=self.local,
            noted=self._noted,
            signed_out=self._signed_out,
            clock=lambda: self.now,
        )

    async def _record(self, event) -> None:
        self.events.append(dict(event))

    async def _lend(self, loan) -> None:
        self.events.append({"step": "lent", "role": loan.role})

    async def _noted(self, step, person, /, *, local, source, reason=None) -> None:
        assert source
        self.logins.append((step, person.subject if person else reason, local))

    async def _signed_out(self, _person: Approver, session: str) -> None:
        self.put_out(Revoked.SESSION, session)

    def put_out(self, kind: Revoked, value: str) -> None:
        """Revoke somebody or something, as the command line or a sign-out does."""
        self.shared = SharedState(revocations=(Revocation(id="r1", kind=kind, value=value, at=self.now),))

    def browser(self, address: str = "127.0.0.1") -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.console.application, client=(address, 1234)),
            base_url=URL,
            verify=NO_AUTHORITY,
        )

    async def asked(self, ask: Ask = ASK) -> Ticket:
        return await self.tickets.add(open_ticket(ask, RULE, id="t1", at=self.now))

    async def sign_in(self, browser: httpx.AsyncClient, name: str = "dan", secret: str | None = None):
        return await browser.post("/login/local", data={"name": name, "secret": secret or self.secret})

    async def state(self) -> TicketState:
        ticket = await self.tickets.get("t1")
        assert ticket is not None
        return ticket.state


@pytest.fixture
async def world(tmp_path):
    database = open_database(tmp_path / "shared.db")
    await database.open()
    yield World(database, tmp_path)
    await database.close()


@pytest.fixture
async def browser(world):
    async with world.browser() as opened:
        yield opened


def form_of(response: httpx.Response) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', response.text))


async def test_who_is_not_signed_in_sees_the_login_and_nothing_else(world, browser):
    await world.asked()
    for path in ("/approvals", "/approvals/t1"):
        answer = await browser.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    posted = await browser.post("/approvals/t1", data={"answer": "approve", "digest": "x", "csrf": ""})
    assert posted.headers["location"] == "/login"
    assert await world.state() is TicketState.PENDING


async def test_an_approver_signs_in_sees_the_call_whole_and_approves_it(world, browser):
    await world.asked()
    assert (await world.sign_in(browser)).headers["location"] == "/approvals"
    assert world.logins == [("signed_in", "dan", True)]
    assert "drop_table" in (await browser.get("/approvals")).text
    shown = await browser.get("/approvals/t1")
    for part in ("ann", "sales-db", "drop_table", "admin", "DROP TABLE orders", "tables[0]", "tables[1]", "null"):
        assert part in shown.text
    answered = await browser.post("/approvals/t1", data={**form_of(shown), "answer": "approve", "reason": "ok"})
    assert answered.headers["location"] == "/approvals/t1"
    assert await world.state() is TicketState.APPROVED
    assert [event["step"] for event in world.events] == ["answering", "approved"]
    assert "Approve exactly this" not in (await browser.get("/approvals/t1")).text


async def test_a_number_is_shown_to_its_last_digit(world, browser):
    account = "12345678901234567890123"
    await world.asked(replace(ASK, arguments=f'{{"account":{account},"share":0.1,"all":1e22}}'))
    await world.sign_in(browser)
    shown = (await browser.get("/approvals/t1")).text
    assert all(value in shown for value in (account, "0.1", "1e22"))


async def test_a_denial_is_a_denial(world, browser):
    await world.asked()
    await world.sign_in(browser)
    shown = await browser.get("/approvals/t1")
    await browser.post("/approvals/t1", data={**form_of(shown), "answer": "deny", "reason": "no"})
    assert await world.state() is TicketState.DENIED


@pytest.mark.parametrize(
    "change",
    [
        {"csrf": ""},
        {"csrf": "another"},
        {"digest": "another"},
        {"answer": "perhaps"},
        {"answer": ""},
    ],
)
async def test_a_form_that_is_not_from_its_page_decides_nothing(world, browser, change):
    await world.asked()
    await world.sign_in(browser)
    form = {**form_of(await browser.get("/approvals/t1")), "answer": "approve", **change}
    assert (await browser.post("/approvals/t1", data=form)).status_code == 403
    assert await world.state() is TicketState.PENDING


async def test_a_form_from_another_site_decides_nothing(world, browser):
    await world.asked()
    await world.sign_in(browser)
    form = {**form_of(await browser.get("/approvals/t1")), "answer": "approve"}
    for site in ("cross-site", "same-site", "none"):
        answer = await browser.post("/approvals/t1", data=form, headers={"sec-fetch-site": site})
        assert answer.status_code == 403
    assert await world.state() is TicketState.PENDING


def test_an_address_counts_for_its_bearer_only_where_the_provider_has_verified_it():
    told = {"iss": "https://idp.example.com", "sub": "1", "email": "ann@example.com"}
    for verified, known in (
        (True, ("ann@example.com", "")),
        (False, ("", "ann@example.com")),
        (None, ("", "ann@example.com")),
    ):
        person = approver_of(told | {"email_verified": verified}, ClaimPaths())
        assert (person.human, person.unverified) == known


async def test_a_page_of_another_site_signs_nobody_in(world, browser):
    form = {"name": "dan", "secret": world.secret}
    for site in ("cross-site", "same-site", "none"):
        answer = await browser.post("/login/local", data=form, headers={"sec-fetch-site": site})
        assert answer.status_code == 403
    assert (await browser.get("/approvals")).headers["location"] == "/login"
    assert world.logins == []


async def test_what_waits_stays_on_the_page_however_many_requests_of_others_come_after_it(world, browser):
    await world.asked()
    other = replace(RULE, name="another", approvers=Approvers(groups=frozenset({"others"})))
    for number in range(SHOWN):
        later = open_ticket(
            replace(ASK, arguments=f'{{"n":{number}}}'), other, id=f"o{number}", at=world.now + 1 + number
        )
        await world.tickets.add(later)
    await world.sign_in(browser)
    assert "/approvals/t1" in (await browser.get("/approvals")).text


async def test_nothing_changes_by_get(world, browser):
    await world.asked()
    await world.sign_in(browser)
    form = {**form_of(await browser.get("/approvals/t1")), "answer": "approve"}
    await browser.get("/approvals/t1", params=form)
    assert (await browser.get("/logout")).status_code == 405
    assert await world.state() is TicketState.PENDING


async def test_who_is_no_approver_does_not_learn_that_a_request_exists(world, browser):
    await world.asked()
    secret = world.local.add("sam", groups=["sales"])
    await world.sign_in(browser, "sam", secret)
    missing, hidden = await browser.get("/approvals/t9"), await browser.get("/approvals/t1")
    assert missing.status_code == hidden.status_code == 404
    assert missing.text == hidden.text
    assert "drop_table" not in (await browser.get("/approvals")).text
    form = {"csrf": form_of(await browser.get("/approvals"))["csrf"], "digest": "x", "answer": "approve"}
    assert (await browser.post("/approvals/t1", data=form)).status_code == 404


async def test_nobody_approves_a_request_of_his_own(world, browser):
    await world.asked(replace(ASK, human="dan"))
    await world.sign_in(browser)
    shown = await browser.get("/approvals/t1")
    assert "Nobody approves a request of his own." in shown.text
    assert "Approve exactly this" not in shown.text
    digest = (await world.tickets.get("t1")).digest
    form = {"csrf": form_of(shown)["csrf"], "digest": digest, "answer": "approve"}
    assert (await browser.post("/approvals/t1", data=form)).status_code == 409
    assert await world.state() is TicketState.PENDING


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</pre><form action=/approvals/t1 method=post>",
    "{{ 7*7 }}{% raw %}",
    "javascript:alert(1)",
    "&#60;b&#62;",
    "a\u202edeletes\u2066",
    "ls" + " " * 5000 + "; rm -rf /",
    "x" * (1 << 20),
)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
async def test_hostile_text_is_shown_whole_and_does_nothing(world, browser, text):
    import html  # noqa: PLC0415

    import orjson  # noqa: PLC0415

    from extproc.core.legible import marked  # noqa: PLC0415

    arguments = orjson.dumps({"command": text, text[:200]: 1}).decode()
    await world.asked(replace(ASK, arguments=arguments, client=text[:500], reason=text[:500], target=text[:64]))
    await world.sign_in(browser)
    shown = (await browser.get("/approvals/t1")).text
    plain = html.unescape(re.sub(r"<[^>]*>", "", shown))
    assert marked(text) in plain
    assert "<script" not in shown
    assert "<img" not in shown
    assert shown.count("<form") == 2
    assert "\u202e" not in shown


async def test_every_answer_carries_the_headers_that_let_nothing_run(browser):
    for answer in (
        await browser.get("/login"),
        await browser.get("/nothing"),
        await browser.get("/approvals"),
        await browser.get("/style.css"),
        await browser.get("/api/v1/approvals"),
    ):
        assert HEADERS.items() <= dict(answer.headers).items()


async def test_the_cookie_is_for_this_site_and_no_script(world, browser):
    cookie = (await world.sign_in(browser)).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


async def test_a_changed_cookie_is_nobody(world, browser):
    await world.sign_in(browser)
    value = browser.cookies["console"]
    browser.cookies.clear()
    browser.cookies.set("console", value[:-2] + ("AA" if value[-2:] != "AA" else "BB"))
    assert (await browser.get("/approvals")).headers["location"] == "/login"


async def test_a_session_ends_with_its_time_and_with_sign_out(world, browser):
    await world.sign_in(browser)
    csrf = form_of(await browser.get("/approvals"))["csrf"]
    await browser.post("/logout", data={"csrf": "another"})
    assert (await browser.get("/approvals")).status_code == 200
    world.now += (SESSION_SECONDS + 1) * 1_000_000_000
    assert (await browser.get("/approvals")).headers["location"] == "/login"
    world.now -= (SESSION_SECONDS + 1) * 1_000_000_000
    await browser.post("/logout", data={"csrf": csrf})
    assert (await browser.get("/approvals")).headers["location"] == "/login"


async def test_who_is_refused_and_who_signs_out_is_on_record(world, browser):
    await world.sign_in(browser, secret="wrong")
    await world.sign_in(browser)
    await browser.post("/logout", data={"csrf": form_of(await browser.get("/approvals"))["csrf"]})
    assert world.logins == [("refused", "secret", True), ("signed_in", "dan", True), ("signed_out", "dan", True)]


async def test_refusals_do_not_fill_the_record(world, browser):
    for _ in range(2 * REFUSALS):  # anybody can send a callback that answers no login
        assert (await browser.get("/login/callback", params={"state": "s", "code": "c"})).status_code == 403
    assert world.logins == [("refused", "provider", False)] * REFUSALS
    world.now += 60 * 1_000_000_000
    await browser.get("/login/callback", params={"state": "s", "code": "c"})
    assert len(world.logins) == REFUSALS + 1


async def test_a_copy_of_the_cookie_opens_nothing_after_the_sign_out(world, browser):
    await world.sign_in(browser)
    kept = dict(browser.cookies)
    await browser.post("/logout", data={"csrf": form_of(await browser.get("/approvals"))["csrf"]})
    async with world.browser() as thief:
        thief.cookies.update(kept)
        assert (await thief.get("/approvals")).headers["location"] == "/login"


async def test_who_is_revoked_is_nobody_at_his_next_request(world, browser):
    await world.asked()
    await world.sign_in(browser)
    form = {**form_of(await browser.get("/approvals/t1")), "answer": "approve"}
    world.put_out(Revoked.SUBJECT, "dan")
    assert (await browser.post("/approvals/t1", data=form)).headers["location"] == "/login"
    assert await world.state() is TicketState.PENDING


async def test_a_revoked_token_opens_no_api(world, browser):
    assert (await browser.get("/api/v1/approvals", headers=bearer(jti="t-1"))).status_code == 200
    world.put_out(Revoked.TOKEN, "t-1")
    assert (await browser.get("/api/v1/approvals", headers=bearer(jti="t-1"))).status_code == 401


async def test_wrong_secrets_are_refused_and_soon_not_tried_any_more(world, browser):
    for _ in range(ATTEMPTS):
        assert (await world.sign_in(browser, "dan", "wrong")).status_code == 403
    assert (await world.sign_in(browser)).status_code == 429
    world.now += 60 * 1_000_000_000
    assert (await world.sign_in(browser)).status_code == 303


async def test_who_tries_too_many_secrets_locks_out_himself_alone(world):
    async with world.browser("10.0.0.66") as stranger, world.browser("10.0.0.7") as approver:
        for _ in range(ATTEMPTS):
            await world.sign_in(stranger, "dan", "wrong")
        assert (await world.sign_in(stranger)).status_code == 429
        assert (await world.sign_in(approver)).status_code == 303


async def test_all_together_try_no_more_secrets_than_the_processor_can_spare(world, tmp_path):
    (tmp_path / "approvers.json").write_text("none")  # so that no secret is looked at, which takes its time
    for number in range(ALL_ATTEMPTS // ATTEMPTS):
        async with world.browser(f"10.0.0.{number}") as stranger:
            for _ in range(ATTEMPTS):
                assert (await world.sign_in(stranger, "dan", "wrong")).status_code == 503
    async with world.browser("10.0.0.77") as late:
        assert (await world.sign_in(late)).status_code == 429


async def test_a_host_that_is_not_ours_is_not_answered(browser):
    assert (await browser.get("/login", headers={"host": "evil.example.com"})).status_code == 400


async def test_a_store_that_does_not_answer_decides_nothing(world, browser):
    await world.asked()
    await world.sign_in(browser)
    await world.database.close()
    assert (await browser.get("/approvals")).status_code == 503
    assert (await browser.get("/api/v1/approvals", headers=bearer())).status_code == 503


# --- the API -----------------------------------------------------------------------------------------------------


def bearer(**changes) -> dict[str, str]:
    what = {"aud": CONSOLE.audiences[0], "sub": "dan", "groups": ["dba"], **changes}
    return {"authorization": f"Bearer {token(header={'kid': 'k1'}, **what)}"}


async def test_a_program_lists_shows_and_answers(world, browser):
    await world.asked()
    (listed,) = (await browser.get("/api/v1/approvals", headers=bearer())).json()["approvals"]
    assert listed["arguments"] == ASK.arguments
    assert (await browser.get("/api/v1/approvals/t1", headers=bearer())).json()["digest"] == listed["digest"]
    body = {"approves": True, "digest": listed["digest"], "reason": "ok"}
    answered = await browser.post("/api/v1/approvals/t1/answer", json=body, headers=bearer())
    assert answered.json()["state"] == "approved"
    again = await browser.post("/api/v1/approvals/t1/answer", json=body, headers=bearer())
    assert (again.status_code, again.headers["content-type"]) == (409, "application/problem+json")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Basic ZGFuOnNlY3JldA=="},
        {"authorization": "Bearer nonsense"},
        bearer(aud=CORP.audiences[0]),
    ],
    ids=["none", "basic", "no token", "a token for an MCP server"],
)
async def test_no_other_credential_opens_the_api(world, browser, headers):
    ticket = await world.asked()
    assert (await browser.get("/api/v1/approvals", headers=headers)).status_code == 401
    body = {"approves": True, "digest": ticket.digest}
    assert (await browser.post("/api/v1/approvals/t1/answer", json=body, headers=headers)).status_code == 401
    assert await world.state() is TicketState.PENDING


async def test_a_cookie_opens_no_api(world, browser):
    await world.sign_in(browser)
    assert (await browser.get("/api/v1/approvals")).status_code == 401


async def test_the_api_hides_what_a_page_hides(world, browser):
    await world.asked()
    stranger = bearer(sub="sam", groups=["sales"])
    assert (await browser.get("/api/v1/approvals", headers=stranger)).json() == {"approvals": []}
    assert (await browser.get("/api/v1/approvals/t1", headers=stranger)).status_code == 404
    body = {"approves": True, "digest": "x"}
    assert (await browser.post("/api/v1/approvals/t1/answer", json=body, headers=stranger)).status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b'{"approves": "yes", "digest": "x"}', 400),
        (b'{"approves": true, "digest": "x", "more": 1}', 400),
        (b'{"approves": true, "digest": "another"}', 409),
        (b" " * (65 << 10), 413),
    ],
)
async def test_a_bad_answer_decides_nothing(world, browser, body, status):
    await world.asked()
    answer = await browser.post("/api/v1/approvals/t1/answer", content=body, headers=bearer())
    assert answer.status_code == status
    assert await world.state() is TicketState.PENDING
