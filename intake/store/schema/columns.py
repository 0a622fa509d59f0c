"""How the columns and indexes of every table are written."""

import sqlalchemy as sa

metadata = sa.MetaData()

# SQLite numbers rows by itself only in a column spelled INTEGER.
Serial = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def row_id() -> sa.Column[int]:
    return sa.Column("id", Serial, primary_key=True, autoincrement=False)


def text(name: str, default: str | None = None, *, nullable: bool = False) -> sa.Column[str]:
    written = None if default is None else sa.text(f"'{default}'")
    return sa.Column(name, sa.Text, nullable=nullable, server_default=written)


def ranged_text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    """A text whose beginnings are looked up as ranges: by code points, whatever the language of a PostgreSQL server.

    In those of most, ":" stands before the digits, and "anna@" is compared without its "@".
    """
    plain = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    return sa.Column(name, plain, nullable=nullable)


def number(name: str, default: int | None = None, *, nullable: bool = False) -> sa.Column[int]:
    written = None if default is None else sa.text(str(default))
    return sa.Column(name, sa.BigInteger, nullable=nullable, server_default=written)


def partial_index(name: str, *columns: str, where: str) -> sa.Index:
    return sa.Index(name, *columns, sqlite_where=sa.text(where), info={"where": where})


def tell_postgresql() -> None:
    """Give PostgreSQL the WHERE of partial indexes: only what makes tables or steps needs it.

    Said in the tables themselves it would load SQLAlchemy's PostgreSQL dialect into every daemon: 3 MB, 0.1 s.
    """
    for table in metadata.sorted_tables:
        for index in table.indexes:
            if where := index.info.get("where"):
                index.dialect_kwargs["postgresql_where"] = sa.text(where)
