"""Reads the settings of a service from the environment and from a folder of secrets; refuses them in words."""

import difflib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypeVar

from pydantic import ValidationError

from service_runtime.settings_base import PREFIX, EnvironmentSettings
from service_runtime.startup.errors import StartRefused
from service_runtime.startup.faults import describe_faults, list_variables

SECRETS_DIR: Final = "CALLOFF_SECRETS_DIR"
"""The variable that names the folder of secrets: one file for each, named as its variable."""
_SIMILAR: Final = 0.8
"""How similar two names are, from 0 to 1, for one to be suggested in place of the other."""

SettingsT = TypeVar("SettingsT", bound=EnvironmentSettings)


def read_settings(settings_type: type[SettingsT]) -> SettingsT:
    """Returns the settings; a variable of the environment wins over a file. Raises StartRefused with all faults."""
    folder = os.environ.get(SECRETS_DIR) or None
    if folder is not None:
        _check_folder(Path(folder), settings_type)
    try:
        # The environment and the folder provide what the constructor's signature asks for.
        return settings_type(_secrets_dir=folder)  # pyright: ignore[reportCallIssue]
    except ValidationError as invalid:
        raise StartRefused(
            *describe_faults(settings_type, invalid), *find_typos(settings_type, only_similar=True)
        ) from None


def find_typos(settings_type: type[EnvironmentSettings], *, only_similar: bool = False) -> Sequence[str]:
    """Lists the variables and files of Call-off that this service does not read, each with the nearest that it does.

    With `only_similar` those that resemble none are left out: they are settings of other services.
    """
    known = [*list_variables(settings_type), SECRETS_DIR]
    folder = os.environ.get(SECRETS_DIR)
    names = {*os.environ, *(_list_files(Path(folder)) if folder else ())}
    unknown = (name for name in sorted(names) if name.startswith(PREFIX) and name not in known)
    nearest = {name: difflib.get_close_matches(name, known, n=1, cutoff=_SIMILAR) for name in unknown}
    return [_describe_unknown(name, found) for name, found in nearest.items() if found or not only_similar]


def _describe_unknown(name: str, nearest: Sequence[str]) -> str:
    return f"{name} is no setting of this service and is ignored" + (f"; did you mean {nearest[0]}?" if nearest else "")


def _check_folder(folder: Path, settings_type: type[EnvironmentSettings]) -> None:
    """Raises StartRefused if the folder is missing, or if a file of a setting in it cannot be read."""
    variables = list_variables(settings_type).keys()
    names = [name for name in _list_files(folder) if name.upper() in variables]  # pydantic accepts small letters
    if unreadable := [name for name in names if not _can_read(folder / name)]:
        raise StartRefused(
            *(f"{name} in {SECRETS_DIR} must be a file of text that this process can read" for name in unreadable)
        )


def _list_files(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in folder.iterdir())
    except OSError:
        raise StartRefused(
            f"{SECRETS_DIR} must be the path of a folder that this process can list, with one file for each secret"
        ) from None


def _can_read(file: Path) -> bool:
    try:
        file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return True
