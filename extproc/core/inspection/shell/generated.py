"""Folders and files that tools make anew: nobody keeps anything of his own under one of these names."""

import re
from typing import Final

from extproc.core.inspection.shell.known.listing import listed

__all__ = ["is_generated"]

_NAMES: Final = listed(
    "node_modules bower_components __pycache__ .pytest_cache .mypy_cache .ruff_cache .hypothesis .tox .nox .eggs "
    ".ipynb_checkpoints htmlcov .nyc_output .next .nuxt .svelte-kit .turbo .parcel-cache .sass-cache .angular "
    "package-lock.json yarn.lock pnpm-lock.yaml"
)
_NAME: Final = re.compile(r"[\w.-]+\.egg-info")


def is_generated(path: str) -> bool:
    """Whether a relative path leads to such a folder, or to something in one."""
    parts = path.split("/")
    if path.startswith(("/", "~", "$")) or ".." in parts:
        return False
    return any(part in _NAMES or _NAME.fullmatch(part) for part in parts)
