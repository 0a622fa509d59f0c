"""Writes the tables of docs/rules.md anew: `make docs`, after a word of the rule language has come or gone.

A test fails while the document is stale.
"""

import sys
from pathlib import Path

from routing.reference_text import refreshed


def main() -> None:
    """Refresh each file named."""
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(refreshed(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
