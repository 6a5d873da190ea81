"""Certificates for tests: an authority, and certificates that it issues for a host or a client."""

from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from service_runtime.clock import SystemClock

_LIFE = timedelta(days=1)


class Authority:
    """A certificate authority whose files are in `folder`; `ca_file` is its certificate."""

    def __init__(self, folder: Path, name: str = "test authority") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _build_name(name)
        usage = x509.BasicConstraints(ca=True, path_length=0)
        self._certificate = _build(self._name, self._name, self._key.public_key(), _LIFE, usage).sign(
            self._key, hashes.SHA256()
        )
        folder.mkdir(parents=True, exist_ok=True)
        self.ca_file = folder / "ca.pem"
        self.ca_file.write_bytes(_to_pem(self._certificate))

    def issue(self, host: str, *, life: timedelta = _LIFE) -> Path:
        """Issues a certificate for a host or address; returns the file with its key, it and the authority's."""
        key = ec.generate_private_key(ec.SECP256R1())
        usage = x509.BasicConstraints(ca=False, path_length=None)
        certificate = (
            _build(_build_name(host), self._name, key.public_key(), life, usage)
            .add_extension(x509.SubjectAlternativeName([_to_general_name(host)]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        file = self._folder / f"{host}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file.write_bytes(private + _to_pem(certificate) + _to_pem(self._certificate))
        return file


def _build(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, life: timedelta, usage: x509.BasicConstraints
) -> x509.CertificateBuilder:
    now = SystemClock().now()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + life)
        .add_extension(usage, critical=True)
    )


def _build_name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _to_general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _to_pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
