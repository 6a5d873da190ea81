"""Files of JSON lines: one document a line, appended as events happen."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel

LineT = TypeVar("LineT", bound=BaseModel)


class JsonLinesWriter(Generic[LineT]):
    """Appends documents; each is in the file when `write` returns."""

    def __init__(self, file: Path, *, private: bool = False) -> None:
        """`private`: only the owner can read the file."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(0o600 if private else 0o644)
        self._file = file.open("ab", buffering=0)

    def write(self, line: LineT) -> None:
        """Raises OSError on a full disk; then nothing of the line is in the file, so that the next is read."""
        content = line.model_dump_json().encode() + b"\n"
        begin = self._file.seek(0, os.SEEK_END)
        if self._file.write(content) != len(content):
            self._file.truncate(begin)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self._file.name)

    def close(self) -> None:
        self._file.close()


class JsonLinesReader(Generic[LineT]):
    """Reads the complete lines added since the last call; none while the file does not exist."""

    def __init__(self, file: Path, model: type[LineT], *, from_end: bool = False) -> None:
        self._file = file
        self._model = model
        self._offset = file.stat().st_size if from_end and file.exists() else 0

    def read_new(self) -> Iterator[LineT]:
        if not self._file.exists():
            return
        with self._file.open("rb") as lines:
            lines.seek(self._offset)
            for line in lines:
                if not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                yield self._model.model_validate_json(line)
