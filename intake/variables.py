"""`${NAME}` and `${NAME:-default}` in the settings: the environment's values put into the scalars of a YAML tree.

A node keeps its text as written, so that a problem names `${SMTP_PASSWORD}` and never its value. An unquoted scalar
is read again after the replacement (`port: ${PORT:-25}` is a number); a quoted one stays text, which is what
a password wants. As in a shell, the default stands in for an unset and for an empty variable; `$${` is a plain `${`.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from routing import yaml_text
from routing.problems import Problem
from routing.yaml_text import Node

_VARIABLE = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{")
_SECRET_KEY = re.compile(r"(^|_)(password|passwd|secrets?|token|key|credentials?)$", re.IGNORECASE)
_URL_PASSWORD = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://[^\s/:@]*:([^\s/@]+)@")
_SECRET_MAPPINGS = frozenset({"users"})  # name -> password


def substitute(node: Node, environ: Mapping[str, str], problems: list[Problem]) -> Node:
    """Return the tree with every variable replaced; an unset one without a default is a problem at its line."""
    if isinstance(node.value, dict):
        values = {key: substitute(child, environ, problems) for key, child in node.value.items()}
        return msgspec.structs.replace(node, value=values)
    if isinstance(node.value, tuple):
        return msgspec.structs.replace(
            node, value=tuple(substitute(child, environ, problems) for child in node.value)
        )
    if not isinstance(node.value, str) or "${" not in node.value:
        return node
    text = _replaced(node, environ, problems)
    value: Any = yaml_text.scalar(text) if node.plain and text else text
    return msgspec.structs.replace(node, value=value)


def _replaced(node: Node, environ: Mapping[str, str], problems: list[Problem]) -> str:
    def value_of(found: re.Match[str]) -> str:
        if found.group() == "$${":
            return "${"
        name, default = found.group(1), found.group(2)
        if name is None:
            problems.append(_malformed(node))
            return ""
        if default is not None:
            return environ.get(name) or default
        if name not in environ:
            problems.append(_unset(node, name))
        return environ.get(name, "")

    return _VARIABLE.sub(value_of, node.value)


def _unset(node: Node, name: str) -> Problem:
    hint = f"export {name}=…, or write a default: ${{{name}:-value}}"
    return node.problem("unset-variable", f"the environment variable {name} is not set", hint)


def _malformed(node: Node) -> Problem:
    hint = "write ${NAME} or ${NAME:-default}; a plain ${ is written $${"
    return node.problem("bad-variable", "a ${ without a name and a closing }", hint)


def secrets_of(node: Node, key: str = "") -> Iterator[str]:
    """Every value that must not be shown: under a key that says so, or as the password of a URL."""
    if isinstance(node.value, dict):
        for name, child in node.value.items():
            yield from secrets_of(child, "password" if key in _SECRET_MAPPINGS else name)
    elif isinstance(node.value, tuple):
        for child in node.value:
            yield from secrets_of(child, key)
    elif node.value is not None:
        text = str(node.value)
        if _SECRET_KEY.search(key) and not text.startswith(("/", "./")):
            yield text
        yield from _URL_PASSWORD.findall(text)
