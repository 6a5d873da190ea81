"""Database connection: the arguments with which every connection to PostgreSQL is opened."""

import ssl
from dataclasses import dataclass
from typing import Final, Literal

from service_runtime.tls import ClientTls

SslMode = Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]
SCHEMES: Final = ("postgresql+asyncpg://", "postgresql://", "postgres://")


@dataclass(frozen=True)
class DatabaseTls:
    """How connections are encrypted, by libpq's word for it; `tls` for the modes that always encrypt.

    Without a mode the parameters of the URL count, as libpq reads them.
    """

    mode: SslMode | None = "prefer"
    tls: ClientTls | None = None

    def build_argument(self) -> str | ssl.SSLContext | None:
        """Builds asyncpg's argument `ssl`. Raises OSError if a certificate cannot be read."""
        return self.mode if self.tls is None else self.tls.get_context()


DEFAULT_TLS: Final = DatabaseTls()


def to_dsn(url: str) -> str:
    """Returns the URL in the form that asyncpg reads."""
    for scheme in SCHEMES:
        if url.startswith(scheme):
            return "postgresql://" + url.removeprefix(scheme)
    message = f"the database URL must begin with one of {', '.join(SCHEMES)}"
    raise ValueError(message)
