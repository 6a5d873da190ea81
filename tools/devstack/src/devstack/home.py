"""Where a stack keeps what it needs to know the next time: one folder, `.calloff`, and what lies where in it."""

import contextlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).parents[4]
KAFKA_POM: Final = REPOSITORY / "deploy" / "kafka" / "pom.xml"
KAFKA_JARS: Final = REPOSITORY / ".calloff" / "kafka-jars"
"""Downloaded once a checkout (`make setup`), however many stacks run from it."""
FRAMEWORK_FILES: Final = tuple(
    REPOSITORY / "frameworks" / name for name in ("essex-live-at-home-2025.yaml", "essex-live-at-home-2025.2.yaml")
)
"""The versions of Essex's definition, the oldest first."""

EXAMPLE_REFERRAL: Final = REPOSITORY / "docs" / "examples" / "referral.json"

FOLDER: Final = ".calloff"
CHOSEN_BY: Final = "CALLOFF_HOME"
SUPERUSER_PASSWORD: Final = "superuser-password"  # noqa: S105 - a file's name
"""Beside PostgreSQL's data."""


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
    def lock(self) -> Path:
        return self.folder / "stack.lock"

    @property
    def stack(self) -> Path:
        """Addresses and process ids of the stack that runs, for the other commands."""
        return self.folder / "stack.json"

    @property
    def secrets(self) -> Path:
        """Passwords and keys; nobody but the owner may read it."""
        return self.folder / "secrets.json"

    @property
    def endpoint_secrets(self) -> Path:
        """What the register told, once, to each provider's system."""
        return self.folder / "endpoint-secrets.jsonl"

    @property
    def seeded(self) -> Path:
        """Which market is registered in which database."""
        return self.folder / "seeded.json"

    @property
    def migrated(self) -> Path:
        """Which scripts have been run on which database."""
        return self.folder / "migrated"

    @property
    def people(self) -> Path:
        """How many invented people there are so far."""
        return self.folder / "people"

    @property
    def kept(self) -> tuple[Path, ...]:
        """What a copy of the databases is of no use without: keys and passwords, and what the simulated world knows."""
        password = self.postgres / SUPERUSER_PASSWORD
        return (self.secrets, password, self.endpoint_secrets, self.seeded, self.migrated, self.people)

    @property
    def posted(self) -> Path:
        """The council's own log: what it posted when."""
        return self.logs / "council.jsonl"

    @property
    def telemetry(self) -> Path:
        """Spans and numbers that the services have told, for some days."""
        return self.folder / "telemetry" / "told.sqlite"

    @property
    def received(self) -> Path:
        """The receivers' log: every webhook that came, a line each."""
        return self.logs / "receivers.jsonl"

    @property
    def answered(self) -> Path:
        """What the simulated providers answered, a line each."""
        return self.logs / "answers.jsonl"


def find_home() -> Home:
    """The folder that `CALLOFF_HOME` names, else the nearest `.calloff` above, else one to be made here."""
    if chosen := os.environ.get(CHOSEN_BY):
        return Home(Path(chosen).absolute())
    here = Path.cwd()
    return Home(next((up / FOLDER for up in (here, *here.parents) if (up / FOLDER).is_dir()), here / FOLDER))


def home_for(purpose: str) -> Home:
    """A folder of its own; only the directory of postcodes, which takes long to build, is everybody's."""
    around = find_home()
    home = Home(around.folder / purpose)
    home.folder.mkdir(parents=True, exist_ok=True)
    around.postcodes.mkdir(exist_ok=True)
    with contextlib.suppress(FileExistsError):
        home.postcodes.symlink_to(Path("..") / around.postcodes.name)
    return home


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    new = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as private:  # noqa: PTH123 - born 0600
        private.write(text)
    new.replace(file)
