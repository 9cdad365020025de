"""Records into S3 or a store that speaks as S3 does: an object for each batch, gzip of a line for each record.

An object is called ``<prefix><journal>/<first>-<last>.jsonl.gz`` by the numbers of its records, so a batch that is
given again overwrites itself, and names in their order are records in theirs. Its SHA-256 goes with it, and the store
refuses what does not match. The client is botocore, with the credentials of ``credentials_file`` or else of the
machine's role; what they do to the bytes on their way is S3's own signature, never in a log.
"""

import asyncio
import base64
import gzip
import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any, Final, Literal

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from extproc.edges.sinks.lines import LineOf, line_of
from extproc.ports import Record, RecordsRefusedError, SinkError

__all__ = ["Bucket", "S3Sink", "key_of"]

_CODE_CHARS: Final = 64
_NOT_ABOUT_THE_OBJECT: Final = frozenset(
    {
        "BadDigest",
        "ExpiredToken",
        "IncompleteBody",
        "InvalidAccessKeyId",
        "InvalidToken",
        "RequestTimeTooSkewed",
        "RequestTimeout",
        "SignatureDoesNotMatch",
        "XAmzContentSHA256Mismatch",
    }
)
"""What a store answers in the same words as a refusal, where it is the credentials, the clock or the way to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Where objects go and how they are kept; ``endpoint`` None is Amazon's own.

    ``retain`` is the mode of Object Lock and for how many days; ``kms_key`` None is the bucket's own key.
    """

    name: str
    prefix: str = ""
    region: str | None = None
    endpoint: str | None = None
    addressing: Literal["auto", "path", "virtual"] = "auto"
    credentials_file: Path | None = None
    ca_file: Path | None = None
    encryption: Literal["AES256", "aws:kms"] | None = None
    kms_key: str | None = None
    retain: tuple[Literal["GOVERNANCE", "COMPLIANCE"], int] | None = None


class S3Sink:
    """Puts objects into ``bucket``; a failure has the client made anew, with the credentials as they are then."""

    def __init__(self, bucket: Bucket, *, timeout: float, line: LineOf = line_of) -> None:
        self._bucket = bucket
        self._timeout = timeout
        self._line = line
        self._client: Any = None
        # at the level debug these write what they sign, session tokens among it
        for name in ("botocore", "urllib3"):
            logging.getLogger(name).setLevel(logging.WARNING)

    async def deliver(self, records: Sequence[Record]) -> None:
        """Raises ``SinkError`` unless the store says that it has every object."""
        for journal, own in groupby(records, key=lambda record: record.journal):
            await asyncio.to_thread(self._put, journal, list(own))

    async def close(self) -> None:
        """Let go of connections."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _put(self, journal: str, records: Sequence[Record]) -> None:
        # no time in it: the same records are the same bytes
        body = gzip.compress(b"".join(self._line(record) + b"\n" for record in records), 6, mtime=0)
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        try:
            client = self._client = self._client or _client(self._bucket, self._timeout)
            client.put_object(
                Bucket=self._bucket.name,
                Key=key_of(self._bucket.prefix, journal, records[0].seq, records[-1].seq),
                Body=body,
                ChecksumAlgorithm="SHA256",
                ChecksumSHA256=digest,
                ContentType="application/gzip",
                **_kept(self._bucket),
            )
        except ClientError as error:
            self._client = None
            code = "".join(char for char in str(error.response.get("Error", {}).get("Code")) if char.isalnum())
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            refuses = status in {400, 403, 409, 413} and code not in _NOT_ABOUT_THE_OBJECT
            kind = RecordsRefusedError if refuses else SinkError
            raise kind(f"the object store answers {code[:_CODE_CHARS]}") from None
        except (BotoCoreError, OSError, ValueError) as error:
            self._client = None
            raise SinkError(f"the object store cannot be used: {type(error).__name__}") from None


def key_of(prefix: str, journal: str, first: int, last: int) -> str:
    """The name of the object with the records ``first`` to ``last`` of a journal."""
    return f"{prefix}{journal}/{first:012d}-{last:012d}.jsonl.gz"


def _client(bucket: Bucket, timeout: float) -> Any:
    session = botocore.session.Session()
    if bucket.credentials_file is not None:
        for variable in ("credentials_file", "config_file"):
            session.set_config_variable(variable, str(bucket.credentials_file))
        # whoever names a file means neither keys of the environment nor the machine's own role
        session.set_config_variable("profile", "default")
        for provider in ("env", "container-role", "iam-role"):
            session.get_component("credential_provider").remove(provider)
    return session.create_client(
        "s3",
        region_name=bucket.region,
        endpoint_url=bucket.endpoint,
        verify=str(bucket.ca_file) if bucket.ca_file is not None else None,
        config=Config(
            connect_timeout=timeout,
            read_timeout=timeout,
            # it is the shipper that tries again
            retries={"total_max_attempts": 1},
            proxies={},
            s3={"addressing_style": bucket.addressing},
            # the digest below is enough, and older stores know no other way to say it
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            ignore_configured_endpoint_urls=True,
            max_pool_connections=1,
        ),
    )


def _kept(bucket: Bucket) -> Mapping[str, Any]:
    """How the store is to keep an object, in the words of PutObject."""
    kept: dict[str, Any] = {}
    if bucket.encryption is not None:
        kept["ServerSideEncryption"] = bucket.encryption
    if bucket.kms_key is not None:
        kept["SSEKMSKeyId"] = bucket.kms_key
    if bucket.retain is not None:
        mode, days = bucket.retain
        kept["ObjectLockMode"] = mode
        kept["ObjectLockRetainUntilDate"] = datetime.now(UTC) + timedelta(days=days)
    return kept
