"""The log is one line for each thing, which nobody outside can forge and no secret gets into."""

import io
import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake import logs, redaction


@pytest.fixture
def stream() -> io.StringIO:
    sink = io.StringIO()
    logs.setup(stream=sink)
    return sink


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_json_object_with_its_fields(stream: io.StringIO) -> None:
    logs.event("message_stored", id=7, account="support", rule=None)
    [line] = lines(stream)
    assert list(line) == ["ts", "level", "event", "id", "account", "rule"]
    assert (line["event"], line["level"], line["id"], line["rule"]) == ("message_stored", "info", 7, None)
    assert line["ts"].endswith("Z")


@pytest.mark.slow
@given(st.text(alphabet=st.characters(categories=["L", "Cc", "Cf", "Zl", "Zp", "Cs", "P"]), max_size=60))
def test_no_text_makes_a_second_line_or_a_control_character(text: str) -> None:
    for form in (logs.JsonFormatter(), logs.TextFormatter()):
        record = logging.LogRecord("intake", logging.INFO, "", 0, "named", (), None)
        record.fields = {"subject": text}
        line = form.format(record)
        assert len(line.splitlines()) == 1
        assert not any(
            ord(each) < 32 or 0x7F <= ord(each) < 0xA0 or each in "\u2028\u2029\u202e" for each in line
        )


def test_a_forged_line_stays_inside_its_field(stream: io.StringIO) -> None:
    logs.event("mail_refused", sender='x"}\n{"event": "forged"}')
    assert [line["event"] for line in lines(stream)] == ["mail_refused"]


def test_a_registered_secret_is_replaced_at_any_depth(stream: io.StringIO) -> None:
    redaction.register(["canary-secret"])
    logs.event(
        "x", a="see canary-secret", b={"canary-secret": ["canary-secret"]}, error=ValueError("canary-secret")
    )
    assert "canary" not in stream.getvalue()
    assert stream.getvalue().count("***") == 5


def test_the_password_of_a_url_is_replaced_without_being_registered(stream: io.StringIO) -> None:
    logs.event("store_opened", url="postgresql://desk:hunter2@db/intake")
    assert lines(stream)[0]["url"] == "postgresql://desk:***@db/intake"


def test_another_library_speaks_in_the_same_form_and_only_from_warning_on(stream: io.StringIO) -> None:
    logging.getLogger("mail.log").info("every command of every client")
    logging.getLogger("mail.log").warning("%s\nsecond", "first")
    [line] = lines(stream)
    assert (line["event"], line["logger"], line["message"]) == ("library_spoke", "mail.log", "first\nsecond")


def test_a_channel_that_logs_by_the_standard_library_has_fields_too(stream: io.StringIO) -> None:
    log = logging.getLogger("channels.email.smtp")
    log.warning("mail_put_off account=%s reason=%s", "support", 'full"\nforged=1')
    log.warning("parse_failed", extra={"journal": 7})
    log.warning("something else: %s", 1)
    told = [{key: line[key] for key in line if key not in ("ts", "level")} for line in lines(stream)]
    assert told == [
        {"event": "mail_put_off", "account": "support", "reason": 'full"\nforged=1'},
        {"event": "parse_failed", "journal": 7},
        {"event": "something else: 1"},
    ]


def test_an_error_brings_its_trace_in_one_line(stream: io.StringIO) -> None:
    try:
        dict[str, int]()["x"]
    except KeyError as error:
        logs.failure("settle_failed", error=error)
    [line] = lines(stream)
    assert line["level"] == "error"
    assert line["error"] == "KeyError: 'x'"
    assert "test_cli_logs.py" in line["trace"]


def test_a_long_field_is_cut(stream: io.StringIO) -> None:
    logs.event("x", text="a" * 100_000)
    assert len(stream.getvalue()) < 2 * logs.MAX_FIELD_CHARACTERS


def test_a_quiet_level_writes_nothing(stream: io.StringIO) -> None:
    logs.setup(level="error", stream=stream)
    logs.warning("x")
    assert stream.getvalue() == ""


def test_a_terminal_gets_text_and_everything_else_json() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for sink, is_json in ((Terminal(), False), (io.StringIO(), True)):
        logs.setup(stream=sink)
        logs.event("started")
        assert sink.getvalue().startswith("{") is is_json
        assert "started" in sink.getvalue()


def test_the_text_form_quotes_what_would_blur() -> None:
    sink = io.StringIO()
    logs.setup(form="text", stream=sink)
    logs.event("message_stored", id=7, subject="two words", lane="a=b")
    assert sink.getvalue().rstrip().endswith('message_stored id=7 subject="two words" lane="a=b"')
