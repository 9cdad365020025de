"""``extproc mask``: what masking makes of a response, shown before it happens to a client."""

import json
from collections import Counter
from pathlib import Path
from typing import Annotated, Final

import typer

from extproc.cli.callers import WrongInputError, caller
from extproc.cli.previewing import Shown, Withheld, given, masked, recorded
from extproc.cli.recorded import printable, quit_with, screen
from extproc.cli.side_by_side import counted, side_by_side
from extproc.core.masking import DETECTORS, GROUPS, NAMES, NO_MASKS, Masking
from extproc.core.model import ResourceKind, Target
from extproc.core.policy import decide
from extproc.core.policy.rules import Policy
from extproc.edges.names.presidio import installed, is_installed, load
from extproc.edges.policy_files import PolicyError, read_policy
from extproc.ports import RecogniserError

__all__ = ["app"]

app = typer.Typer(help="What masking makes of a response, and what can be detected.", add_completion=False)

_WRONG_INPUT: Final = 2
_WITHHELD: Final = 3


@app.command("detectors")
def detectors() -> None:
    """List what `detect` may name: the groups with what they stand for, then every detector."""
    for name, kinds in sorted(GROUPS.items()):
        typer.echo(f"{name}: {', '.join(kinds)}")
    for kind in DETECTORS:
        typer.echo(kind)
    for kind in NAMES:
        typer.echo(kind if is_installed() else f"{kind} (needs: pip install 'mcp-extproc[presidio]')")


@app.command("preview")
def preview(
    response: Annotated[
        str, typer.Argument(help="A file with a response, a result, any JSON or an event stream; - is stdin.")
    ] = "",
    *,
    policy: Annotated[Path, typer.Option(help="The policy file.")],
    server: Annotated[str, typer.Option(help="The server, as the policy names it.")],
    tool: Annotated[str | None, typer.Option(help="A response of this tool.")] = None,
    prompt: Annotated[str | None, typer.Option(help="A response of this prompt.")] = None,
    resource: Annotated[str | None, typer.Option(help="The contents of the resource with this URI.")] = None,
    role: Annotated[str | None, typer.Option("--as", help="As somebody with exactly this role sees it.")] = None,
    subject: Annotated[str | None, typer.Option(help="As this subject sees it instead.")] = None,
    issuer: Annotated[str | None, typer.Option(help="The subject's issuer; default: the first of the policy.")] = None,
    group: Annotated[list[str] | None, typer.Option(help="A group of the subject; may be repeated.")] = None,
    stream: Annotated[bool, typer.Option("--sse", help="Take the input for an event stream, whatever it is.")] = False,
    call: Annotated[
        str | None, typer.Option(help="Take the recorded result of this decision (its id: `sessions show --json`).")
    ] = None,
    journal: Annotated[Path | None, typer.Option(help="The state directory in which that call was recorded.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show a response before and after: exit 0, 2 if the question is wrong, 3 if it would be withheld."""
    try:
        loaded = read_policy(policy, recogniser=installed())
        if loaded.wants_names:
            load()
        asked, principal = caller(loaded, role, subject=subject, issuer=issuer, groups=group)
        target = _target(asked, server, tool=tool, prompt=prompt, resource=resource)
        raw = given(response) if call is None else recorded(call, journal)
    except PolicyError as error:
        quit_with(_WRONG_INPUT, f"{error} The policy does not load; `extproc check {policy}` shows the same.")
    except (WrongInputError, RecogniserError) as error:
        quit_with(_WRONG_INPUT, str(error))
    owed = decide.masking(asked, principal, server, (target,))
    named = frozenset({resource} if resource else ())
    found = list(masked(owed.responses, raw, named, stream=stream))
    (_print_json if as_json else _print)(owed, found)
    if any(isinstance(each, Withheld) for each in found):
        raise typer.Exit(_WITHHELD)


def _target(policy: Policy, server: str, *, tool: str | None, prompt: str | None, resource: str | None) -> Target:
    if server not in policy.servers:
        raise WrongInputError(f"the policy has no server `{server}`; it has {', '.join(sorted(policy.servers))}.")
    kinds = ((ResourceKind.TOOL, tool), (ResourceKind.PROMPT, prompt), (ResourceKind.RESOURCE, resource))
    named = [Target(kind=kind, name=name) for kind, name in kinds if name is not None]
    if len(named) > 1:
        raise WrongInputError("ask for one of --tool, --prompt, --resource; without any it is a list or a stream.")
    return named[0] if named else Target(kind=ResourceKind.SERVER)


def _counts(found: list[Shown | Withheld]) -> Counter[str]:
    return sum((Counter(each.after.counts) for each in found if isinstance(each, Shown)), Counter())


def _print(owed: Masking, found: list[Shown | Withheld]) -> None:
    console = screen()
    if owed.responses is NO_MASKS:
        console.print("No masking rule is owed here: the response passes as it is.")
    else:
        console.print(f"masking rules: {', '.join(map(printable, owed.rules))}")
    for each in found:
        if isinstance(each, Withheld):
            console.print(f"withheld from here on: {each.why}", style="bold red")
            continue
        console.print(side_by_side(each.before, each.after.value))
        if each.after.dropped:
            console.print(f"left out of lists for their names: {each.after.dropped}")
    console.print(counted(_counts(found)))


def _print_json(owed: Masking, found: list[Shown | Withheld]) -> None:
    messages = [
        {"withheld": each.why}
        if isinstance(each, Withheld)
        else {
            "before": each.before,
            "after": each.after.value,
            "masked": dict(each.after.counts),
            "left_out": each.after.dropped,
        }
        for each in found
    ]
    rules = list(owed.rules) if owed.responses is not NO_MASKS else []
    typer.echo(json.dumps({"rules": rules, "masked": dict(_counts(found)), "messages": messages}, indent=2))
