"""Whether a file may be kept and sent: what the scanner says that intake.yaml names (files.clamd)."""

import functools
from collections.abc import Awaitable, Callable

from channels import clamd
from channels.scanner_wire import NoAnswer
from intake.sections import Files

Scan = Callable[[bytes], Awaitable[str | None]]
"""Return what a file is infected with; None = it is clean. Raises: NoAnswer."""


def scan_of(files: Files) -> Scan | None:
    """Return what scans files; None = nothing does."""
    if not files.clamd:
        return None
    return functools.partial(clamd.scan, files.clamd, timeout_s=files.clamd_timeout_s)


__all__ = ["NoAnswer", "Scan", "scan_of"]
