"""The desk: the pages that agents work on, live, with the functions that the command line calls too."""

import importlib
import pkgutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from intake.web.desk.desk import Desk
    from intake.web.routes import Route


def routes(desk: "Desk") -> "list[Route]":
    """Collect the routes of each module of this package that has any, in the order of their names."""
    found: list[Route] = []
    for each in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{each.name}")
        found += module.routes(desk) if hasattr(module, "routes") else ()
    return found
