"""The sink of object stores against moto, which speaks S3 over HTTP: complete after any outage, and a repeat is itself.

Each request must be signed as Signature Version 4 wants it, and for the very bytes that came, or the store refuses it.
"""

import asyncio
import base64
import contextlib
import datetime as dt
import hashlib
import json
import logging
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from delivered import checked, everyone, everything, written
from extproc.core.audit import encode
from extproc.edges.sinks.s3 import Bucket, S3Sink, key_of
from extproc.ports import Record, RecordsRefusedError, SinkError
from extproc.shipping import Batches, Shipper, statuses
from ports import free_ports
from receivers import s3_in_memory
from sigv4 import Key, Request, fault, signature
from stack.calls import until

CREDENTIALS = "[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = very-secret-key\naws_session_token = very-secret-token\n"
KEYS = {"AKIDEXAMPLE": Key(secret="very-secret-key", token="very-secret-token")}


@pytest.fixture(scope="module")
def store_of_s3():
    with s3_in_memory(KEYS) as found:
        yield found


@pytest.fixture
def bucket(store_of_s3, tmp_path):
    """The bucket ``records``, empty."""
    for key in store_of_s3.objects():
        store_of_s3.client.delete_object(Bucket="records", Key=key)
    (tmp_path / "credentials").write_text(CREDENTIALS)

    def make(**settings):
        given = {
            "name": "records",
            "region": "us-east-1",
            "endpoint": store_of_s3.url,
            "addressing": "path",
            "credentials_file": tmp_path / "credentials",
        }
        return Bucket(**(given | settings))

    return make


def records_in(store_of_s3, name="records"):
    return [json.loads(line) for text in store_of_s3.objects(name).values() for line in text.splitlines()]


async def test_a_bucket_has_every_record_in_objects_named_by_them(tmp_path, store_of_s3, bucket):
    store = await written(tmp_path / "state")
    await everything(store.root, S3Sink(bucket(prefix="audit/"), timeout=20))
    checked(records_in(store_of_s3))
    for key, text in store_of_s3.objects().items():
        numbers = [json.loads(line)["seq"] for line in text.splitlines()]
        journal = json.loads(text.splitlines()[0])["journal"]
        assert key == key_of("audit/", journal, numbers[0], numbers[-1])
        assert numbers == list(range(numbers[0], numbers[-1] + 1))


async def test_a_repeat_overwrites_itself_to_the_byte(tmp_path, store_of_s3, bucket):
    store = await written(tmp_path / "state")
    await everything(store.root, S3Sink(bucket(), timeout=20))
    before = {key: store_of_s3.read(key) for key in store_of_s3.objects()}
    (store.root / "sinks" / "copy.json").unlink()
    await everything(store.root, S3Sink(bucket(), timeout=20))
    assert {key: store_of_s3.read(key) for key in store_of_s3.objects()} == before


async def test_a_batch_whose_answer_was_lost_is_given_again_under_its_name_though_more_waits(
    tmp_path, store_of_s3, bucket
):
    class Deaf(S3Sink):
        async def deliver(self, records):
            await super().deliver(records)
            if not answers:
                answers.append("lost")
                raise OSError("the answer was lost")

    answers = []
    store = await written(tmp_path / "state", 5)
    shipper = Shipper(store.root, "copy", Deaf(bucket(), timeout=20))
    assert await shipper.deliver() is None
    await store.write("n-0", [{"kind": "decision", "at": 1, "n": 5}])
    while await shipper.deliver():
        pass
    lines = [(each["journal"], each["seq"]) for each in records_in(store_of_s3)]
    assert len(lines) == len(set(lines)) == len(everyone(store.root))


async def test_a_store_that_is_away_or_refuses_gets_all_of_it_later(tmp_path, store_of_s3, bucket):
    store = await written(tmp_path / "state")
    away = f"http://127.0.0.1:{free_ports(1)[0]}"
    assert await Shipper(store.root, "copy", S3Sink(bucket(endpoint=away), timeout=2)).deliver() is None
    (status,) = statuses(store.root, ["copy"])
    assert status.error == "the object store cannot be used: EndpointConnectionError"
    assert status.behind == len(everyone(store.root))
    assert await Shipper(store.root, "copy", S3Sink(bucket(name="nowhere"), timeout=20)).deliver() is None
    assert statuses(store.root, ["copy"])[0].error == "the object store answers NoSuchBucket"
    await everything(store.root, S3Sink(bucket(), timeout=20))
    checked(records_in(store_of_s3))
    assert statuses(store.root, ["copy"])[0].error is None


@pytest.mark.parametrize("text", [None, "nonsense", "[other]\naws_access_key_id = a\n"])
async def test_a_file_without_credentials_is_an_error_of_the_sink_until_it_has_some(
    tmp_path, store_of_s3, bucket, text, monkeypatch
):
    # whoever names a file means no others
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "from-the-environment")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "from-the-environment")
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1")
    store = await written(tmp_path / "state", 2)
    sink = S3Sink(bucket(), timeout=20)
    (tmp_path / "credentials").unlink()
    if text is not None:
        (tmp_path / "credentials").write_text(text)
    shipper = Shipper(store.root, "copy", sink)
    assert await shipper.deliver() is None
    assert "the object store cannot be used: " in statuses(store.root, ["copy"])[0].error
    (tmp_path / "credentials").write_text(CREDENTIALS)
    while await shipper.deliver():
        pass
    assert len(records_in(store_of_s3)) == len(everyone(store.root))
    await sink.close()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (CREDENTIALS.replace("very-secret-key", "another-key"), "SignatureDoesNotMatch"),
        (CREDENTIALS.replace("AKIDEXAMPLE", "AKIDOTHER"), "InvalidAccessKeyId"),
        (CREDENTIALS.replace("very-secret-token", "another-token"), "InvalidToken"),
        (CREDENTIALS.rpartition("aws_session_token")[0], "InvalidToken"),
    ],
)
async def test_who_signs_with_another_key_gets_nothing_into_the_bucket(tmp_path, store_of_s3, bucket, text, code):
    store = await written(tmp_path / "state", 2)
    sink = S3Sink(bucket(), timeout=20)
    (tmp_path / "credentials").write_text(text)
    with pytest.raises(SinkError, match=f"answers {code}$") as refused:
        await sink.deliver([*map(record_of, range(2))])
    assert not isinstance(refused.value, RecordsRefusedError)  # it is about the key, and not about the records
    assert store_of_s3.objects() == {}
    (tmp_path / "credentials").write_text(CREDENTIALS)
    await everything(store.root, sink)
    checked(records_in(store_of_s3), 2)


async def test_bytes_that_are_changed_on_their_way_are_not_kept(store_of_s3, bucket):
    """Whatever a middleman changes of the object or its name is not what was signed."""
    changes = iter(
        [(b"application/gzip", b"application/html"), (b"PUT /records/n", b"PUT /records/m"), (b"\x1f\x8b", b"\x1f\x8c")]
    )
    answers = ["SignatureDoesNotMatch", "SignatureDoesNotMatch", "XAmzContentSHA256Mismatch"]
    async with changing(store_of_s3.url, lambda: next(changes, (b"", b""))) as url:
        sink = S3Sink(bucket(endpoint=url), timeout=20)
        for answer in answers:
            with pytest.raises(SinkError, match=f"answers {answer}$") as refused:
                await sink.deliver([record_of(0)])
            assert not isinstance(refused.value, RecordsRefusedError)
            assert store_of_s3.objects() == {}
        await sink.deliver([record_of(0)])
        await sink.close()
    assert len(store_of_s3.objects()) == 1


def record_of(number):
    event = {"kind": "decision", "at": number}
    return Record(journal="n-0", seq=number, hash="f" * 64, event=event, encoded=encode(event))


@asynccontextmanager
async def changing(target, change):
    """A way to ``target`` on which each connection has one run of bytes replaced by as many others."""
    where = urlsplit(target)
    copying, opened = set(), []

    async def copy(reader, writer, old=b"", new=b""):
        with contextlib.suppress(ConnectionError):
            while piece := await reader.read(65536):
                writer.write(piece.replace(old, new) if old else piece)
                await writer.drain()
        writer.close()

    async def take(reader, writer):
        there, back = await asyncio.open_connection(where.hostname, where.port)
        opened.extend((back, writer))
        copying.update({asyncio.create_task(copy(reader, back, *change())), asyncio.create_task(copy(there, writer))})

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://{where.hostname}:{port}"
    finally:
        server.close()
        for task in copying:
            task.cancel()
        await asyncio.gather(*copying, return_exceptions=True)
        for each in opened:
            each.close()
            with contextlib.suppress(ConnectionError):
                await each.wait_closed()


EXAMPLE = {"host": "examplebucket.s3.amazonaws.com", "x-amz-date": "20130524T000000Z"}
NOTHING = {"x-amz-content-sha256": hashlib.sha256(b"").hexdigest()}
WELCOME = {
    "date": "Fri, 24 May 2013 00:00:00 GMT",
    "x-amz-content-sha256": hashlib.sha256(b"Welcome to Amazon S3.").hexdigest(),
    "x-amz-storage-class": "REDUCED_REDUNDANCY",
}


@pytest.mark.parametrize(
    ("method", "target", "headers", "wanted"),
    [
        (
            "GET",
            "/test.txt",
            {"range": "bytes=0-9"} | NOTHING,
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        ("PUT", "/test%24file.text", WELCOME, "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
        ("GET", "/?lifecycle", NOTHING, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        ("GET", "/?max-keys=2&prefix=J", NOTHING, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ],
)
def test_the_store_signs_as_the_published_examples_do(method, target, headers, wanted):
    secret, scope = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ("20130524", "us-east-1", "s3")
    headers = EXAMPLE | headers
    request = Request(method=method, target=target, headers=headers)
    assert signature(request, sorted(headers), secret, scope) == wanted


def test_the_store_wants_all_of_a_request_signed_and_now():
    now = dt.datetime(2013, 5, 24, tzinfo=dt.UTC)
    scope = ("20130524", "us-east-1", "s3")

    def answered(*, signed, at=now, **more):
        headers = EXAMPLE | NOTHING | {name.replace("_", "-"): value for name, value in more.items()}
        made = signature(Request(method="GET", target="/k", headers=headers), signed, "s", scope)
        who = f"AWS4-HMAC-SHA256 Credential=id/{'/'.join(scope)}/aws4_request"
        headers["authorization"] = f"{who}, SignedHeaders={';'.join(signed)}, Signature={made}"
        return fault(Request(method="GET", target="/k", headers=headers), {"id": Key(secret="s")}, at)

    names = ["host", "x-amz-content-sha256", "x-amz-date"]
    assert answered(signed=names) is None
    assert answered(signed=names[1:]) == "AccessDenied"
    assert answered(signed=names, x_amz_acl="public-read") == "AccessDenied"
    assert answered(signed=names, at=now + dt.timedelta(minutes=16)) == "RequestTimeTooSkewed"
    unsigned = Request(method="GET", target="/k", headers=EXAMPLE | NOTHING)
    assert fault(unsigned, {"id": Key(secret="s")}, now) == "AccessDenied"


async def test_encryption_and_object_lock_are_asked_for(tmp_path, store_of_s3, bucket):
    client = store_of_s3.client
    client.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
    store = await written(tmp_path / "state", 2)
    locked = bucket(name="locked", encryption="aws:kms", kms_key="key-1", retain=("COMPLIANCE", 30))
    await everything(store.root, S3Sink(locked, timeout=20))
    for each in client.list_objects_v2(Bucket="locked")["Contents"]:
        head = client.head_object(Bucket="locked", Key=each["Key"])
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", "key-1")
        assert head["ObjectLockMode"] == "COMPLIANCE"
        assert head["ObjectLockRetainUntilDate"] - dt.datetime.now(dt.UTC) > dt.timedelta(days=29)


async def test_a_digest_goes_with_every_object_and_no_secret_into_a_log(tmp_path, store_of_s3, bucket, caplog):
    store = await written(tmp_path / "state", 2)
    sink = S3Sink(bucket(), timeout=20)
    with caplog.at_level(logging.DEBUG):
        await everything(store.root, sink)
    assert "very-secret" not in caplog.text
    (key, *_) = store_of_s3.objects()
    assert store_of_s3.client.head_object(Bucket="records", Key=key)["ContentType"] == "application/gzip"
    digest = base64.b64encode(hashlib.sha256(store_of_s3.read(key)).digest()).decode()
    attributes = store_of_s3.client.get_object_attributes(Bucket="records", Key=key, ObjectAttributes=["Checksum"])
    assert attributes["Checksum"]["ChecksumSHA256"] == digest


async def test_under_little_traffic_there_is_one_object_for_each_slice_of_time(tmp_path, store_of_s3, bucket):
    store = await written(tmp_path / "state", 5)
    shipper = Shipper(store.root, "copy", S3Sink(bucket(), timeout=20), batches=Batches(every=3600))
    running = asyncio.create_task(shipper.run())
    await until(lambda: len(store_of_s3.objects()) == 2)
    await store.write("n-0", [{"kind": "decision", "at": 1}])
    # it waits for its time, and what waits at the end goes at the end
    assert len(store_of_s3.objects()) == 2
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await shipper.finish(30)
    assert len(store_of_s3.objects()) == 3
