"""Statements: written in SQLAlchemy Core, compiled once per dialect, run on the driver's own connection.

SQLAlchemy's own execution costs 8 to 10 times what the driver's does, so it is used as schema and compiler only.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any, Literal

from sqlalchemy import Select, Table, bindparam, cast, column, insert, select, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite.dml import Insert, OnConflictClause
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import Executable
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Text, TypeEngine

Engine = Literal["sqlite", "postgresql"]
Pick = Callable[[Mapping[str, Any]], Sequence[Any]]
Compiled = tuple[str, dict[str, Any], Pick | None]

# PostgreSQL's compiler asks SQLite's clause for it; importing PostgreSQL's own insert costs 0.1 s and 3 MB.
OnConflictClause.constraint_target = None  # type: ignore[attr-defined]


# Seen with SQLite 3.40.1: UPDATE … RETURNING body IS NULL gave 0 for a NULL where columns before it are NOT NULL.
_NULL_TEST_RETURNED = re.compile(r"\bRETURNING\b.*\bIS (NOT )?NULL\b", re.DOTALL)


class Statement:
    """One SQL statement with named parameters. Variable lists go in as one JSON parameter (see `values_of`)."""

    __slots__ = ("_compiled", "_element")

    def __init__(self, element: ClauseElement | Executable) -> None:
        self._element = element
        self._compiled: dict[Engine, Compiled] = {}

    def compiled(self, engine: Engine) -> Compiled:
        """Return the text for the engine, the parameters that it brings, and what puts all of them into its order.

        The order None = parameters go in by name.
        """
        known = self._compiled.get(engine)
        if known is None:
            known = self._compiled[engine] = _compile(self._element, engine)
        return known


@cache
def _dialect(engine: Engine, *, is_named: bool) -> Dialect:
    if engine == "sqlite":
        # Parameters by place cost SQLite's driver 30 % less than by name.
        return sqlite.dialect(paramstyle="named" if is_named else "qmark")
    from sqlalchemy.dialects import postgresql

    return postgresql.dialect(paramstyle="pyformat")  # type: ignore[no-untyped-call]


def upsert(table: Table) -> Insert:
    """Begin an INSERT with on_conflict_do_update or on_conflict_do_nothing, which both engines spell alike."""
    return Insert(table)


def _compile(element: Any, engine: Engine, *, is_named: bool = False) -> Compiled:
    compiled = element.compile(dialect=_dialect(engine, is_named=is_named))
    sql = str(compiled)
    if "POSTCOMPILE" in sql:
        raise ValueError(f"a statement with a list that changes its text: pass the list as JSON: {sql}")
    if _NULL_TEST_RETURNED.search(sql):
        raise ValueError(
            f"SQLite 3.40 answers IS NULL wrongly behind RETURNING: return the column itself: {sql}"
        )
    own = {name: bind.effective_value for bind, name in compiled.bind_names.items() if not bind.required}
    return sql, own, _picking(compiled.positiontup) if compiled.positiontup else None


def _picking(names: Sequence[str]) -> Pick:
    if len(names) == 1:
        name = names[0]
        return lambda parameters: (parameters[name],)
    return itemgetter(*names)


class _json_values(FunctionElement[Any]):  # noqa: N801 - reads as SQL
    """The rows of a JSON array, in a column that both engines call value."""

    inherit_cache = True
    name = "json_values"


@compiles(_json_values, "sqlite")
def _json_values_sqlite(element: _json_values, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_each{compiler.process(element.clause_expr, **kw)}"


@compiles(_json_values, "postgresql")
def _json_values_postgresql(element: _json_values, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_array_elements_text(CAST({compiler.process(element.clauses, **kw)} AS JSON))"


def values_of(parameter: str, type_: TypeEngine[Any] | None = None) -> Select[Any]:
    """Select the values of a JSON array that is given as one parameter: column.in_(values_of("refs")).

    type_: None = texts; BigInteger() for ids and instants.
    """
    value = _json_values(bindparam(parameter, type_=Text())).table_valued(column("value", Text())).c.value
    return select(value if type_ is None else cast(value, type_))


_inserts: dict[tuple[str, tuple[str, ...]], Statement] = {}
_updates: dict[tuple[str, tuple[str, ...], tuple[str, ...]], Statement] = {}


def insert_statement(table: Table, columns: tuple[str, ...]) -> Statement:
    key = (table.name, columns)
    known = _inserts.get(key)
    if known is None:
        known = _inserts[key] = Statement(insert(table).values({name: bindparam(name) for name in columns}))
    return known


def update_statement(table: Table, columns: tuple[str, ...], where: tuple[str, ...]) -> Statement:
    """Set columns (parameters named as they are) where others are equal to `at_<column>`."""
    key = (table.name, columns, where)
    known = _updates.get(key)
    if known is None:
        statement = update(table).values({name: bindparam(name) for name in columns})
        for name in where:
            statement = statement.where(table.c[name] == bindparam(f"at_{name}"))
        known = _updates[key] = Statement(statement)
    return known


def update_parameters(values: Mapping[str, Any], where: Mapping[str, Any]) -> dict[str, Any]:
    return {**values, **{f"at_{name}": value for name, value in where.items()}}


class RowsStatement(Statement):
    """An INSERT of many rows in one statement: each statement costs a hand-over of the interpreter's lock.

    Its one parameter `rows` is a JSON array of arrays, the values in the order of `names`; whole numbers and text only.
    What `conflict` says of a conflict (see upsert) counts for each row.
    """

    __slots__ = ("_columns",)

    def __init__(
        self, table: Table, names: Sequence[str], conflict: Callable[[Insert], Insert] = lambda insert: insert
    ) -> None:
        self._columns = [table.c[name] for name in names]
        super().__init__(conflict(upsert(table).values({name: bindparam(name) for name in names})))

    def compiled(self, engine: Engine) -> Compiled:
        known = self._compiled.get(engine)
        if known is None:
            sql, own, _ = _compile(self._element, engine, is_named=True)
            head, _, rest = sql.partition(" VALUES (")
            _, conflict, tail = rest.partition(" ON CONFLICT ")
            names = {column.name for column in self._columns}
            own = {name: value for name, value in own.items() if name not in names}
            known = self._compiled[engine] = (f"{head} {self._rows(engine)}{conflict}{tail}", own, None)
        return known

    def _rows(self, engine: Engine) -> str:
        # WHERE true: without it SQLite reads ON CONFLICT as a join (sqlite.org/lang_upsert.html §2.2, 2026-11).
        if engine == "sqlite":
            items = ", ".join(f"json_extract(value, '$[{place}]')" for place in range(len(self._columns)))
            return f"SELECT {items} FROM json_each(:rows) WHERE true"  # noqa: S608 - places and column types
        kinds = ["TEXT" if isinstance(column.type, Text) else "BIGINT" for column in self._columns]
        items = ", ".join(f"CAST(value ->> {place} AS {kind})" for place, kind in enumerate(kinds))
        return f"SELECT {items} FROM json_array_elements(CAST(%(rows)s AS JSON)) AS value WHERE true"  # noqa: S608 - as above
