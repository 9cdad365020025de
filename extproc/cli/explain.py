"""``extproc explain``: what a policy says to one question, and why."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import typer
from msgspec.structs import replace

from extproc.cli.callers import WrongInputError, caller
from extproc.core.exchange.inspecting import facts_of
from extproc.core.model import Effect, Era, Json, Message, MessageKind, ResourceKind, Target
from extproc.core.policy.explain import Explanation, Finding, explain
from extproc.core.rejection import Rejection
from extproc.core.wire import strict_json
from extproc.core.wire.methods import METHODS, REVISIONS
from extproc.edges.names.presidio import installed
from extproc.edges.policy_files import PolicyError, read_policy

__all__ = ["explain_command"]

_DENIED: Final = 3
_WRONG_INPUT: Final = 2
_OBJECT: Final = '{"name": "value"}'


def explain_command(
    *,
    policy: Annotated[Path, typer.Option(help="The policy file.")],
    server: Annotated[str, typer.Option(help="The server, as the policy names it.")],
    role: Annotated[str | None, typer.Option("--as", help="Ask for somebody with exactly this role.")] = None,
    subject: Annotated[str | None, typer.Option(help="Ask for this subject instead.")] = None,
    issuer: Annotated[str | None, typer.Option(help="The subject's issuer; default: the first of the policy.")] = None,
    group: Annotated[list[str] | None, typer.Option(help="A group of the subject; may be repeated.")] = None,
    token_role: Annotated[list[str] | None, typer.Option(help="A role in the subject's token.")] = None,
    workload: Annotated[str | None, typer.Option(help="The SPIFFE id of the caller's certificate.")] = None,
    claims: Annotated[str, typer.Option(help="The token's claims, as a JSON object.")] = "{}",
    tool: Annotated[str | None, typer.Option(help="Call this tool.")] = None,
    prompt: Annotated[str | None, typer.Option(help="Get this prompt.")] = None,
    resource: Annotated[str | None, typer.Option(help="Read the resource with this URI.")] = None,
    method: Annotated[str | None, typer.Option(help="The MCP method; default: by what is asked for.")] = None,
    args: Annotated[str, typer.Option(help="The arguments, as a JSON object.")] = "{}",
    session_calls: Annotated[int, typer.Option(min=0, help="Earlier calls in the session.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Explain one decision: exit 0 if allowed, 3 if denied, 2 if the question is wrong."""
    try:
        loaded = read_policy(policy, recogniser=installed())
        if server not in loaded.servers:
            typer.echo(f"the policy has no server `{server}`; it has {', '.join(sorted(loaded.servers))}.", err=True)
            raise typer.Exit(_WRONG_INPUT)
        asked, principal = caller(
            loaded, role, subject=subject, issuer=issuer, groups=group, roles=token_role, workload=workload
        )
        principal = replace(principal, claims=_object(claims, "--claims"))
        message = _message(tool, prompt, resource, method, _object(args, "--args"))
    except PolicyError as error:
        typer.echo(f"{error}\nThe policy does not load; `extproc check {policy}` shows the same.", err=True)
        raise typer.Exit(_WRONG_INPUT) from None
    except WrongInputError as error:
        typer.echo(error, err=True)
        raise typer.Exit(_WRONG_INPUT) from None
    facts = facts_of(asked, server, message)
    found = explain(asked, principal, server, message, session_calls=session_calls, facts=facts)
    typer.echo(json.dumps(_as_json(found), indent=2) if as_json else _as_text(found))
    raise typer.Exit(0 if found.decision.effect is Effect.ALLOW else _DENIED)


def _object(text: str, option: str) -> Mapping[str, Json]:
    document = strict_json.read(text.encode("utf-8", "surrogateescape"))
    if isinstance(document, Rejection) or not isinstance(document.value, dict):
        raise WrongInputError(f"{option} is no JSON object; write it like '{_OBJECT}'.")
    return document.value


def _message(
    tool: str | None, prompt: str | None, resource: str | None, method: str | None, arguments: Mapping[str, Json]
) -> Message:
    named = [
        (Target(kind=kind, name=name), default)
        for kind, name, default in (
            (ResourceKind.TOOL, tool, "tools/call"),
            (ResourceKind.PROMPT, prompt, "prompts/get"),
            (ResourceKind.RESOURCE, resource, "resources/read"),
        )
        if name is not None
    ]
    if len(named) > 1 or (not named and method is None):
        raise WrongInputError("ask for one of --tool, --prompt, --resource, or for a --method alone.")
    target, default = named[0] if named else (Target(kind=ResourceKind.SERVER), "")
    row = METHODS.get(method or default)
    if row is None:
        raise WrongInputError(f"there is no method `{method}`; it would be refused before the policy is asked.")
    return Message(
        kind=MessageKind.REQUEST,
        method=method or default,
        era=Era.MODERN,
        revision=REVISIONS[-1],
        verb=row.verb,
        targets=(target,),
        id=0,
        arguments=arguments,
    )


def _as_json(found: Explanation) -> dict[str, Json]:
    decision = found.decision

    def findings(several: tuple[Finding, ...]) -> list[Json]:
        return [{"rule": one.rule, "applies": one.speaks, "why": one.why} for one in several]

    return {
        "decision": str(decision.effect),
        "rule": decision.rule,
        "reason": decision.reason,
        "message": decision.message,
        "verb": decision.verb.name.lower(),
        "shadowed": decision.shadowed,
        "policy_digest": decision.policy_digest,
        "roles": [sorted(roles) for roles in found.roles],
        "deny_rules": findings(found.refusing),
        "grants": findings(found.granting),
        "masking_rules": list(decision.obligations.masking.rules),
        "notes": list(found.notes),
    }


def _as_text(found: Explanation) -> str:
    decision = found.decision
    reason = decision.reason.replace("_", " ")
    lines = [f"{decision.effect} by rule {decision.rule} ({reason}), verb {decision.verb.name.lower()}"]
    roles = " and ".join(", ".join(sorted(held)) or "none" for held in found.roles)
    lines.append(f"roles: {roles}")
    for title, findings, yes, no in (
        ("deny rules on this", found.refusing, "refuses", "does not apply"),
        ("grants on this", found.granting, "allows", "would allow, but"),
    ):
        if findings:
            lines.append(f"{title}:")
            lines += [f"  {one.rule} {yes if one.speaks else no}: {one.why}" for one in findings]
    if not found.granting:
        lines.append("no grant of any role covers this")
    if decision.obligations.masking.rules:
        lines.append(f"masking rules on this: {', '.join(decision.obligations.masking.rules)}")
    lines += [f"note: {note}" for note in found.notes]
    if decision.message:
        lines.append(f"the client is told: {decision.message}")
    return "\n".join(lines)
