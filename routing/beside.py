"""Files that stand beside the rules and are named in them: which ones, found before the rules as a whole are read.

Reading them is the caller's business, who then brings along what is in them.
"""

import re
from collections.abc import Iterator, Mapping

from routing import yaml_text
from routing.problems import ConfigError
from routing.yaml_text import Node

_NAME = re.compile(r"[^/\\\x00-\x1f]{1,200}\Z")


def is_file_name(node: Node) -> bool:
    """Whether it names a file in the folder of the rules, and no hidden one."""
    return isinstance(node.value, str) and bool(_NAME.match(node.value)) and not node.value.startswith(".")


def sections(texts: Mapping[str, str], name: str) -> Iterator[Node]:
    """A section of each text that has it and names a file; what can't be read is left to `load` to tell."""
    for file, text in sorted(texts.items()):
        if name not in text or "file" not in text:
            continue
        try:
            node = _document(text, name, file=file)
        except ConfigError:
            continue
        if isinstance(node.value, dict) and name in node.value:
            yield node.value[name]


def _document(text: str, name: str, *, file: str) -> Node:
    """Of a text in block style only the section is read: all of it would cost a second load."""
    pattern = rf"^{name}[ \t]*:.*\n?(?:^(?:[ \t#].*|-.*|)$\n?)*"
    section = re.search(pattern, text, re.MULTILINE)
    return yaml_text.read(section.group() if section else text, file=file)
