"""One line for each thing that happened: `event("message_stored", id=…, account=…)`.

A line is one JSON object: ts (UTC), level, event, then the event's fields. Nothing in a field can start a new line or
move a terminal's cursor, secrets are replaced, long texts are cut. `format: text` is the same for human eyes.
"""

import logging
import re
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, Final, Literal, TextIO

import msgspec

from intake import redaction

MAX_FIELD_CHARACTERS = 4_000
Form = Literal["auto", "json", "text"]
LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}

_LOGGER = logging.getLogger("intake")
_OWN = ("intake", "channels", "routing")
_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "taskName", "asctime"}
_FOREIGN = (
    "mail.log",
    "mail.debug",
    "mail.warn",
    "mail.error",
    "aiohttp",
    "aiosmtplib",
    "apscheduler",
    "alembic",
    "asyncio",
)
# Controls, line and paragraph separators, direction marks and halves of pairs: they forge lines or hide text.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_FIELD = re.compile(r"(\w+)=%[srd]")
_BARE_WORD = re.compile(r"[^\s\"=]+\Z")


def event(
    name: str, /, *, level: int = logging.INFO, error: BaseException | None = None, **fields: Any
) -> None:
    """Log one thing that happened. name: snake_case, past tense; error: adds its type, text and trace."""
    if not _LOGGER.isEnabledFor(level):
        return
    _LOGGER.log(level, name, exc_info=error, extra={"fields": fields})


def warning(name: str, /, *, error: BaseException | None = None, **fields: Any) -> None:
    event(name, level=logging.WARNING, error=error, **fields)


def failure(name: str, /, *, error: BaseException | None = None, **fields: Any) -> None:
    """Log something of ours that went wrong."""
    event(name, level=logging.ERROR, error=error, **fields)


def setup(*, level: str = "info", form: Form = "auto", stream: TextIO | None = None) -> None:
    """Send every log line of the process to stream (None = stderr); other libraries speak from WARNING on.

    form: auto is text on a terminal, and JSON everywhere else.
    """
    target = stream or sys.stderr
    sink = logging.StreamHandler(target)
    is_text = form == "text" or (form == "auto" and target.isatty())
    sink.setFormatter(TextFormatter() if is_text else JsonFormatter())
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(sink)
    root.setLevel(logging.WARNING)
    for name in _OWN:
        logging.getLogger(name).setLevel(LEVELS[level])
    for name in _FOREIGN:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {"ts": _timestamp(record), "level": record.levelname.lower(), **_content(record)}
        return escaped(msgspec.json.encode(line, enc_hook=str).decode())


class TextFormatter(logging.Formatter):
    """`22:15:03 info    message_stored id=17 account=support`; times in the machine's zone."""

    def format(self, record: logging.LogRecord) -> str:
        content = _content(record)
        at = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        head = f"{at} {record.levelname.lower():<7} {content.pop('event')}"
        return escaped(" ".join([head, *(f"{name}={_word(value)}" for name, value in content.items())]))


def escaped(text: str) -> str:
    r"""Write every character that could forge a line as \uXXXX: what stays is one line of readable text."""
    return _UNSAFE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def _timestamp(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _content(record: logging.LogRecord) -> dict[str, Any]:
    """Give the event and its fields. Of our own loggers the message is the event, and `extra` its fields."""
    fields: dict[str, Any] | None = getattr(record, "fields", None)
    name = record.getMessage()
    if fields is None and record.name.partition(".")[0] in _OWN:
        name, fields = _told(record)
    elif fields is None:
        name, fields = "library_spoke", {"logger": record.name, "message": name}
    if record.exc_info and record.exc_info[1] is not None:
        error = record.exc_info[1]
        trace = "".join(traceback.format_exception(error))[-MAX_FIELD_CHARACTERS:]
        fields = {**fields, "error": f"{type(error).__name__}: {error}", "trace": trace}
    return {"event": _safe(name), **_safe(fields)}


def _told(record: logging.LogRecord) -> tuple[str, dict[str, Any]]:
    """Read "mail_put_off account=%s reason=%s" and its arguments as an event with fields; `extra` are fields too."""
    extra = {key: value for key, value in vars(record).items() if key not in _ATTRIBUTES}
    name, *templates = str(record.msg).split(" ")
    names = [found[1] for found in map(_FIELD.fullmatch, templates) if found is not None]
    if isinstance(record.args, tuple) and len(names) == len(templates) == len(record.args):
        return name, {**dict(zip(names, record.args, strict=True)), **extra}
    return record.getMessage(), extra


def _safe(value: Any) -> Any:
    """Return the value with secrets replaced and texts cut, all the way down."""
    if isinstance(value, str):
        return redaction.redacted(_cut(value.encode("utf-8", "backslashreplace").decode()))
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, dict):
        return {str(_safe(str(key))): _safe(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_safe(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return _safe(str(value))


def _cut(text: str) -> str:
    if len(text) <= MAX_FIELD_CHARACTERS:
        return text
    return f"{text[:MAX_FIELD_CHARACTERS]}… ({len(text)} characters)"


def _word(value: Any) -> str:
    if isinstance(value, str) and _BARE_WORD.match(value):
        return value
    return msgspec.json.encode(value).decode()
