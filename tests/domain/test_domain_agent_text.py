"""What an agent wrote, as mail programs send it back around a notice."""

import html
from email.message import EmailMessage

from channels.contract import Message, RawMessage
from channels.email import message as mail_reader
from intake import agent_text, notices
from tests.domain.world import SUPPORT, at
from tests.rows import every_row

ANSWER = "Have you tried water?\n\nIt mostly helps."
DESK = f"Example <{SUPPORT}>"
HEAD = f"From: {DESK}\nSent: Tuesday, November 10, 2026 9:00 AM\nTo: Ania\nSubject: [K7M4Q2P] My printer"
NOTICE = f"""{notices.MARKER}

A new ticket K7M4Q2P is yours.

Ticket    K7M4Q2P
Subject   My printer
Agent     ania

The customer wrote:

> My printer is on fire, please help me.

See it:     intake tickets show K7M4Q2P
Answer it:  reply to this mail, and the customer gets what you write.
"""


def quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.splitlines())


def programs(notice: str) -> dict[str, str]:
    """How a plain answer looks, by program and language. "%" stands for the answer."""
    return {
        "en": f"%\n\nOn Tue, Nov 10, 2026 at 9:00 AM {DESK} wrote:\n\n{quoted(notice)}",
        "wrapped": f"%\n\nOn Tue, Nov 10, 2026 at 9:00 AM Example Customer Support <\n{SUPPORT}> wrote:\n\n{quoted(notice)}",
        "pl": f"%\n\nwt., 10 lis 2026 o 09:00 {DESK} napisał(a):\n\n{quoted(notice)}",
        "de": f"%\n\nAm 10.11.2026 um 09:00 schrieb Example:\n{quoted(notice)}",
        "fr": f"%\n\nLe mar. 10 nov. 2026 à 09:00, {DESK} a écrit :\n\n{quoted(notice)}",
        "ja": f"%\n\n2026年11月10日(火) 9:00 {DESK}:\n\n{quoted(notice)}",
        "el": f"%\n\nΣτις Τρί 10 Νοε 2026 στις 9:00 π.μ., ο/η {DESK} έγραψε:\n\n{quoted(notice)}",
        "line and head": f"%\n\n{'_' * 32}\n{HEAD}\n\n{notice}",
        "head": f"%\n\n{HEAD}\n\n{notice}",
        "original": f"%\n\n-----Original Message-----\n{HEAD}\n\n{notice}",
        "phone": f"%\n\nSent from my iPhone\n\n> On 10 Nov 2026, at 09:00, {DESK} wrote:\n> \n{quoted(notice)}",
        "bare": f"%\n\n{notice}",
        "twice": f"%\n\nOn Wed, Example wrote:\n{quoted(notice + quoted(notice))}",
    }


def as_html(text: str) -> str:
    return "<br>".join(html.escape(line) for line in text.splitlines())


BODY = "<div>Have you tried water?</div><div><br></div><div>It mostly helps.</div>"
HTML = {
    "quote": f'{BODY}<br><div class="gmail_quote"><div class="gmail_attr">On Tue {html.escape(DESK)} wrote:<br></div>'
    f'<blockquote class="gmail_quote">{as_html(NOTICE)}</blockquote></div>',
    "cite": f'{BODY}<div><br><blockquote type="cite"><div>On 10 Nov 2026, at 09:00, {html.escape(DESK)} wrote:</div>'
    f"<br><div>{as_html(NOTICE)}</div></blockquote></div>",
    "border": f'{BODY}<div style="border-top:solid #E1E1E1 1.0pt">{as_html(HEAD)}</div>'
    + "".join(f"<p>{html.escape(line) or '&nbsp;'}</p>" for line in NOTICE.splitlines()),
    "rule": f'{BODY}<hr tabindex="-1"><div id="divRplyFwdMsg">{as_html(HEAD)}</div><div>{as_html(NOTICE)}</div>',
    "pre": f'{BODY}<div class="moz-cite-prefix">On 10.11.2026, Example wrote:<br></div><blockquote type="cite">'
    f"<pre>{html.escape(NOTICE)}</pre></blockquote>",
}
PLAIN = programs(NOTICE)
MANGLED = programs(NOTICE.replace(notices.MARKER, "[ Napisz odpowiedź nad tą linią ]"))


def read(text: str, subtype: str = "plain") -> Message:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "ania@desk.example", SUPPORT, "Re: [K7M4Q2P] My printer"
    mail.set_content(text, subtype=subtype)
    raw = RawMessage(
        kind="email.smtp",
        account="support",
        lane="x",
        body=mail.as_bytes(),
        received_at=at("2026-11-10T09:00+01:00"),
    )
    return mail_reader.parse(raw, mail_reader.Options())


@every_row("program", list(PLAIN))
def test_answer_above_a_quoted_notice(program: str) -> None:
    """All of the answer, and nothing below it."""
    assert agent_text.written(read(PLAIN[program].replace("%", ANSWER))) == ANSWER


@every_row("program", list(HTML))
def test_answer_above_a_notice_in_html(program: str) -> None:
    """Programs that send nothing but HTML."""
    written = agent_text.written(read(HTML[program], "html"))
    assert written.replace("\n\n", "\n") == ANSWER.replace("\n\n", "\n")


@every_row("program", list(PLAIN))
def test_nothing_above_a_notice_is_nothing(program: str) -> None:
    """Not even the line that introduces the quotation."""
    assert agent_text.written(read(PLAIN[program].replace("%", ""))) == ""


@every_row("program", list(MANGLED))
def test_notice_whose_line_was_translated_never_gets_out(program: str) -> None:
    """A program that translates takes the line away: what is cut by its shape is cut, the rest is found out."""
    written = agent_text.written(read(MANGLED[program].replace("%", ANSWER)))
    assert written == ANSWER or agent_text.shows_notice(written)


def test_line_is_found_across_line_breaks() -> None:
    """A program that wraps has put it on two lines."""
    text = f"{ANSWER}\n\nOn Tuesday, Example wrote:\n> [ Write your answer above\n> this line ]\n>\n> A new ticket"
    assert agent_text.written(read(text)) == ANSWER


def test_answer_without_a_quotation_is_whole() -> None:
    """Who deletes what they answer loses nothing."""
    assert agent_text.written(read(ANSWER)) == ANSWER


@every_row(
    ("text", "is_only"),
    [
        ("Ania", True),
        ("Ania Nowak\nExample Ltd.\n+48 600 100 200", True),
        ("Pozdrawiam,\nAnia", True),
        ("Με εκτίμηση\nAnia", True),
        ("Cheers,", True),
        ("Thank you, we have it now.\nAnia", False),
        ("Thanks!", False),
        ("Thank you!\nAnia", False),
        ("It is fixed\nAnia", False),
        ("Ania will call you at nine.", False),
        ("", False),
    ],
)
def test_signature_is_told_from_an_answer(text: str, *, is_only: bool) -> None:
    """A name, after a closing at most; a sentence never is one."""
    assert agent_text.is_signature(text, ("ania", "Ania Nowak")) is is_only
