"""The sink that the file of sinks names, and the shipper that follows the journals for it.

A type's client library is loaded here and only where the type is named.
"""

from pathlib import Path
from typing import assert_never

from extproc.edges.sinks.file import FileSink
from extproc.edges.sinks.http import HttpSink
from extproc.edges.sinks.lines import LINES
from extproc.edges.sinks.syslog import SyslogSink
from extproc.edges.sinks.tls import TlsContext, tls_from
from extproc.ports import Sink
from extproc.settings.targets import (
    FileTarget,
    HttpTarget,
    KafkaTarget,
    OtlpTarget,
    S3Target,
    SyslogTarget,
    Target,
)
from extproc.shipping import Batches, Shipper

__all__ = ["shipper_of", "sink_of"]


def shipper_of(state_dir: Path, target: Target) -> Shipper:
    """The shipper that gives every record below ``state_dir`` to the place that ``target`` names."""
    sink = sink_of(target)
    if isinstance(target, S3Target):
        return Shipper(state_dir, target.name, sink, batches=Batches(every=target.every, records=5000, bytes=4 << 20))
    return Shipper(state_dir, target.name, sink)


def sink_of(target: Target) -> Sink:
    """The sink that ``target`` names; it opens its files and connections when it delivers."""
    match target:
        case FileTarget():
            return FileSink(target.path, line=LINES[target.form])
        case HttpTarget():
            return HttpSink(
                target.url,
                hec=target.form.startswith("hec"),
                token_file=target.token_file,
                tls=_tls(target),
                timeout=target.timeout,
                line=LINES["ocsf" if target.form.endswith("ocsf") else "lines"],
            )
        case OtlpTarget():
            from extproc.edges.sinks.otlp import OtlpSink  # noqa: PLC0415 - as said above

            bearer = target.token_header.lower() == "authorization"
            return OtlpSink(
                target.url,
                token_file=target.token_file,
                token=(target.token_header, "Bearer " if bearer else ""),
                tls=_tls(target),
                timeout=target.timeout,
                line=LINES[target.form],
            )
        case SyslogTarget():
            host, port = target.host_and_port
            tls = None if target.plaintext else _tls(target)
            return SyslogSink(host, port, tls=tls, timeout=target.timeout, line=LINES[target.form])
        case S3Target():
            return _s3(target)
        case KafkaTarget():
            return _kafka(target)
        case _:
            assert_never(target)


def _tls(target: HttpTarget | OtlpTarget | SyslogTarget) -> TlsContext:
    return tls_from(target.ca_file, target.cert_file, target.key_file)


def _s3(target: S3Target) -> Sink:
    from extproc.edges.sinks.s3 import Bucket, S3Sink  # noqa: PLC0415 - as said above

    kept = target.retention
    bucket = Bucket(
        name=target.bucket,
        prefix=target.prefix,
        region=target.region,
        endpoint=target.endpoint,
        addressing=target.addressing,
        credentials_file=target.credentials_file,
        ca_file=target.ca_file,
        encryption=target.encryption,
        kms_key=target.kms_key,
        retain=None if kept is None else ("COMPLIANCE" if kept.mode == "compliance" else "GOVERNANCE", kept.days),
    )
    return S3Sink(bucket, timeout=target.timeout, line=LINES[target.form])


def _kafka(target: KafkaTarget) -> Sink:
    from extproc.edges.sinks.kafka import KafkaSink  # noqa: PLC0415 - as said above

    login = target.sasl
    return KafkaSink(
        target.brokers,
        target.topic,
        tls=None if target.plaintext else (target.ca_file, target.cert_file, target.key_file),
        sasl=None if login is None else (login.mechanism.upper(), login.user, login.password_file),
        timeout=target.timeout,
        line=LINES[target.form],
    )
