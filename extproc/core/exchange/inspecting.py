"""From the arguments of a call to the facts that policy judges: which argument is inspected, the policy says."""

from collections.abc import Iterator, Mapping

from extproc.core.access import NO_FACTS, CallFacts, Facts, InnerCall, ShellFacts, SqlFacts
from extproc.core.inspection.shell import inspect_shell
from extproc.core.inspection.sql import inspect_sql
from extproc.core.limits import MAX_CALL_DEPTH, MAX_INNER_CALLS
from extproc.core.model import Json, Message, ResourceKind, Target, Verb
from extproc.core.policy.inspections import Inspection, argument, inspection_of
from extproc.core.policy.metatools import Shape
from extproc.core.policy.rules import Policy, Server
from extproc.core.policy.unfolding import unfold
from extproc.core.policy.visibility import verb_in

__all__ = ["calls_of", "facts_of"]

_UNREADABLE = ShellFacts(verb=Verb.ADMIN, parsed=False, findings=("a command that could not be read",))


def facts_of(policy: Policy, server: str, message: Message) -> Facts:
    """What inspection finds in a message; of a server or tool that asks for none, nothing."""
    place = policy.servers.get(server)
    if place is None or not (place.inspections.exact or place.inspections.globs):
        return NO_FACTS
    for target in message.targets:
        inspection = inspection_of(place.inspections, target.name) if target.kind is ResourceKind.TOOL else None
        if inspection is not None:
            return _found(policy, place, inspection, message.arguments, depth=MAX_CALL_DEPTH, room=MAX_INNER_CALLS)
    return NO_FACTS


def calls_of(policy: Policy, server: str, message: Message) -> CallFacts | None:
    """What a message would have its tool call, where that is a tool that calls others."""
    place = policy.servers.get(server)
    return facts_of(policy, server, message).calls if place is not None and place.calls else None


def _found(
    policy: Policy, place: Server, inspection: Inspection, arguments: Mapping[str, Json], *, depth: int, room: int
) -> Facts:
    if inspection.shape is not None:
        return Facts(calls=_calls(policy, place, inspection.shape, arguments, depth=depth, room=room))
    value = argument(arguments, inspection.path)
    if inspection.kind == "sql":
        return Facts(sql=_sql(value, inspection.dialect))
    return Facts(shell=_shell(value))


def _calls(
    policy: Policy, place: Server, shape: Shape, arguments: Mapping[str, Json], *, depth: int, room: int
) -> CallFacts:
    """The calls inside of a call, each with its own facts; ``depth`` and ``room`` are how many there may still be.

    What is wrong inside of one of them is said of that one alone: its caller may not know that it calls others.
    """
    told = unfold(shape, arguments) if depth else f"calls stand deeper inside of each other than {MAX_CALL_DEPTH}"
    if isinstance(told, str):
        return _unfit(told)
    room -= len(told)
    if room < 0:
        return _unfit(f"there are more than {MAX_INNER_CALLS} calls")
    calls: list[InnerCall] = []
    verb = Verb.QUERY
    for each in told:
        server = place.name if each.server is None else each.server
        called, facts = policy.servers.get(server), NO_FACTS
        inspection = inspection_of(called.inspections, each.tool) if called is not None else None
        if called is not None and inspection is not None:
            facts = _found(policy, called, inspection, each.arguments, depth=depth - 1, room=room)
        if facts.calls is not None:
            room -= sum(1 for _ in facts.calls.every)
        calls.append(InnerCall(server=server, tool=each.tool, arguments=each.arguments, facts=facts))
        target = Target(kind=ResourceKind.TOOL, name=each.tool)
        found = verb_in(called, target, Verb.ADMIN, facts) if called is not None else None
        verb = max(verb, found or Verb.ADMIN)
    return CallFacts(verb=verb, calls=tuple(calls), findings=tuple(_findings(calls)))


def _unfit(fault: str) -> CallFacts:
    return CallFacts(verb=Verb.ADMIN, fault=fault, findings=("calls that could not be read",))


def _findings(calls: list[InnerCall]) -> Iterator[str]:
    for call in calls:
        found = [finding for facts in call.facts.found for finding in facts.findings]
        yield f"calls {call.tool}: {'; '.join(found)}" if found else f"calls {call.tool}"


def _shell(value: Json) -> ShellFacts:
    if isinstance(value, str):
        return inspect_shell(value)
    if isinstance(value, list) and value and all(isinstance(word, str) for word in value):
        return inspect_shell(value)
    return _UNREADABLE


def _sql(value: Json, dialect: str | None) -> SqlFacts:
    texts = value if isinstance(value, list) and value else [value]
    # what is no text is read as nothing, and so not at all
    return inspect_sql(tuple(text if isinstance(text, str) else "" for text in texts), dialect)
