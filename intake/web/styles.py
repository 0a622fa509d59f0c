"""Style sheets of the pages that need no session."""

from importlib import resources

_FOLDER = resources.files("intake.web") / "pages"


def sheet(name: str) -> bytes:
    """Return a page's style sheet, behind the colours that all of them share."""
    return (_FOLDER / "colours.css").read_bytes() + b"\n" + (_FOLDER / name).read_bytes()
