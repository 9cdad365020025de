"""``extproc verify``: is the recording the one that was written and sealed?"""

import hashlib
import lzma
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from extproc.cli.recorded import StateDir, found_journals, moment, print_json, printable, quit_with
from extproc.core.audit.notes import Keys, read_key, trusted
from extproc.edges.journal.proving import FaultAt, Report, prove
from extproc.edges.keys.seal_keys import public_key, statements
from extproc.settings import default_state_dir

__all__ = ["verify_journals"]

_NANO: Final = 1_000_000_000
_IN_BUNDLE: Final = re.compile(r"journal/[A-Za-z0-9][A-Za-z0-9._-]*/\d{8}\.jsonl|seals/[A-Za-z0-9][A-Za-z0-9._-]*")
_LARGEST_BUNDLE: Final = 4 << 30
_BROKEN_BUNDLE: Final = (
    *(OSError, EOFError, RuntimeError, ValueError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError),
)
"""What the library raises for a file that is damaged, encrypted, or packed as no export is."""


def verify_journals(
    bundle: Annotated[
        Path | None, typer.Argument(help="Evidence that `extproc export` made; the store in --state unless given.")
    ] = None,
    *,
    state: StateDir = default_state_dir(),  # noqa: B008 - typer reads defaults once
    key: Annotated[
        list[str] | None,
        typer.Option(
            help="The public key you trust: <name>+<id>+<base64>, or a file that holds it; one for each node."
        ),
    ] = None,
    anchor: Annotated[
        list[Path] | None, typer.Option(help="A file with seals that a sink kept; may be given more than once.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Verify chains and seals of all journals: 0 if all hold, 1 with the place of a fault, 2 if one cannot be read."""
    with _unpacked(bundle) as unpacked:
        place = unpacked or state
        found_journals(place)
        try:
            keys = trusted(_keys(key or (), place), statements(place))
            verdict = prove(place, keys, anchors=anchor or (), withheld=bundle is not None)
        except OSError as error:
            quit_with(2, f"the recording in {place} cannot be read: {error.filename or place}: {error.strerror}")
    if as_json:
        print_json({"holds": verdict.holds, **asdict(verdict)})
    else:
        for fault in verdict.faults:
            typer.echo(printable(f"FAULT {_place(fault)}: {fault.said}"))
        for report in verdict.reports:
            typer.echo(printable(_line(report)))
        sealed = any(report.sealed for report in verdict.reports)
        if bundle is not None:
            typer.echo("Of the events that are left out, only the places and the hashes are proved.")
            typer.echo(
                "report.html and session.json are not proved by this: they are as they were made where the recording"
                f" has an export with the SHA-256 of this file, {_digest(bundle)}."
            )
        if not verdict.holds:
            broken = sum(report.fault is not None for report in verdict.reports)
            typer.echo(
                f"NOT PROVED: {broken} of {len(verdict.reports)} journals and {len(verdict.faults)} seals do not hold."
            )
        typer.echo(_meaning(own_key=not key, anchored=bool(anchor), sealed=sealed))
    if not verdict.holds:
        raise typer.Exit(1)


@contextmanager
def _unpacked(bundle: Path | None) -> Iterator[Path | None]:
    """The folder that a bundle holds, for a while; leaves with 2 if it is none."""
    if bundle is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="extproc-verify-") as folder:
        try:
            with zipfile.ZipFile(bundle) as archive:
                names = [name for name in archive.namelist() if _IN_BUNDLE.fullmatch(name)]
                if sum(archive.getinfo(name).file_size for name in names) > _LARGEST_BUNDLE:
                    quit_with(2, f"{bundle}: is larger than any evidence")
                for name in names:
                    archive.extract(name, folder)
        except _BROKEN_BUNDLE as error:
            why = error.strerror if isinstance(error, OSError) else "it is no file that `extproc export` made"
            quit_with(2, f"{bundle} cannot be read: {why}")
        yield Path(folder)


def _digest(bundle: Path) -> str:
    with bundle.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _keys(given: Sequence[str], state: Path) -> Keys:
    """The keys that were named, or the store's own; leaves with 2 if one is none."""
    texts = [(each, each) if "+" in each else (each, _in_file(each)) for each in given]
    if not given:
        texts = [(f"{state}: its key.pub", public_key(state) or "")]
    keys: dict[tuple[str, bytes], Ed25519PublicKey] = {}
    for where, text in texts:
        for line in text.splitlines() if text or not given else [""]:
            found = read_key(line)
            if found is None:
                quit_with(2, f"{where} is no public key: <name>+<id>+<base64>, as `extproc seal key` prints it")
            keys[found[0]] = found[1]
    return keys


def _in_file(name: str) -> str:
    try:
        return Path(name).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        quit_with(2, f"{name} cannot be read: name a public key, or a file with one")


def _line(report: Report) -> str:
    extent = (
        f"{report.events} events, {report.segments} segments, {moment(report.first_at)} to {moment(report.last_at)} UTC"
    )
    if report.pruned:
        extent += f", {report.pruned} of them left out"
    if report.unvouched:
        extent += f" ({report.unvouched} on the word of a record that no seal covers yet)"
    if report.fault is not None:
        fault = report.fault
        return f"{report.journal}: FAULT at {_place(fault)}: {fault.said}; what holds before it: {extent}"
    end = (
        "being written" if report.live else "ended in order" if report.last_kind == "stopped" else "not ended in order"
    )
    seal = (
        f"sealed up to event {report.sealed} at {moment(report.sealed_at * _NANO)}"
        if report.sealed_at is not None
        else "not sealed yet"
    )
    return f"{report.journal}: holds, {extent}, {end}, {seal}, head {report.head}"


def _place(fault: FaultAt) -> str:
    where = f"{fault.file} line {fault.line}" if fault.line else fault.file
    return f"{where} (event {fault.seq})"


def _meaning(*, own_key: bool, anchored: bool, sealed: bool) -> str:
    """What this proves, and what it does not."""
    lines = ["What holds says: no event up to the last one was changed, dropped, moved or added since it was written."]
    if not sealed:
        lines.append("Without a seal that does not cover a recording that was written anew, or cut at its end.")
    elif own_key:
        lines.append("The key came with the recording: name the one that you were given with --key to trust the seals.")
    if not anchored:
        lines.append("Whether all of it is an older copy, only seals kept elsewhere can show: name them with --anchor.")
    return "\n".join(lines)
