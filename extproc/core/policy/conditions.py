"""CEL conditions: compiled and type-checked at load, three-valued when asked.

Promises: a condition compiles only where it is boolean and names known variables; an evaluation gives True, False or
None, and None (a missing key, a wrong type, a number CEL cannot hold, a spent budget) never counts as true. A variable
that is left unbound makes exactly those conditions None whose result depends on it, because CEL's ``&&`` and ``||``
absorb errors. Never raises on arguments or claims, never hands the engine a regular expression that a client wrote
(the engine logs a broken one, with the client's text in it).
CEL: https://github.com/google/cel-spec/blob/master/doc/langdef.md
"""

import functools
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import re2
from cel_expr_python import cel
from cel_expr_python.ext import ext_strings

from extproc.core.access import AccessRequest
from extproc.core.limits import MAX_DEPTH
from extproc.core.model import Json, Principal, ResourceKind, Verb

__all__ = [
    "ANYTHING",
    "FACTS",
    "FACT_NAMES",
    "PRINCIPAL",
    "SESSION_CALLS",
    "Condition",
    "Fault",
    "compile_condition",
    "variables",
]

_TEXT: Final = cel.Type.STRING
_OBJECT: Final = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)

SESSION_CALLS: Final = "session.calls"
PRINCIPAL: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "principal.subject": _TEXT,
        "principal.issuer": _TEXT,
        "principal.groups": cel.Type.List(_TEXT),
        "principal.roles": cel.Type.List(_TEXT),
        "principal.claims": _OBJECT,
        "principal.workload": _TEXT,
    }
)
"""What the condition of a role may name."""
ANYTHING: Final[Mapping[str, Any]] = MappingProxyType(
    {
        **PRINCIPAL,
        "server": _TEXT,
        "method": _TEXT,
        "verb": _TEXT,
        "tool": _TEXT,
        "prompt": _TEXT,
        "uri": _TEXT,
        "arguments": _OBJECT,
        "client.name": _TEXT,
        "client.version": _TEXT,
        SESSION_CALLS: cel.Type.INT,
        "sql.verb": _TEXT,
        "sql.tables": cel.Type.List(_TEXT),
        "sql.columns": cel.Type.List(_TEXT),
        "sql.statements": cel.Type.List(_TEXT),
        "sql.functions": cel.Type.List(_TEXT),
        "sql.drops": cel.Type.BOOL,
        "sql.truncates": cel.Type.BOOL,
        "sql.unbounded_write": cel.Type.BOOL,
        "sql.parsed": cel.Type.BOOL,
        "shell.commands": cel.Type.List(_TEXT),
        "shell.writes": cel.Type.List(_TEXT),
        "shell.network": cel.Type.BOOL,
        "shell.destructive": cel.Type.BOOL,
        "shell.parsed": cel.Type.BOOL,
    }
)
"""What the condition of a grant or a deny rule may name."""

FACTS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {kind: frozenset(name for name in ANYTHING if name.startswith(f"{kind}.")) for kind in ("sql", "shell")}
)
"""Variables that only a call of a tool with ``verb: sql`` or ``verb: shell`` has."""
FACT_NAMES: Final = FACTS["sql"] | FACTS["shell"]
"""All of these."""

_UNREADABLE: Final = object()


def _fact(kind: str, name: str, request: AccessRequest) -> Any:
    """One fact, or a value that the engine refuses where there is none."""
    value = getattr(getattr(request.facts, kind), name, _UNREADABLE)
    if isinstance(value, Verb):
        return value.name.lower()
    return list(value) if isinstance(value, tuple) else value


_VALUES: Final[Mapping[str, Callable[[AccessRequest], Any]]] = MappingProxyType(
    {
        "principal.subject": lambda request: request.principal.subject,
        "principal.issuer": lambda request: request.principal.issuer,
        "principal.groups": lambda request: sorted(request.principal.groups),
        "principal.roles": lambda request: sorted(request.principal.roles),
        "principal.claims": lambda request: _claims(request.principal),
        "principal.workload": lambda request: request.principal.workload or "",
        "server": lambda request: request.server,
        "method": lambda request: request.method,
        "verb": lambda request: request.verb.name.lower(),
        "tool": lambda request: _name_of(request, ResourceKind.TOOL),
        "prompt": lambda request: _name_of(request, ResourceKind.PROMPT),
        "uri": lambda request: _name_of(request, ResourceKind.RESOURCE) or _name_of(request, ResourceKind.TEMPLATE),
        # the engine takes plain dictionaries only, and converts what a condition reads
        "arguments": lambda request: dict(request.arguments),
        "client.name": lambda request: request.client.name,
        "client.version": lambda request: request.client.version,
        SESSION_CALLS: lambda request: request.session_calls,
        **{name: functools.partial(_fact, *name.partition(".")[::2]) for name in FACT_NAMES},
    }
)


def _name_of(request: AccessRequest, kind: ResourceKind) -> str:
    return request.target.name if request.target.kind is kind else ""


_MESSAGE: Final = re.compile(r"ERROR: <input>:(\d+):(\d+): ([^\n]*)")
# string literals (raw and triple-quoted too), comments, identifiers, else one character
_TOKEN: Final = re.compile(
    r"""(?P<string>[bBrR]{0,2}(?:\"{3}.*?\"{3}|'{3}.*?'{3}|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))"""
    r"""|(?P<skip>//[^\n]*|\s+)|(?P<word>[A-Za-z_][A-Za-z0-9_]*)|(?P<other>.)""",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One compiled condition. ``names`` are the variables that its text refers to."""

    text: str
    names: frozenset[str]
    program: Any = field(compare=False, repr=False)

    def holds(self, bound: Mapping[str, Any]) -> bool | None:
        """Whether it is true; None where it errors or depends on a variable that is not bound."""
        try:
            value = self.program.eval(data=bound).value()
        except (RuntimeError, ValueError, TypeError, OverflowError):  # e.g. a lone surrogate in an argument
            return None
        # an error's value is its text, which is truthy: only the two booleans count
        return value if isinstance(value, bool) else None

    def never(self) -> bool:
        """Whether no request makes it true: it is false with nothing bound, or errors and names no variable."""
        fixed = self.holds({})
        return fixed is False or (fixed is None and not self.names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why a text is no condition; ``line`` and ``column`` count from 1 inside of the text."""

    line: int
    column: int
    what: str
    fix: str


@functools.cache
def _environment(names: frozenset[str]) -> Any:
    return cel.NewEnv(variables={name: ANYTHING[name] for name in names}, extensions=[ext_strings.ExtStrings()])


def compile_condition(text: str, variables: Mapping[str, Any] = ANYTHING) -> Condition | Fault:
    """The condition, or where and why it does not compile, is not boolean, or matches a pattern that is not fixed."""
    known = frozenset(variables)
    try:
        program = _environment(known).compile(text)
    except (RuntimeError, ValueError, TypeError) as error:
        return _fault(str(error), known)
    if program.return_type() != cel.Type.BOOL:
        what = f"the condition is not boolean but {program.return_type().name()}"
        return Fault(line=1, column=1, what=what, fix="Compare it with something, e.g. `… == true`")
    fault = _regex_fault(text)
    if fault is not None:
        return fault
    return Condition(text=text, names=frozenset(name for name in known if _refers(text, name, known)), program=program)


def _refers(text: str, name: str, known: frozenset[str]) -> bool:
    """Whether the text does not compile without the variable; its last word must stand in the text for that."""
    if name.rpartition(".")[2] not in text:
        return False
    try:
        _environment(known - {name}).compile(text)
    except (RuntimeError, ValueError, TypeError):
        return True
    return False


def _fault(error: str, known: frozenset[str]) -> Fault:
    match = _MESSAGE.search(error)
    if match is None:
        what = error.partition(": ")[2].partition(" [")[0] or "it is too long or nested too deep"
        return Fault(line=1, column=1, what=f"the condition does not compile: {what}", fix="Make it simpler")
    what = match[3].removesuffix(" [INVALID_ARGUMENT]").removesuffix(" (in container '')")
    fix = "Correct the condition here"
    if what.startswith("undeclared reference"):
        fix = f"Known variables: {', '.join(f'`{name}`' for name in sorted(known))}"
    return Fault(line=int(match[1]), column=int(match[2]), what=f"the condition does not compile: {what}", fix=fix)


def _regex_fault(text: str) -> Fault | None:
    """Refuse ``matches`` with anything but one string literal that is a good RE2 pattern."""
    tokens = [match for match in _TOKEN.finditer(text) if match.lastgroup != "skip"]
    for index, token in enumerate(tokens):
        following = [later[0] for later in tokens[index + 1 : index + 4]]
        if token[0] != "matches" or following[:1] != ["("]:
            continue
        line = text.count("\n", 0, token.start()) + 1
        column = token.start() - text.rfind("\n", 0, token.start())
        fixed = index > 0 and tokens[index - 1][0] == "." and following[2:] == [")"]
        if not fixed or tokens[index + 2].lastgroup != "string":
            what = "the pattern of `matches` is not a fixed text"
            return Fault(line=line, column=column, what=what, fix='Write it like `tool.matches("^get_")`')
        if not _is_pattern(following[1]):
            return Fault(line=line, column=column, what="the pattern of `matches` is no RE2 pattern", fix="Correct it")
    return None


def _is_pattern(literal: str) -> bool:
    options = re2.Options()
    options.log_errors = False
    pattern = _environment(frozenset()).compile(literal).eval().value()
    try:
        re2.compile(pattern, options)
    except (re2.error, TypeError):
        return False
    return True


def variables(request: AccessRequest, names: Iterable[str]) -> dict[str, Any]:
    """The values of the named variables in a request, as the engine takes them."""
    return {name: _VALUES[name](request) for name in names}


def _claims(principal: Principal) -> Any:
    """The claims; a value the engine refuses where they are nested so deep that it would crash."""
    return dict(principal.claims) if _is_shallow(principal.claims) else _UNREADABLE


def _is_shallow(claims: Mapping[str, Json]) -> bool:
    level = [value for value in claims.values() if isinstance(value, dict | list)]
    for _ in range(MAX_DEPTH):
        if not level:
            return True
        level = [
            child
            for value in level
            for child in (value.values() if isinstance(value, dict) else value)
            if isinstance(child, dict | list)
        ]
    return False
