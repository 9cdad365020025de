"""The destructive commands again, each written in another way that runs the same: found is what is still found.

A mutant is made of any command line, or only of a plain one (no quotes, no operators), as its way demands. The harmless
ones are made of everyday commands that are no alarm themselves, in those ways that people use.
"""

import base64
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

from family import Family, counted, rows

from extproc.core.inspection.shell import inspect_shell

PLAIN = re.compile(r"[A-Za-z0-9_./:=@%+,~-]+(?: [A-Za-z0-9_./:=@%+,~-]+)+")
HARMLESS = ("in bash -c", "after cd", "in a group", "in a here-document", "with split quotes")


def _split(command: str) -> str:
    """The first word with quotes inside of it."""
    word, space, rest = command.partition(" ")
    return f"{word[:1]}''{word[1:2]}\"\"{word[2:]}{space}{rest}"


def _variables(command: str) -> str:
    word, _, rest = command.partition(" ")
    middle = len(word) // 2
    return f"a={word[:middle]}; b={word[middle:]}; $a$b {rest}"


ANY: dict[str, Callable[[str], str]] = {
    "in bash -c": lambda c: f"bash -c {shlex.quote(c)}",
    "in sudo env -i bash -lc": lambda c: f"sudo env -i PATH=/bin bash -lc {shlex.quote(c)}",
    "in bash -c twice": lambda c: f"sh -c {shlex.quote('bash -c ' + shlex.quote(c))}",
    "by find -exec sh -c": lambda c: f"find . -maxdepth 0 -exec sh -c {shlex.quote(c)} \\;",
    "by xargs sh -c": lambda c: f"echo x | xargs -I{{}} sh -c {shlex.quote(c)}",
    "by eval of a variable": lambda c: f'x={shlex.quote(c)}; eval "$x"',
    "in base64, to sh": lambda c: f"echo {base64.b64encode(c.encode()).decode()} | base64 -d | sh",
    "by printf, to bash": lambda c: f"printf '%s' {shlex.quote(c)} | bash",
    "in a here-document": lambda c: f"bash <<'END'\n{c}\nEND",
    "in a here-string": lambda c: f"bash <<< {shlex.quote(c)}",
    "over ssh": lambda c: f"ssh -o BatchMode=yes host {shlex.quote(c)}",
    "in python": lambda c: f"python3 -c {shlex.quote(f'import os; os.system({c!r})')}",
    "after cd": lambda c: f"cd /tmp && {c}",
    "in a group": lambda c: f"if true; then ( {c}\n) ; fi",
    "in a function": lambda c: f"f() {{ {c}\n}}; f",
    "in a substitution": lambda c: f'echo "$( {c}\n)"',
    "by watch": lambda c: f"watch -n 1 {shlex.quote(c)}",
}
ONE: dict[str, Callable[[str], str]] = {
    "with split quotes": _split,
    "with a backslash": lambda c: "\\" + c,
    "by its path": lambda c: f"/usr/bin/{c}",
    "with ${IFS}": lambda c: c.replace(" ", "${IFS}"),
    "of two variables": _variables,
    "by find -exec": lambda c: f"find . -maxdepth 0 -exec {c} \\;",
    "by xargs": lambda c: f"cat list | xargs {c}",
    "under nohup, nice and timeout": lambda c: f"nohup nice -n 5 timeout 10s {c} &",
    "under sudo, with a user": lambda c: f"sudo -u root -- {c}",
    "in env": lambda c: f"env -i A=b {c}",
    "in busybox or exec": lambda c: f"exec {c}",
    "with $'' words": lambda c: " ".join(
        f"$'{word[0]}\\x{ord(word[1]):02x}{word[2:]}'" if len(word) > 1 else word for word in c.split(" ")
    ),
}


def families(corpora: Path) -> Iterator[Family]:
    """One family for each way of writing."""
    folder = corpora / "destructive-commands"
    bad = [
        row["cmd"]
        for name in ("dcg", "safety-net")
        for row in rows(folder / f"{name}.dev.jsonl")
        if row["expected"] == "deny" and inspect_shell(row["cmd"]).destructive
    ]
    everyday = [row["cmd"] for row in rows(corpora / "benign-commands" / "tldr-2000.dev.jsonl")]
    good = [command for command in everyday if (seen := inspect_shell(command)).parsed and not seen.destructive]
    for way, mutate in (*ANY.items(), *ONE.items()):
        plain = way in ONE
        yield counted(
            f"shell: written {way}",
            [mutate(command) for command in bad if not plain or PLAIN.fullmatch(command)],
            [mutate(command) for command in good if not plain or PLAIN.fullmatch(command)] if way in HARMLESS else [],
            lambda command: inspect_shell(command).destructive,
        )
