"""Which addresses are this machine, and from which keys may be fetched."""

import pytest

from extproc.core.loopback import is_loopback, may_be_fetched


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "::1"])
def test_this_machine_is_loopback(host):
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", [None, "", "0.0.0.0", "::", "10.0.0.1", "localhost.example.com", "LOCALHOST.", "127.1"]
)
def test_nothing_else_is(host):
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "uri",
    [
        "https://idp.example.com/jwks.json",
        "https://idp.example.com:8443/a?b=c",
        "http://127.0.0.1:9000/jwks",
        "http://127.8.8.8/jwks",
        "http://localhost:9000/jwks",
        "http://[::1]:9000/jwks",
    ],
)
def test_https_and_loopback_may_be_fetched(uri):
    assert may_be_fetched(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "http://idp.example.com/jwks.json",
        "http://169.254.169.254/latest",
        "http://0.0.0.0/jwks",
        "http://localhost.evil.example/jwks",
        "http://127.0.0.1.evil.example/jwks",
        "http://127.0.0.1@evil.example/jwks",
        "https://idp.example.com@evil.example/jwks",
        "https://user:password@idp.example.com/jwks",
        "http://[::1/jwks",
        "http://[::ffff:10.0.0.1]/jwks",
        "file:///etc/passwd",
        "ftp://idp.example.com/jwks",
        "//idp.example.com/jwks",
        "https:///jwks",
        "jwks.json",
        "",
    ],
)
def test_nothing_else_may_be_fetched(uri):
    assert not may_be_fetched(uri)
