"""`intake ingest -` behind a mail server: whatever happens, it ends as a mail server expects of a pipe (sysexits.h).

0: the mail is on disk. 65: the mail is at fault, and comes back to its sender. 75: everything else, so that the mail server
keeps it and tries again. A mail server takes any other code, and any signal, for a final failure (Postfix local(8) and
pipe(8), "DIAGNOSTICS"; Exim, "The pipe transport", temp_errors): a typing error in its configuration, a module
that is missing, a full disk or a shutdown would send customers' mail back to them. Nothing but the standard library is
imported before the first import is guarded.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Final

EX_OK: Final = 0
EX_DATAERR: Final = 65
EX_TEMPFAIL: Final = 75
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGALRM, signal.SIGXCPU)


class _State:
    """is_stored: the mail is committed and fsynced; from then on every end is a good one."""

    is_stored = False


def stored() -> None:
    """Note that the mail is on disk: what goes wrong now is no reason to send it again."""
    _State.is_stored = True


def is_pipe(argv: Sequence[str], commands: Collection[str]) -> bool:
    """Whether a mail may be on stdin: so it is for "ingest … -", and for a "-" after what is no command at all.

    A mail server's configuration says `intake -c FILE ingest -` as easily as it misspells a word.
    """
    return "-" in argv[1:] and (argv[0] == "ingest" or argv[0] not in commands)


def run(command: Callable[[], int]) -> int:
    """Run the command; 0, 65 or 75."""
    _State.is_stored = False
    with contextlib.suppress(OSError):
        _fill_streams()
    with _signals():
        code = _outcome(command)
        for stream in (sys.stdout, sys.stderr):
            _flush(stream)
    return EX_OK if _State.is_stored else code


def _outcome(command: Callable[[], int]) -> int:
    try:
        code: object = command()
    except SystemExit as ended:  # argparse
        code = EX_OK if ended.code is None else ended.code
    except BaseException as error:  # noqa: BLE001 - whatever it was, the mail server keeps the mail and tries again
        with contextlib.suppress(Exception):
            print(f"intake: {type(error).__name__}: {_one_line(error)}", file=sys.stderr)
        return EX_TEMPFAIL
    return int(code) if code in (EX_OK, EX_DATAERR) else EX_TEMPFAIL


def _one_line(error: BaseException) -> str:
    """Say what happened without what might be secret or long; the last resort, when nothing of ours could be loaded."""
    try:
        from intake import redaction

        said = redaction.redacted(str(error))
    except BaseException:  # noqa: BLE001
        said = ""
    return " ".join(said.split())[:500]


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """End at once on a signal, with an exit code: a process that a signal ended is a final failure to a mail server."""
    before: dict[signal.Signals, Any] = {}
    with contextlib.suppress(ValueError):  # not in the main thread
        for number in _SIGNALS:
            before[number] = signal.signal(number, _end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, frame: object) -> None:
    os._exit(EX_OK if _State.is_stored else EX_TEMPFAIL)


def _fill_streams() -> None:
    """Have something behind stdout and stderr: else the store's own files could get their numbers, and what is printed."""
    descriptor = os.open(os.devnull, os.O_RDWR)
    while descriptor <= 2:
        descriptor = os.open(os.devnull, os.O_RDWR)
    os.close(descriptor)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - until the process ends


def _flush(stream: Any) -> None:
    """Get rid of output now: a reader that has gone would turn the exit code into 120 later."""
    try:
        if stream is not None:
            stream.flush()
    except (OSError, ValueError):
        with contextlib.suppress(Exception):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
