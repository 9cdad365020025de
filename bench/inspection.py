"""What inspection costs: CPU time for one SQL statement and one command line, by size, read anew and remembered.

``python bench/inspection.py`` prints the table; every text that is read anew has another number in it, so that nothing
is remembered. The best of many batches is shown, because other loads only ever add.
"""

import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

from report import cores, write_section

from extproc.core.inspection.shell import inspect_shell
from extproc.core.inspection.sql import inspect_sql

REPORT = Path(__file__).with_name("REPORT.md")
BATCHES = 7
SHORT = "SELECT id, total FROM sales.orders WHERE customer = {}"
JOINED = (
    "SELECT o.id, o.total, c.name, count(*) AS n FROM sales.orders o JOIN sales.customers c ON c.id = o.customer "
    "WHERE o.placed_at > now() - interval '30 days' AND o.state IN ('open', 'paid') AND c.id = {} "
    "GROUP BY o.id, o.total, c.name ORDER BY o.total DESC LIMIT 20"
)
LONG = (
    "WITH recent AS (SELECT * FROM sales.orders WHERE customer = {}) SELECT "
    + ", ".join(f"CASE WHEN r.c{n} > {n} THEN coalesce(r.c{n}, 0) ELSE r.d{n} + 1 END AS v{n}" for n in range(60))
    + " FROM recent r"
)
SQL = (("a short query", SHORT), ("a join with conditions", JOINED), ("a report of 60 columns", LONG))
SHELL = (
    ("one command", "ls -la /srv/data/{}"),
    ("a pipe", "grep -rn 'total {}' src | sort | uniq -c | head -20"),
    ("a wrapped command", "sudo -u app env A={} bash -lc 'cd /srv && tar czf /tmp/a.tgz data && curl -s https://x/y'"),
    ("a script", "set -e\nfor f in /srv/data/{}*; do\n" + '  if [ -f "$f" ]; then cp "$f" /tmp; fi\n' * 30 + "done"),
)


def main() -> None:
    rows = ["| text | bytes | read anew | remembered |", "|---|---|---|---|"]
    for name, text in SQL:
        rows.append(row(f"{name}, postgres", text, lambda each: inspect_sql(each, "postgres")))
        rows.append(row(f"{name}, no dialect: the worst of seven", text, inspect_sql))
    rows += [row(f"{name}, shell", text, inspect_shell) for name, text in SHELL]
    table = "\n".join(rows)
    print(table)
    place = f"Python {platform.python_version()}, on one of {cores()}; load average {os.getloadavg()[0]:.0f}."
    about = f"Written by `make bench-inspection`: CPU time for one text, the best of {BATCHES} batches. {place}"
    write_section(REPORT, "Inspection", f"{about}\n\n{table}")


def row(name: str, text: str, read: Callable[[str], object]) -> str:
    numbers = iter(range(10**9))
    anew = best(lambda: read(text.format(next(numbers))), 10)
    remembered = best(lambda: read(text), 500)
    return f"| {name} | {len(text):,} | {anew:,.0f} µs | {remembered:.1f} µs |"


def best(once: Callable[[], object], count: int) -> float:
    """Microseconds of CPU for one."""
    costs = []
    for _ in range(BATCHES):
        began = time.process_time()
        for _ in range(count):
            once()
        costs.append((time.process_time() - began) / count * 1e6)
    return min(costs)


if __name__ == "__main__":
    main()
