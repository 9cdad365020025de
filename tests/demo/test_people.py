import json
import stat
from dataclasses import replace

import pytest

from extproc.core.identity.key_sets import read_key_set
from extproc.core.identity.principals import identify
from extproc.core.model import IdentityConfig, Issuer, Principal, RequestHead
from extproc.demo.people import ISSUER_FILE, PEOPLE, DevelopmentIssuer, DevelopmentIssuerError

URL, AUDIENCE, NOW = "http://127.0.0.1:9000", "http://127.0.0.1:10000/mcp", 1_800_000_000.0
TRUSTED = Issuer(name="playground", issuer=URL, audiences=(AUDIENCE,), max_token_age=86400)


def identified(issuer: DevelopmentIssuer, token: str, now: float = NOW):
    keys = read_key_set(json.dumps(issuer.key_set()).encode())
    assert isinstance(keys, tuple)
    head = RequestHead(server="s", http_method="POST", path="/mcp", headers={"authorization": f"Bearer {token}"})
    return identify(IdentityConfig(issuers=(TRUSTED,)), head, now=now, keys={"playground": keys})


@pytest.mark.parametrize("name", list(PEOPLE))
def test_a_minted_token_passes_our_own_verification(name):
    issuer = DevelopmentIssuer.create(url=URL, audience=AUDIENCE)
    person = PEOPLE[name]
    principal = identified(issuer, issuer.mint(person, audience=AUDIENCE, lifetime=60, now=NOW))
    assert isinstance(principal, Principal)
    assert (principal.subject, principal.groups) == (person.subject, set(person.groups))
    assert principal.expires_at == NOW + 60


def test_analyst_and_steward_are_two_people_of_two_groups():
    analyst, steward = PEOPLE["analyst"], PEOPLE["steward"]
    assert (analyst.subject, analyst.groups) == ("ann", ("data-analysts",))
    assert (steward.subject, steward.groups) == ("sam", ("data-stewards",))


def test_a_minted_token_is_for_one_audience_and_ends():
    issuer = DevelopmentIssuer.create(url=URL, audience=AUDIENCE)
    elsewhere = issuer.mint(PEOPLE["analyst"], audience="http://127.0.0.1:1/mcp", lifetime=60, now=NOW)
    assert not isinstance(identified(issuer, elsewhere), Principal)
    here = issuer.mint(PEOPLE["analyst"], audience=AUDIENCE, lifetime=60, now=NOW)
    assert not isinstance(identified(issuer, here, now=NOW + 90), Principal)


def test_two_tokens_are_never_the_same():
    issuer = DevelopmentIssuer.create(url=URL, audience=AUDIENCE)
    mint = {issuer.mint(PEOPLE["analyst"], audience=AUDIENCE, lifetime=60, now=NOW) for _ in range(5)}
    assert len(mint) == 5


def test_the_public_key_set_has_no_private_half():
    (member,) = DevelopmentIssuer.create(url=URL, audience=AUDIENCE).key_set()["keys"]
    assert "d" not in member
    assert member["use"] == "sig"


def test_a_kept_issuer_can_be_loaded_and_its_key_survives_a_new_address(tmp_path):
    first = DevelopmentIssuer.keep(tmp_path / "state", url=URL, audience=AUDIENCE)
    again = DevelopmentIssuer.keep(tmp_path / "state", url="http://127.0.0.1:9001", audience="http://127.0.0.1:2/mcp")
    loaded = DevelopmentIssuer.load(tmp_path / "state")
    assert first.key_set() == again.key_set() == loaded.key_set()
    assert (loaded.url, loaded.audience) == ("http://127.0.0.1:9001", "http://127.0.0.1:2/mcp")
    assert replace(loaded, url=URL).mint(PEOPLE["analyst"], audience=AUDIENCE, lifetime=60, now=NOW)


def test_only_the_owner_may_read_the_key(tmp_path):
    DevelopmentIssuer.keep(tmp_path / "state", url=URL, audience=AUDIENCE)
    assert stat.S_IMODE((tmp_path / "state" / ISSUER_FILE).stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "state").iterdir()] == [ISSUER_FILE]


def test_the_key_is_not_in_the_repr():
    issuer = DevelopmentIssuer.create(url=URL, audience=AUDIENCE)
    assert "Private" not in repr(issuer)


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", "null", '{"key": {"kty": "EC"}}', '{"key": 7, "url": "x", "audience": "y"}']
)
def test_a_broken_file_is_one_clear_line_and_is_made_anew(tmp_path, content):
    (tmp_path / ISSUER_FILE).write_text(content)
    with pytest.raises(DevelopmentIssuerError, match="broken"):
        DevelopmentIssuer.load(tmp_path)
    DevelopmentIssuer.keep(tmp_path, url=URL, audience=AUDIENCE)
    assert DevelopmentIssuer.load(tmp_path).url == URL


def test_a_public_key_alone_cannot_mint(tmp_path):
    public = DevelopmentIssuer.create(url=URL, audience=AUDIENCE).key_set()["keys"][0]
    (tmp_path / ISSUER_FILE).write_text(json.dumps({"url": URL, "audience": AUDIENCE, "key": public}))
    with pytest.raises(DevelopmentIssuerError, match="broken"):
        DevelopmentIssuer.load(tmp_path)


def test_a_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(DevelopmentIssuerError, match="run `extproc up` first"):
        DevelopmentIssuer.load(tmp_path)


def test_a_place_that_cannot_be_used_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder" / ISSUER_FILE).mkdir(parents=True)
    with pytest.raises(DevelopmentIssuerError, match="cannot be written"):
        DevelopmentIssuer.keep(tmp_path / "file", url=URL, audience=AUDIENCE)
    with pytest.raises(DevelopmentIssuerError, match="cannot be read"):
        DevelopmentIssuer.load(tmp_path / "folder")
