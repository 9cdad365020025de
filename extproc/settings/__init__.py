"""What the operator sets once: read at start from ``EXTPROC_*`` and a file, checked whole, frozen.

Order: command line, then environment, then the file (``--config`` or ``EXTPROC_CONFIG``; YAML or TOML), then the
default. A name that is not listed here is refused, because a misspelt ``EXTPROC_TLS_CLIENTS`` must not start a
service without it. Values are never quoted in an error, and paths stand here instead of secrets, so nothing printed
from here can carry one. Policy is not here: it is a file of its own that is read again while the service runs.
"""

from extproc.settings.addresses import UNIX, host_and_port
from extproc.settings.model import (
    MAX_WORKERS,
    Settings,
    default_state_dir,
    default_workers,
)
from extproc.settings.reading import SettingsError, read_settings

__all__ = [
    "MAX_WORKERS",
    "UNIX",
    "Settings",
    "SettingsError",
    "default_state_dir",
    "default_workers",
    "host_and_port",
    "read_settings",
]
