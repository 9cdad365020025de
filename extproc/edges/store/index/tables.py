"""The tables of the index. Keys of sessions, lanes, shapes, people and decisions are hashes of 64 bits (``lanes``).

``calls`` are the decisions, each in its session: ``named`` where the session has a name (1 by the call itself, 2 by its
answer), otherwise in its ``lane``, where ``reach`` is the end of the session as far as this call. ``seen`` holds each
shape of call once for each session.
``outcomes`` are those whose call is not there yet; ``answered_by`` is the number of the one that came to a call.
``messages`` are those of streamed responses. ``events`` holds whole events, only where several nodes share the index.
"""

from typing import Final

from extproc.edges.store.tables import Tables

__all__ = ["INDEX", "aside"]

_STATEMENTS: Final = (
    "CREATE TABLE IF NOT EXISTS state(one INTEGER PRIMARY KEY, writes BIGINT NOT NULL)",
    "INSERT INTO state(one, writes) VALUES(1, 0) ON CONFLICT DO NOTHING",
    """CREATE TABLE IF NOT EXISTS journals(
      number INTEGER PRIMARY KEY, name {text} NOT NULL UNIQUE, segment BIGINT NOT NULL, place BIGINT NOT NULL,
      seq BIGINT NOT NULL, at BIGINT, damaged BIGINT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS calls(
      journal INTEGER NOT NULL, seq BIGINT NOT NULL, segment BIGINT NOT NULL, place BIGINT NOT NULL,
      answered_in INTEGER, answered_by BIGINT, answer_segment BIGINT, answer_place BIGINT,
      at BIGINT NOT NULL, decision BIGINT NOT NULL, ends BIGINT NOT NULL, session BIGINT, reach BIGINT,
      named INTEGER NOT NULL, lane BIGINT NOT NULL, trace {text} NOT NULL, begins BIGINT NOT NULL,
      shape BIGINT NOT NULL, refused INTEGER NOT NULL, client {text} NOT NULL, said {text} NOT NULL,
      PRIMARY KEY(journal, seq)) {clustered}""",
    "CREATE INDEX IF NOT EXISTS calls_session ON calls(session, at, decision, journal, seq)",
    "CREATE INDEX IF NOT EXISTS calls_decision ON calls(decision) WHERE answered_by IS NULL",
    "CREATE INDEX IF NOT EXISTS calls_lane ON calls(lane, at, decision, journal, seq) WHERE named = 0",
    "CREATE INDEX IF NOT EXISTS calls_trace ON calls(trace, lane, at) WHERE named = 0 AND trace <> ''",
    """CREATE TABLE IF NOT EXISTS outcomes(
      journal INTEGER NOT NULL, seq BIGINT NOT NULL, segment BIGINT NOT NULL, place BIGINT NOT NULL,
      decision BIGINT NOT NULL, at BIGINT NOT NULL, name {text} NOT NULL, PRIMARY KEY(journal, seq))""",
    "CREATE INDEX IF NOT EXISTS outcomes_decision ON outcomes(decision)",
    """CREATE TABLE IF NOT EXISTS messages(
      journal INTEGER NOT NULL, seq BIGINT NOT NULL, segment BIGINT NOT NULL, place BIGINT NOT NULL,
      decision BIGINT NOT NULL, PRIMARY KEY(journal, seq))""",
    "CREATE INDEX IF NOT EXISTS messages_decision ON messages(decision)",
    # `owner` is JSON, so it holds the exact words that keys are made of
    """CREATE TABLE IF NOT EXISTS sessions(
      key BIGINT PRIMARY KEY, id {text} NOT NULL, owner {text} NOT NULL, who BIGINT NOT NULL, issuer {text} NOT NULL,
      subject {text} NOT NULL, server {text} NOT NULL, client {text} NOT NULL, first_at BIGINT NOT NULL,
      last_at BIGINT NOT NULL, calls BIGINT NOT NULL, denied BIGINT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS sessions_id ON sessions(id)",
    "CREATE INDEX IF NOT EXISTS sessions_first ON sessions(first_at, key, last_at, server, who)",
    "CREATE INDEX IF NOT EXISTS sessions_server ON sessions(server, first_at, key, last_at)",
    "CREATE INDEX IF NOT EXISTS sessions_who ON sessions(who, first_at, key, last_at)",
    "CREATE TABLE IF NOT EXISTS people(who BIGINT PRIMARY KEY, said {text} NOT NULL)",
    """CREATE TABLE IF NOT EXISTS shapes(
      key BIGINT PRIMARY KEY, verb {text} NOT NULL, effect {text} NOT NULL, targets {text} NOT NULL,
      rule {text} NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS seen(
      session BIGINT NOT NULL, shape BIGINT NOT NULL, first_at BIGINT NOT NULL, from_at BIGINT NOT NULL,
      to_at BIGINT NOT NULL, PRIMARY KEY(session, shape)) {clustered}""",
    "CREATE INDEX IF NOT EXISTS seen_shape ON seen(shape, first_at, session, from_at, to_at)",
    """CREATE TABLE IF NOT EXISTS steps(
      journal INTEGER NOT NULL, seq BIGINT NOT NULL, ticket {text} NOT NULL, PRIMARY KEY(journal, seq))""",
    "CREATE INDEX IF NOT EXISTS steps_ticket ON steps(ticket)",
    """CREATE TABLE IF NOT EXISTS purged(
      journal INTEGER NOT NULL, first BIGINT NOT NULL, count BIGINT NOT NULL, PRIMARY KEY(journal, first))""",
    """CREATE TABLE IF NOT EXISTS events(
      journal INTEGER NOT NULL, seq BIGINT NOT NULL, body {bytes} NOT NULL, PRIMARY KEY(journal, seq))""",
)


def _tables(schema: str) -> Tables:
    return Tables(schema=schema, statements=_STATEMENTS, patience=30, news=False, durable=False, cache=65536)


INDEX: Final = _tables("mcp_extproc_index")


def aside(name: str) -> Tables:
    """The tables of an index that is built beside the one that is used."""
    return _tables(f"{INDEX.schema}_{name}")
