"""Refusal of tools that call nothing, or call past the mode of a server."""

from extproc.core.policy.entries import Document, ServerEntry
from extproc.core.policy.metatools import Shape, reached
from extproc.core.policy.reading import Reading, Word, listed

__all__ = ["check_calls"]


def check_calls(document: Document, reading: Reading) -> None:
    """Note every tool with ``verb: calls`` whose servers are unknown, have no other tool, or are in another mode."""
    for server in document.servers:
        for tool, inspection in server.inspected:
            if inspection.shape is not None:
                _check(tool, inspection.shape, server, document, reading)


def _check(
    tool: Word,
    shape: Shape,
    server: ServerEntry,
    document: Document,
    reading: Reading,
) -> None:
    servers = {each.name.value: each for each in document.servers}
    if shape.on is not None and shape.on.value not in servers:
        fix = f"Declare it under `servers`, or use one of {listed(list(servers))}"
        reading.problem(shape.on.spot, f"there is no server `{shape.on.value}`", fix)
        return
    others = [servers[name] for name in reached((shape,), server.name.value, servers)]
    called = [servers[shape.on.value]] if shape.on is not None else [server, *others]
    if not any(each.unlisted is not None or any(name.value != tool.value for name, _ in each.tools) for each in called):
        what = (
            f"`{tool.value}` can call nothing: there is no other tool on {listed([each.name.value for each in called])}"
        )
        reading.problem(tool.spot, what, "Declare the tools that it calls under `tools`, as if clients called them")
    modes = {each.name.value: document.shadow if each.shadow is None else each.shadow for each in (server, *others)}
    for name, shadow in modes.items():
        if shadow != modes[server.name.value]:
            what = f"`{tool.value}` calls tools of server `{name}`, which is in another mode than `{server.name.value}`"
            reading.problem(tool.spot, what, "Give both servers the same `mode`")
