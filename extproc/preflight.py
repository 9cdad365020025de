"""Everything that can be known to be wrong before the first worker starts, and the ground the node stands on.

Finds all problems, not only the first, each one line with its fix; takes the state directory for this supervisor
alone (a lock that the kernel frees, also after SIGKILL) and the address of the control page. A counter file that a
power cut has torn is thrown away here: counts may start again, and a node that cannot count refuses every call.
"""

import contextlib
import errno
import fcntl
import os
import shutil
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from extproc.core.policy.compiled import load
from extproc.core.policy.rules import Policy
from extproc.edges.names.presidio import installed
from extproc.edges.store.counters import discard_if_broken
from extproc.indexing import place_of_index
from extproc.settings import UNIX, Settings, SettingsError, host_and_port
from extproc.settings.sinks import SinksError, missing_libraries, read_sinks

__all__ = ["Ground", "take_ground"]

_TAKEN: Final = "is taken by another program; stop it or choose another address with"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What this supervisor holds: the control page's socket and the folder of the workers' metric files.

    ``wants_names``: the policy looks for names and places, so each worker needs the language model.
    """

    control: socket.socket
    metrics_dir: Path
    wants_names: bool

    @property
    def control_url(self) -> str:
        """Where the control page is reached."""
        host, port = self.control.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextlib.contextmanager
def take_ground(settings: Settings) -> Iterator[Ground]:
    """Hold state directory and control address for as long as the block runs.

    Raises:
        SettingsError: a line for every reason why the service cannot start.
    """
    with contextlib.ExitStack() as held:
        policy = _policy(settings.policy)
        problems = [] if isinstance(policy, Policy) else policy
        problems += [*_certificates(settings), *_sinks(settings.sinks), *_index(settings)]
        problems += _state_dir(settings.state_dir, held)
        problems += _payload_keys(settings)
        for address in settings.listen:
            problems += _free(address)
        control = held.enter_context(_socket(settings.metrics))
        problems += _bind(control, settings.metrics, "--metrics")
        if problems:
            raise SettingsError("\n".join(problems))
        control.listen(64)
        control.setblocking(False)
        wants_names = isinstance(policy, Policy) and policy.wants_names
        yield Ground(control=control, metrics_dir=_fresh_run_dir(settings.state_dir), wants_names=wants_names)


def _policy(path: Path) -> Policy | list[str]:
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        return [f"{path}: the policy file cannot be read: {error.strerror}; name it with --policy"]
    except UnicodeDecodeError:
        return [f"{path}: the policy file is not UTF-8"]
    loaded = load(text, source=str(path), recogniser=installed())
    return [str(problem) for problem in loaded] if isinstance(loaded, tuple) else loaded


def _sinks(path: Path | None) -> list[str]:
    try:
        return [f"{path}: {line}" for line in missing_libraries(read_sinks(path))] if path is not None else []
    except SinksError as error:
        return [str(error)]


def _payload_keys(settings: Settings) -> list[str]:
    if settings.payload_keys is None:
        return []
    # imported late: the supervisor has no other use for what it loads
    from extproc.edges.keys.payload_keys import keep_recipients, read_recipients  # noqa: PLC0415
    from extproc.edges.keys.secret_files import KeyFileError  # noqa: PLC0415

    try:
        read_recipients(settings.payload_keys)
        keep_recipients(settings.state_dir, settings.payload_keys)
    except KeyFileError as error:
        return [str(error)]
    return []


def _index(settings: Settings) -> list[str]:
    try:
        if settings.index_url is not None:
            place_of_index(settings.state_dir, settings.index_url)
    except SettingsError as error:
        return [f"index_url: {error}"]
    return []


def _certificates(settings: Settings) -> list[str]:
    if settings.tls_cert is None or settings.tls_key is None or settings.tls_client_ca is None:
        return []
    problems = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key, password=lambda: "")
    except (OSError, ValueError) as error:
        problems.append(f"tls_cert, tls_key: not a PEM certificate with its unencrypted key: {error}")
    try:
        context.load_verify_locations(settings.tls_client_ca)
    except OSError as error:
        problems.append(f"tls_client_ca: not PEM certificates: {error}")
    return problems


def _state_dir(path: Path, held: contextlib.ExitStack) -> list[str]:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = held.enter_context((path / "serve.lock").open("a"))
    except OSError as error:
        return [f"{path}: the state directory cannot be written: {error.strerror}; choose another with --state"]
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return [f"{path}: another `extproc serve` uses this state directory; stop it or choose another with --state"]
    discard_if_broken(path / "counters.db")
    return []


def _fresh_run_dir(state_dir: Path) -> Path:
    """The folder of what does not outlive a run; counters of an earlier run would be counted again."""
    run = state_dir / "run"
    shutil.rmtree(run, ignore_errors=True)
    metrics = run / "metrics"
    metrics.mkdir(mode=0o700, parents=True)
    run.chmod(0o700)
    return metrics.absolute()


def _socket(address: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host_and_port(address)[0] else socket.AF_INET
    return socket.socket(family, socket.SOCK_STREAM)


def _bind(listener: socket.socket, address: str, option: str) -> list[str]:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(host_and_port(address))
    except OSError as error:
        why = f"{_TAKEN} {option}" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
        return [f"{address} {why}"]
    return []


def _free(address: str) -> list[str]:
    """Nothing if a worker can listen there."""
    if not address.startswith(UNIX):
        with _socket(address) as probe:
            return _bind(probe, address, "--listen")
    path = address.removeprefix(UNIX)
    if not os.access(Path(path).parent, os.W_OK | os.X_OK):
        return [f"{address} cannot be used: its folder is missing or not writable"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe, contextlib.suppress(OSError):
        probe.connect(path)
        return [f"{address} {_TAKEN} --listen"]
    return []
