"""The console as people meet it: login at a real OpenID Connect provider, and its page in a real browser."""

import asyncio
import json
import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from time import time_ns
from typing import Any, Final

import httpx
import pytest
import uvicorn

from extproc.core.approval import open_ticket
from extproc.core.shared_state import NOTHING_SHARED
from extproc.core.tickets import ApprovalRule, Approver, Approvers, Ask, AskKind, Ticket, TicketState
from extproc.desk import Desk
from extproc.edges.console.app import Console
from extproc.edges.console.local_approvers import LocalApprovers
from extproc.edges.console.oidc import OidcLogin, Provider
from extproc.edges.console.people import ClaimPaths, People
from extproc.edges.control import QuietServer
from extproc.edges.store.database import open_database
from extproc.edges.store.tickets import DatabaseTickets
from ports import free_ports
from stack.calls import client, until
from stack.processes import NODE_FOLDER, needs_node, node_or_skip, running

RULE: Final = ApprovalRule(name="schema-change", approvers=Approvers(groups=frozenset({"dba"})), expires_after=3600)
PEOPLE: Final = {
    "dan": {"name": "Dan", "email": "dan@example.com", "email_verified": True, "groups": ["dba"]},
    "sam": {"name": "Sam", "email": "sam@example.com", "email_verified": True, "groups": ["sales"]},
    "ann-admin": {"name": "Ann", "email": "ann@example.com", "email_verified": True, "groups": ["dba"]},
    "mallory": {"name": "M", "email": "ann@example.com", "email_verified": False, "groups": ["dba"]},
}
ASK: Final = Ask(
    kind=AskKind.CALL,
    issuer="https://agents.example.com",
    subject="agent-7",
    human="ann@example.com",
    policy_digest="p1",
    approval="schema-change",
    server="sales-db",
    method="tools/call",
    target="drop_table",
    verb="admin",
    arguments='{"table":"orders"}',
)


class Standing:
    """A console on loopback with one request in it."""

    def __init__(self, url: str, tickets: DatabaseTickets, secret: str) -> None:
        self.url = url
        self.tickets = tickets
        self.secret = secret
        self.logins: list[Approver] = []

    async def asked(self, rule: ApprovalRule = RULE, **more: Any) -> Ticket:
        return await self.tickets.add(open_ticket(replace(ASK, **more), rule, id="t1", at=time_ns()))

    async def state(self) -> TicketState:
        ticket = await self.tickets.get("t1")
        assert ticket is not None
        return ticket.state


@asynccontextmanager
async def console(folder: Path, port: int, provider: Provider | None = None) -> AsyncIterator[Standing]:
    url = f"http://127.0.0.1:{port}"
    database = open_database(folder / "shared.db")
    tickets = DatabaseTickets(database)
    local = LocalApprovers(folder / "approvers.json")
    standing = Standing(url, tickets, local.add("dan", groups=["dba"]))

    async def nothing(*_: object) -> None:
        pass

    async def noted(_step: str, person: Approver | None, /, **_: object) -> None:
        if person is not None:
            standing.logins.append(person)

    paths = ClaimPaths()
    served = Console(
        url=url,
        cookie_key="k" * 32,
        people=People(bearer=None, paths=paths, is_out=lambda _person, _session: False),
        desk=Desk(
            tickets,
            record=nothing,
            clock=time_ns,
            new_id=lambda: "t1",
            lend=nothing,
            shared=lambda: NOTHING_SHARED,
        ),
        tickets=tickets,
        provider=None if provider is None else OidcLogin(provider, callback=f"{url}/login/callback", paths=paths),
        local=local,
        noted=noted,
        signed_out=nothing,
    )
    config = uvicorn.Config(served.application, port=port, log_config=None, lifespan="off", ws="none")
    server = QuietServer(config)
    serving = asyncio.create_task(server.serve())
    try:
        assert await until(lambda: server.started)
        yield standing
    finally:
        server.should_exit = True
        await serving
        await database.close()


# --- login -------------------------------------------------------------------------------------------------------


@pytest.fixture
async def with_provider(tmp_path) -> AsyncIterator[Standing]:
    node = node_or_skip()
    port = free_ports(1)[0]
    callback = f"http://127.0.0.1:{port}/login/callback"
    options = {"client_id": "console", "client_secret": "hidden", "redirect_uri": callback, "people": PEOPLE}
    async with running([node, str(NODE_FOLDER / "provider.mjs"), json.dumps(options)]) as child:
        provider = Provider(issuer=child.ready["url"], client_id="console", secret="hidden")
        async with console(tmp_path, port, provider) as standing:
            yield standing


async def sign_in(browser: httpx.AsyncClient, standing: Standing, name: str) -> httpx.Response:
    """Walk through the provider's own pages as a person does."""
    page = await browser.get(f"{standing.url}/login/provider")
    for _ in range(4):
        action = re.search(r'<form[^>]*action="([^"]+)"', page.text)
        if action is None or str(page.url).startswith(standing.url):
            break
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
        fields = hidden | ({"login": name, "password": "x"} if 'name="login"' in page.text else {})
        page = await browser.post(page.url.join(action[1]), data=fields)
    return page


@pytest.fixture
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    async with client(follow_redirects=True) as opened:
        yield opened


@needs_node()
async def test_an_approver_signs_in_at_the_provider_and_answers(with_provider, browser):
    await with_provider.asked()
    page = await sign_in(browser, with_provider, "dan")
    assert str(page.url) == f"{with_provider.url}/approvals"
    assert "drop_table" in page.text
    (person,) = with_provider.logins
    assert (person.subject, person.groups, person.human) == ("dan", {"dba"}, "dan@example.com")
    shown = await browser.get(f"{with_provider.url}/approvals/t1")
    form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', shown.text))
    await browser.post(f"{with_provider.url}/approvals/t1", data=form | {"answer": "approve", "reason": "ok"})
    assert await with_provider.state() is TicketState.APPROVED


@needs_node()
async def test_who_is_no_approver_at_the_provider_sees_no_request(with_provider, browser):
    await with_provider.asked()
    assert "drop_table" not in (await sign_in(browser, with_provider, "sam")).text
    assert (await browser.get(f"{with_provider.url}/approvals/t1")).status_code == 404


@needs_node()
async def test_another_account_of_the_same_human_may_not_approve(with_provider, browser):
    await with_provider.asked()
    await sign_in(browser, with_provider, "ann-admin")
    shown = await browser.get(f"{with_provider.url}/approvals/t1")
    assert "Nobody approves a request of his own." in shown.text


@needs_node()
async def test_an_address_that_nobody_verified_opens_nothing(with_provider, browser):
    await with_provider.asked()
    await sign_in(browser, with_provider, "mallory")
    assert (with_provider.logins[0].human, with_provider.logins[0].unverified) == ("", "ann@example.com")


@needs_node()
@pytest.mark.parametrize("change", ["state", "code", "nothing"])
async def test_a_callback_that_nobody_asked_for_signs_nobody_in(with_provider, browser, change):
    async with client() as somebody_else:
        begun = await somebody_else.get(f"{with_provider.url}/login/provider")
    state = httpx.URL(begun.headers["location"]).params["state"]
    query = {"state": {"state": "guess", "code": "x"}, "code": {"state": state, "code": "guess"}, "nothing": {}}[change]
    answer = await browser.get(f"{with_provider.url}/login/callback", params=query)
    assert answer.status_code == 403
    assert "did not succeed" in answer.text
    assert (await browser.get(f"{with_provider.url}/approvals")).url.path == "/login"


async def test_a_provider_that_is_away_leaves_the_local_approvers(tmp_path, browser):
    away = Provider(issuer=f"http://127.0.0.1:{free_ports(1)[0]}", client_id="console")
    async with console(tmp_path, free_ports(1)[0], away) as standing:
        answer = await browser.get(f"{standing.url}/login/provider")
        assert answer.status_code == 502
        assert "sign in locally" in answer.text
        form = {"name": "dan", "secret": standing.secret}
        assert (await browser.post(f"{standing.url}/login/local", data=form)).url.path == "/approvals"


# --- the page ----------------------------------------------------------------------------------------------------

HOSTILE: Final = (
    "<script>document.title='pwned'</script>",
    "<img src=x onerror=\"document.title='pwned'\">",
    "<svg/onload=document.title='pwned'>",
    "'\"><form action=/logout method=post><button>Approve</button></form>",
    "<style>*{display:none}</style>",
    "<base href=//evil.example.com>",
    "a\u202egnp.exe\u2066",
    "DROP\u200b TABLE\u2060 orders",
    "ls" + " " * 5000 + "; rm -rf /",
    "line\n" * 2000 + "last line",
)


@pytest.fixture
async def page() -> AsyncIterator[Any]:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium is installed here")
    playwright = pytest.importorskip("playwright.async_api", reason="the package playwright is not installed")
    async with playwright.async_playwright() as driver:
        arguments = ["--no-sandbox"] if os.getuid() == 0 else []
        opened = await driver.chromium.launch(executable_path=chromium, args=arguments)
        yield await opened.new_page(viewport={"width": 1000, "height": 900})
        await opened.close()


async def arrive(page: Any, standing: Standing) -> None:
    await page.goto(f"{standing.url}/login")
    await page.get_by_label("Name").fill("dan")
    await page.get_by_label("Secret").fill(standing.secret)
    await page.get_by_role("button", name="Sign in as a local approver").click()
    await page.get_by_role("link", name="drop_table").click()
    await page.wait_for_url("**/approvals/*")  # and the whole of it: a long page is shown while it arrives


@pytest.mark.parametrize("answer", ["Approve exactly this, once", "Deny"])
async def test_a_person_answers_with_a_browser(tmp_path, page, answer):
    async with console(tmp_path, free_ports(1)[0]) as standing:
        await standing.asked()
        await arrive(page, standing)
        await page.get_by_label("Reason").fill("ticket 4711")
        await page.screenshot(path=tmp_path / "request.png", full_page=True)
        await page.get_by_role("button", name=answer).click()
        await page.get_by_text("ticket 4711").wait_for()
        assert await standing.state() is (TicketState.DENIED if answer == "Deny" else TicketState.APPROVED)
        assert await page.get_by_role("button", name="Deny").count() == 0


TWO: Final = replace(RULE, quorum=2)
DBA: Final = Approvers(groups=frozenset({"dba"}))


@pytest.mark.parametrize("approvers", [DBA, Approvers(groups=frozenset({"others"}))], ids=["also counts", "only alone"])
async def test_who_has_the_right_approves_alone_with_a_reason(tmp_path, page, approvers):
    async with console(tmp_path, free_ports(1)[0]) as standing:
        await standing.asked(replace(TWO, approvers=approvers, force=DBA))
        await arrive(page, standing)
        counts = approvers == DBA
        assert await page.get_by_role("button", name="Deny").count() == counts
        if counts:
            await page.get_by_text("Approve alone").click()
        button = page.get_by_role("button", name="Approve exactly this alone, once")
        await button.click()
        assert await standing.state() is TicketState.PENDING, "the browser wants a reason"
        await page.get_by_label("Why alone").fill("the others sleep")
        await page.screenshot(path=tmp_path / "alone.png", full_page=True)
        await button.click()
        await page.get_by_text("yes, alone").wait_for()
        ticket = await standing.tickets.get("t1")
        assert ticket is not None
        assert (ticket.state, ticket.votes[-1].forced, ticket.votes[-1].reason) == (
            "approved",
            True,
            "the others sleep",
        )


@pytest.mark.parametrize("reason", ["", "  ", "because"])
async def test_who_has_not_the_right_approves_nothing_alone(tmp_path, browser, reason):
    async with console(tmp_path, free_ports(1)[0]) as standing:
        await standing.asked(TWO)
        await browser.post(f"{standing.url}/login/local", data={"name": "dan", "secret": standing.secret})
        shown = await browser.get(f"{standing.url}/approvals/t1")
        assert "alone" not in shown.text
        form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', shown.text))
        answer = await browser.post(f"{standing.url}/approvals/t1", data=form | {"answer": "force", "reason": reason})
        assert (answer.status_code, await standing.state()) == (409, TicketState.PENDING)


async def test_hostile_arguments_are_seen_whole_and_do_nothing(tmp_path, page):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    async with console(tmp_path, free_ports(1)[0]) as standing:
        arguments = json.dumps({f"a{number}": text for number, text in enumerate(HOSTILE)})
        await standing.asked(arguments=arguments, reason=HOSTILE[0], client=HOSTILE[1], subject=HOSTILE[2])
        await arrive(page, standing)
        shown = await page.locator("main").inner_text()
        for part in (
            *HOSTILE[:6],
            "U+202E RIGHT-TO-LEFT OVERRIDE",
            "U+200B ZERO WIDTH SPACE",
            "⟨5000 spaces⟩; rm -rf /",
        ):
            assert part in shown, part
        assert shown.count("line") > 2000
        assert "pwned" not in await page.title()
        assert all(url.startswith(standing.url) for url in asked)
        assert await page.get_by_role("button", name="Approve").count() == 1
        await page.screenshot(path=tmp_path / "hostile.png", full_page=True)


async def test_a_mebibyte_of_arguments_is_shown_to_its_last_character(tmp_path, page):
    async with console(tmp_path, free_ports(1)[0]) as standing:
        await standing.asked(arguments=json.dumps({"blob": "x" * (1 << 20) + "THE END"}))
        await arrive(page, standing)
        shown = await page.locator("pre").inner_text()
        assert len(shown) == (1 << 20) + len("THE END")
        assert shown.endswith("THE END")
