"""Write a step from the difference between the newest step and the schema.

    python -m intake.store.migrations.generate --first            write 0001 anew (only before the first release)
    python -m intake.store.migrations.generate "Add ticket notes" write the next one

Read what it wrote: Alembic does not see renames, nor the WHERE of an index.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from alembic.operations.ops import UpgradeOps
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

from intake.store import migrating, migrations
from intake.store.schema import metadata, search, tell_postgresql

FIRST = "First schema"
_TEMPLATE = '''"""{sentence}."""

import sqlalchemy as sa
from alembic import op

revision = "{number:04}"
down_revision = {before}


def upgrade() -> None:
    {body}{apart}
'''


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sentence", nargs="?", default=FIRST, help="what changes")
    parser.add_argument("--first", action="store_true")
    chosen = parser.parse_args(arguments)
    number = 1 if chosen.first else int(migrations.newest()) + 1
    path = write_step(migrations.folder() / "versions", number=number, sentence=chosen.sentence.rstrip("."))
    print(path)


def write_step(folder: Path, *, number: int, sentence: str) -> Path:
    name = re.sub(r"\W+", "_", sentence.lower()).strip("_")
    path = folder / f"{number:04}_{name}.py"
    before = f'"{number - 1:04}"' if number > 1 else "None"
    lines = (line.rstrip() for line in _difference(number).splitlines())
    body = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    body = body.strip().replace("(\"('')\")", "(\"''\")")  # SQLite's own brackets around an empty text
    apart = _apart() if number == 1 else ""
    path.write_text(_TEMPLATE.format(sentence=sentence, number=number, before=before, body=body, apart=apart))
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", path], check=True)
    return path


def _difference(number: int) -> str:
    tell_postgresql()
    engine = create_engine("sqlite://", poolclass=NullPool)
    with engine.begin() as connection:
        if number > 1:
            migrating.migrate(connection)
        return render_python_code(_operations(connection), migration_context=_context(connection))


def _apart() -> str:
    """Write out what the metadata cannot say. A later step that changes it is written by hand."""
    lines = ["    dialect = op.get_bind().dialect.name"]
    for dialect, statements in search.CREATE.items():
        lines.append(f'    if dialect == "{dialect}":')
        lines += [f"        op.execute({statement!r})" for statement in statements]
    return "\n" + "\n".join(lines)


def _operations(connection: Connection) -> UpgradeOps:
    operations = produce_migrations(_context(connection), metadata).upgrade_ops
    if operations is None or operations.is_empty():
        raise SystemExit("nothing differs between the newest step and the schema")
    return operations


def _context(connection: Connection) -> MigrationContext:
    return MigrationContext.configure(
        connection, opts={"compare_server_default": True, "include_name": search.is_of_metadata}
    )


if __name__ == "__main__":
    main()
