"""Which addresses are this machine itself: nobody on the way can read or replace what is said there."""

import ipaddress
from urllib.parse import urlsplit

__all__ = ["is_loopback", "may_be_fetched"]


def is_loopback(host: str | None) -> bool:
    """Whether a host name or an IP address is this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def may_be_fetched(uri: str) -> bool:
    """Whether keys may come from a URI: https, or http to this machine itself, and no password in it."""
    try:
        parts = urlsplit(uri)
        host = parts.hostname
    except ValueError:
        return False
    if not host or "@" in parts.netloc:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
