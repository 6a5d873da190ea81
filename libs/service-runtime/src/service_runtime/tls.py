"""TLS of a client: one context for all connections to one kind of server; its files may be replaced at any time."""

import ssl
from collections.abc import Iterator, Sequence
from pathlib import Path


class ClientTls:
    """What a client verifies a server with, and what it shows of itself.

    Without `ca_file` the machine's trust store decides. The certificate of the client is optional; `key_file` may be
    None if `cert_file` holds the key as well. `check_hostname` and `verify` are off only for PostgreSQL's weaker modes.
    """

    def __init__(
        self,
        ca_file: Path | None = None,
        cert_file: Path | None = None,
        key_file: Path | None = None,
        *,
        check_hostname: bool = True,
        verify: bool = True,
    ) -> None:
        self._ca_file = ca_file
        self._cert_file = cert_file
        self._key_file = key_file
        self._check_hostname = check_hostname and verify
        self._verify = verify
        self._context: ssl.SSLContext | None = None
        self._read: Sequence[int] = ()

    def get_context(self) -> ssl.SSLContext:
        """Returns the context. Files that have changed are read again into it, so that new connections use them.

        Raises OSError, of which ssl.SSLError is one, if a file cannot be read or is no certificate or key.
        """
        files = [file for file in (self._ca_file, self._cert_file, self._key_file) if file is not None]
        found = [file.stat().st_mtime_ns for file in files]
        if self._context is None:
            self._context = self._create_context()
        if found != self._read:
            self._load_files(self._context)
            self._read = found
        return self._context

    def _create_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.check_hostname = self._check_hostname
        context.verify_mode = ssl.CERT_REQUIRED if self._verify else ssl.CERT_NONE
        if self._verify and self._ca_file is None:
            context.load_default_certs()
        return context

    def _load_files(self, context: ssl.SSLContext) -> None:
        if self._ca_file is not None:
            context.load_verify_locations(cafile=self._ca_file)
        if self._cert_file is not None:
            # Without a password OpenSSL would ask for one on the terminal.
            context.load_cert_chain(self._cert_file, self._key_file, password="")


def explain_tls_error(error: ssl.SSLError) -> str:
    """Returns what is wrong, in words; the text has names of hosts and authorities only."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is not accepted ({error.verify_message.rstrip('.')})"
    if error.reason in {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"}:
        return "the server answers without TLS"
    if error.reason and "ALERT" in error.reason and ("CERTIFICATE" in error.reason or "UNKNOWN_CA" in error.reason):
        return "the server does not accept the client's certificate, or asks for one"
    return f"{(error.reason or 'the handshake failed').replace('_', ' ').lower()}"


def find_file_faults(files: Sequence[Path | None], variables: Sequence[str]) -> Iterator[str]:
    """Yields what is wrong with an authority's certificate, the client's certificate and its key, in this order."""
    ca_file, cert_file, key_file = files
    authority, certificate, key = variables
    if ca_file is not None and not _can_load(ClientTls(ca_file)):
        yield f"{authority} must be a file with certificates in PEM; openssl x509 -in FILE -text reads them"
    if key_file is not None and cert_file is None:
        yield f"{certificate} is not set; {key} is of no use without it"
    if cert_file is not None and not _can_load(ClientTls(None, cert_file, key_file)):
        yield (f"{certificate} and {key} must be a certificate and its key, both in PEM, the key without a pass phrase")


def _can_load(tls: ClientTls) -> bool:
    try:
        tls.get_context()
    except (OSError, ValueError):
        return False
    return True
