"""What the commands share that change shared state: where it is, who does it, and one line where it fails."""

import asyncio
import contextlib
import getpass
import os
import socket
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, TypeAlias, TypeVar

import typer

from extproc.cli.recorded import quit_with
from extproc.core.audit.steps import login_step
from extproc.core.model import Json
from extproc.core.tickets import Approver
from extproc.edges.console.local_approvers import LocalApprovers, LocalApproversError
from extproc.office import JOURNALS, LOCAL_APPROVERS, Office, OfficeError, opened_journal, opened_office
from extproc.ports import StoreError

__all__ = ["ApproverName", "Secret", "StoreUrl", "as_owner", "in_office", "operator", "record", "signed_in"]

T = TypeVar("T")

StoreUrl: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--store-url", envvar="EXTPROC_STORE_URL", help="A file with the PostgreSQL URL, where the nodes share one."
    ),
]
ApproverName: TypeAlias = Annotated[
    str | None, typer.Option("--as", envvar="EXTPROC_APPROVER", help="The local approver who answers.")
]
Secret: TypeAlias = Annotated[
    str | None, typer.Option(envvar="EXTPROC_APPROVER_SECRET", help="Better in the variable: others see arguments.")
]


@contextlib.contextmanager
def as_owner(state: Path) -> Iterator[None]:
    """Do as root what is done in a state directory as whom it belongs to.

    What root alone may read there stops the service: it seals, ships and looks up every journal, or none.
    """
    try:
        owner = state.stat()
    except OSError:  # whoever wants it says so
        owner = None
    if owner is None or os.geteuid() != 0 or owner.st_uid == 0:
        yield
        return
    group = os.getegid()
    try:
        with contextlib.suppress(PermissionError):  # a root without its rights: then it is as anybody else
            os.setegid(owner.st_gid)
            os.seteuid(owner.st_uid)
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)


def in_office(state: Path, store_url: Path | None, work: Callable[[Office], Awaitable[T]]) -> T:
    """Do ``work`` with the store of this node; leaves with 2 and one line where that cannot be."""

    async def run() -> T:
        async with opened_office(
            state_dir=state, node=socket.gethostname(), store_url=store_url, name="cli", durability="disk"
        ) as office:
            return await work(office)

    if not state.is_dir():
        quit_with(2, f"{state}: there is no state directory; name the service's with --state")
    if store_url is None and not (state / JOURNALS).is_dir():
        # a revocation that nobody reads would look like one that is in force
        quit_with(2, f"{state}: no service has started in this directory; name its state directory with --state")
    try:
        with as_owner(state):
            return asyncio.run(run())
    except (OfficeError, StoreError) as error:
        quit_with(2, str(error))


def record(state: Path, event: Mapping[str, Json]) -> None:
    """Put on record what a command is about to do; leaves with 2 and one line where that cannot be."""

    async def run() -> None:
        async with opened_journal(state_dir=state, node=socket.gethostname(), name="cli", durability="disk") as journal:
            await journal.append(event)

    try:
        with as_owner(state):
            asyncio.run(run())
    except StoreError as error:
        quit_with(2, str(error))


def operator() -> str:
    """Who runs this command, for the record."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


def signed_in(state: Path, name: str | None, secret: str | None) -> Approver:
    """The local approver; asks for what is not given, and leaves with 1 where it is wrong."""
    name = name or typer.prompt("local approver", err=True)
    secret = secret or typer.prompt("secret", hide_input=True, err=True)
    try:
        person = LocalApprovers(state / LOCAL_APPROVERS).verify(name, secret)
    except LocalApproversError as error:
        quit_with(2, str(error))
    if person is None:
        record(state, login_step(at=time.time_ns(), step="refused", person=None, local=True, reason="secret"))
        quit_with(1, "there is no such local approver and secret; `extproc approvers add NAME` makes one")
    return person
