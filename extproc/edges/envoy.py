"""What a running Envoy says: its admin interface, and its answers to canaries."""

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx

from extproc.core.doctor import CANARIES, Canary, Finding, NotEnvoyError, Setup, from_dump, heard, untried

__all__ = ["EnvoyUnreachableError", "running", "tried"]

TIMEOUT: Final = 20.0
DRAINING: Final = "^(listener_manager.total_(listeners|filter_chains)_draining|server.parent_connections)$"
LONGEST: Final = 1 << 20
"""Bytes of a canary's answer that are read; a stream that a canary opened has no end."""


class EnvoyUnreachableError(Exception):
    """There is no such answer to be had; the message is the line to show."""


def running(admin: str) -> Setup:
    """The configuration of the Envoy whose admin interface is at this URL.

    Raises:
        EnvoyUnreachableError: nobody answers there, or no Envoy does.
    """
    try:
        with httpx.Client(base_url=admin, timeout=TIMEOUT, trust_env=False) as client:
            told = client.get("/server_info")
            dump = client.get("/config_dump")
            counted = (
                client.get("/stats", params={"filter": DRAINING, "format": "json"}).raise_for_status().json()["stats"]
            )
            process = told.raise_for_status().json()
            draining = sum(each["value"] for each in counted) + _succeeds(process)
            return from_dump(dump.raise_for_status().json(), version=str(process["version"]), draining=draining)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise EnvoyUnreachableError(f"{admin}: {error or type(error).__name__}; name Envoy's admin address") from None
    except (ValueError, KeyError, TypeError, NotEnvoyError):
        raise EnvoyUnreachableError(f"{admin} is not the admin interface of an Envoy") from None


def _succeeds(process: Mapping[str, Any]) -> bool:
    """Whether this Envoy was started to succeed another one (hot restart), which may serve its old connections yet.

    The figure of these connections is some seconds old, and the other one has an end: both are looked at.
    """
    options = process["command_line_options"]
    alone_after = _seconds(options["parent_shutdown_time"])
    return int(options["restart_epoch"]) > 0 and _seconds(process["uptime_current_epoch"]) <= alone_after


def _seconds(duration: str) -> float:
    return float(duration.removesuffix("s"))


def tried(url: str, *, token: str, authority: Path | None = None) -> list[Finding]:
    """Send every canary to the MCP endpoint ``url``, and judge the answers.

    ``token`` is valid there, or empty. ``authority`` is a PEM file to trust for TLS.

    Raises:
        EnvoyUnreachableError: there was no answer.
    """
    findings = []
    for canary in CANARIES:
        if canary.with_token and not token:
            findings.append(untried(url))
        elif (finding := heard(canary, *_answer(url, canary, token, authority))) is not None:
            findings.append(finding)
    return findings


def _answer(url: str, canary: Canary, token: str, authority: Path | None) -> tuple[int, bytes]:
    """Status and body, of which the first MiB counts."""
    headers = dict(canary.headers)
    if canary.with_token:
        headers["authorization"] = f"Bearer {token}"
    try:
        trusted = ssl.create_default_context(cafile=authority)
        with (
            httpx.Client(timeout=TIMEOUT, trust_env=False, verify=trusted) as client,
            client.stream("POST", url, content=canary.body, headers=headers) as told,
        ):
            body = b""
            if told.status_code >= 400 or told.headers.get("content-type", "").startswith("application/json"):
                for part in told.iter_bytes():
                    body += part
                    if len(body) >= LONGEST:
                        break
            return told.status_code, body
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise EnvoyUnreachableError(f"{url}: {error or type(error).__name__}") from None
    except (OSError, ValueError) as error:
        raise EnvoyUnreachableError(f"{authority or url}: {error}") from None
