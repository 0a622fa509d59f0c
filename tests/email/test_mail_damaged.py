"""Mail that broke on its way: each kind of damage, and what is still read."""

import base64

import pytest

from channels.contract import Costly
from channels.email import message
from tests.email.mails import FROM, REPORT, TEXT, multipart, names, read, single
from tests.rows import every_row

ASKED = "Where is my order?"
INNER = b'Content-Type: multipart/alternative; boundary="%s"\r\n\r\n--%s\r\n' + TEXT + b"\r\n"


@every_row(
    "declared",
    [
        "multipart/mixed", 'multipart/mixed; boundary="B "', "multipart/mixed; boundary='B'", 'multipart/mixed; boundary="B', "multipart/mixed; boundary=B (x)",
        'multipart/mixed; boundary = "B"', "multipart/mixed; boundary*=us-ascii''B", "multipart/mixed; boundary*0=B", 'multipart/mixed boundary="B"',
        'multipart/mixed, boundary="B"', 'multipart/mixed; boundary="C"', 'multipart/mixed; boundary="B"; charset=', 'MULTIPART/MIXED; BOUNDARY="B"',
    ],
)  # fmt: skip
def test_parts_are_found_however_the_boundary_is_declared(declared: str) -> None:
    found = read(multipart(TEXT, REPORT, declared=declared))
    assert (found.text, [attachment.size for attachment in found.attachments]) == (ASKED, [8])


@every_row(
    "content",
    [
        multipart(TEXT, REPORT, end=b""),
        multipart(TEXT, REPORT).replace(b"--B\r\n", b"--B  \t\r\n"),
        multipart(TEXT, REPORT).replace(b"\r\n", b"\n"),
        multipart(TEXT, REPORT).replace(b"\r\n", b"\r\r\n"),
        multipart(TEXT, REPORT).replace(b"\r\n", b"\r"),
        multipart(TEXT, REPORT) + b"a footer below the end",
        multipart(INNER % (b"I", b"I"), REPORT),
        multipart(INNER % (b"BB", b"BB") + b"--BB--\r\n", REPORT),
        multipart(INNER % (b"B", b"B") + b"--B--", REPORT),
    ],
    ids=[
        "no last delimiter", "spaces behind delimiters", "LF", "CR CR LF", "CR", "an epilogue", "an inner multipart without end",
        "one boundary begins like the other", "the same boundary twice",
    ],
)  # fmt: skip
def test_text_and_file_of_a_damaged_multipart_are_read(content: bytes) -> None:
    found = read(content)
    assert (found.text, [attachment.size for attachment in found.attachments]) == (ASKED, [8])


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
def test_a_multipart_that_is_encoded_as_a_whole_is_read(encoding: str) -> None:
    inside = multipart(TEXT, REPORT).partition(b"\r\n\r\n")[2]
    encoded = base64.encodebytes(inside) if encoding == "base64" else inside.replace(b"--B", b"--=42")
    head = f'Content-Type: multipart/mixed; boundary="B"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n'
    found = read(FROM + head.encode() + encoded)
    assert found.text == ASKED
    assert [attachment.name for attachment in found.attachments] == ["report.pdf"]


def test_multiparts_that_are_encoded_in_one_another_are_read_to_a_depth() -> None:
    """Each is a copy of what it holds: fifty of 25 MB would be more than a gigabyte."""
    content = b"--B49\r\n\r\ninnermost\r\n"
    for number in range(48, -1, -1):
        dashes = b"--B%d" % number
        head = (
            b"Content-Type: multipart/mixed; boundary=B%d\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
            % (number + 1)
        )
        content = dashes + b"\r\n" + head + content.replace(b"=", b"=3D").replace(b"--B", b"=2D-B", 1)
    found = read(FROM + b"Content-Type: multipart/mixed; boundary=B0\r\n\r\n" + content)
    assert "innermost" in found.text
    assert "=3D2D-B" in found.text


def test_parts_without_an_encoding_of_their_own_have_that_of_the_multipart() -> None:
    content = multipart(b"Content-Type: text/plain; charset=utf-8\r\n\r\nhel=C3=B3=\r\n you")
    encoded = content.replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n", 1)
    assert read(encoded).text == "heló you"


@pytest.mark.parametrize(
    "part",
    [
        ASKED.encode(),
        b"Content-Type: text/plain\r\n" + ASKED.encode(),
        b"Content-Type : text/plain\r\n\r\n" + ASKED.encode(),
    ],
    ids=["no header and no empty line", "no empty line", "a space before the colon"],
)
def test_the_text_of_a_part_with_a_broken_header_is_not_lost(part: bytes) -> None:
    assert read(multipart(part, REPORT)).text == ASKED


def test_a_multipart_with_nothing_but_its_end_has_no_text() -> None:
    assert read(multipart()).text == ""


def test_text_before_the_first_delimiter_is_read_when_there_is_no_part() -> None:
    assert read(multipart(end=b"") + ASKED.encode()).text == ASKED


@every_row(
    "declared",
    [
        "",
        "text",
        "text/",
        "plain",
        "TEXT/PLAIN;",
        '"text/plain"',
        "text/plain; charset=",
        "/",
        "text/plain text/html",
        ";;;",
    ],
)
def test_a_content_type_that_is_none_means_plain_text(declared: str) -> None:
    assert read(FROM + b"Content-Type: " + declared.encode() + b"\r\n\r\n" + ASKED.encode()).text == ASKED


@every_row("declared", ["html", "text/html", "", "text/plain", "TEXT/HTML ; charset=utf-8"])
def test_a_whole_html_document_is_html_whatever_its_type(declared: str) -> None:
    html = b"<!DOCTYPE html>\n<html><body><p>Where is<br>my order?</p></body></html>"
    assert read(single(html, declared)).text == "Where is\nmy order?"


@every_row(
    "encoding",
    ["base64", "BASE64", "Base64 ", '"base64"', "base64;", "base64 (x)", "base-64", "x-base64", "base 64"],
)  # fmt: skip
def test_base64_is_known_by_many_names(encoding: str) -> None:
    assert read(single(base64.b64encode(ASKED.encode()), encoding=encoding)).text == ASKED


@every_row(
    "encoding",
    [
        "quoted-printable",
        "Quoted-Printable ",
        "quoted-printeable",
        "quoted printable",
        "quotedprintable",
        "qp",
    ],
)
def test_quoted_printable_is_known_by_many_names(encoding: str) -> None:
    assert read(single(b"Where is=\r\n my=20order=3F", encoding=encoding)).text == ASKED


@every_row("encoding", ["7-bit", "8-bit", "8bits", "utf-8", "x-unknown", "plain", "none", ""])
def test_an_unknown_encoding_leaves_the_text_as_it_is(encoding: str) -> None:
    assert (
        read(single("Gdzie jest zamówienie=3D?".encode(), encoding=encoding)).text
        == "Gdzie jest zamówienie=3D?"
    )


@every_row(
    ("body", "text"),
    [
        (b"aGVs\r\n bG8g!!\r\nd29y*bGQ", "hello world"),
        (b"aGVsbG8=aGVsbG8=\r\naGk=", "hellohellohi"),
        (b"Hello, this is no base64 at all.", "Hello, this is no base64 at all."),
        (
            base64.encodebytes(b"hello world") + b"\r\n_____\r\nYou are on our list (x)",
            "hello world\n_____\nYou are on our list (x)",
        ),
        (base64.urlsafe_b64encode("żółć???>>>ÿÿÿ".encode()), "żółć???>>>ÿÿÿ"),
        (b"aGVsbG8gd29ybG", "hello worl"),
    ],
    ids=[
        "foreign signs",
        "several in a row",
        "plain text",
        "a list's footer",
        "the alphabet for URLs",
        "cut off",
    ],
)
def test_broken_base64_gives_its_text(body: bytes, text: str) -> None:
    assert read(single(body, "text/plain; charset=utf-8", "base64")).text == text


def test_a_lists_footer_below_base64_does_not_spoil_a_file() -> None:
    part = REPORT + b"\r\n_____\r\nYou are on our list (x)\r\n"
    (found,) = read(multipart(TEXT, part)).attachments
    assert found.size == 8


@every_row(
    ("body", "text"),
    [
        (b"za=c5=bc=", "zaż"),
        (b"soft =  \r\nbreak", "soft break"),
        (b"a =ZZ b=", "a =ZZ b"),
        ("zaż=C5=BC".encode(), "zażż"),
    ],
    ids=["small letters", "spaces behind a soft break", "no escape", "bytes beside escapes"],
)
def test_broken_quoted_printable_gives_its_text(body: bytes, text: str) -> None:
    assert read(single(body, "text/plain; charset=utf-8", "quoted-printable")).text == text


HEADER = b"Subject: late\r\nFrom: a@example.com\r\n\r\nx"


@every_row(
    "content",
    [
        b"\r\n\r\n" + HEADER, b"   \r\n" + HEADER, b"\xef\xbb\xbf" + HEADER, b" " + HEADER, b"From a@example.com Mon Nov  2 10:00:00 2026\r\n" + HEADER,
        b">From a@example.com Mon Nov  2 10:00:00 2026\r\n" + HEADER, b"junk of a tool\r\n" + HEADER, "Sübject: x\r\n".encode() + HEADER,
        HEADER.replace(b": ", b" : "), HEADER.replace(b"\r\nFrom", b"\r\n \r\nFrom"), HEADER.replace(b"\r\nFrom", b"\r\n\x00\x01 junk\r\nFrom"),
    ],
    ids=["empty lines", "a line of spaces", "a byte order mark", "a space", "an mbox line", "a quoted mbox line", "junk", "a name beyond ASCII",
         "spaces before colons", "a line of spaces inside", "junk inside"],
)  # fmt: skip
def test_the_header_is_found_behind(content: bytes) -> None:
    found = read(content)
    assert found.subject.startswith("late")
    assert found.from_ is not None
    assert (found.from_.address, found.text) == ("a@example.com", "x")


def test_a_subject_whose_fold_lost_its_space_is_whole() -> None:
    assert (
        read(b"Subject: a very long\r\nsubject of\r\nsome kind\r\nFrom: a@example.com\r\n\r\nx").subject
        == "a very long subject of some kind"
    )


@pytest.mark.parametrize("separator", [b"\r\n", b"\r\n \r\n", b"\r\n\t\r\n"])
def test_text_right_below_the_header_is_not_lost(separator: bytes) -> None:
    found = read(b"Subject: late\r\nFrom: a@example.com" + separator + b"Where is\r\nmy order?\r\n\r\nAda")
    assert (found.subject, found.text) == ("late", "Where is\nmy order?\n\nAda")


@pytest.mark.parametrize(
    "content", [b"Subject: late\r\nFrom: a@example.com\r\n", b"Subject: late\r\nFrom: a@example.com"]
)
def test_a_mail_may_be_nothing_but_a_header(content: bytes) -> None:
    found = read(content)
    assert (found.subject, found.text) == ("late", "")


def test_prose_without_a_header_is_text() -> None:
    assert read(b"Where is my order?\r\nNote: it was late.").text == "Where is my order?\nNote: it was late."


def test_of_several_subjects_the_first_with_words_counts() -> None:
    assert read(b"Subject: \r\nSubject: late\r\nSubject: later\r\n\r\nx").subject == "late"


@pytest.mark.parametrize(
    "content", [multipart(TEXT, REPORT).replace(b"\r\n", ending) for ending in (b"\r", b"\n", b"\r\r\n")]
)
def test_files_of_a_mail_with_odd_line_ends_can_be_fetched(content: bytes) -> None:
    (found,) = read(content).attachments
    assert message.attachment_bytes(content, found.part) == b"%PDF-1.4"


@every_row(
    ("content", "problem"),
    [
        (multipart(TEXT).replace(b"\r\n", b"\r"), "Lines end with a lone CR"),
        (
            multipart(TEXT, declared='multipart/mixed; boundary="C"'),
            "A multipart part declares another boundary than it uses",
        ),
        (
            single(b"this is no base64 at all, is it", encoding="base64"),
            "A part says base64 and is plain text",
        ),
        (b"junk of a tool\r\n" + HEADER, "Lines before the first header field were skipped"),
        (b"Subject: late\r\nHello there\r\nmy friend", "No empty line between header and text"),
    ],
)
def test_what_was_mended_is_named(content: bytes, problem: str) -> None:
    assert problem in read(content).problems


def test_control_characters_are_no_text() -> None:
    assert (
        read(single("a\x00b\x07c\x1b[31md – é".encode(), "text/plain; charset=utf-8")).text == "abc[31md – é"
    )


def test_a_named_text_that_comes_first_is_the_text() -> None:
    """RFC 8621 §4.1.4: some programs name the customer's own words."""
    first = (
        b'Content-Type: text/plain; name="body.txt"\r\nContent-Disposition: inline\r\n\r\nWhere is my order?'
    )
    assert read(multipart(first, REPORT)).text == ASKED


def test_the_root_of_a_related_mail_need_not_come_first() -> None:
    picture = b"Content-Type: image/png\r\nContent-ID: <p>\r\n\r\nPNG"
    html = b"Content-Type: text/html\r\nContent-ID: <root>\r\n\r\n<p>Where is my order?</p><img src=cid:p>"
    for declared in ('multipart/related; boundary="B"; start="<root>"', 'multipart/related; boundary="B"'):
        found = read(multipart(picture, html, declared=declared))
        assert (found.text, [attachment.inline for attachment in found.attachments]) == (ASKED, [True])


def test_enriched_text_beside_the_text_is_a_file_and_alone_is_read() -> None:
    rich = b"Content-Type: text/enriched\r\n\r\n<bold>Now</bold> is the time for <italic>all</italic>\r\ngood men.\r\n\r\n<<sic>"
    assert len(read(multipart(TEXT, rich)).attachments) == 1
    assert read(multipart(rich)).text == "Now is the time for all good men.\n<sic>"


def test_a_delivery_status_is_read_when_nothing_else_is_text() -> None:
    status = b"Content-Type: message/delivery-status\r\n\r\nyour mail was refused"
    assert read(multipart(status, declared='multipart/report; boundary="B"')).text == "your mail was refused"


def test_a_short_plain_text_is_kept_beside_html_that_only_has_longer_links() -> None:
    plain = b"Content-Type: text/plain\r\n\r\nSee our page."
    html = b'Content-Type: text/html\r\n\r\n<a href="https://www.example.com/%s">See our page.</a>' % (
        b"x" * 300
    )
    assert (
        read(multipart(plain, html, declared='multipart/alternative; boundary="B"')).text == "See our page."
    )


def test_an_embedded_mail_keeps_its_text_to_itself_and_is_named_by_its_subject() -> None:
    inner = b"Content-Type: message/rfc822\r\n\r\nSubject: =?utf-8?q?za=C5=BC/x?=\r\n\r\nsecret"
    content = multipart(TEXT, inner)
    assert (read(content).text, names(content)) == (ASKED, ["zaż-x.eml"])


def test_alternatives_that_share_the_outer_boundary_are_still_alternatives() -> None:
    """Outlook Express for Macintosh wrote such mail."""
    opened = b'Content-Type: multipart/alternative; boundary="B"\r\n\r\n'
    html = b"Content-Type: text/html\r\n\r\n<p>Where is my order?</p>\r\n--B--\r\n"
    found = read(multipart(opened, TEXT, html, REPORT))
    assert (found.text, [attachment.name for attachment in found.attachments]) == (ASKED, ["report.pdf"])
    assert "Nested multiparts share a boundary" in found.problems


@pytest.mark.parametrize("word", [b"bar", b"<b>bar</b>"])
def test_a_word_that_was_taken_for_a_header_is_text(word: bytes) -> None:
    content = multipart(b"Content-Type: text/plain\r\n" + word + b"\r\n", REPORT)
    assert read(content).text == word.decode()
    assert (
        read(multipart(b"Content-Type: text/plain\r\n" + word + b"\r\n\r\nmore")).text
        == word.decode() + "\n\nmore"
    )


def test_one_line_right_below_a_short_header_is_text() -> None:
    assert (
        read(b"From: a@example.com\r\nSubject: late\r\nWhere is it?\r\n\r\nAda").text == "Where is it?\n\nAda"
    )


def test_bytes_that_quoted_printable_should_have_escaped_are_kept() -> None:
    part = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nzaż=C5=BC".encode()
    assert read(multipart(part)).text == "zażż"


def test_a_mail_in_rich_text_alone_is_read() -> None:
    found = read(single(rb"{\rtf1\ansi Where is my \b order\b0 ?\par}", "text/rtf"))
    assert (found.text, len(found.attachments)) == (ASKED, 1)


def test_large_rich_text_is_left_to_the_slow_road() -> None:
    content = single(b"{\\rtf1 " + b"a\\par " * 40_000 + b"}", "text/rtf")
    with pytest.raises(Costly):
        read(content)


def test_a_text_that_says_it_is_an_attachment_is_read_when_the_mail_is_nothing_else() -> None:
    content = (
        FROM
        + b'Content-Type: text/plain\r\nContent-Disposition: attachment; filename="a.txt"\r\n\r\nWhere is my order?'
    )
    assert (read(content).text, names(content)) == (ASKED, ["a.txt"])


def test_one_piece_of_a_mail_in_several_is_read_and_named() -> None:
    found = read(
        single(b"Subject: x\r\n\r\nWhere is my order?", 'message/partial; id="x"; number=1; total=2')
    )
    assert ASKED in found.text
    assert "The mail is one piece of a mail that was sent in several" in found.problems


def test_empty_lines_around_a_text_are_not_part_of_it() -> None:
    assert read(single(b"\r\n \t\r\n\r\n  Where is my order?\r\n \r\n")).text == "  Where is my order?"
