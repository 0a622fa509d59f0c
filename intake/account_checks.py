"""What is wrong with accounts that no account can see by itself: what they name, and what they share."""

from collections.abc import Mapping
from typing import Any

from routing import problems as trouble
from routing.problems import Problem
from routing.yaml_text import Node


def absent_pagers(root: Node, pagers: Mapping[str, str], channels: Mapping[str, object]) -> list[Problem]:
    """Say which account that is to call or text agents is not there. pagers: key of oncall: -> account, "" = none."""
    found = []
    for key, name in pagers.items():
        if name and name not in channels:
            where = root.value["oncall"].value[key]
            hint = trouble.did_you_mean(name, list(channels))
            found.append(where.problem("unknown-account", f"no account is called '{name}'", hint))
    return found


def shared_numbers(root: Node, channels: Mapping[str, Any]) -> list[Problem]:
    """Say which number stands in two accounts of one kind: the provider has one address for what comes to it."""
    found = []
    first: dict[tuple[str, str], str] = {}
    for name, channel in channels.items():
        for number in getattr(channel.options, "numbers", ()) if channel is not None else ():
            owner = first.setdefault((channel.kind, number), name)
            if owner != name:
                where = root.value["channels"].keys[name]
                message = (
                    f"'{name}' and '{owner}' are both of kind {channel.kind} and have the number {number}"
                )
                found.append(where.problem("shared-number", message, "leave it in one of them"))
    return found
