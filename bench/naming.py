"""What finding names and places costs: ``python bench/naming.py``; writes into bench/REPORT.md.

Needs the extra presidio, and says so where it is missing. What is measured: the files that the extra adds, the time to
load the model, the memory of it in one process and in two that are forked from it, as workers are, the time for a
message by kind of text, and how long an event loop waits for its turn while a message is read beside it.
"""

import asyncio
import json
import os
import re
import statistics
import sys
import time
from importlib import metadata
from pathlib import Path

from masking_texts import messages
from report import machine, write_section

from extproc.core.limits import MAX_NAMED_CHARS
from extproc.core.masking import NAMES, Detection, Mask, Masks
from extproc.core.redaction.masker import Masker
from extproc.core.wire import strict_json
from extproc.edges.names import presidio

REPORT = Path(__file__).with_name("REPORT.md")
KINDS = ("clean text", "documentation", "PII rows", "clean rows", "source code")
ROUNDS = 5
PART = 16 << 10
"""Characters of each kind of text that are read in one message: below the cap."""
TICK = 0.001


def memory(*kinds: str) -> float:
    """MB of this process: ``Rss``, or what it shares with nobody."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(kinds)) / 1024


def required(name: str, extra: str = "") -> set[str]:
    """The names of everything that a package needs here, with itself; of ``extra`` only its own."""
    seen: set[str] = set()
    wanted = [(name, extra)]
    while wanted:
        each, of = wanted.pop()
        for line in metadata.requires(each) or ():
            found = re.match(r"([A-Za-z0-9._-]+)", line)
            marked = re.search(r"extra == ['\"]([^'\"]+)['\"]", line)
            if found is None or (marked[1] if marked else "") not in ({of} if of else {""}):
                continue
            other = re.sub(r"[-_.]+", "-", found[1]).lower()
            if other not in seen and installed(other):
                seen.add(other)
                wanted.append((other, ""))
    return seen


def installed(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def megabytes(names: set[str]) -> float:
    """The size of the files of these packages."""
    files = [file.locate() for name in names for file in metadata.files(name) or ()]
    return sum(Path(file).stat().st_size for file in files if Path(file).is_file()) / 1e6


def part(kind: str) -> dict:
    """A message of this kind with no more text than ``PART``."""
    (whole,) = messages(kind, 1)
    text = whole["result"]["content"][0].get("text") if kind in {"clean text", "documentation", "source code"} else None
    if text is None:
        text = json.dumps(whole["result"])
        rows = whole["result"].get("structuredContent", whole["result"])
        name, listed = next((key, value) for key, value in rows.items() if isinstance(value, list))
        share = max(len(listed) * PART // len(text), 1)
        return {"jsonrpc": "2.0", "id": 1, "result": {"content": [], "structuredContent": {name: listed[:share]}}}
    return {"jsonrpc": "2.0", "id": 1, "result": {"content": [{"type": "text", "text": text[:PART]}]}}


def masker() -> Masker:
    """A masker that redacts names and places."""
    detection = Detection(rule="bench", types=NAMES, mask=Mask())
    return Masker(Masks(detections=(detection,), recogniser=presidio.load()), b"k" * 64)


def speeds(using: Masker) -> str:
    """A row for each kind of text."""
    rows = ["| text | KB | finds | ms for a KB, CPU | wall |", "|---|---|---|---|---|"]
    for kind in KINDS:
        message = part(kind)
        size = len(strict_json.encode(message)) / 1024
        found = using.message(message).counts
        cpu, wall = [], []
        for _ in range(ROUNDS):
            begun = time.process_time(), time.perf_counter()
            using.message(message)
            cpu.append(time.process_time() - begun[0])
            wall.append(time.perf_counter() - begun[1])
        costs = [f"{min(each) * 1000 / size:.1f} ({statistics.median(each) * 1000 / size:.1f})" for each in (cpu, wall)]
        rows.append(f"| {kind} | {size:.1f} | {sum(found.values())} | {' | '.join(costs)} |")
    return "\n".join(rows)


async def waits() -> tuple[float, float]:
    """What a loop waited for its turn while texts were read beside it, in ms: the 99th percentile and the longest."""
    from extproc.edges.names.beside import Beside  # noqa: PLC0415

    beside, gaps, text = Beside(presidio.load), [], part("documentation")
    beside.load()
    detection = Detection(rule="bench", types=NAMES, mask=Mask())
    using = Masker(Masks(detections=(detection,), recogniser=beside), b"k" * 64)
    reading = asyncio.create_task(beside.run(using.message, text))
    while not reading.done():
        begun = time.perf_counter()
        await asyncio.sleep(TICK)
        gaps.append((time.perf_counter() - begun - TICK) * 1000)
    await reading
    beside.close()
    return statistics.quantiles(gaps, n=100)[98], max(gaps)


def forked(message: dict) -> list[float]:
    """MB that each of two processes, forked from this one, shares with nobody after it has masked a message."""
    alone = []
    for _ in range(2):
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            masker().message(message)
            os.write(writing, f"{memory('Private_Clean', 'Private_Dirty'):.1f}".encode())
            os._exit(0)
        os.close(writing)
        alone.append(float(os.read(reading, 32)))
        os.close(reading)
        os.waitpid(child, 0)
    return alone


def main() -> int:
    """Measure, print and write."""
    if not presidio.is_installed():
        print("names and places are left out: the extra presidio is not installed (`make names` installs it)")
        return 0
    load = os.getloadavg()[0]
    added = required("mcp-extproc", "presidio") - required("mcp-extproc")
    before, begun = memory("Rss"), time.perf_counter()
    presidio.load()
    seconds, grown = time.perf_counter() - begun, memory("Rss") - before
    alone = forked(part("documentation"))
    table, (usual, longest) = speeds(masker()), asyncio.run(waits())
    shared = " and ".join(f"{each:.0f}" for each in alone)
    text = (
        f"Written by `make bench-masking` where the extra presidio is installed. {machine()} "
        f"Load average of everything else before the run: {load:.1f}.\n\n"
        f"The extra adds {len(added)} packages of {megabytes(added):.0f} MB. The model was loaded in {seconds:.1f} s "
        f"and takes {grown:.0f} MB in one process; two processes forked from it, as workers are, shared all but "
        f"{shared} MB after a message. While a message of {PART >> 10} KiB was read beside it, an event loop waited "
        f"{usual:.1f} ms for its turn at the 99th percentile and {longest:.1f} ms at most. Of one message "
        f"{MAX_NAMED_CHARS >> 10} Ki characters are read.\n\n{table}\n"
    )
    print(text)
    write_section(REPORT, "Names and places", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
