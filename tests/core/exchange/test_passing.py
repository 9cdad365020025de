"""Beside a masked body only headers of HTTP pass, and none that holds what is masked."""

import pytest

from extproc.core.exchange.passing import passing
from masks import detect, masker
from named import Naming


@pytest.mark.parametrize(
    ("headers", "changes"),
    [
        ({":status": "200", "content-length": "5", "date": "Tue, 24 Nov 2026 04:14:26 GMT"}, {}),
        ({"x-note": "1", "set-cookie": "a=b", "link": "</x>"}, {"x-note": None, "set-cookie": None, "link": None}),
        ({"cache-control": "no-store"}, {}),
        ({"cache-control": "bob@example.com"}, {"cache-control": None}),
        ({"date": "bob@example.com"}, {"date": None}),
        ({"allow": "x" * 257}, {"allow": None}),
        ({"content-type": "application/json; x=bob@example.com"}, {"content-type": "application/json"}),
    ],
)
def test_what_could_carry_content_stays_here(headers: dict[str, str], changes: dict[str, str | None]) -> None:
    assert passing(headers, "application/json", masker()) == changes


def test_a_type_that_is_not_read_does_not_pass() -> None:
    assert passing({"content-type": "text/html"}, "", masker()) == {"content-type": None}


def test_a_date_is_not_read_for_names_and_what_stands_in_its_place_is() -> None:
    naming = Naming()
    using = masker(detect("person_name"), recogniser=naming)
    assert passing({"date": "Tue, 24 Nov 2026 04:14:26 GMT"}, "", using) == {}
    assert naming.asked == []
    assert passing({"date": "Ann Lee", "server": "Ann Lee"}, "", using) == {"date": None, "server": None}
