"""The one place where an error becomes a sentence and an exit code."""

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from intake import cli, redaction, terminal
from routing import problems as trouble
from routing.problems import ConfigError, Problem


def run(command: Callable[[argparse.Namespace], int], arguments: argparse.Namespace) -> int:
    """Run the command; its exit code, or that of what went wrong."""
    try:
        return command(arguments)
    except ConfigError as error:
        show_problems(error.problems)
        return cli.WRONG_INPUT
    except cli.WrongInput as error:
        terminal.complain(str(error))
        return cli.WRONG_INPUT
    except cli.Failed as error:
        terminal.complain(str(error))
    except BrokenPipeError:
        raise
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        terminal.complain(f"{where}{error.strerror or error}")
    except Exception as error:
        if not _is_store_error(error):
            raise
        terminal.complain(str(error))
    return cli.FAILED


def _is_store_error(error: Exception) -> bool:
    """Whether the store said it; asked without importing the store, which takes half a second."""
    module = sys.modules.get("intake.store.engine")
    return module is not None and isinstance(error, module.StoreError)


def show_problems(found: Iterable[Problem]) -> None:
    """Print each problem with its source line and a caret, on stderr."""
    terminal.say(rendered(found))


def rendered(found: Iterable[Problem]) -> str:
    """Lay the problems out for people. What stands in the files beside them is shown without its secrets."""
    problems = list(found)
    texts = {name: _text_of(name) for name in {each.file for each in problems}}
    return redaction.redacted(trouble.render_all(problems, texts))


def _text_of(file: str) -> str:
    """Give the file's text; "" when it cannot be read, then the place alone has to do."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return Path(file).read_text(encoding="utf-8-sig")
    return ""
