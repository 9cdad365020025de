"""Commands that run another one for each thing they find or read: find, fd, xargs, parallel."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

from extproc.core.inspection.shell.arguments import has, values
from extproc.core.inspection.shell.effects import Effect, finding, joined
from extproc.core.inspection.shell.generated import is_generated
from extproc.core.inspection.shell.known.listing import listed
from extproc.core.inspection.shell.scope import Judge, Scope
from extproc.core.inspection.shell.steps import NOTHING
from extproc.core.inspection.shell.words import OUTPUT, RUN_TIME, Word
from extproc.core.inspection.shell.wrappers import Wrapper, beginnings, code_of
from extproc.core.model import Verb

__all__ = ["SEARCHING"]

_FOUND: Final = Word(f"./{RUN_TIME}", (OUTPUT,))
"""A path that ``find`` hands on: any, but no option."""
_GIVEN: Final = Word(RUN_TIME, (OUTPUT,))
"""A word that is read from standard input: anything, also an option."""
_RUNS: Final = frozenset({"-exec", "-execdir", "-ok", "-okdir"})
_WRITES: Final = frozenset({"-fprint", "-fprint0", "-fprintf", "-fls"})
_TESTS: Final = listed(
    "-H -L -P -D -O0 -O1 -O2 -O3 -a -and -o -or -not ! ( ) , -amin -anewer -atime -cmin -cnewer "
    "-ctime -daystart -depth -d -empty -executable -false -follow -fstype -gid -group -ilname -iname "
    "-inum -ipath -iregex -iwholename -links -lname -ls -maxdepth -mindepth -mmin -mnewer -mount "
    "-mtime -name -newer -newermt -newerat -newerct -nogroup -noleaf -nouser -path -perm -print "
    "-print0 -printf -prune -quit -readable -regex -regextype -samefile -size -true -type -uid -used "
    "-user -warn -nowarn -wholename -writable -x -xdev -xtype -E -X -s -f -Bmin -Btime -flags -acl "
    "-xattr -context -files0-from -ignore_readdir_race -noignore_readdir_race -help --help -version "
    "--version"
)
_SIGNED: Final = re.compile(r"[-+/]?\d[\w.,:-]*|-[0-7]{3,4}|/[ugoa]*[=+][rwxst,ugoa=+]*|-[ugoa]*[=+][rwxst,ugoa=+]*")
_XARGS: Final = Wrapper(
    takes=listed(
        "-a -d -E -I -J -L -n -P -R -S -s --arg-file --delimiter --max-lines --max-args --max-procs "
        "--max-chars --process-slot-var"
    ),
    flags=listed(
        "-0 -i -l -e -o -p -r -t -x --null --no-run-if-empty --verbose --interactive --exit --open-tty "
        "--replace --eof --show-limits"
    ),
)
_PARALLEL: Final = Wrapper(
    takes=listed(
        "-j -S -a -I -n -N -L -d -E -s -C -P --jobs --sshlogin --slf --sshloginfile --arg-file --results "
        "--joblog --colsep --delay --timeout --retries --block --recstart --recend --tmpdir --workdir "
        "--wd --env --load --memfree --tag-string --tagstring --max-args --max-procs --halt --shuf-seed "
        "--header --basefile --return --transferfile --semaphorename --id --bf --trc --limit --nice "
        "--profile --shebang-wrap --sqlworker --delimiter --record-env --max-replace-args --tee-file"
    ),
    flags=listed(
        "-k -q -u -t -m -X -x -r -0 --keep-order --quote --ungroup --group --line-buffer --lb --verbose "
        "--dry-run --bar --progress --eta --no-notice --will-cite --pipe --pipepart --null --tag --xargs "
        "--no-run-if-empty --silent --plus --round-robin --cat --fifo --citation --resume --resume-failed "
        "--onall --nonall --link --linebuffer"
    ),
)
_SLOT: Final = re.compile(r"\{[^{}\s$]{0,12}\}")
_MOST: Final = 8


def find(words: Sequence[Word], scope: Scope) -> Effect:
    """``find``: a query with the tests it is known for; ``-delete``, and a removing ``-exec``, are findings."""
    parts: list[Effect] = []
    found = _found(words)
    at = 0
    while at < len(words):
        text = words[at].text
        if text in _RUNS:
            end = next((index for index in range(at, len(words)) if words[index].text in {";", "+"}), len(words))
            run = [_put(word, "{}", found) for word in words[at + 1 : end]]
            parts += [scope.run(run, replace(scope, feed=NOTHING))] if run else []
            at = end
        elif text == "-delete":
            parts.append(finding("find -delete"))
        elif text in _WRITES:
            paths = words[at + 1 : at + 2]
            parts.append(Effect(verb=Verb.MUTATE, touches=tuple(word.text for word in paths)))
        elif words[at].may_be_option or (text.startswith("-") and not _is_known(text)):
            parts.append(Effect(verb=Verb.ADMIN))
        at += 1
    return joined(*parts)


def _found(words: Sequence[Word]) -> Word:
    """A path that is handed on: any, unless the search is for one name that tools make anew, below this folder."""
    texts = [word.text for word in words]
    starts = texts[: next((at for at, text in enumerate(texts) if text[:1] in {"-", "(", "!"}), len(texts))]
    names = [text for before, text in pairwise(texts) if before == "-name"]
    is_plain = not {"-o", "-or", ",", "!", "-not", "(", "-L", "-H", "-follow"} & set(texts)
    below = all(text == "." or is_generated(f"{text}/{names[0]}") for text in starts) if names else False
    if len(names) == 1 and is_plain and below and is_generated(names[0]) and not any(word.is_dynamic for word in words):
        return Word(f"./{names[0]}")
    return _FOUND


def _is_known(text: str) -> bool:
    return text in _TESTS or text == "-" or bool(_SIGNED.fullmatch(text))


def _put(word: Word, slot: str, value: Word) -> Word:
    if slot not in word.text:
        return word
    return Word(word.text.replace(slot, value.text), (*word.names, *value.names), word.open)


def find_fast(words: Sequence[Word], scope: Scope) -> Effect:
    """``fd``: a query but for the command that ``-x`` or ``-X`` runs."""
    starts = [index for index, word in enumerate(words) if has((word,), ("-x", "-X", "--exec", "--exec-batch"))]
    if not starts:
        return Effect(verb=Verb.ADMIN if any(word.may_be_option for word in words) else Verb.QUERY)
    run = words[starts[0] + 1 :]
    filled = [_put(word, "{}", _FOUND) for word in run]
    return scope.run(filled if any("{}" in word.text for word in run) else (*run, _FOUND), scope) if run else Effect()


def for_each(words: Sequence[Word], scope: Scope) -> Effect:
    """``xargs``: the command gets words of standard input behind its own or in the place of a name."""
    starts = beginnings(_XARGS, words)
    own = words[: starts[-1]] if starts else words
    slots = {word.text for word in values(own, ("-I", "-J", "--replace", "-i")) if not word.text.startswith("-")}
    slots |= {"{}"} if has(own, ("-i", "--replace")) else set()
    parts: list[Effect] = []
    for start in starts:
        run = list(words[start:])
        filled = [_every(word, slots) for word in run]
        parts.append(scope.run(filled if filled != run else (*run, _GIVEN), replace(scope, feed=NOTHING)))
    return joined(*parts)


def _every(word: Word, slots: Iterable[str]) -> Word:
    for slot in slots:
        word = _put(word, slot, _GIVEN) if slot else word
    return word


def in_parallel(words: Sequence[Word], scope: Scope) -> Effect:
    """``parallel``: the words are a template of shell code; its values stand behind ``:::`` or are read."""
    split = next((index for index, word in enumerate(words) if word.text.startswith(":::")), len(words))
    given = [word for word in words[split:] if not word.text.startswith(":::")]
    marks = {word.text for word in words[split:] if word.text.startswith(":::")}
    is_listed = bool(given) and marks <= {":::", ":::+"}
    chosen = given[:_MOST] if is_listed else [_GIVEN]
    chosen += [_GIVEN] if len(given) > _MOST else []
    starts = beginnings(_PARALLEL, words[:split])
    runs = [words[start:split] for start in starts] or ([[Word("{}")]] if is_listed else [])
    if has(words[:split], ("--pipe", "--pipepart", "--spreadstdin")):
        chosen = [Word("")]
    own = Effect(verb=Verb.ADMIN if has(words[:split], ("-S", "--sshlogin", "--slf")) else Verb.QUERY)
    quiet = replace(scope, feed=NOTHING)
    filled = [_templated(run, value) for run in runs for value in chosen]
    parts = [scope.read(code_of(run), quiet) for run in filled]
    parts += [scope.run(run, quiet) for run in filled if len(run) > 1]
    return joined(own, *(replace(part, commands=()) if index else part for index, part in enumerate(parts)))


def _templated(template: Sequence[Word], value: Word) -> list[Word]:
    """The command for one value; a shell reads it joined again, some versions keep its words."""
    if not any(_SLOT.search(word.text) for word in template):
        return [*template, value] if value.text else [*template]
    return [
        Word(_SLOT.sub(lambda _: value.text, word.text), (*word.names, *value.names))
        if _SLOT.search(word.text)
        else word
        for word in template
    ]


SEARCHING: Final[dict[str, Judge]] = {
    "find": find,
    "gfind": find,
    "fd": find_fast,
    "fdfind": find_fast,
    "xargs": for_each,
    "gxargs": for_each,
    "parallel": in_parallel,
    "rush": in_parallel,
}
