import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import httpx
import pytest

from extproc.core.identity.tokens import KEY_UNKNOWN, VerifiedToken, verify
from extproc.core.rejection import Rejection
from extproc.edges.keys.fetcher import (
    AGE_LIMIT_SECONDS,
    FLOOR_SECONDS,
    REFRESH_SECONDS,
    START_RETRY_SECONDS,
    KeyFetcher,
)
from plain import PATIENCE
from signing import CORP, NOW, jwk, key_set, private_key, token

REMOTE = replace(CORP, jwks_uri="https://idp.example.com/jwks.json")
OLD = key_set(jwk(private_key("ES256"), kid="ES256"))
NEW = key_set(jwk(private_key("ES256", 1), kid="new"))


class Idp:
    """An issuer's key endpoint on a clock that the test turns."""

    def __init__(self, body: bytes = OLD) -> None:
        self.body = body
        self.status = 200
        self.asked: list[str] = []
        self.now = 1000.0

    def clock(self) -> float:
        return self.now

    async def stream(self) -> AsyncIterator[bytes]:
        yield self.body

    async def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        if self.status == 0:
            raise httpx.ConnectError("refused", request=request)
        return httpx.Response(self.status, content=self.stream())

    def fetcher(self, *issuers, **options) -> KeyFetcher:
        return KeyFetcher(issuers or (REMOTE,), clock=self.clock, transport=httpx.MockTransport(self.answer), **options)


def judged(fetcher: KeyFetcher, given_token: str) -> str:
    verified = verify(given_token, (REMOTE,), fetcher.snapshot(), now=NOW)
    return "verified" if isinstance(verified, VerifiedToken) else verified.reason


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - it turns the loop and waits for no time to pass
            await asyncio.sleep(0)


async def test_the_keys_of_an_issuer_are_fetched_and_verify_its_tokens():
    idp = Idp()
    fetcher = idp.fetcher()
    assert judged(fetcher, token()) == KEY_UNKNOWN
    await fetcher.refresh_due()
    assert judged(fetcher, token()) == "verified"
    assert idp.asked == [REMOTE.jwks_uri]
    await fetcher.stop()


async def test_a_set_is_fetched_again_on_schedule_and_not_before():
    idp = Idp()
    fetcher = idp.fetcher()
    for step, times in ((0, 1), (REFRESH_SECONDS - 1, 1), (1, 2)):
        idp.now += step
        await fetcher.refresh_due()
        assert len(idp.asked) == times
    await fetcher.stop()


async def test_a_rotated_key_is_found_when_a_token_names_it():
    idp = Idp()
    fetcher = idp.fetcher()
    await fetcher.refresh_due()
    idp.body, rotated = NEW, token(header={"kid": "new"}, variant=1)
    idp.now += FLOOR_SECONDS
    assert judged(fetcher, rotated) == KEY_UNKNOWN
    fetcher.want()
    await fetcher.refresh_due()
    assert judged(fetcher, rotated) == "verified"
    assert judged(fetcher, token()) == KEY_UNKNOWN
    await fetcher.stop()


async def test_a_storm_of_unknown_key_names_costs_one_fetch_a_minute():
    idp = Idp()
    fetcher = idp.fetcher()
    await fetcher.refresh_due()
    for _ in range(10_000):
        idp.now += 0.0125
        fetcher.want()
        await fetcher.refresh_due()
    assert len(idp.asked) == 1 + 2
    await fetcher.stop()


async def test_a_storm_wakes_the_background_work_once():
    idp = Idp()
    fetcher = idp.fetcher()
    await fetcher.start()
    for _ in range(1000):
        fetcher.want()
        await asyncio.sleep(0)
    assert len(idp.asked) == 1
    await fetcher.stop()


async def test_the_background_work_fetches_when_a_key_is_wanted():
    idp = Idp()
    fetcher = idp.fetcher()
    await fetcher.start()
    for _ in range(100):  # the background work has come to rest before anything is wanted
        await asyncio.sleep(0)
    idp.now += FLOOR_SECONDS
    idp.body = NEW
    fetcher.want()
    await until(lambda: judged(fetcher, token(header={"kid": "new"}, variant=1)) == "verified")
    assert len(idp.asked) == 2
    await fetcher.stop()


async def test_an_outage_is_survived_with_the_last_keys_until_the_age_limit():
    idp = Idp()
    fetcher = idp.fetcher()
    await fetcher.refresh_due()
    idp.status = 503
    for _ in range(int(AGE_LIMIT_SECONDS) - 1):
        idp.now += 1
        await fetcher.refresh_due()
    assert judged(fetcher, token()) == "verified"
    idp.now += 1
    assert judged(fetcher, token()) == KEY_UNKNOWN
    assert fetcher.snapshot() == {}
    assert len(idp.asked) <= 1 + AGE_LIMIT_SECONDS / FLOOR_SECONDS
    idp.status = 200
    idp.now += FLOOR_SECONDS
    await fetcher.refresh_due()
    assert judged(fetcher, token()) == "verified"
    await fetcher.stop()


async def test_keys_fall_by_age_also_when_nothing_refreshes_them():
    idp = Idp()
    fetcher = idp.fetcher()
    await fetcher.refresh_due()
    idp.now += AGE_LIMIT_SECONDS
    assert fetcher.snapshot() == {}
    await fetcher.stop()


async def test_before_the_first_answer_an_issuer_is_tried_more_often():
    idp = Idp()
    idp.status = 0
    fetcher = idp.fetcher()
    await fetcher.refresh_due()
    idp.now += START_RETRY_SECONDS
    idp.status = 200
    await fetcher.refresh_due()
    assert judged(fetcher, token()) == "verified"
    await fetcher.stop()


@pytest.mark.parametrize("status", [0, 201, 204, 301, 302, 307, 401, 404, 500])
@pytest.mark.parametrize("body", [OLD])
async def test_only_a_plain_answer_counts(status, body):
    idp = Idp(body)
    idp.status = status
    fetcher = idp.fetcher()
    await fetcher.refresh_due()
    assert fetcher.snapshot() == {}
    assert len(idp.asked) == 1
    await fetcher.stop()


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"{}", key_set(), OLD[:-1], json.dumps({"keys": [{"kty": "oct", "k": "AA"}]}).encode()]
)
async def test_a_broken_set_never_replaces_a_good_one(body):
    idp = Idp()
    fetcher = idp.fetcher()
    await fetcher.refresh_due()
    idp.body = body
    idp.now += REFRESH_SECONDS
    await fetcher.refresh_due()
    assert len(idp.asked) == 2
    assert judged(fetcher, token()) == "verified"
    await fetcher.stop()


async def test_unchanged_keys_stay_the_same_objects():
    idp = Idp()
    fetcher = idp.fetcher()
    await fetcher.refresh_due()
    before = fetcher.snapshot()["corp"]
    idp.now += REFRESH_SECONDS
    await fetcher.refresh_due()
    assert fetcher.snapshot()["corp"] is before
    await fetcher.stop()


async def test_an_answer_that_does_not_end_in_time_counts_for_nothing():
    async def drip():
        yield b'{"keys":'
        await asyncio.Event().wait()

    async def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=drip())

    fetcher = KeyFetcher((REMOTE,), transport=httpx.MockTransport(answer), timeout_seconds=0.01)
    await fetcher.refresh_due()
    assert fetcher.snapshot() == {}
    await fetcher.stop()


async def test_keys_come_from_a_file_too_and_change_with_it(tmp_path):
    idp, path = Idp(), tmp_path / "jwks.json"
    path.write_bytes(OLD)
    fetcher = idp.fetcher(replace(CORP, jwks_file=str(path)))
    await fetcher.refresh_due()
    assert judged(fetcher, token()) == "verified"
    path.write_bytes(NEW)
    idp.now += REFRESH_SECONDS
    await fetcher.refresh_due()
    assert judged(fetcher, token(header={"kid": "new"}, variant=1)) == "verified"
    assert idp.asked == []
    await fetcher.stop()


async def test_issuers_with_one_source_share_one_fetch():
    idp = Idp()
    fetcher = idp.fetcher(REMOTE, replace(REMOTE, name="second"))
    await fetcher.refresh_due()
    assert set(fetcher.snapshot()) == {"corp", "second"}
    assert len(idp.asked) == 1
    await fetcher.stop()


async def test_an_issuer_without_a_source_has_no_keys():
    idp = Idp()
    fetcher = idp.fetcher(CORP)
    await fetcher.start()
    assert fetcher.snapshot() == {}
    await fetcher.stop()


async def test_a_new_policy_keeps_the_keys_of_sources_that_stay_and_drops_the_others():
    idp = Idp()
    other = replace(REMOTE, name="other", jwks_uri="https://other.example.com/jwks.json")
    fetcher = idp.fetcher()
    await fetcher.start()
    fetcher.follow((replace(REMOTE, max_token_age=1.0), other))
    assert set(fetcher.snapshot()) == {"corp"}
    await until(lambda: set(fetcher.snapshot()) == {"corp", "other"})
    assert idp.asked == [REMOTE.jwks_uri, other.jwks_uri]
    fetcher.follow((other,))
    assert set(fetcher.snapshot()) == {"other"}
    await fetcher.stop()


async def test_one_issuer_that_is_down_does_not_take_another_with_it(tmp_path):
    path = tmp_path / "jwks.json"
    path.write_bytes(OLD)
    idp = Idp()
    idp.status = 0
    fetcher = idp.fetcher(REMOTE, replace(CORP, name="file", jwks_file=str(path)))
    await fetcher.start()
    assert set(fetcher.snapshot()) == {"file"}
    await fetcher.stop()


async def test_a_fault_nobody_foresaw_does_not_end_the_refreshing():
    idp, faults = Idp(), [RuntimeError("unforeseen"), httpx.StreamConsumed()]

    async def answer(request: httpx.Request) -> httpx.Response:
        if faults:
            raise faults.pop()
        return await idp.answer(request)

    fetcher = KeyFetcher((REMOTE,), clock=idp.clock, transport=httpx.MockTransport(answer))
    for _ in range(3):
        await fetcher.refresh_due()
        idp.now += START_RETRY_SECONDS
    assert judged(fetcher, token()) == "verified"
    await fetcher.stop()


async def test_without_keys_the_answer_is_no():
    idp = Idp()
    fetcher = idp.fetcher()
    assert isinstance(verify(token(), (REMOTE,), fetcher.snapshot(), now=NOW), Rejection)
    await fetcher.stop()
