"""The steps from one schema to the next, run by Alembic; each step is frozen once a release carries it."""

import re
from functools import cache
from importlib import resources
from pathlib import Path

_STEP = re.compile(r"(\d{4})_\w+\.py")


def folder() -> Path:
    return Path(str(resources.files(__name__)))


@cache
def versions() -> tuple[str, ...]:
    """Return the known versions of the schema, oldest first; the names of the files say them, without Alembic."""
    steps = (_STEP.fullmatch(path.name) for path in (folder() / "versions").iterdir())
    return tuple(sorted(step[1] for step in steps if step))


def newest() -> str:
    return versions()[-1]
