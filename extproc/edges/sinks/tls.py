"""What a sink proves itself and its server with: files, read anew for each connection that is made."""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from extproc.ports import SinkError

__all__ = ["TlsContext", "line_in", "tls_from"]

TlsContext: TypeAlias = Callable[[], ssl.SSLContext]
"""Makes the context of a new connection; ``SinkError`` where its files cannot be used."""


def tls_from(ca_file: Path | None, cert_file: Path | None, key_file: Path | None) -> TlsContext:
    """The context of these PEM files: the authorities of the machine unless ``ca_file`` names others."""

    def make() -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=ca_file)
        except OSError as error:
            raise SinkError(f"{ca_file} is no PEM file of certificates that can be read: {_why(error)}") from None
        try:
            if cert_file is not None:
                # an encrypted key would have the terminal asked for its password
                context.load_cert_chain(cert_file, key_file, password=lambda: "")
        except (OSError, ValueError) as error:
            raise SinkError(f"{cert_file} and its key are no PEM pair that can be read: {_why(error)}") from None
        return context

    return make


def line_in(path: Path) -> str:
    """The one printable line that a file of a secret holds.

    Raises:
        SinkError: it cannot be read, or holds something else.
    """
    try:
        line = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SinkError(f"{path} cannot be read: {type(error).__name__}") from None
    if not line.isascii() or not line.isprintable() or not line:
        raise SinkError(f"{path} must hold one line of printable characters")
    return line


def _why(error: Exception) -> str:
    return getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
