"""Field paths of masking rules: the part of JSONPath (RFC 9535) that names fields, and nothing that computes.

``$``, then steps: ``.name``, ``['name']``, ``.*``, ``[*]``, ``[3]``, ``[-1]``, and ``..`` before a name, ``*`` or a
bracket for any depth. Whatever is taken here means what RFC 9535 says; filters, slices, unions and white space are
refused, each by name.
"""

import re
from dataclasses import dataclass
from typing import Final

from extproc.core.limits import MAX_PATH_CHARS, MAX_PATH_STEPS
from extproc.core.masking import Step

__all__ = ["PathFault", "read_path"]

# member-name-shorthand, wildcard, index and quoted name (RFC 9535 sections 2.3.1 to 2.3.3, 2.5.1)
_NAME: Final = r"(?P<name>[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)"
_SINGLE: Final = r"\['(?P<single>(?:[^'\\\x00-\x1f]|\\.)*)'\]"
_DOUBLE: Final = r'\["(?P<double>(?:[^"\\\x00-\x1f]|\\.)*)"\]'
_INDEX: Final = r"\[(?P<index>0|-?[1-9][0-9]{0,8})\]"
_STEP: Final = re.compile(
    rf"(?P<deep>\.\.)?(?:(?(deep)|\.)(?:{_NAME}|(?P<star>\*))|(?P<every>\[\*\])|{_INDEX}|{_SINGLE}|{_DOUBLE})"
)
_ESCAPE: Final = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", re.DOTALL
)
_SIMPLE: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "/": "/", "\\": "\\"}
_SEVERAL: Final = re.compile(r"(?:\.\.)?\[[^\]]*[:,]")
_ALMOST_NAME: Final = re.compile(r"\.{0,2}([A-Za-z_0-9\x80-\U0010ffff][^.\[\]']*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class PathFault:
    """Why a text is no path: ``offset`` is where in it."""

    offset: int
    what: str
    fix: str


def read_path(text: str) -> tuple[Step, ...] | PathFault:
    """The steps of a path, or the first thing in it that is not of this part of JSONPath."""
    if not text.startswith("$"):
        return PathFault(offset=0, what="a path begins with `$`, the document", fix="Write it like `$..ssn`")
    if len(text) > MAX_PATH_CHARS:
        return PathFault(offset=0, what=f"the path is longer than {MAX_PATH_CHARS} characters", fix="Shorten it")
    steps: list[Step] = []
    offset = 1
    while offset < len(text):
        found = _STEP.match(text, offset)
        step = None if found is None else _step(found)
        if found is None or step is None:
            return _fault(text, offset)
        steps.append(step)
        offset = found.end()
    if len(steps) > MAX_PATH_STEPS:
        return PathFault(offset=0, what=f"the path has more than {MAX_PATH_STEPS} steps", fix="Shorten it")
    return tuple(steps)


def _step(found: re.Match[str]) -> Step | None:
    deep = found["deep"] is not None
    if found["index"] is not None:
        return Step(index=int(found["index"]), deep=deep)
    if found["star"] or found["every"]:
        return Step(deep=deep)
    name = found["name"]
    if name is None:
        name = _unescaped(found["single"], "'") if found["double"] is None else _unescaped(found["double"], '"')
    return None if name is None else Step(name=name, deep=deep)


def _unescaped(quoted: str, quote: str) -> str | None:
    """The name between the quotes; None for an escape that RFC 9535 does not have, and for half a character."""
    escapes = _ESCAPE.findall(quoted)
    if any(len(escape) == 2 and escape[1] not in {*_SIMPLE, quote} for escape in escapes):
        return None
    try:
        return _ESCAPE.sub(_one, quoted)
    except UnicodeDecodeError:
        return None


def _one(escape: re.Match[str]) -> str:
    word = escape[0]
    if len(word) == 2:
        return _SIMPLE.get(word[1], word[1])
    return word.encode("ascii").decode("unicode_escape").encode("utf-16", "surrogatepass").decode("utf-16")


def _fault(text: str, offset: int) -> PathFault:
    # `.first-name` ends as a step before the dash
    start = offset if text[offset] in ".[" or offset == 1 else max(text.rfind(".", 0, offset), 1)
    rest, name = text[offset:], _ALMOST_NAME.match(text, start)
    if "[?" in rest[:4]:
        what, fix = "a filter is not supported in a path", "Name the fields, as in `$.rows[*].ssn`"
    elif _SEVERAL.match(rest):
        what, fix = "a slice or a list of names is not supported in a path", "Use `[*]`, or one path for each"
    elif name is not None:
        what = "a name with other characters than letters, digits and `_` needs quotes"
        fix = f"Write `['{name[1]}']`"
    else:
        what, fix = "this is no step of a path", "Write `.name`, `['name']`, `[*]`, `[0]` or `..name`"
    return PathFault(offset=offset, what=what, fix=fix)
