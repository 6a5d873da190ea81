"""Converts the YAML of a framework definition to plain values, and refuses what YAML 1.1 would read differently."""

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Final

import yaml

from contracts.definition_problems import DefinitionProblem, Path, format_path


@dataclass
class YamlConverter:
    """Converts a YAML tree to plain values, and collects by path what YAML 1.1 would misread."""

    problems: dict[Path, DefinitionProblem] = field(default_factory=dict[Path, DefinitionProblem])
    seen: set[int] = field(default_factory=set[int])

    def convert(self, node: yaml.Node, path: Path) -> object:
        if isinstance(node, yaml.ScalarNode):
            return self._convert_scalar_node(node, path)
        if id(node) in self.seen:
            return self._refuse(node, path, "an alias (*) repeats another part", "write the part out in both places")
        self.seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            return [self.convert(item, (*path, position)) for position, item in enumerate(node.value)]
        return self._convert_mapping(node, path)

    def _convert_mapping(self, node: yaml.Node, path: Path) -> dict[str, object]:
        values: dict[str, object] = {}
        for key, value in node.value:
            here = (*path, str(key.value))
            if not isinstance(key, yaml.ScalarNode):
                self._refuse(key, here, "a key is a list or a section here", "write a plain word as the key")
            elif key.value in values:
                self._refuse(key, here, "this key is given twice in one section", "keep one of the two")
            else:
                values[key.value] = self.convert(value, here)
        return values

    def _convert_scalar_node(self, node: yaml.ScalarNode, path: Path) -> object:
        text = normalize_text(node.value)
        if not is_printable(text):
            return self._refuse(node, path, "has a character that cannot be shown", "remove it", instead=text)
        if node.style is not None:
            return text
        for trap in _AMBIGUOUS_SCALARS:
            if trap.is_triggered_by(node.tag, text):
                return self._refuse(node, path, trap.reason, trap.remedy, instead=text)
        return _convert_scalar(node.tag, text)

    def _refuse(self, node: yaml.Node, path: Path, reason: str, remedy: str, *, instead: object = None) -> object:
        self.problems[path] = DefinitionProblem(node.start_mark.line + 1, format_path(path), reason, remedy)
        return instead


@dataclass(frozen=True)
class _AmbiguousScalar:
    """An unquoted word that YAML 1.1 reads as a different value than written."""

    tag: str
    unambiguous: str
    reason: str
    remedy: str

    def is_triggered_by(self, tag: str, text: str) -> bool:
        return tag == self.tag and re.fullmatch(self.unambiguous, text) is None


def normalize_text(text: str) -> str:
    """Composes accents (NFC), trims the text, and writes one space for each run of spaces and line ends."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def is_printable(text: str) -> bool:
    """Returns whether the text has no control character; the joiners of some scripts are allowed."""
    return all(each.isprintable() or each in _JOINERS for each in text)


_JOINERS: Final = "\u200c\u200d"
_YAML: Final = "tag:yaml.org,2002:"
_CLOCK: Final = r"[0-9]{1,2}(:[0-9]{2}){1,2}"
_TIME_REMEDY: Final = 'put it in quotes, such as "17:00"'
_AMBIGUOUS_SCALARS: Final = (
    _AmbiguousScalar(
        f"{_YAML}int",
        r"-?(0|[1-9][0-9]{0,17})",
        "without quotes YAML counts 17:00 in sixties (1020) and reads 010 as eight",
        'put a time or a code in quotes, such as "17:00"; write a number in plain digits without a leading zero',
    ),
    # YAML 1.1 reads 08:30 as text, but 17:00 as a number. Refusing both keeps an edit from 08:30 to 10:30 safe.
    _AmbiguousScalar(
        f"{_YAML}str",
        rf"(?!{_CLOCK}$)[\s\S]*",
        "a time of day without quotes is a number to YAML as soon as it is 10:00 or later",
        _TIME_REMEDY,
    ),
    _AmbiguousScalar(
        f"{_YAML}float",
        r"-?[0-9]+\.[0-9]+",
        "without quotes YAML reads this as a number of a special form",
        "write a number in plain digits, such as 24.10, or put the text in quotes",
    ),
    _AmbiguousScalar(
        f"{_YAML}bool",
        r"true|false",
        "without quotes YAML reads on, off, yes and no as true and false",
        "write true or false; if the word itself is meant, put it in quotes",
    ),
)


def _convert_scalar(tag: str, text: str) -> object:
    """Converts integers, booleans and null; other values stay text, so that 24.10 keeps its digits."""
    if tag == f"{_YAML}int":
        return int(text)
    if tag == f"{_YAML}bool":
        return text == "true"
    return None if tag == f"{_YAML}null" else text
