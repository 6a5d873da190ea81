"""Installs the compared libraries into a folder of their own, where only the comparison uses them."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from bench.figures import NotMeasured
from devstack.home import find_home

REQUIREMENTS: Final = Path(__file__).with_name("requirements.txt")
_FOLDER: Final = "bench-peers"


def read_version(package: str) -> str:
    """Return the pinned version of a package. Raises LookupError if it is not pinned."""
    for line in REQUIREMENTS.read_text().splitlines():
        name, _, version = line.partition("==")
        if name.partition("[")[0] == package:
            return version
    message = f"{package} is not pinned in {REQUIREMENTS}"
    raise LookupError(message)


def install_peers() -> Path:
    """Install what `requirements.txt` pins, once, and return the Python that can import it.

    Raises NotMeasured where it cannot be installed.
    """
    folder = find_home().folder / _FOLDER
    python, installed = folder / "bin" / "python", folder / "installed.txt"
    if installed.exists() and installed.read_text() == REQUIREMENTS.read_text():
        return python
    shutil.rmtree(folder, ignore_errors=True)
    _run([sys.executable, "-m", "venv", folder])
    _run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", REQUIREMENTS])
    installed.write_text(REQUIREMENTS.read_text())
    return python


def _run(command: list[str | Path]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = "".join(done.stderr.strip().splitlines()[-1:])
        message = f"the compared libraries cannot be installed: {reason}"
        raise NotMeasured(message)
