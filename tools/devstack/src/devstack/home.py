"""The folder of a stack, `.calloff`, and the files in it."""

import contextlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).parents[4]
KAFKA_POM: Final = REPOSITORY / "deploy" / "kafka" / "pom.xml"
KAFKA_JARS: Final = REPOSITORY / ".calloff" / "kafka-jars"
"""Downloaded once by `make setup`; all stacks of a checkout share it."""
FRAMEWORKS: Final = REPOSITORY / "frameworks"
FRAMEWORK_FILES: Final = (FRAMEWORKS / "essex-live-at-home-2025.yaml",)
"""The versions of the default council's framework definition, the oldest first."""

EXAMPLE_REFERRAL: Final = REPOSITORY / "docs" / "examples" / "referral.json"

FOLDER: Final = ".calloff"
HOME_VARIABLE: Final = "CALLOFF_HOME"
SUPERUSER_PASSWORD: Final = "superuser-password"  # noqa: S105 - a file's name
"""A file next to PostgreSQL's data."""


@dataclass(frozen=True)
class Home:
    """The folder of one stack."""

    folder: Path

    @property
    def postgres(self) -> Path:
        return self.folder / "postgres"

    @property
    def kafka(self) -> Path:
        return self.folder / "kafka"

    @property
    def postcodes(self) -> Path:
        return self.folder / "postcodes"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def lock_file(self) -> Path:
        return self.folder / "stack.lock"

    @property
    def record_file(self) -> Path:
        """Addresses and process ids of the running stack."""
        return self.folder / "stack.json"

    @property
    def secrets_file(self) -> Path:
        """Passwords and keys; only the owner can read it."""
        return self.folder / "secrets.json"

    @property
    def endpoint_secrets(self) -> Path:
        """The webhook secret of each simulated provider; the registry returns it once, at registration."""
        return self.folder / "endpoint-secrets.jsonl"

    @property
    def seed_marker(self) -> Path:
        """Records which market is registered in which database."""
        return self.folder / "seeded.json"

    @property
    def migration_marker(self) -> Path:
        """Records which migrations have run on which database."""
        return self.folder / "migrated"

    @property
    def person_counter(self) -> Path:
        """The number of invented people so far."""
        return self.folder / "people"

    @property
    def backup_files(self) -> tuple[Path, ...]:
        """Files that belong to a back-up: without keys and passwords the databases cannot be used."""
        password = self.postgres / SUPERUSER_PASSWORD
        return (
            self.secrets_file,
            password,
            self.endpoint_secrets,
            self.seed_marker,
            self.migration_marker,
            self.person_counter,
        )

    @property
    def council_log(self) -> Path:
        """The referrals that the simulated council posted, a line each."""
        return self.logs / "council.jsonl"

    @property
    def telemetry_file(self) -> Path:
        """Spans and metrics of the services, for some days (SQLite)."""
        return self.folder / "telemetry" / "telemetry.sqlite"

    @property
    def webhook_log(self) -> Path:
        """The webhooks that the simulated providers received, a line each."""
        return self.logs / "receivers.jsonl"

    @property
    def answer_log(self) -> Path:
        """The answers of the simulated providers, a line each."""
        return self.logs / "answers.jsonl"


def find_home() -> Home:
    """The folder in `CALLOFF_HOME`, else the nearest `.calloff` upwards, else `.calloff` in the current folder."""
    if chosen := os.environ.get(HOME_VARIABLE):
        return Home(Path(chosen).absolute())
    here = Path.cwd()
    return Home(next((up / FOLDER for up in (here, *here.parents) if (up / FOLDER).is_dir()), here / FOLDER))


def create_home_for(purpose: str) -> Home:
    """Creates a separate folder for `purpose`; it shares the postcode index, which takes long to build."""
    parent = find_home()
    home = Home(parent.folder / purpose)
    home.folder.mkdir(parents=True, exist_ok=True)
    parent.postcodes.mkdir(exist_ok=True)
    with contextlib.suppress(FileExistsError):
        home.postcodes.symlink_to(Path("..") / parent.postcodes.name)
    return home


def write_private(file: Path, text: str) -> None:
    """Writes a file that only its owner can read; atomic, by rename."""
    new = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    try:
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as private:  # noqa: PTH123 - born 0600
            private.write(text)
        new.replace(file)
    except OSError:  # a full disk: a part of a secret is not left behind
        new.unlink(missing_ok=True)
        raise
