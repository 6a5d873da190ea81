"""Parses the text of a definition into YAML nodes, within limits that keep the longest parse short."""

from typing import Final

import yaml

from contracts.definition_problems import DefinitionProblem, DefinitionRefused

MAX_BYTES: Final = 100_000
"""The definition of a county has 15,000. Parsing YAML with line numbers takes about 10 microseconds a byte."""
MAX_DEPTH: Final = 20
MAX_NODES: Final = 10_000
_BYTE_ORDER_MARK: Final = "\ufeff"


class _BoundedLoader(yaml.SafeLoader):
    """A loader that stops at the first node beyond MAX_DEPTH or MAX_NODES. An alias counts as a node."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._depth = 0
        self._nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self._depth += 1
        self._nodes += 1
        if self._depth > MAX_DEPTH:
            line = self.line if parent is None else parent.start_mark.line
            raise _LimitExceeded(line, "is nested too deeply", "follow an existing definition's shape")
        if self._nodes > MAX_NODES:
            raise _LimitExceeded(self.line, f"has more than {MAX_NODES} values", "write a shorter definition")
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


class _LimitExceeded(Exception):
    """The text exceeds a limit of the loader."""

    def __init__(self, line: int, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.problem = DefinitionProblem(line + 1, "(text)", reason, remedy)


def compose_yaml(text: str, source: str) -> yaml.Node:
    """Parses `text` into YAML nodes, which have line numbers. Raises DefinitionRefused."""
    if len(text.encode(errors="replace")) > MAX_BYTES:
        raise _refuse(source, f"is larger than a definition may be, {MAX_BYTES} bytes", "write a shorter definition")
    try:
        document = yaml.compose(text.removeprefix(_BYTE_ORDER_MARK), Loader=_BoundedLoader)
    except _LimitExceeded as error:
        raise DefinitionRefused(source, (error.problem,)) from None
    except yaml.MarkedYAMLError as error:
        raise DefinitionRefused(source, (_explain_syntax_error(error),)) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        remedy = "remove it; save the file as UTF-8"
        raise _refuse(source, "a character that YAML does not allow", remedy, line=line) from None
    except (ValueError, RecursionError):
        raise _refuse(source, "this is not YAML", "start from an existing definition") from None
    if document is None:
        raise _refuse(source, "the definition is empty", "start from an existing definition")
    return document


def _refuse(source: str, reason: str, remedy: str, *, line: int = 1) -> DefinitionRefused:
    return DefinitionRefused(source, (DefinitionProblem(line, "(text)", reason, remedy),))


def _explain_syntax_error(error: yaml.MarkedYAMLError) -> DefinitionProblem:
    mark = error.problem_mark or error.context_mark
    return DefinitionProblem(
        line=mark.line + 1 if mark else 1,
        path="(text)",
        reason=f"this is not YAML: {error.problem or error.context}",
        remedy="look at the indentation (spaces, no tabs), colons and quotes of this line and the one above",
    )
