"""A logger that remembers, so that a test can read what operations would have been told."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Line:
    """One line of the log."""

    level: str
    event: str
    fields: dict[str, object]


@dataclass
class Logbook:
    """Keeps every line; prints none."""

    lines: list[Line] = field(default_factory=list[Line])

    def debug(self, event: str, **fields: object) -> None:
        self.lines.append(Line("debug", event, fields))

    def info(self, event: str, **fields: object) -> None:
        self.lines.append(Line("info", event, fields))

    def warning(self, event: str, **fields: object) -> None:
        self.lines.append(Line("warning", event, fields))

    def error(self, event: str, **fields: object) -> None:
        self.lines.append(Line("error", event, fields))

    def said(self, event: str) -> list[Line]:
        """The lines that tell of `event`."""
        return [line for line in self.lines if line.event == event]
