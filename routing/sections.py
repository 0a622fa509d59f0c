"""The sections of a rulebook: gathered from all its files, with the names that stand in each."""

from collections.abc import Mapping

from routing import naming, yaml_text
from routing.problems import ConfigError, Problem, Problems, did_you_mean
from routing.typed import said
from routing.yaml_text import Node

MAX_BYTES = 2 * yaml_text.MAX_BYTES
NAMED = {
    "calendars": "calendar",
    "agents": "agent",
    "schedules": "schedule",
    "teams": "team",
    "lists": "list",
    "fields": "field",
    "sla": "policy",
    "ladders": "ladder",
    "conditions": "condition",
}
"""Sections of named things, and what one of them is called."""
SECTIONS = ("version", *NAMED, "conversations", "enrich", "route", "default", "react", "tests")


_OF_NAMES = frozenset(
    f"unknown-{what}"
    for what in ("agent", "calendar", "condition", "field", "ladder", "level", "list", "policy", "recipient",
                 "schedule", "skill", "SLA-policy", "team")
)  # fmt: skip
"""Problems that may come of a file that could not be read, where the name may stand."""


class Sections:
    """Every section of some files. problems: what is wrong with the files as such, extended by whoever reads on.

    is_whole: every file could be read as YAML; else nobody knows what is missing.
    """

    def __init__(self, files: Mapping[str, str]) -> None:
        """Raises: ConfigError when the files are too big together. files: name -> text, read in the order of names."""
        self.files = {name: files[name] for name in sorted(files)}
        self.problems = Problems()
        self.is_whole = True
        self.documents = self._read()
        self.named: dict[str, dict[str, Node]] = {
            section: naming.entries(self.all(section), what, self.problems) for section, what in NAMED.items()
        }

    def all(self, section: str) -> list[Node]:
        """The nodes of a section, one for each file that has it."""
        return [document.value[section] for document in self.documents if section in document.value]

    def certain(self) -> list[Problem]:
        """The problems, without those that a file which could not be read may have caused."""
        return [each for each in self.problems if self.is_whole or each.code not in _OF_NAMES]

    def only(self, section: str, *, hint: str) -> Node | None:
        """The node of a section that one file must have; None = no file has it. hint: what to add then."""
        nodes = self.all(section)
        if not nodes:
            if self.documents and self.is_whole:
                where = self.documents[-1]
                self.problems.append(where.problem("missing-key", f"'{section}' is missing", hint))
            return None
        for again in nodes[1:]:
            first = f"the first is in {nodes[0].file}:{nodes[0].line}"
            self.problems.append(again.problem("duplicate-key", f"'{section}' is written twice", first))
        return nodes[0]

    def _read(self) -> list[Node]:
        if sum(yaml_text.size_bytes(text) for text in self.files.values()) > MAX_BYTES:
            message = f"the files have more than {MAX_BYTES >> 20} MB together"
            raise ConfigError([Problem(next(iter(self.files)), 1, 1, "error", "too-big", message)])
        documents = []
        for name, text in self.files.items():
            try:
                documents.append(yaml_text.read(text, file=name))
            except ConfigError as error:
                self.problems.extend(error.problems)
                self.is_whole = False
        for document in documents:
            self._check_document(document)
        self._check_version(documents)
        return [document for document in documents if document.is_mapping]

    def _check_document(self, document: Node) -> None:
        if not isinstance(document.value, dict):
            if document.value is not None or len(self.files) == 1:
                message = f"wanted sections like route:, got {said(document)}"
                self.problems.append(document.problem("wrong-type", message))
            return
        for name in document.value:
            if name not in SECTIONS:
                hint = did_you_mean(name, SECTIONS)
                self.problems.append(document.keys[name].problem("unknown-key", f"no section '{name}'", hint))

    def _check_version(self, documents: list[Node]) -> None:
        versions = [
            each.value["version"] for each in documents if each.is_mapping and "version" in each.value
        ]
        for version in versions:
            if version.value != 1 or isinstance(version.value, bool):
                self.problems.append(
                    version.problem("bad-version", f"version {said(version)} is not known", "write 1")
                )
        if not versions and self.is_whole and documents and documents[0].is_mapping:
            self.problems.append(
                documents[0].problem("missing-key", "'version' is missing", "start with version: 1")
            )
