"""What a server tells of itself, cut down to what the caller may use.

Every list of the protocol is filtered with the same decision that judges the call; which decision that is comes in as
``sees``. Entries that cannot be read are left out, never passed. Pagination stays as it is: a page may become empty
and still name its next cursor. A filtered result is nobody else's: ``cacheScope`` becomes private and ``ttlMs`` is
capped (MCP 2026-07-28 server/utilities/caching).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias
from urllib.parse import quote

from extproc.core.limits import MAX_LIST_TTL_MS
from extproc.core.model import Era, Json, ResourceKind
from extproc.core.wire import uris

__all__ = [
    "LISTS",
    "Filtered",
    "Sees",
    "for_one",
    "only_completions",
    "only_contents",
    "only_visible",
    "only_whatever",
    "without_output_schemas",
]

Sees: TypeAlias = Callable[[ResourceKind, str], bool]
"""Whether the caller could be allowed to use the thing of this kind and name."""

_EXPRESSION: Final = re.compile(r"\{([+#./;?&]?)([A-Za-z0-9_.%]+)\*?\}")
"""An expression of one variable (RFC 6570 section 2.2)."""
_OPEN: Final = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListShape:
    """Where a list result keeps its entries, and by what an entry is named."""

    method: str
    member: str
    kind: ResourceKind
    name: str


LISTS: Final[Mapping[str, ListShape]] = MappingProxyType(
    {
        shape.method: shape
        for shape in (
            ListShape(method="tools/list", member="tools", kind=ResourceKind.TOOL, name="name"),
            ListShape(method="prompts/list", member="prompts", kind=ResourceKind.PROMPT, name="name"),
            ListShape(method="resources/list", member="resources", kind=ResourceKind.RESOURCE, name="uri"),
            ListShape(
                method="resources/templates/list",
                member="resourceTemplates",
                kind=ResourceKind.TEMPLATE,
                name="uriTemplate",
            ),
        )
    }
)
"""Every list method of the protocol."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filtered:
    """A result after filtering, with the number of entries that were left out."""

    result: Mapping[str, Json]
    hidden: int


def only_visible(shape: ListShape, result: Mapping[str, Json], sees: Sees, era: Era) -> Filtered:
    """A list result with the entries that ``sees`` accepts.

    A second entry of the same name is left out: two tools of one name are a collision that the client would resolve
    otherwise than we do.
    """
    entries = result.get(shape.member)
    kept: list[Json] = []
    taken: set[str] = set()
    total = 0
    for entry in entries if isinstance(entries, list) else ():
        total += 1
        name = entry.get(shape.name) if isinstance(entry, dict) else None
        if isinstance(name, str) and name not in taken and sees(shape.kind, name):
            taken.add(name)
            kept.append(entry)
    return Filtered(result=_private({**result, shape.member: kept}, era), hidden=total - len(kept))


def only_contents(requested: str | None, result: Mapping[str, Json], sees: Sees, era: Era) -> Filtered:
    """A ``resources/read`` result with the contents that were asked for or may be read by their own URI."""
    entries = result.get("contents")
    kept: list[Json] = []
    total = 0
    for entry in entries if isinstance(entries, list) else ():
        total += 1
        uri = entry.get("uri") if isinstance(entry, dict) else None
        if isinstance(uri, str) and (uri == requested or sees(ResourceKind.RESOURCE, uri)):
            kept.append(entry)
    if entries is None:  # an interim result of the modern era (input_required) has no contents
        return Filtered(result=result, hidden=0)
    return Filtered(result=_private({**result, "contents": kept}, era), hidden=total - len(kept))


def only_whatever(result: Mapping[str, Json], sees: Sees, era: Era) -> Filtered:
    """A result on a stream of its own, where the request behind it is not known: filtered as all that it looks like."""
    hidden = 0
    for shape in LISTS.values():
        if isinstance(result.get(shape.member), list):
            listed = only_visible(shape, result, sees, era)
            result, hidden = listed.result, hidden + listed.hidden
    if isinstance(result.get("contents"), list):
        read = only_contents(None, result, sees, era)
        result, hidden = read.result, hidden + read.hidden
    completion = result.get("completion")
    values = completion.get("values") if isinstance(completion, dict) else None
    if values:  # what was to be completed is not known either, so no value can be judged
        count = len(values) if isinstance(values, list) else 1
        result, hidden = {**result, "completion": {"values": []}}, hidden + count
    return Filtered(result=result, hidden=hidden)


def only_completions(params: Mapping[str, Json], result: Mapping[str, Json], sees: Sees) -> Filtered:
    """A ``completion/complete`` result without values that would name a hidden resource.

    Only a template reference names resources. A value is judged as what it makes of the template: a URI, or a template
    still where other parts are open. Values that cannot be judged are left out.
    """
    ref, argument = params.get("ref"), params.get("argument")
    template = ref.get("uri") if isinstance(ref, dict) else None
    if not isinstance(template, str):
        return Filtered(result=result, hidden=0)
    completion = result.get("completion")
    values = completion.get("values") if isinstance(completion, dict) else None
    if not isinstance(completion, dict) or not isinstance(values, list):
        return Filtered(result={**result, "completion": {"values": []}}, hidden=0)
    name = argument.get("name") if isinstance(argument, dict) else None
    context = params.get("context")
    known = context.get("arguments") if isinstance(context, dict) else None
    told = {key: value for key, value in known.items() if isinstance(value, str)} if isinstance(known, dict) else {}
    kept = [
        value
        for value in values
        if isinstance(name, str) and isinstance(value, str) and _completes(template, name, {**told, name: value}, sees)
    ]
    if len(kept) == len(values):
        return Filtered(result=result, hidden=0)
    # `total` and `hasMore` count what is hidden as well
    shown = {key: value for key, value in completion.items() if key not in {"total", "hasMore"}}
    return Filtered(result={**result, "completion": {**shown, "values": kept}}, hidden=len(values) - len(kept))


def _completes(template: str, name: str, values: Mapping[str, str], sees: Sees) -> bool:
    if _filled(template, {name: ""}) == template:  # no part of the template that we could fill in
        return False
    filled = _filled(template, values)
    if not uris.is_normal(_OPEN.sub("x", filled)):
        # clients escape what they fill in (RFC 6570 section 3.2.2); a value that is a path may be meant as one
        filled = _filled(template, {key: quote(value, safe="") for key, value in values.items()})
    return sees(ResourceKind.TEMPLATE if _OPEN.search(filled) else ResourceKind.RESOURCE, filled)


def _filled(template: str, values: Mapping[str, str]) -> str:
    """The template with these variables, in one pass: what is filled in is not looked at again."""

    def fill(expression: re.Match[str]) -> str:
        operator, name = expression.groups()
        if name not in values:
            return expression[0]
        prefix = f"{operator}{name}=" if operator and operator in ";?&" else operator.replace("+", "")
        return prefix + values[name]

    return _EXPRESSION.sub(fill, template)


def without_output_schemas(result: Mapping[str, Json], masked: Callable[[str], bool]) -> Mapping[str, Json]:
    """A list of tools without the ``outputSchema`` of those whose results are masked.

    A client holds a result to its tool's schema and drops one that does not fit, and a mask is a text wherever it
    stands. Without a schema the same result is valid (MCP 2025-06-18 server/tools, "Output Schema").
    """
    tools = result.get("tools")
    if not isinstance(tools, list):
        return result
    kept = [
        {name: member for name, member in tool.items() if name != "outputSchema"}
        if isinstance(tool, dict) and "outputSchema" in tool and masked(tool.get("name", ""))
        else tool
        for tool in tools
    ]
    return result if all(new is old for new, old in zip(kept, tools, strict=True)) else {**result, "tools": kept}


def for_one(result: Mapping[str, Json], era: Era) -> Mapping[str, Json]:
    """A result that is made for one caller, and so kept by no shared cache and by nobody for long."""
    return _private({**result}, era) if "cacheScope" in result or "ttlMs" in result else result


def _private(result: dict[str, Json], era: Era) -> dict[str, Json]:
    if era is Era.MODERN or "cacheScope" in result or "ttlMs" in result:
        ttl = result.get("ttlMs")
        result["cacheScope"] = "private"
        result["ttlMs"] = min(ttl, MAX_LIST_TTL_MS) if type(ttl) is int and ttl >= 0 else 0
    return result
