"""Where a mail is HTML, or has HTML beside its text, the borders that its program marked decide."""

from channels.contract import Address, Message
from channels.email import borders, html_text, visible_text
from tests.email.html_clients import ANSWER, FORWARDS, OLDER, REPLIES
from tests.email.mails import read as parsed
from tests.rows import every_row

HEADER = "From: Anna <anna@example.com>\r\nTo: support@example.net\r\nSubject: {}\r\nMIME-Version: 1.0\r\n"


def html_mail(html: str, *, subject: str = "Re: lamp") -> Message:
    return parsed(HEADER.format(subject) + "Content-Type: text/html; charset=utf-8\r\n\r\n" + html)


def both(plain: str, html: str, *, subject: str = "Re: lamp") -> Message:
    """A mail with both forms; long enough that the plain one is the text."""
    return parsed(
        HEADER.format(subject)
        + 'Content-Type: multipart/alternative; boundary="B"\r\n\r\n--B\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n'
        + plain
        + "\r\n--B\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
        + html
        + "\r\n--B--\r\n",
    )


@every_row("client", REPLIES)
def test_the_answer_is_told_from_the_rest_in_a_language_nobody_knows(client: str) -> None:
    found = html_mail(REPLIES[client])
    assert found.visible_text == ANSWER
    assert OLDER in found.quoted_text


@every_row("client", REPLIES)
def test_visible_and_quoted_hold_every_word_and_no_border(client: str) -> None:
    found = html_mail(REPLIES[client])
    assert not borders.has_any(found.text + found.visible_text + found.quoted_text)
    assert sorted((found.visible_text + "\n" + found.quoted_text).split()) == sorted(found.text.split())


def test_answers_between_quotations_of_gmail_stay() -> None:
    html = (
        '<div><div class="gmail_quote"><div class="gmail_attr">zopqa Support:<br></div><blockquote class="gmail_quote">Which colour?</blockquote>'
        '<div>Blue.</div><blockquote class="gmail_quote">Which size?</blockquote><div>Large.</div></div></div>'
    )
    assert html_mail(html).visible_text == "Blue.\n\nLarge."


def test_indented_text_is_no_quotation() -> None:
    html = '<div>I ordered</div><blockquote style="margin:0 0 0 40px;border:none;padding:0px"><div>two lamps</div></blockquote><div>and got one.</div>'
    assert html_mail(html).visible_text == "I ordered\n\ntwo lamps\n\nand got one."


def test_what_stands_in_a_signature_alone_stays() -> None:
    html = '<div class="gmail_signature">It works again.</div><div class="gmail_quote"><div class="gmail_attr">On Monday:</div><blockquote>older</blockquote></div>'
    assert html_mail(html).visible_text == "It works again."


def test_a_signature_that_holds_a_letter_stays() -> None:
    html = f'<div>Hello.</div><div id="Signature">{"Please read all of this. " * 100}</div>'
    assert "Please read" in html_mail(html).visible_text


FILLING = "We have used your lamps for many years and would like to go on doing so in the future. " * 4


def test_a_signature_that_only_the_html_marks_is_cut_from_the_plain_text() -> None:
    plain = f"Hello,\r\n{FILLING}\r\n\r\nAnna Example\r\nExample Ltd.\r\n+48 22 123 45 67\r\n"
    html = f'<p>Hello,<br>{FILLING}</p><div id="Signature"><p>Anna Example</p><p>Example Ltd.<br>+48 22 123 45 67</p></div>'
    found = both(plain, html)
    assert found.visible_text == f"Hello,\n{FILLING}".strip()
    assert found.quoted_text == "Anna Example\nExample Ltd.\n+48 22 123 45 67"
    assert "Anna Example" in found.text


def test_a_quotation_that_only_the_html_marks_is_cut_from_the_plain_text() -> None:
    plain = f"Hello,\r\n{FILLING}\r\n\r\nZopqa Support\r\n\r\nWhich colour?\r\n"
    html = f'<p>Hello,<br>{FILLING}</p><div class="moz-cite-prefix">Zopqa Support</div><blockquote type="cite"><p>Which colour?</p></blockquote>'
    assert both(plain, html).quoted_text == "Zopqa Support\n\nWhich colour?"


def test_html_that_says_something_else_cuts_nothing() -> None:
    plain = f"Hello,\r\n{FILLING}\r\n\r\nPlease call.\r\n"
    html = "<p>Hello, another text.</p><div id='Signature'>Please call.</div>"
    assert both(plain, html).quoted_text == ""


@every_row("client", FORWARDS)
def test_a_forwarded_mail_is_visible_and_names_its_author(client: str) -> None:
    found = html_mail(FORWARDS[client], subject="Fwd: Broken lamp")
    assert found.forwarded is not None
    assert found.forwarded.from_ == Address("carl@example.org", "Carl Client")
    assert found.forwarded.subject == "Broken lamp"
    assert "2026" in found.forwarded.sent
    assert found.visible_text.startswith("See below.")
    assert "The lamp is broken." in found.visible_text


def test_control_characters_of_a_mail_are_no_borders() -> None:
    found = parsed(HEADER.format("x") + "Content-Type: text/plain\r\n\r\nOne\n\x10\nTwo\n\x11\nThree\n")
    assert found.visible_text.split() == ["One", "Two", "Three"]


@every_row("mark", borders.MARKS)
def test_control_characters_written_as_entities_hide_nothing_from_the_text(mark: str) -> None:
    found = html_mail(f"<p>One</p><p>&#{ord(mark)};</p><p>Two</p>")
    assert found.text.split() == ["One", "Two"]


def test_the_empty_line_that_some_editors_write_as_a_hard_space_is_one() -> None:
    assert (
        html_text.text_from_html("<div>One</div><div>&nbsp;</div><div>Two</div>", costly=False)
        == "One\n\nTwo"
    )


def test_many_signatures_are_read_in_bounded_time() -> None:
    html = "<div class='signature'>a</div>" * 1_500 + "<p>b</p>"
    assert visible_text.split(html_text.marked_from_html(html, costly=False)).visible
