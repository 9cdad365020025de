"""A real broker of Kafka in KRaft mode on this machine's Java: over TLS, with logins by SCRAM, to stop and start again."""

import contextlib
import shutil
import socket
import subprocess
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self

from confluent_kafka.admin import AdminClient, NewTopic

from attacks.certificates import Authority
from ports import free_ports

__all__ = ["PASSWORD", "USER", "Broker", "missing_broker"]

JARS: Final = Path(__file__).parent / "edges" / "sinks" / "kafka" / "target"
USER: Final = "extproc"
PASSWORD: Final = "pa55 word"
READY_WITHIN: Final = 60.0
_MEMORY: Final = ("-Xms128m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


def missing_broker() -> str | None:
    """Why no broker can be started here; None if one can."""
    if shutil.which("java") is None:
        return "no Java on this machine"
    if not any(JARS.glob("kafka_2.13-*.jar")):
        return f"no broker in {JARS.name}/: `make sink-brokers` fetches it with Maven"
    return None


class Broker:
    """One broker with its data below ``folder``; ``address`` is that of the listener with TLS and logins."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority(folder / "authority")
        self._inner, self._outer, self._controller = free_ports(3)
        self.address = f"127.0.0.1:{self._outer}"
        self._process: subprocess.Popen[bytes] | None = None
        pair = self.authority.issue("127.0.0.1")
        (folder / "server.pem").write_bytes(pair.key.read_bytes() + pair.certificate.read_bytes())
        self._write_properties()
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        login = f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]"
        self._run("kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(self._properties), "-S", login)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def inner(self) -> str:
        """The address without TLS, for the test's own looks."""
        return f"127.0.0.1:{self._inner}"

    def start(self) -> None:
        """Start it and wait until it listens to clients."""
        with (self.folder / "broker.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._java(), "kafka.Kafka", str(self._properties)], stdout=log, stderr=log, cwd=self.folder
            )
        end = time.monotonic() + READY_WITHIN
        while time.monotonic() < end and self._process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._outer), timeout=1):
                return
            time.sleep(0.1)
        raise TimeoutError((self.folder / "broker.log").read_text("utf-8", "replace")[-4000:])

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def create(self, topic: str, **config: str) -> None:
        """Create a topic of six partitions."""
        admin = AdminClient({"bootstrap.servers": self.inner})
        made: Mapping[str, Any] = admin.create_topics([NewTopic(topic, 6, 1, config=config)])
        made[topic].result(timeout=60)

    @property
    def _properties(self) -> Path:
        return self.folder / "server.properties"

    def _java(self) -> list[str]:
        return ["java", *_MEMORY, "-cp", f"{JARS}/*"]

    def _run(self, *arguments: str) -> None:
        ended = subprocess.run([*self._java(), *arguments], capture_output=True, check=False, cwd=self.folder)
        assert ended.returncode == 0, ended.stdout + ended.stderr

    def _write_properties(self) -> None:
        listeners = {"OUTER": self._outer, "INNER": self._inner, "CONTROLLER": self._controller}
        values = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{self._controller}",
            "listeners": ",".join(f"{name}://127.0.0.1:{port}" for name, port in listeners.items()),
            "advertised.listeners": f"OUTER://{self.address},INNER://{self.inner}",
            "listener.security.protocol.map": "OUTER:SASL_SSL,INNER:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "INNER",
            "log.dirs": str(self.folder / "log"),
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self.folder / "server.pem"),
            "listener.name.outer.sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.outer.scram-sha-512.sasl.jaas.config": (
                "org.apache.kafka.common.security.scram.ScramLoginModule required;"
            ),
        }
        self._properties.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
