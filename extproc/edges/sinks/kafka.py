"""Records to Kafka: one message each, keyed by its journal, so that the order of a journal is that of a partition.

The producer is idempotent and waits for all in-sync replicas. A batch that was not confirmed whole takes its producer
with it: whatever that one had still under way comes before the same messages from the next, so leaving out what came
twice, by journal and number, leaves the order whole. The client is librdkafka.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

from confluent_kafka import KafkaError, KafkaException, Producer

from extproc.edges.sinks.lines import LineOf, line_of
from extproc.edges.sinks.tls import line_in
from extproc.ports import Record, RecordsRefusedError, SinkError

__all__ = ["KafkaSink", "Sasl"]

Sasl: TypeAlias = tuple[str, str, Path]
"""Mechanism as librdkafka names it, user, and the file with the password."""

_LARGEST: Final = 16 << 20
"""Bytes of a message before compression; what a topic takes of them is its own ``max.message.bytes``."""
_WORDS: Final = {
    "_TRANSPORT": "no broker answers",
    "_ALL_BROKERS_DOWN": "no broker answers",
    "_RESOLVE": "the name of a broker is not known",
    "_AUTHENTICATION": "the broker does not accept the user or the password",
    "_SSL": "the broker's certificate, or ours, is not accepted",
    "_MSG_TIMED_OUT": "the broker does not confirm in time",
    "MSG_SIZE_TOO_LARGE": "a record is too large for the topic; raise its max.message.bytes",
    "_UNKNOWN_TOPIC": "the topic is not there; create it",
    "UNKNOWN_TOPIC_OR_PART": "the topic is not there; create it",
    "TOPIC_AUTHORIZATION_FAILED": "the user may not write to the topic",
    "CLUSTER_AUTHORIZATION_FAILED": "the user may not write idempotently",
    "NOT_ENOUGH_REPLICAS": "too few replicas are in sync",
}


_REFUSED: Final = frozenset({"MSG_SIZE_TOO_LARGE", "INVALID_RECORD", "INVALID_MSG", "INVALID_MSG_SIZE"})


class KafkaSink:
    """Produces to ``topic`` of the cluster that ``brokers`` (host:port each) belong to.

    ``tls`` None is for a broker on this machine, else the files of authorities, certificate and key, None where the
    machine's own authorities are meant or the broker asks for no certificate.
    """

    def __init__(
        self,
        brokers: Sequence[str],
        topic: str,
        *,
        tls: tuple[Path | None, Path | None, Path | None] | None,
        sasl: Sasl | None,
        timeout: float,
        line: LineOf = line_of,
    ) -> None:
        self._brokers = brokers
        self._topic = topic
        self._tls = tls
        self._sasl = sasl
        self._timeout = timeout
        self._line = line
        self._producer: Producer | None = None
        self._problem: str | None = None

    async def deliver(self, records: Sequence[Record]) -> None:
        """Raises ``SinkError`` unless the brokers confirm every message."""
        await asyncio.to_thread(self._produce, records)

    async def close(self) -> None:
        """Let go of connections."""
        await asyncio.to_thread(self._drop)

    def _produce(self, records: Sequence[Record]) -> None:
        failures: list[str] = []
        confirmed = 0

        def told(error: KafkaError | None, _message: Any) -> None:
            nonlocal confirmed
            if error is None:
                confirmed += 1
            else:
                failures.append(error.name())

        self._problem = None
        try:
            producer = self._producer = self._producer or Producer(self._settings(), logger=_QUIET)
            for record in records:
                headers: list[tuple[str, str | bytes | None]] = [("seq", str(record.seq)), ("hash", record.hash)]
                key = record.journal.encode()
                producer.produce(self._topic, self._line(record), key, headers=headers, on_delivery=told)
            until = time.monotonic() + self._timeout
            while confirmed < len(records) and not failures and time.monotonic() < until:
                producer.poll(0.1)
        except KafkaException as error:
            failures.append(error.args[0].name())
        except BufferError:
            failures.append("_QUEUE_FULL")
        if failures or confirmed < len(records):
            self._drop()
            name = self._problem or (failures[0] if failures else "_MSG_TIMED_OUT")
            kind = RecordsRefusedError if name in _REFUSED else SinkError
            raise kind(f"Kafka has not taken the records: {_WORDS.get(name, name)}")

    def _drop(self) -> None:
        """Let go of the producer, and of what it was still about to send."""
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.purge(in_queue=True, in_flight=True, blocking=False)
            producer.flush(0)

    def _noted(self, error: KafkaError) -> None:
        # the first one says why, the rest that it is so
        self._problem = self._problem or error.name()

    def _settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = {
            "bootstrap.servers": ",".join(self._brokers),
            "client.id": "mcp-extproc",
            "enable.idempotence": True,
            "acks": "all",
            "compression.type": "zstd",
            "partitioner": "murmur2_random",  # where Java clients put the same key
            "linger.ms": 5,
            "message.max.bytes": _LARGEST,
            "message.timeout.ms": int(self._timeout * 1000),
            "topic.metadata.propagation.max.ms": int(self._timeout * 500),
            "socket.connection.setup.timeout.ms": max(int(self._timeout * 1000), 1000),
            "queue.buffering.max.kbytes": 4 * _LARGEST // 1024,
            "error_cb": self._noted,
            "security.protocol": "PLAINTEXT" if self._tls is None else "SSL",
        }
        if self._tls is not None:
            names = ("ssl.ca.location", "ssl.certificate.location", "ssl.key.location")
            settings |= {name: str(path) for name, path in zip(names, self._tls, strict=True) if path is not None}
        if self._sasl is not None:
            mechanism, user, password_file = self._sasl
            settings["security.protocol"] = f"SASL_{settings['security.protocol']}"
            settings |= {"sasl.mechanism": mechanism, "sasl.username": user, "sasl.password": line_in(password_file)}
        return settings


_QUIET: Final = logging.getLogger("extproc.sinks.librdkafka")
"""What the library tells of its connections is in our words in the status of the sink; its own go nowhere."""
_QUIET.addHandler(logging.NullHandler())
_QUIET.propagate = False
