"""The sink of Kafka against the mock cluster that librdkafka brings: its protocol, not a broker.

``test_kafka_broker.py`` has a real broker, over TLS and with a login.
"""

import json

import pytest

from delivered import checked, everyone, everything, written
from extproc.edges.sinks.kafka import KafkaSink
from extproc.shipping import Shipper, statuses
from ports import free_ports
from receivers import consumed, kafka_in_memory


@pytest.fixture(scope="module")
def broker():
    with kafka_in_memory() as found:
        yield found


def sink_for(address, topic="audit", **settings):
    return KafkaSink([address], topic, **({"tls": None, "sasl": None, "timeout": 20} | settings))


async def test_a_topic_has_every_record_as_one_message_keyed_by_its_journal(tmp_path, broker):
    store = await written(tmp_path / "state")
    away = sink_for(f"127.0.0.1:{free_ports(1)[0]}", timeout=1)
    assert await Shipper(store.root, "copy", away).deliver() is None
    (status,) = statuses(store.root, ["copy"])
    assert status.error == "Kafka has not taken the records: no broker answers"
    assert status.behind == len(everyone(store.root))
    await away.close()
    await everything(store.root, sink_for(broker))
    messages = consumed(broker, "audit", len(everyone(store.root)))
    records = [json.loads(message.value()) for message in messages]
    checked(records)
    assert [message.key().decode() for message in messages] == [record["journal"] for record in records]
    assert [dict(message.headers())["seq"].decode() for message in messages] == [str(each["seq"]) for each in records]
    # the journal is the key, so it has one partition, and there its order
    placed = {(record["journal"], message.partition()) for record, message in zip(records, messages, strict=True)}
    assert len(placed) == 2


async def test_a_password_that_is_not_there_is_an_error_of_the_sink(tmp_path, broker):
    store = await written(tmp_path / "state", 1)
    sink = sink_for(broker, sasl=("PLAIN", "ann", tmp_path / "none"))
    assert await Shipper(store.root, "copy", sink).deliver() is None
    assert "none cannot be read" in statuses(store.root, ["copy"])[0].error


async def test_a_file_of_certificates_that_is_none_is_an_error_of_the_sink(tmp_path, broker):
    store = await written(tmp_path / "state", 1)
    (tmp_path / "ca.pem").write_text("nonsense")
    sink = sink_for(broker, tls=(tmp_path / "ca.pem", None, None))
    assert await Shipper(store.root, "copy", sink).deliver() is None
    assert statuses(store.root, ["copy"])[0].error.startswith("Kafka has not taken the records: ")


async def test_letting_go_while_records_are_under_way_ends_them(tmp_path):
    store = await written(tmp_path / "state", 1)
    sink = sink_for(f"127.0.0.1:{free_ports(1)[0]}", timeout=60)
    shipper = Shipper(store.root, "copy", sink)
    await shipper.finish(0.3)
    assert statuses(store.root, ["copy"])[0].delivered == 0
