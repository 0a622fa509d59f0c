"""kind -> module. No registry and no scan: `email.smtp` is `channels.email.smtp`; third parties come by entry point."""

import importlib
import importlib.metadata
import re
from collections.abc import Callable
from types import ModuleType
from typing import Any, Protocol, cast

from channels import contract

ENTRY_POINTS = "intake.channels"
_KIND = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")


class ChannelModule(Protocol):
    """What every channel module has; everything else is optional and found by attribute (see channels.contract)."""

    Options: type[Any]
    Channel: Callable[..., Any]
    MEDIUM: str

    @staticmethod
    def parse(raw: contract.RawMessage, options: Any, evidence: Any = None) -> contract.Message: ...


def module_for(kind: str) -> ChannelModule:
    """Import the module of a kind.

    Raises: LookupError, with a sentence for the admin, when there is no such kind.
    """
    if not _KIND.fullmatch(kind) or kind.split(".", maxsplit=1)[0] in {"contract", "loading", "testing"}:
        raise LookupError(f"'{kind}' is not a channel kind: a kind is written like email.smtp")
    module = _own(kind) or _third_party(kind)
    if module is None or not hasattr(module, "Options"):
        raise LookupError(f"there is no channel kind '{kind}'")
    return cast("ChannelModule", module)


def _own(kind: str) -> ModuleType | None:
    name = f"channels.{kind}"
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        # A missing module inside the channel is a broken installation and has to be seen as one.
        if error.name is None or not name.startswith(error.name):
            raise
        return None


def _third_party(kind: str) -> ModuleType | None:
    for point in importlib.metadata.entry_points(group=ENTRY_POINTS, name=kind):
        return cast("ModuleType", point.load())
    return None
