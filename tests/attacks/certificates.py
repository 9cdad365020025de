"""Throw-away certificates: an authority, and pairs with a SPIFFE id or an address in them."""

import datetime as dt
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

__all__ = ["Authority", "Pair"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path


class Authority:
    """Signs; ``file`` is its own certificate."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, folder.name)])
        self.file = folder / "ca.crt"
        self.file.write_bytes(self._signed(self._name, self._key, None))

    def issue(self, name: str) -> Pair:
        """A pair for a SPIFFE id, or for an IP address."""
        alternative: x509.GeneralName = (
            x509.UniformResourceIdentifier(name) if "://" in name else x509.IPAddress(ipaddress.ip_address(name))
        )
        return self.issue_with(name.rpartition("/")[2], alternative)

    def issue_with(self, stem: str, *alternatives: x509.GeneralName, hours: int = 1) -> Pair:
        """A pair with any alternative names, valid until ``hours`` from now: expired where that is negative."""
        key = ec.generate_private_key(ec.SECP256R1())
        pair = Pair(certificate=self._folder / f"{stem}.crt", key=self._folder / f"{stem}.key")
        pair.certificate.write_bytes(self._signed(x509.Name([]), key, alternatives, hours=hours))
        clear = serialization.NoEncryption()
        pair.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, clear))
        return pair

    def _signed(
        self,
        name: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        alternatives: Sequence[x509.GeneralName] | None,
        *,
        hours: int = 1,
    ) -> bytes:
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=2))
            .not_valid_after(now + dt.timedelta(hours=hours))
            .add_extension(x509.BasicConstraints(ca=alternatives is None, path_length=None), critical=True)
        )
        if alternatives:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=True)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
