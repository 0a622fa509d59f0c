"""What is wrong with what somebody has filled in: field -> the word of channels.form.words that says so."""

from collections.abc import Iterator

import msgspec

from channels import phone_numbers
from channels.form import submission
from channels.form.settings import Asked, Field, Options
from channels.form.submission import Submission

MEGABYTE = 1_048_576
FILES = "files"


class Fault(msgspec.Struct, frozen=True):
    """field: its name. word: of channels.form.words; count: what stands in its place."""

    field: str
    word: str
    count: int = 0


def faults(sent: Submission, options: Options) -> list[Fault]:
    """Return what keeps it from being sent, in the order of the page."""
    if sent.text(submission.TRAP):
        return [Fault(submission.TRAP, "is_trap")]
    return [*_usual(sent, options), *_own(sent, options), *_files(sent, options), *_agreed(sent, options)]


def _usual(sent: Submission, options: Options) -> Iterator[Fault]:
    ask = options.ask
    yield from _line("name", sent, ask.name, most=submission.MAX_NAME_CHARS)
    yield from _line("email", sent, ask.email, most=submission.MAX_ADDRESS_CHARS)
    if ask.email != "no" and sent.text("email").strip() and submission.mailbox(sent.text("email")) is None:
        yield Fault("email", "is_email")
    yield from _line("phone", sent, ask.phone, most=40)
    if ask.phone != "no" and sent.text("phone").strip() and phone_numbers.e164(sent.text("phone")) is None:
        yield Fault("phone", "is_phone")
    yield from _line("subject", sent, ask.subject, most=submission.MAX_SUBJECT_CHARS)
    yield from _line("message", sent, "required", most=options.max_message_chars)


def _line(name: str, sent: Submission, asked: Asked, *, most: int) -> Iterator[Fault]:
    written = sent.text(name)
    if asked == "required" and not written.strip():
        yield Fault(name, "is_required")
    elif len(written) > most:
        yield Fault(name, "is_long", most)


def _own(sent: Submission, options: Options) -> Iterator[Fault]:
    for name, field in options.fields.items():
        yield from _of_field(name, field, sent.text(name))


def _of_field(name: str, field: Field, written: str) -> Iterator[Fault]:
    if field.required and not written.strip():
        yield Fault(name, "is_ticked" if field.kind == "tick" else "is_required")
    elif field.kind == "choice" and written and written not in field.choices:
        yield Fault(name, "is_choice")
    elif len(written) > field.max_chars:
        yield Fault(name, "is_long", field.max_chars)


def _files(sent: Submission, options: Options) -> Iterator[Fault]:
    if options.ask.files == "required" and not sent.files:
        yield Fault(FILES, "is_required")
    elif len(sent.files) > (options.max_files if options.ask.files != "no" else 0):
        yield Fault(FILES, "is_many", options.max_files)


def _agreed(sent: Submission, options: Options) -> Iterator[Fault]:
    # Who agreed to an older text, on a page that was open for long, is asked again.
    if options.consent is not None and sent.text("consent") != options.consent.version:
        yield Fault("consent", "is_ticked")
