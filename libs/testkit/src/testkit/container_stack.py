"""The stack of docker-compose.yml for a test, with a project, a network, ports and volumes of its own."""

import json
import os
import secrets
import subprocess
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from subprocess import CalledProcessError
from typing import Final

from testcontainers.compose import DockerCompose

from devstack.home import REPOSITORY
from devstack.keys import StackKeys
from testkit.docker_commands import run_docker

COMPOSE_FILES: Final = ("docker-compose.yml", "tests/containers/test-stack.yml")
PROJECT_VARIABLE: Final = "COMPOSE_PROJECT_NAME"
KEYS_FILE: Final = "/var/lib/calloff/issuer/keys.json"


@dataclass(frozen=True)
class ContainerStack:
    """A running stack."""

    project: str
    compose: DockerCompose

    def get_url(self, service: str) -> str:
        """The address of a service on this machine."""
        return f"http://127.0.0.1:{self.compose.get_service_port(service, 8080)}"

    def load_keys(self) -> StackKeys:
        """The part of the keys that the token issuer has."""
        return StackKeys.model_validate_json(self.execute("issuer", "cat", KEYS_FILE))

    def execute(self, service: str, *command: str) -> str:
        """The output of a command in the service's container."""
        printed, _, _ = self.compose.exec_in_container(list(command), service)
        return printed

    def inspect(self, service: str) -> Mapping[str, object]:
        """What `docker inspect` shows of the service's container."""
        shown: list[Mapping[str, object]] = json.loads(run_docker("inspect", f"{self.project}-{service}-1").stdout)
        return shown[0]

    def run_compose(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        files = [item for name in COMPOSE_FILES for item in ("--file", name)]
        return run_docker("compose", "--project-name", self.project, *files, *arguments)


@contextmanager
def start_container_stack() -> Generator[ContainerStack]:
    """Builds the images and starts the stack; raises AssertionError with the containers' logs if it does not start."""
    project = f"calloff-test-{secrets.token_hex(4)}"
    compose = DockerCompose(REPOSITORY, compose_file_name=list(COMPOSE_FILES), build=True)
    previous = os.environ.get(PROJECT_VARIABLE)
    os.environ[PROJECT_VARIABLE] = project
    try:
        _start(compose)
        yield ContainerStack(project, compose)
    finally:
        compose.stop()
        os.environ.pop(PROJECT_VARIABLE)
        if previous is not None:
            os.environ[PROJECT_VARIABLE] = previous


def _start(compose: DockerCompose) -> None:
    try:
        compose.start()
    except CalledProcessError as error:
        reason = error.stderr.decode(errors="replace")[-2_000:]
        logs = "".join(compose.get_logs())[-10_000:]
        raise AssertionError(f"the stack does not start: {reason}\n{logs}") from error
