"""Commands that talk to the network and whose effect is in their method: curl, wget, httpie, raw connections, ssh."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from extproc.core.inspection.shell.arguments import has, operands, values
from extproc.core.inspection.shell.effects import Effect, finding, joined
from extproc.core.inspection.shell.known.listing import listed
from extproc.core.inspection.shell.scope import Judge, Scope
from extproc.core.inspection.shell.steps import NOTHING
from extproc.core.inspection.shell.words import Word
from extproc.core.model import Verb

__all__ = ["FETCHING", "remote_options"]

_NET: Final = Effect(network=True)
_SENDING: Final = Effect(verb=Verb.MUTATE, network=True)
_CURL_DATA: Final = listed(
    "-d --data --data-ascii --data-binary --data-raw --data-urlencode --json -F --form --form-string -T --upload-file "
    "-Q --quote --mail-from"
)
_CURL_UNSEEN: Final = (
    "-K",
    "--config",
    "--unix-socket",
    "--abstract-unix-socket",
    "--engine",
    "--libcurl",
    "--netrc-file",
)
_CURL_WRITES: Final = (
    *("-o", "--output", "--output-dir", "-D", "--dump-header", "-c", "--cookie-jar", "--trace", "--trace-ascii"),
    *("--etag-save", "--stderr", "--hsts", "--alt-svc", "--libcurl"),
)
_CURL_TAKES: Final = listed(
    "-A -b -c -C -d -D -e -E -F -h -H -K -m -o -P -Q -r -t -T -u -U -w -x -X -y -Y -z --request "
    "--data --data-raw --header --data-binary --data-urlencode --json --form --output --user "
    "--user-agent --url --max-time --connect-timeout --cert --key --cacert --proxy --resolve --retry "
    "--retry-delay --cookie --cookie-jar --referer --write-out --range --config --upload-file "
    "--output-dir --limit-rate --interface --dns-servers --oauth2-bearer --aws-sigv4"
)
_CLIENT: Final = re.compile(
    r"(?i)(?:tcp|openssl|ssl)[46]?(?:-connect)?:[\w.-]+:\w+(?:,(?:crnl|crlf|verify=[01]|shut-none))*"
)
_READS: Final = frozenset({"", "GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "LIST"})
_DELETING_PATH: Final = re.compile(
    r"/(?:_?delete|doDelete|remove|destroy|drop|purge|truncate|wipe|erase|terminate|_delete_by_query|flush|shutdown)"
    r"(?:[_/?#-]|All\b|$)",
    re.IGNORECASE,
)


def curl(words: Sequence[Word], _scope: Scope) -> Effect:
    """``curl``: the method says what it does there; output files are written here."""
    method = next((value.text.upper() for value in values(words, ("-X", "--request"))), "")
    sends = has(words, _CURL_DATA) and not has(words, ("-G", "--get"))
    parts = [_NET, *_requested("curl", method, operands(words, _CURL_TAKES), sends=sends)]
    outputs = [Effect(verb=Verb.MUTATE, touches=(path.text,)) for path in values(words, _CURL_WRITES)]
    parts += (output for output in outputs if output.touches not in {("-",), ("/dev/null",)})
    if has(words, ("-O", "--remote-name", "-J", "--remote-header-name", "--remote-name-all")):
        parts.append(Effect(verb=Verb.MUTATE, touches=tuple(_base_names(operands(words, _CURL_TAKES)))))
    if has(words, _CURL_UNSEEN) or any(word.may_be_option for word in words):
        parts.append(Effect(verb=Verb.ADMIN))
    if any("/var/run/docker.sock" in word.text for word in words):
        parts.append(finding("curl to the socket of the container engine"))
    return joined(*parts)


def _requested(name: str, method: str, urls: Iterable[Word], *, sends: bool) -> list[Effect]:
    """What a request with this method does at the other end."""
    if method == "DELETE":
        return [finding(f"{name} with the method DELETE")]
    if method in _READS and not sends:
        return []
    if any(_DELETING_PATH.search(url.text) for url in urls):
        return [_SENDING, finding(f"{name} to an address that deletes")]
    return [_SENDING]


def _base_names(urls: Iterable[Word]) -> Iterable[str]:
    for url in urls:
        name = url.text.partition("?")[0].rstrip("/").rpartition("/")[2]
        yield name or url.text


def wget(words: Sequence[Word], scope: Scope) -> Effect:
    """``wget``: writes a file unless it is told to print."""
    method = next((value.text.upper() for value in values(words, ("--method",))), "")
    sends = has(words, ("--post-data", "--post-file", "--body-data", "--body-file"))
    takes = listed("-O -o -a -P -U -t -T -Q -e -i -A -R -D -I -X -B --output-document --header --user-agent")
    urls = operands(words, takes)
    parts = [_NET, *_requested("wget", method, urls, sends=sends)]
    outputs = list(values(words, ("-O", "--output-document")))
    if not outputs and not has(words, ("--spider",)):
        parts.append(Effect(verb=Verb.MUTATE, touches=tuple(_base_names(urls))))
    parts += (Effect(verb=Verb.MUTATE, touches=(path.text,)) for path in outputs if path.text != "-")
    logs = ("-o", "-a", "-P", "--save-cookies", "--output-file", "--append-output", "--directory-prefix", "--warc-file")
    parts += (Effect(verb=Verb.MUTATE, touches=(path.text,)) for path in values(words, logs))
    codes = [*values(words, ("--use-askpass",)), *values(words, ("-e", "--execute"))]
    parts += (joined(scope.read(code, scope), Effect(verb=Verb.ADMIN)) for code in codes)
    if any(word.may_be_option for word in words) or has(words, ("-i", "--input-file", "--config")):
        parts.append(Effect(verb=Verb.ADMIN))
    return joined(*parts)


def httpie(words: Sequence[Word], _scope: Scope) -> Effect:
    """``http``, ``xh``: an upper-case word is the method; items with ``=`` are sent."""
    rest = operands(words)
    method = next((word.text for word in rest[:1] if word.text.isupper()), "")
    sends = any(re.search(r"[^=!<>]=[^=]|:=|@", word.text) for word in rest[1:] if "://" not in word.text)
    files = [Effect(verb=Verb.MUTATE, touches=(path.text,)) for path in values(words, ("-o", "--output"))]
    return joined(_NET, *_requested("http", method, rest, sends=sends), *files)


def relay(words: Sequence[Word], scope: Scope) -> Effect:
    """``socat``: a terminal on a connection is admin, everything else a raw connection."""
    rest = operands(words, listed("-b -t -T -d -lf -L"))
    alone = len(rest) == 2 and rest[0].text in {"-", "STDIO", "stdio"} and scope.feed is NOTHING
    if alone and _CLIENT.fullmatch(rest[1].text):
        return Effect(verb=Verb.ADMIN, network=True)
    return connect(words, scope)


def connect(words: Sequence[Word], _scope: Scope) -> Effect:
    """``nc``: asking whether a port is open is a query, a raw connection is a finding."""
    probing = words and words[0].text in {"-z", "-zv", "-vz", "-znv", "-zvn", "-h", "--help"}
    return _NET if probing else joined(_NET, finding("a raw network connection"))


def carry(words: Sequence[Word], scope: Scope) -> Effect:
    """``scp`` and ``rsync``: the last operand is written, here or there; ``--delete`` removes what is not sent."""
    takes = listed("-e --rsh -i -P -F -o -l -S -c -J -f --filter --exclude --include --log-file --port -T -B -M")
    rest = operands(words, takes)
    remote = [word for word in rest if re.match(r"[^/]+:|rsync://", word.text)]
    parts = [Effect(verb=Verb.MUTATE, touches=tuple(word.text for word in rest[-1:]), network=bool(remote))]
    dry = bool(words) and words[0].text in {"-n", "--dry-run", "--list-only"}
    if not dry and has(words, ("--delete-before", "--delete-excluded", "--remove-source-files", "--del")):
        parts.append(finding("rsync removing files"))
    parts += (scope.read(code, scope) for code in values(words, ("-e", "--rsh", "--rsync-path", "-S")))
    return joined(*parts, remote_options(words, scope))


def remote_options(words: Sequence[Word], scope: Scope) -> Effect:
    """The settings of ssh and its kin that are followed by a command."""
    settings = [value.text for value in values(words, ("-o",))]
    found = [re.match(r"(?i)(?:proxy|local|knownhosts)command[= ](.*)", text) for text in settings]
    return joined(*(joined(scope.read(Word(each[1]), scope), Effect(verb=Verb.ADMIN)) for each in found if each))


FETCHING: Final[dict[str, Judge]] = {
    "curl": curl,
    "wget": wget,
    "http": httpie,
    "https": httpie,
    "xh": httpie,
    "xhs": httpie,
    "nc": connect,
    "ncat": connect,
    "netcat": connect,
    "nc.openbsd": connect,
    "nc.traditional": connect,
    "socat": relay,
    "scp": carry,
    "rsync": carry,
}
