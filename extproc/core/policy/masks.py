"""The section ``masking``: what is masked, where, for whom not, and what becomes of it.

Reads and judges each rule by itself; what rules mean beside servers and roles (a rule that reaches nothing, a detector
that no rule uses) is checked by ``mask_reach``. Of two entries of one rule the one that names a detector itself counts,
not the one that names its group.
"""

from dataclasses import replace
from difflib import get_close_matches
from typing import Final

from extproc.core.masking import DETECTORS, GROUPS, NAME_SCORE, NAMES, Detection, FieldMask, Mask, OwnDetector
from extproc.core.policy.detectors import read_share
from extproc.core.policy.entries import MaskEntry, ScopeEntry
from extproc.core.policy.paths import PathFault, read_path
from extproc.core.policy.positions import Members, Node, Scalar, Spot
from extproc.core.policy.reading import Reading, Word
from extproc.core.policy.styles import read_mask
from extproc.core.policy.subjects import read_subjects

__all__ = ["read_masking"]

_KEYS: Final = (
    "name",
    "servers",
    "tools",
    "prompts",
    "resources",
    "roles",
    "fields",
    "detect",
    "as",
    "threshold",
    "opaque",
    "except",
    "on",
    "action",
    "message",
)
_ON: Final = ("responses", "requests", "both")


def read_masking(node: Node | None, own: tuple[OwnDetector, ...], reading: Reading) -> tuple[MaskEntry, ...]:
    """The masking rules; ``own`` are the operator's detectors."""
    rules: list[MaskEntry] = []
    for item in reading.items(node, "`masking`"):
        rule = _rule(item, own, reading)
        if rule is None:
            continue
        if any(other.name == rule.name for other in rules):
            twins = f"two masking rules are named `{rule.name.value}`"
            reading.problem(rule.name.spot, twins, "Give each its own name")
        rules.append(rule)
    return tuple(rules)


def _rule(node: Node, own: tuple[OwnDetector, ...], reading: Reading) -> MaskEntry | None:
    found = reading.members(node, "a masking rule", _KEYS, required=("name", "servers"))
    name = reading.word(found.get("name"), "`name` of a masking rule")
    if name is None:
        return None
    what = f"masking rule `{name.value}`"
    mask = read_mask(found.get("as"), f"`as` of {what}", reading) or Mask()
    opaque = reading.choice(found.get("opaque"), f"`opaque` of {what}", ("pass", "block"))
    if not found.keys() & {"fields", "detect"} and opaque != "block":
        reading.problem(node.spot, f"{what} masks nothing", "Give it `fields`, `detect` or `opaque: block`")
    on = reading.choice(found.get("on"), f"`on` of {what}", _ON) or "responses"
    if "opaque" in found and on == "requests":
        reading.problem(found["opaque"].spot, "`opaque` is about responses", "Remove it, or write `on: both`")
    blocks = reading.choice(found.get("action"), f"`action` of {what}", ("mask", "block")) == "block"
    if blocks and on == "responses":
        fix = "Add `on: requests` or `on: both`"
        reading.problem(found["action"].spot, "`action: block` refuses requests only", fix)
    message = reading.word(found.get("message"), f"`message` of {what}")
    if message is not None and not blocks:
        reading.problem(message.spot, "nobody ever sees this `message`", "It goes with `action: block`; remove it")
    exceptions = _exceptions(found.get("except"), what, reading)
    return MaskEntry(
        name=name,
        scope=_scope(found, node.spot, what, reading),
        roles=reading.words(found["roles"], f"`roles` of {what}") if "roles" in found else None,
        exempt_roles=reading.words(exceptions.get("roles"), f"`except.roles` of {what}"),
        exempt_groups=reading.words(exceptions.get("groups"), f"`except.groups` of {what}"),
        exempt_subjects=read_subjects(exceptions.get("subjects"), f"`except.subjects` of {what}", reading),
        fields=_fields(found.get("fields"), name.value, mask, reading),
        detections=_detections(found, name.value, mask, own, reading),
        blocks_opaque=opaque == "block",
        on_responses=on != "requests",
        on_requests=on != "responses",
        blocks=blocks,
        message=" ".join(message.value.split()) if message else "",
    )


def _scope(found: dict[str, Node], spot: Spot, what: str, reading: Reading) -> ScopeEntry:
    def patterns(key: str) -> tuple[Word, ...] | None:
        return reading.words(found[key], f"`{key}` of {what}") if key in found else None

    return ScopeEntry(
        spot=spot,
        servers=patterns("servers") or (),
        verbs=None,
        tools=patterns("tools"),
        prompts=patterns("prompts"),
        resources=patterns("resources"),
        when=None,
    )


def _exceptions(node: Node | None, what: str, reading: Reading) -> dict[str, Node]:
    if node is None:
        return {}
    found = reading.members(node, f"`except` of {what}", ("roles", "groups", "subjects"))
    if isinstance(node, Members) and not node.entries:
        fix = "Name `roles`, `groups` or `subjects`, or remove it"
        reading.problem(node.spot, f"`except` of {what} names nobody", fix)
    return found


def _fields(node: Node | None, rule: str, mask: Mask, reading: Reading) -> tuple[FieldMask, ...]:
    fields: list[FieldMask] = []
    what = f"a field of masking rule `{rule}`"
    for item in reading.items(node, f"`fields` of masking rule `{rule}`"):
        found = reading.members(item, what, ("path", "as"), required=("path",))
        path = reading.scalar(found.get("path"), f"`path` of {what}")
        own_mask = read_mask(found.get("as"), f"`as` of {what}", reading)
        if path is None:
            continue
        steps = read_path(path.text)
        if isinstance(steps, PathFault):
            reading.problem(_inside(path, steps.offset), f"`{path.text}` is no field path: {steps.what}", steps.fix)
        elif any(field.steps == steps for field in fields):
            reading.problem(path.spot, f"`{path.text}` stands twice in the rule", "Remove one of the two")
        else:
            fields.append(FieldMask(rule=rule, path=path.text, steps=steps, mask=own_mask or mask))
    return tuple(fields)


def _inside(scalar: Scalar, offset: int) -> Spot:
    return scalar.spot if scalar.inside is None else replace(scalar.inside, column=scalar.inside.column + offset)


def _detections(
    found: dict[str, Node], rule: str, mask: Mask, own: tuple[OwnDetector, ...], reading: Reading
) -> tuple[Detection, ...]:
    what = f"`detect` of masking rule `{rule}`"
    if "threshold" in found and "detect" not in found:
        reading.problem(found["threshold"].spot, "`threshold` without `detect` has nothing to weigh", "Remove it")
    usual = read_share(found.get("threshold"), f"`threshold` of masking rule `{rule}`", reading)
    named: dict[str, Detection] = {}
    grouped: dict[str, Detection] = {}
    words: list[Word] = []
    for item in reading.items(found.get("detect"), what):
        word, entry_mask, threshold = _detect_entry(item, what, reading)
        if word is None:
            continue
        if word in words:
            reading.problem(word.spot, f"`{word.value}` stands twice in {what}", "Remove one of the two")
        words.append(word)
        types = _types(word, own, what, reading)
        into = named if types == (word.value,) else grouped
        limit = threshold or usual
        for kind in types:
            detection = Detection(rule=rule, types=(kind,), mask=entry_mask or mask)
            into.setdefault(kind, detection if limit is None else replace(detection, threshold=limit))
        _check_score(word, own, limit, reading)
    return _joined({**grouped, **named})


def _detect_entry(node: Node, what: str, reading: Reading) -> tuple[Word | None, Mask | None, float | None]:
    if not isinstance(node, Members):
        return reading.word(node, f"each of {what}"), None, None
    found = reading.members(node, f"an entry of {what}", ("type", "as", "threshold"), required=("type",))
    word = reading.word(found.get("type"), f"`type` of an entry of {what}")
    threshold = read_share(found.get("threshold"), f"`threshold` of an entry of {what}", reading)
    return word, read_mask(found.get("as"), f"`as` of an entry of {what}", reading), threshold


def _types(word: Word, own: tuple[OwnDetector, ...], what: str, reading: Reading) -> tuple[str, ...]:
    """The detectors that a word of ``detect`` stands for."""
    if word.value in GROUPS:
        return tuple(GROUPS[word.value])
    names = (*DETECTORS, *NAMES, *(each.name for each in own))
    if word.value in NAMES and reading.recogniser is None:
        needs = f"detector `{word.value}` needs a language model that is not installed"
        reading.problem(word.spot, needs, "Install it: pip install 'mcp-extproc[presidio]'")
    if word.value in names:
        return (word.value,)
    near = get_close_matches(word.value, (*GROUPS, *names), n=1)
    listing = "`extproc mask detectors` lists them; your own stand under `detectors`"
    fix = f"Did you mean `{near[0]}`?" if near else listing
    reading.problem(word.spot, f"there is no detector `{word.value}`, which {what} names", fix)
    return ()


def _check_score(word: Word, own: tuple[OwnDetector, ...], threshold: float | None, reading: Reading) -> None:
    scores = dict.fromkeys(NAMES, NAME_SCORE) | {each.name: each.score for each in own}
    score = scores.get(word.value, 1.0)
    if threshold is not None and score < threshold:
        what = f"`{word.value}` is never found: its score {score:g} is below the threshold {threshold:g}"
        fix = "Lower the `threshold`" if word.value in NAMES else "Raise its `score`, or lower the `threshold`"
        reading.problem(word.spot, what, fix)


def _joined(found: dict[str, Detection]) -> tuple[Detection, ...]:
    """The detections with the types of equal ones together, in the order of their first."""
    kinds: dict[Detection, list[str]] = {}
    for kind, detection in found.items():
        kinds.setdefault(replace(detection, types=()), []).append(kind)
    return tuple(replace(detection, types=tuple(types)) for detection, types in kinds.items())
