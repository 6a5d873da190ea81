"""Runs `docker` for tests of the images; `CALLOFF_TEST_IMAGE` names an image that is built already."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from typing import Final

from devstack.home import REPOSITORY

IMAGE_VARIABLE: Final = "CALLOFF_TEST_IMAGE"
SERVICE_IMAGE: Final = os.environ.get(IMAGE_VARIABLE) or "calloff:local"
HARDENED: Final = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
TIMEOUT: Final = 1800
"""Seconds; a build on a busy machine takes minutes."""


def run_docker(*arguments: str, allow_failure: bool = False) -> subprocess.CompletedProcess[str]:
    """Raises AssertionError with what Docker printed if it fails."""
    done = subprocess.run(
        ["docker", *arguments], cwd=REPOSITORY, capture_output=True, text=True, timeout=TIMEOUT, check=False
    )
    assert allow_failure or done.returncode == 0, f"docker {' '.join(arguments)}:\n{done.stdout}{done.stderr}"
    return done


def run_in_image(command: str, *options: str, user: str | None = None) -> str:
    """Runs a shell command in a container of the service image, and returns its output."""
    as_user = [] if user is None else ["--user", user]
    shell = ("--entrypoint", "sh", SERVICE_IMAGE, "-c", command)
    return run_docker("run", "--rm", "--network", "none", *as_user, *options, *shell).stdout


def run_service_command(arguments: Sequence[str], *options: str) -> subprocess.CompletedProcess[str]:
    """Runs `calloff-service` with these arguments in a hardened container without a network."""
    return run_docker(
        "run", "--rm", "--network", "none", *HARDENED, *options, SERVICE_IMAGE, *arguments, allow_failure=True
    )


def explain_missing_docker() -> str | None:
    """Why these tests cannot run here; None where they can."""
    if shutil.which("docker") is None:
        return "docker is not installed"
    if run_docker("version", allow_failure=True).returncode != 0:
        return "no Docker daemon answers"
    if run_docker("compose", "version", allow_failure=True).returncode != 0:
        return "the Compose plug-in of Docker is not installed"
    return None
