"""What kind of place a path is, from its spelling alone: ``/``, a home, a system folder, a device, a login file.

A spelling is read before it is judged: doubled slashes, ``.``, ``..``, ``~``, ``$HOME`` and patterns over the first
folders. What cannot be known is ``RUN_TIME``.
"""

import posixpath
import re
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Final

from extproc.core.inspection.shell.known.listing import listed
from extproc.core.inspection.shell.words import Word

__all__ = ["Place", "is_secret", "place"]


class Place(StrEnum):
    """Places, as they are told in a finding."""

    ROOT = "/"
    HOME = "a home folder"
    SYSTEM = "a system path"
    DEVICE = "a device"
    SOCKET = "a network device"
    LOGIN = "a start-up, login or hook file"
    LOG = "a log"
    HISTORY = "the shell's history"
    HERE = "the current or a parent folder"
    RUN_TIME = "a path only known at run time"
    TEMPORARY = "a temporary folder"
    HARMLESS = "a harmless device"
    OTHER = "a path"


_HOME: Final = re.compile(r"(?:~[A-Za-z0-9_.-]*|\$\{?HOME\}?)(?=/|$)")
_A_HOME: Final = "/home" + "/~"
"""What every spelling of a home is read as, so that dots behind it lead where they would."""
_USERS: Final = re.compile(r"/(?:home|Users)(?:/[^/]*)?(?:/(?:\*|\.\*|\.\[[^/]*))?|/root(?:/\*)?")
_TOPS: Final = listed(
    "etc usr bin sbin lib lib32 lib64 libx32 boot dev proc sys var opt srv run mnt media System "
    "Library Applications Volumes private nix snap"
)
_SYSTEM: Final = re.compile(
    r"/(?:private)?/?(?:etc|usr|bin|sbin|lib|lib32|lib64|libx32|boot|proc|sys|System|Library|run/systemd|var/run|var/lib"
    r"|var/spool|nix/store|snap)(?:/|$)|/(?:var|opt|srv|run|mnt|media|Applications|Volumes|private|nix)$|[A-Za-z]:[/\\]"
)
_LOG: Final = re.compile(r"/var/(?:log|adm|audit)(?:/|$)")
_DEVICE: Final = re.compile(r"/dev(?:/|$)")
_SOCKET: Final = re.compile(r"/dev/(?:tcp|udp)/")
_QUIET: Final = re.compile(r"/dev/(?:null|zero|full|random|urandom|stdin|stdout|stderr|tty|fd/\d+|pts/\d+|shm/.+)")
_TEMPORARY: Final = re.compile(r"(?:/private)?(?:/var)?/tmp(?:/|$)|/dev/shm/.|\$\{TMPDIR\}(?:/|$)")
_LOGIN_NAMES: Final = listed(
    ".bashrc .bash_profile .bash_login .bash_logout .bash_aliases .profile .shrc .zshrc .zshenv "
    ".zprofile .zlogin .zlogout .kshrc .cshrc .tcshrc .login .logout .xinitrc .xsession .xsessionrc "
    ".xprofile .pam_environment .forward .rhosts .shosts .netrc .pythonrc .pypirc .npmrc .gitconfig "
    "authorized_keys authorized_keys2 rc.local crontab sudoers"
)
_LOGIN_FOLDERS: Final = re.compile(
    r"/\.ssh/|/\.gnupg/|(?:^|/)\.git/(?:hooks/|config$)|/autostart/|/systemd/user/|/LaunchAgents/|/LaunchDaemons/"
    r"|/fish/config\.fish$|/fish/conf\.d/|/cron"
)
_HISTORY: Final = re.compile(r"(?:^|/)\.[a-z_]*history$|\$\{?HISTFILE\}?$")
_SECRETS: Final = re.compile(
    r"/etc/(?:shadow|gshadow|sudoers|master\.passwd|krb5\.keytab|ssl/private|ssh/ssh_host_[a-z0-9]+_key)-?(?:/|$)"
    r"|(?:^|/)\.ssh(?:/(?:id_[a-z0-9_]+|identity|[^/]*\.pem))?$"
    r"|(?:^|/)\.(?:aws/credentials|kube/config|docker/config\.json|netrc|pgpass|my\.cnf|git-credentials|gnupg|vault-token)"
    r"|(?:^|/)\.config/(?:gcloud|gh/hosts|op|doctl)|(?:^|/)\.azure(?:/|$)"
    r"|/proc/[^/]+/(?:environ|mem|maps|cmdline)$|/proc/kcore$"
    r"|(?:/var)?/run/secrets(?:/|$)"
    r"|(?:^|/)\.env(?:\.(?:local|prod|production|staging|dev|development))?$"
    r"|\.(?:kdbx|pfx|p12|jks|keystore)$|(?:^|/)(?:server|private|privkey|key)\.(?:key|pem)$"
    r"|(?:^|/)(?:Login Data|logins\.json|key4\.db|credentials\.db|access_tokens\.db)$"
)
_MAY_BE_SECRET: Final = re.compile(r"[/.]|Login Data")
_SECRET_FILES: Final = (
    "/etc/shadow",
    "/etc/gshadow",
    "/etc/sudoers",
    f"{_A_HOME}/.ssh/id_rsa",
    f"{_A_HOME}/.ssh/id_ed25519",
)
_GLOB: Final = re.compile(r"[*?\[]")
_LONG: Final = 200
"""A pattern from here on is not tried: it may be any file."""
_LITERAL: Final = re.compile(r"[A-Za-z0-9]")


def place(word: Word) -> Place:
    """The kind of place that a word names, the worst where it may be several."""
    path = _normal(word.text)
    if _HISTORY.search(path):
        return Place.HISTORY
    if _TEMPORARY.match(path):
        return Place.TEMPORARY
    if path.startswith("${") and not path.startswith("${PWD}"):
        return Place.RUN_TIME
    if path == "/" or _is_top_pattern(path):
        return Place.ROOT
    if path.rpartition("/")[2] in _LOGIN_NAMES or _LOGIN_FOLDERS.search(path):
        return Place.LOGIN
    if _USERS.fullmatch(path):
        return Place.HOME
    if path in {".", "..", "*", "./*", "${PWD}", "-", ".*"} or path.startswith("../") or path.endswith("/.."):
        return Place.HERE
    return _below_root(path)


def _below_root(path: str) -> Place:
    if _SOCKET.match(path):
        return Place.SOCKET
    if _QUIET.fullmatch(path):
        return Place.HARMLESS
    if _DEVICE.match(path):
        return Place.DEVICE
    if _LOG.match(path):
        return Place.LOG
    if _SYSTEM.match(path):
        return Place.SYSTEM
    return Place.OTHER


def is_secret(word: Word) -> bool:
    """Whether a word names a file of credentials, also by a pattern."""
    if not _MAY_BE_SECRET.search(word.text):
        return False
    path = _normal(word.text)
    candidate = path.rpartition("=")[2].removeprefix("@").removeprefix("file://")
    if _SECRETS.search(candidate):
        return not candidate.endswith(".pub")
    if not _GLOB.search(candidate) or not _LITERAL.search(candidate):
        return False
    return len(candidate) > _LONG or any(fnmatchcase(secret, candidate) for secret in _SECRET_FILES)


def _normal(text: str) -> str:
    """The path without what only hides it: doubled slashes, dots, the spellings of a home."""
    path = posixpath.normpath(_HOME.sub(_A_HOME, text, count=1) if _HOME.match(text) else text) if text else ""
    return "/" + path.lstrip("/") if path.startswith("//") else path


def _is_top_pattern(path: str) -> bool:
    """Whether a pattern or a run-time part stands for folders at the root."""
    if not path.startswith("/"):
        return False
    first, _, rest = path[1:].partition("/")
    if "${" in first:
        return True
    if not _GLOB.search(first):
        return False
    return not rest or any(fnmatchcase(top, first) for top in _TOPS)
