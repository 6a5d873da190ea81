"""Fixtures of the container tests; without a Docker daemon all of them are skipped with one line."""

import os
from collections.abc import Generator

import pytest

from testkit.container_stack import ContainerStack, start_container_stack
from testkit.docker_commands import IMAGE_VARIABLE, SERVICE_IMAGE, explain_missing_docker, run_docker


@pytest.fixture(scope="session")
def docker() -> None:
    reason = explain_missing_docker()
    if reason is not None:
        pytest.skip(f"container tests need Docker: {reason}")


@pytest.fixture(scope="session")
def service_image(docker: None) -> str:
    """The image of the services, built from this checkout unless the environment names one."""
    if IMAGE_VARIABLE not in os.environ:
        run_docker("compose", "build", "referral")
    return SERVICE_IMAGE


@pytest.fixture(scope="session")
def container_stack(docker: None) -> Generator[ContainerStack]:
    with start_container_stack() as stack:
        yield stack
