import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.core.limits import MAX_NAME_CHARS
from extproc.core.wire.uris import is_normal

NORMAL = [
    "file:///a/b.txt",
    "file:///project/src/main.rs",
    "file://server/share/x",
    "file:///na%C3%AFve%20name",
    "schema://sales/orders",
    "demo://Resource/static/1",
    "memo://insights",
    "memo:insights",
    "urn:isbn:0451450523",
    "https://example.com/",
    "https://user@example.com:8443/a//b?q=1..5&x=%2Fa%2Fb",
    "http://[::1]/x",
    "db://a?path=%2Fpublic%2Fx#part",
    "web://https://example.com/",
    "test://a/..b/c...",
    "x:",
]


@pytest.mark.parametrize("uri", NORMAL)
def test_a_uri_in_normal_form_is_taken(uri):
    assert is_normal(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "noscheme",
        "/etc/passwd",
        "1x:y",
        "FILE:///etc/passwd",
        "file:/etc/passwd",
        "file:etc/passwd",
        "file://localhost/etc/passwd",
        "file:////etc/passwd",
        "file:///etc//passwd",
        "file:///etc/passwd?x",
        "file:///etc/passwd#x",
        "file:///x/../etc/passwd",
        "file:///x/./y",
        "file:///x/..",
        "file:///x/..;a=b/y",
        "demo://a/../b",
        "demo:a/../b",
        "file:///x/%2e%2e/etc/passwd",
        "file:///x/%2E%2E/etc/passwd",
        "file:///%61",
        "file:///a%2fb",
        "file:///a%2Fb",
        "file:///a%5Cb",
        "file:///a\\b",
        "file:///a%00",
        "file:///a%0A",
        "file:///a%7F",
        "file:///a%252e",
        "file:///a%",
        "file:///a%2",
        "file:///a%GG",
        "file:///na%c3%afve",
        "file:///a%C0%AE",
        "file:///a%ED%A0%80",
        "file:///a b",
        "file:///a\0",
        "file:///a\n",
        "file:///naïve",
        "file:///{path}",
        "http://Example.com/",
        "http://example.com",
        "http://example.com:80/",
        "https://example.com:443/",
        "https://example.com:/",
        "https:///x",
        "https:/x",
        "https://example.com/#x",
        "demo://a%2Fb/c",
        "db://a?path=%2Fpublic%2F..%2Fetc",
        "db://a?path=..",
        "db://a?x=1&../b",
        "db://a?x=%00",
        "db://a?x=%5C",
        "db://a#%00",
        "db://a#x/../y",
        "x:" + "a" * MAX_NAME_CHARS,
    ],
)
def test_a_uri_that_a_server_may_read_as_another_is_refused(uri):
    assert not is_normal(uri)


@given(st.text())
def test_every_text_gets_an_answer(text):
    assert is_normal(text) in (True, False)
    assert is_normal("file:///" + text) in (True, False)
