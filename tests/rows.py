"""One test for a whole table: every row is gone through, and all that fail are told by name.

A test of its own for each row costs milliseconds of collecting, setting up and reporting; a row here costs what it
does. Only for tests whose fixtures a row leaves as it found them.
"""

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest

Test = Callable[..., None]


def every_row(
    names: str | Sequence[str],
    rows: Iterable[Any],
    *,
    ids: Iterable[Any] | Callable[[Any], Any] | None = None,
) -> Callable[[Test], Test]:
    """Run a test for each row, as pytest.mark.parametrize would, but as one test.

    names, rows and ids are what parametrize takes; without an id a row is told by its values.
    A test's fixtures are set up once for all rows.
    Raises: what the row raised where one row fails, else an ExceptionGroup of all of them, each with its row's name.
    """
    columns = _columns(names)
    is_bare = isinstance(names, str) and len(columns) == 1
    table = [_row(columns, each, is_bare=is_bare) for each in rows]
    if not table:
        raise ValueError("a table without rows tests nothing")
    named = ids if callable(ids) or ids is None else list(ids)
    labels = [_label(position, name, values, named) for position, (name, values) in enumerate(table)]

    def decorate(test: Test) -> Test:
        if inspect.iscoroutinefunction(test) or hasattr(test, "is_hypothesis_test"):
            raise TypeError(f"{test.__name__} is run by a plugin, which sees no rows: use parametrize")
        signature = inspect.signature(test)
        rest = [each for name, each in signature.parameters.items() if name not in columns]

        @functools.wraps(test)
        def whole(**fixtures: Any) -> None:
            failed: list[Exception] = []
            for label, (_, values) in zip(labels, table, strict=True):
                try:
                    test(**dict(zip(columns, values, strict=True)), **fixtures)
                except (Exception, pytest.fail.Exception, pytest.skip.Exception) as error:
                    failed.append(_told(error, label))
            if len(failed) == 1:
                raise failed[0]
            if failed:
                raise ExceptionGroup(f"{len(failed)} of {len(table)} rows", failed)

        whole.__signature__ = signature.replace(parameters=rest)  # type: ignore[attr-defined]
        return whole

    return decorate


def _columns(names: str | Sequence[str]) -> list[str]:
    if isinstance(names, str):
        return [each.strip() for each in names.split(",") if each.strip()]
    return list(names)


def _row(columns: list[str], row: Any, *, is_bare: bool) -> tuple[str | None, tuple[Any, ...]]:
    """A row's own name, if it has one, and its values, one for each column. is_bare: a row is the one value itself."""
    name = None
    if hasattr(row, "marks"):  # a pytest.param
        if row.marks:
            raise ValueError(f"a row has a mark, and a mark belongs to a test: {row}")
        name, values = row.id, tuple(row.values)
    else:
        values = (row,) if is_bare else tuple(row)
    if len(values) != len(columns):
        raise ValueError(f"a row has {len(values)} values for {len(columns)} columns: {values}")
    return name, values


def _label(position: int, name: str | None, values: tuple[Any, ...], ids: Any) -> str:
    if name is None and callable(ids):
        name = "-".join(str(ids(each)) for each in values)
    elif name is None and ids is not None:
        name = str(ids[position])
    return f"row {position + 1}: {name if name is not None else ', '.join(map(repr, values))[:500]}"


def _told(error: BaseException, label: str) -> Exception:
    """The error with its row's name. What pytest.fail and skip raise are no Exceptions, and are told as such: one row
    that is skipped would end the table.
    """
    if not isinstance(error, Exception):
        error = AssertionError(str(error)).with_traceback(error.__traceback__)
    error.add_note(label)
    return error
