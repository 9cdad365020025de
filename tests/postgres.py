"""A real PostgreSQL server for tests: made in a folder, on a port of its own, ended with the run."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ports import free_ports

__all__ = ["PostgresServer", "postgres_server"]

_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/local/opt/postgresql*/bin", "/opt/homebrew/opt/postgresql*/bin")


def _binaries() -> Path | None:
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    folders = [folder for place in _PLACES for folder in sorted(Path("/").glob(place.lstrip("/")))]
    return next((folder for folder in reversed(folders) if (folder / "initdb").exists()), None)


class PostgresServer:
    """One server; it can be killed and started again, and makes empty databases."""

    def __init__(self, binaries: Path, folder: Path, port: int) -> None:
        self._binaries, self._folder, self._port = binaries, folder, port
        self._databases = 0
        self._process: subprocess.Popen[bytes] | None = None
        # the server refuses to run as root
        self._user = "postgres" if os.getuid() == 0 else None
        if self._user:
            os.chown(folder, pwd.getpwnam(self._user).pw_uid, -1)
        initdb = [binaries / "initdb", "-D", folder / "data", "-A", "trust", "-U", "tester", "--no-sync"]
        self._run([*initdb, "--locale=C.UTF-8", "-E", "UTF8"])

    def _run(self, command: list[Path | str]) -> None:
        ran = subprocess.run(command, user=self._user, cwd=self._folder, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr

    def start(self) -> None:
        """Start, and return when it answers."""
        options = [f"-p{self._port}", "-h127.0.0.1", f"-k{self._folder}"]
        with (self._folder / "log").open("ab") as log:
            command = [self._binaries / "postgres", "-D", self._folder / "data", *options]
            self._process = subprocess.Popen(command, user=self._user, cwd=self._folder, stdout=log, stderr=log)
        ready = [self._binaries / "pg_isready", "-q", "-t60", "-h127.0.0.1", f"-p{self._port}"]
        while subprocess.run(ready, check=False).returncode:
            assert self._process.poll() is None, (self._folder / "log").read_text()

    def kill(self) -> None:
        """End it as a crash would: without any farewell to its clients."""
        assert self._process is not None, "it was never started"
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait()

    def database(self) -> str:
        """The URL of a new empty database."""
        self._databases += 1
        name = f"test{self._databases}"
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self._url(name)

    def _url(self, name: str) -> str:
        return f"postgresql://tester@127.0.0.1:{self._port}/{name}"


@contextlib.contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A started server; skips where PostgreSQL's programs are not installed."""
    binaries = _binaries()
    if binaries is None:
        pytest.skip("PostgreSQL's programs (initdb, postgres) are not installed here")
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # a short path: the socket stands in it
    server = PostgresServer(binaries, folder, free_ports(1)[0])
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)
