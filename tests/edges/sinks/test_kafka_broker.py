"""The sink of Kafka against a real broker: TLS, a login, its refusals, and a broker that crashes while records come.

``make sink-brokers`` fetches the broker with Maven and runs this; it needs Java 17.
"""

import json

import pytest

from delivered import checked, everyone, everything, written
from extproc.edges.sinks.kafka import KafkaSink
from extproc.shipping import Shipper, statuses
from kafka_broker import PASSWORD, USER, Broker, missing_broker
from receivers import consumed

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(missing_broker() is not None, reason=str(missing_broker())),
]


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with Broker(tmp_path_factory.mktemp("kafka")) as running:
        (running.folder / "password").write_text(f"{PASSWORD}\n")
        yield running


def sink_for(broker, topic, **settings):
    given = {
        "tls": (broker.authority.file, None, None),
        "sasl": ("SCRAM-SHA-512", USER, broker.folder / "password"),
        "timeout": 20,
    }
    return KafkaSink([broker.address], topic, **(given | settings))


def records_of(broker, topic, least):
    messages = consumed(broker.inner, topic, least)
    by_partition = {}
    for message in messages:
        by_partition.setdefault(message.partition(), []).append(json.loads(message.value()))
    return [record for records in by_partition.values() for record in records]


async def test_a_topic_has_every_record_over_tls_with_a_login(tmp_path, broker):
    broker.create("whole")
    store = await written(tmp_path / "state")
    await everything(store.root, sink_for(broker, "whole"))
    records = records_of(broker, "whole", len(everyone(store.root)))
    checked(records)
    assert len(records) == len(everyone(store.root))


async def test_a_broker_that_crashes_while_records_come_has_all_of_them_in_the_end(tmp_path, broker):
    broker.create("crashed")
    store = await written(tmp_path / "state", 8)
    sink = sink_for(broker, "crashed", timeout=3)
    shipper = Shipper(store.root, "copy", sink)
    assert await shipper.deliver()
    for _ in range(2):
        broker.kill()
        more = [{"kind": "decision", "at": 1, "n": n} for n in range(300)]
        await store.write("n-0", more)
        assert await shipper.deliver() is None
        (status,) = statuses(store.root, ["copy"])
        assert status.error == "Kafka has not taken the records: no broker answers"
        assert status.behind >= 300
        broker.start()
        while statuses(store.root, ["copy"])[0].behind:
            await shipper.deliver()
    await sink.close()
    wanted = everyone(store.root)
    order = {}
    for record in records_of(broker, "crashed", len(wanted)):
        own = order.setdefault(record["journal"], [])
        if record["seq"] not in own:
            own.append(record["seq"])
    assert order == {journal: sorted(seq for each, seq in wanted if each == journal) for journal in ("n-0", "n-1")}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"sasl": "wrong"}, "the broker does not accept the user or the password"),
        ({"tls": (None, None, None)}, "the broker's certificate, or ours, is not accepted"),
        ({"topic": "nowhere"}, "the topic is not there; create it"),
        ({"topic": "narrow"}, "a record is too large for the topic; raise its max.message.bytes"),
    ],
)
async def test_what_a_broker_refuses_is_told_in_words(tmp_path, broker, settings, said):
    if settings.get("topic") == "narrow":
        broker.create("narrow", **{"max.message.bytes": "100"})
    if settings.get("sasl") == "wrong":
        (tmp_path / "wrong").write_text("very-secret-password")
        settings = {"sasl": ("SCRAM-SHA-512", USER, tmp_path / "wrong")}
    store = await written(tmp_path / "state", 1)
    sink = sink_for(broker, **({"topic": "whole", "timeout": 6} | settings))
    assert await Shipper(store.root, "copy", sink).deliver() is None
    assert statuses(store.root, ["copy"])[0].error == f"Kafka has not taken the records: {said}"
    await sink.close()
