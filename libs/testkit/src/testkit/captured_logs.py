"""A logger that stores its entries instead of printing them, so that tests can read them."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class LogEntry:
    """One entry of the log."""

    level: str
    event: str
    fields: dict[str, object]


@dataclass
class CapturedLogs:
    """A logger that stores every entry and prints none."""

    entries: list[LogEntry] = field(default_factory=list[LogEntry])

    def debug(self, event: str, **fields: object) -> None:
        self.entries.append(LogEntry("debug", event, fields))

    def info(self, event: str, **fields: object) -> None:
        self.entries.append(LogEntry("info", event, fields))

    def warning(self, event: str, **fields: object) -> None:
        self.entries.append(LogEntry("warning", event, fields))

    def error(self, event: str, **fields: object) -> None:
        self.entries.append(LogEntry("error", event, fields))

    def find_entries(self, event: str) -> list[LogEntry]:
        """Returns the entries with this event name, in order."""
        return [entry for entry in self.entries if entry.event == event]
