"""What a database holds: its tables, and how they are kept."""

from dataclasses import dataclass
from typing import Final

__all__ = ["SHARED", "Tables"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """What a database holds, and how it is kept.

    ``schema`` is where PostgreSQL keeps it, ``statements`` make what is missing; all of them must be harmless when they
    run again, and in them ``{text}``, ``{bytes}`` and ``{clustered}`` stand for what the engines call differently.
    ``patience`` is how many seconds a statement may wait for a lock or an answer. Where ``news`` is set, each change
    wakes those who wait for it, and where ``durable`` is, SQLite has it on the disk before it counts. ``cache`` is how
    many KiB SQLite keeps in memory.
    """

    schema: str
    statements: tuple[str, ...]
    patience: int
    news: bool
    durable: bool
    cache: int


SHARED: Final = Tables(
    schema="mcp_extproc",
    patience=2,
    news=True,
    durable=True,
    cache=2000,
    statements=(
        "CREATE TABLE IF NOT EXISTS version(one INTEGER PRIMARY KEY, number BIGINT NOT NULL, shared BIGINT NOT NULL)",
        "INSERT INTO version(one, number, shared) VALUES(1, 1, 1) ON CONFLICT DO NOTHING",
        """CREATE TABLE IF NOT EXISTS tickets(
          id TEXT PRIMARY KEY, digest TEXT NOT NULL, state TEXT NOT NULL, issuer TEXT NOT NULL, subject TEXT NOT NULL,
          created_at BIGINT NOT NULL, revision INTEGER NOT NULL, version BIGINT NOT NULL, body TEXT NOT NULL)""",
        # one open ticket per question, whoever asks it first (threat A04)
        "CREATE UNIQUE INDEX IF NOT EXISTS tickets_open ON tickets(digest) WHERE state IN ('pending', 'approved')",
        "CREATE INDEX IF NOT EXISTS tickets_digest ON tickets(digest, created_at)",
        "CREATE INDEX IF NOT EXISTS tickets_version ON tickets(version)",
        "CREATE INDEX IF NOT EXISTS tickets_created ON tickets(created_at)",
        "CREATE INDEX IF NOT EXISTS tickets_requester ON tickets(issuer, subject) WHERE state = 'pending'",
        "CREATE TABLE IF NOT EXISTS revocations(id TEXT PRIMARY KEY, until BIGINT, body TEXT NOT NULL)",
        "CREATE TABLE IF NOT EXISTS elevations(id TEXT PRIMARY KEY, until BIGINT NOT NULL, body TEXT NOT NULL)",
        """CREATE TABLE IF NOT EXISTS pins(
          server TEXT NOT NULL, tool TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY(server, tool))""",
        """CREATE TABLE IF NOT EXISTS candidates(
          server TEXT NOT NULL, tool TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY(server, tool))""",
    ),
)
