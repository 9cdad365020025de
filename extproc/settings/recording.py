"""Settings of the recording: when events count as stored, and how they are sealed."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

__all__ = ["RecordingSettings"]


class RecordingSettings(BaseModel):
    """The part of the settings that concerns the journal and its seals."""

    durability: Literal["process", "disk"] = "process"
    """When an event counts as stored: in the kernel, or on the disk."""
    seal_seconds: float = Field(default=10.0, ge=0, le=60)
    """How often the recording is sealed with a signature; 0: never."""
    purge_seconds: float = Field(default=600.0, ge=0, le=86400)
    """How often records whose time is over by the policy are taken out; 0: never."""
    sinks: Path | None = None
    """A file that names the places to which copies of all records go."""
    payload_keys: Path | None = None
    """A file with the public keys (X25519, in PEM) of those who can read arguments and payloads; all others see that
    something is there. Without it these are recorded in the clear, masked as the policy says."""
    seal_key: Path | None = None
    """A file with the key that signs seals, for a key that is mounted; without it the node makes one of its own."""
