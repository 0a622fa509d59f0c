"""Warnings: rules that load and yet can't mean what was meant."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from routing.problems import Problem
from routing.yaml_text import Node

if TYPE_CHECKING:
    from routing.rulebook import Rulebook


def warnings(rulebook: "Rulebook", nodes: Mapping[str, Mapping[str, Node]]) -> tuple[Problem, ...]:
    """Everything found, in no order. nodes: section -> name -> where it is written."""
    return ()
