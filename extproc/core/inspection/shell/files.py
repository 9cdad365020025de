"""Commands on files whose harm lies in where they work: removing, copying over, emptying, opening to all."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from extproc.core.inspection.shell.arguments import has, operands, values
from extproc.core.inspection.shell.effects import HARMLESS, Effect, finding, joined
from extproc.core.inspection.shell.generated import is_generated
from extproc.core.inspection.shell.known.listing import listed
from extproc.core.inspection.shell.places import Place, place
from extproc.core.inspection.shell.scope import Judge, Scope
from extproc.core.inspection.shell.words import RUN_TIME, Word, static
from extproc.core.model import Verb

__all__ = ["FILES", "written"]

_TARGET: Final = ("-t", "--target-directory")
_COPY_TAKES: Final = listed("-t --target-directory -S --suffix -m --mode -o --owner -g --group --backup --context -Z")
_GUARDED: Final = frozenset({Place.ROOT, Place.SYSTEM, Place.DEVICE, Place.LOGIN, Place.HISTORY, Place.SOCKET})
"""Where writing anything at all breaks, opens or hides something."""
_WHOLE: Final = _GUARDED | {Place.HOME, Place.HERE}
"""What must not be changed as a whole, with everything below it."""
_OPEN_MODE: Final = re.compile(r"[0-7]?[2-7][0-7]{3}|[ugoa]*\+[rwxXt]*s[rwxXt]*|[ugoa]*=[rwxXt]*s[rwxXt]*")


_CLOSING_MODE: Final = re.compile(r"0?[4-7]00|(?:g|o|go|og)(?:-[rwx]+|=)")
"""A mode that leaves a file to its owner alone."""
_OWN_MODE: Final = re.compile(r"u\+[rwX]+")


def written(name: str, paths: Iterable[Word], scope: Scope, *, appending: bool = False) -> Effect:
    """Writing to these paths: a finding where the place is guarded; a log may only be added to.

    A relative path is also read from every folder that the line enters.
    """
    kept = list(paths)
    relative = [path.text for path in kept if not path.text.startswith(("/", "~", "$"))]
    places = [place(path) for path in kept]
    places += (place(static(f"{folder}/{path}")) for folder in scope.folders for path in relative)
    told = [spot for spot in places if spot in _GUARDED or (spot is Place.LOG and not appending)]
    parts = [finding(f"{name} on {spot}") for spot in told]
    return joined(*parts, Effect(network=Place.SOCKET in places))


def remove(words: Sequence[Word], scope: Scope) -> Effect:
    """``rm``: with ``-r`` only what is temporary or made anew, else nothing guarded, nothing only known at run time."""
    targets = operands(words)
    found: list[Effect] = [finding("rm --no-preserve-root")] if has(words, ("--no-preserve-root",)) else []
    if has(words, ("-r", "-R", "--recursive")):
        found += (_removed(target, scope) for target in targets or [Word(RUN_TIME)])
    elif any(target.is_dynamic and place(target) is Place.RUN_TIME for target in targets):
        found.append(finding(f"rm on {Place.RUN_TIME}"))
    else:
        found.append(written("rm", targets, scope))
    return joined(Effect(verb=Verb.MUTATE, writes=_texts(targets)), *found)


def _removed(target: Word, scope: Scope) -> Effect:
    spot = place(target)
    if not target.is_dynamic and is_generated(target.text) and not written("rm", (target,), scope).findings:
        return HARMLESS
    if spot is Place.TEMPORARY and not ("TMPDIR" in target.names and "TMPDIR" in scope.values):
        return HARMLESS
    told = "a path outside of temporary folders" if spot in {Place.OTHER, Place.TEMPORARY} else spot
    return finding(f"rm -r on {told}")


def shred(words: Sequence[Word], scope: Scope) -> Effect:
    """``shred`` and ``srm``: what ``rm`` does, once and for all; of a device nothing is left."""
    rest = operands(words, listed("-n -s --iterations --size --random-source"))
    return remove([*(word for word in words if word.text in {"-r", "-R", "--recursive"}), *rest], scope)


def copy(words: Sequence[Word], _scope: Scope) -> Effect:
    """``cp``, ``ln``, ``install``: the last operand or the target folder is written."""
    own = Effect(verb=Verb.MUTATE, touches=_texts(_targets(words)))
    parts = [own]
    if any(place(word) is Place.HARMLESS for word in operands(words, _COPY_TAKES)[:-1]):
        parts.append(finding("a file emptied"))
    if any(_OPEN_MODE.fullmatch(mode.text) for mode in values(words, ("-m", "--mode"))):
        parts.append(finding("a set-user-id or set-group-id mode"))
    return joined(*parts)


def move(words: Sequence[Word], _scope: Scope) -> Effect:
    """``mv``: both ends change; a whole home or system folder must not go, nor anything to a device."""
    rest = operands(words, _COPY_TAKES)
    targets = _targets(words)
    parts = [finding(f"mv of {Place.HOME}") for word in rest if word not in targets and place(word) is Place.HOME]
    parts += [finding(f"mv onto {Place.HARMLESS}") for word in targets if place(word) is Place.HARMLESS]
    writes = dict.fromkeys((*_texts(rest), *_texts(targets)))
    return joined(Effect(verb=Verb.MUTATE, touches=tuple(writes)), *parts)


def _targets(words: Sequence[Word]) -> list[Word]:
    named = list(values(words, _TARGET))
    return named or operands(words, _COPY_TAKES)[-1:]


def tee(words: Sequence[Word], scope: Scope) -> Effect:
    """``tee``: every operand is written, added to with ``-a``."""
    paths = [word for word in operands(words) if place(word) is not Place.HARMLESS]
    adding = has(words, ("-a", "--append"))
    judged = written("tee", paths, scope, appending=adding)
    own = Effect(verb=Verb.MUTATE if paths else Verb.QUERY)
    return joined(own, judged, Effect(writes=_texts(paths)))


def convert(words: Sequence[Word], _scope: Scope) -> Effect:
    """``dd``: what ``of=`` names is written; raw devices are not read by everybody either."""
    parts = []
    for word in words:
        key, _, path = word.text.partition("=")
        target = Word(path, word.names, word.open)
        if key == "of" and place(target) is not Place.HARMLESS:
            parts.append(Effect(verb=Verb.MUTATE, touches=(path,)))
            parts += [finding(f"dd on {Place.RUN_TIME}")] if place(target) is Place.RUN_TIME else []
        if (key == "if" and place(target) is Place.DEVICE) or word.may_be_option:
            parts.append(Effect(verb=Verb.ADMIN))
    return joined(*parts)


def truncate(words: Sequence[Word], _scope: Scope) -> Effect:
    """``truncate``: to nothing or to less is a finding."""
    sizes = [size.text.lstrip("=") for size in values(words, ("-s", "--size"))]
    less = any(size[:1] in "-</%" or not size.strip("0kKMGTPB") for size in sizes)
    rest = operands(words, frozenset({"-s", "--size", "-r", "--reference"}))
    own = Effect(verb=Verb.MUTATE, touches=_texts(rest))
    return joined(own, finding("a file emptied or cut")) if less else own


def permit(words: Sequence[Word], _scope: Scope) -> Effect:
    """``chmod`` and ``chown``: not on a whole home or system, nothing set-user-id; closing a login file is no harm."""
    modes, targets = operands(words)[:1], operands(words)[1:]
    closes = all(_CLOSING_MODE.fullmatch(mode.text) for mode in modes)
    closed = [target for target in targets if closes and place(target) is Place.LOGIN]
    judged = [target for target in targets if target not in closed]
    parts = [Effect(verb=Verb.MUTATE, touches=_texts(judged), writes=_texts(closed))]
    if has(words, ("-R", "--recursive")) and not all(_OWN_MODE.fullmatch(mode.text) for mode in modes):
        parts += (finding(f"a recursive change of rights on {spot}") for spot in map(place, targets) if spot in _WHOLE)
    if any(_OPEN_MODE.fullmatch(mode.text) for mode in modes):
        parts.append(finding("a set-user-id or set-group-id mode"))
    return joined(*parts)


def archive(words: Sequence[Word], scope: Scope) -> Effect:
    """``tar``: listing reads, creating and extracting write, and some options run programs."""
    words = _with_dash(words)
    parts: list[Effect] = []
    for code in values(
        words,
        (
            "--to-command",
            "-I",
            "--use-compress-program",
            "-F",
            "--info-script",
            "--new-volume-script",
            "--rsh-command",
            "--rmt-command",
        ),
    ):
        parts.append(scope.read(code, scope))
        parts.append(finding("tar with a program of its own"))
    if any("exec" in word.text for word in values(words, ("--checkpoint-action",))):
        parts.append(finding("tar with a program of its own"))
    if has(words, ("--remove-files", "--delete", "--recursive-unlink")):
        parts.append(finding("tar removing files"))
    folders = list(values(words, ("-C", "--directory")))
    if has(words, ("-x", "--extract", "--get")):
        parts.append(Effect(verb=Verb.MUTATE, touches=_texts(folders) or (".",)))
        parts.append(Effect(verb=Verb.ADMIN) if has(words, ("-P", "--absolute-names")) else HARMLESS)
    elif not has(words, ("-t", "--list", "-d", "--diff", "--compare")):
        parts.append(Effect(verb=Verb.MUTATE, touches=_texts(values(words, ("-f", "--file")))))
    return joined(*parts)


def _with_dash(words: Sequence[Word]) -> Sequence[Word]:
    """``tar xf`` as ``tar -xf``."""
    first = words[0] if words else None
    if first is None or first.text.startswith("-") or first.is_dynamic:
        return words
    return (Word(f"-{first.text}"), *words[1:])


def _texts(words: Iterable[Word]) -> tuple[str, ...]:
    return tuple(word.text for word in words)


FILES: Final[dict[str, Judge]] = {
    "rm": remove,
    "shred": shred,
    "srm": shred,
    "cp": copy,
    "ln": copy,
    "link": copy,
    "install": copy,
    "ginstall": copy,
    "mv": move,
    "tee": tee,
    "dd": convert,
    "dcfldd": convert,
    "dc3dd": convert,
    "truncate": truncate,
    "chmod": permit,
    "chown": permit,
    "tar": archive,
    "bsdtar": archive,
    "gtar": archive,
    "star": archive,
}
