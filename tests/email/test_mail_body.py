import pytest

from channels.email import file_names, headers, html_text, splitting, structure
from tests.email.mails import read as parsed
from tests.rows import every_row


def mail(kind: str, *parts: bytes, head: bytes = b"") -> bytes:
    lines = b"".join(b"--B\r\n" + part + b"\r\n" for part in parts)
    return b'From: a@example.com\r\nContent-Type: %s; boundary="B"\r\n%s\r\n%s--B--\r\n' % (
        kind.encode(),
        head,
        lines,
    )


PLAIN = b"Content-Type: text/plain; charset=utf-8\r\n\r\nWhere is my order, please?"
HTML = b"Content-Type: text/html; charset=utf-8\r\n\r\n<p>Where is my <b>order</b>, please?</p>"
LONG_HTML = b"Content-Type: text/html; charset=utf-8\r\n\r\n" + b"<p>Where is my order, please?</p>" * 40
PICTURE = (
    b"Content-Type: image/png\r\nContent-ID: <logo@x>\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw=="
)
INVITATION = b"Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR"


def test_of_two_alternatives_the_plain_one_is_read() -> None:
    assert parsed(mail("multipart/alternative", PLAIN, HTML)).text == "Where is my order, please?"


@pytest.mark.parametrize(
    "stub", [b"Content-Type: text/plain\r\n\r\n \r\n", b"Content-Type: text/plain\r\n\r\nPlease enable HTML."]
)
def test_a_plain_alternative_that_says_nothing_gives_way_to_the_html(stub: bytes) -> None:
    assert parsed(mail("multipart/alternative", stub, LONG_HTML)).text.startswith("Where is my order")


def test_of_several_rich_alternatives_only_the_last_is_read() -> None:
    first = b"Content-Type: text/enriched\r\n\r\nan older form"
    assert parsed(mail("multipart/alternative", first, HTML)).text == "Where is my order, please?"


def test_a_plain_branch_of_several_parts_is_one_alternative() -> None:
    """RFC 8621 §4.1.4: text, picture, text beside the HTML of the same."""
    branch = b'Content-Type: multipart/mixed; boundary="M"\r\n\r\n' + b"".join(
        b"--M\r\n" + part + b"\r\n" for part in (PLAIN, PICTURE, b"\r\nafter the picture")
    )
    found = parsed(mail("multipart/alternative", branch + b"--M--", HTML))
    assert found.text == "Where is my order, please?\n\nafter the picture"
    assert len(found.attachments) == 1


def test_texts_of_a_mixed_mail_are_read_in_order() -> None:
    content = mail("multipart/mixed", PLAIN, PICTURE, b"Content-Type: text/plain\r\n\r\nsecond")
    assert parsed(content).text == "Where is my order, please?\n\nsecond"


def test_a_picture_of_the_html_is_inline_and_a_file_is_not() -> None:
    related = (
        b'Content-Type: multipart/related; boundary="R"\r\n\r\n--R\r\n'
        + HTML
        + b"\r\n--R\r\n"
        + PICTURE
        + b"\r\n--R--"
    )
    found = parsed(mail("multipart/mixed", related, PICTURE.replace(b"Content-ID: <logo@x>\r\n", b"")))
    assert [(attachment.part, attachment.inline) for attachment in found.attachments] == [
        ("1.2", True),
        ("2", False),
    ]


def test_a_picture_that_the_html_shows_is_inline_wherever_it_stands() -> None:
    html = b'Content-Type: text/html\r\n\r\n<img src="cid:logo@x">Where is my order, please?'
    (picture,) = parsed(mail("multipart/mixed", html, PICTURE)).attachments
    assert picture.inline


def test_an_invitation_is_a_file_beside_the_text() -> None:
    found = parsed(mail("multipart/alternative", PLAIN, HTML, INVITATION))
    assert found.text == "Where is my order, please?"
    assert [attachment.name for attachment in found.attachments] == ["attachment-1.ics"]


def test_an_embedded_mail_is_a_file_and_its_text_is_not_the_customers() -> None:
    inner = b"Content-Type: message/rfc822\r\n\r\nSubject: earlier\r\n\r\nold text\r\n"
    found = parsed(mail("multipart/mixed", PLAIN, inner))
    assert "old text" not in found.text
    assert [attachment.name for attachment in found.attachments] == ["earlier.eml"]


def test_a_text_with_a_file_name_is_a_file() -> None:
    note = b'Content-Type: text/plain; name="log.txt"\r\nContent-Disposition: inline\r\n\r\nerror 17'
    found = parsed(mail("multipart/mixed", PLAIN, note))
    assert found.text == "Where is my order, please?"
    assert [attachment.name for attachment in found.attachments] == ["log.txt"]


@every_row(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\a\\report.doc", "report.doc"),
        ("a\x00b\r\n.txt", "a_b .txt"),
        ("invoice\u202efdp.exe", "invoice_fdp.exe"),
        ("", "attachment-3.pdf"),
        ("...", "attachment-3.pdf"),
        ("/", "attachment-3.pdf"),
        ("x" * 500 + ".pdf", "x" * 180 + ".pdf"),
        ("Zażółć gęślą.pdf", "Zażółć gęślą.pdf"),
    ],
)
def test_a_file_name_is_made_safe(name: str, safe: str) -> None:
    assert file_names.safe(name, content_type="application/pdf", number=3) == safe


DAMAGED = {
    "broken base64": (
        mail("multipart/mixed", PLAIN, PICTURE.replace(b"iVBORw==", b"iVB!ORw")),
        [("attachment-1.png", 4)],
    ),
    "no last delimiter": (
        mail("multipart/mixed", PLAIN, PICTURE).replace(b"--B--\r\n", b""),
        [("attachment-1.png", 4)],
    ),
    "another boundary": (
        mail("multipart/mixed", PLAIN, PICTURE).replace(b'="B"', b'="C"'),
        [("attachment-1.png", 4)],
    ),
    "no boundary": (
        mail("multipart/mixed", PLAIN, PICTURE).replace(b'; boundary="B"', b""),
        [("attachment-1.png", 4)],
    ),
    "bare line feeds": (
        mail("multipart/mixed", PLAIN, PICTURE).replace(b"\r\n", b"\n"),
        [("attachment-1.png", 4)],
    ),
}


@every_row(("content", "files"), DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_mail_is_read_all_the_same(content: bytes, files: list[tuple[str, int]]) -> None:
    found = parsed(content)
    assert found.text == "Where is my order, please?"
    assert [(attachment.name, attachment.size) for attachment in found.attachments] == files


@every_row(
    "content",
    [
        mail("multipart/mixed", PLAIN, HTML, PICTURE),
        mail("multipart/mixed", mail("multipart/alternative", PLAIN, HTML).replace(b"B", b"I"), PICTURE),
        mail("multipart/digest", b"\r\nSubject: one\r\n\r\ntext", b"\r\nSubject: two\r\n\r\ntext"),
        mail("multipart/mixed", b"\r\nno header in this part"),
    ],
)
def test_both_roads_build_the_same_tree(content: bytes) -> None:
    fields = headers.scan(content)
    fast = structure._fast(content, fields)
    node, _ = splitting.split(content, fields, max_parts=200, max_depth=50)
    slow = structure._part_from_node(node)
    assert fast is not None

    def shape(part: structure.Part) -> object:
        return part.path, part.content_type, part.content.strip(), [shape(child) for child in part.children]

    assert shape(fast) == shape(slow)


@every_row(
    ("html", "text"),
    [
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("<div>one</div><div><br></div><div>two</div>", "one\n\ntwo"),
        ("<div>one<br></div><div>two</div>", "one\ntwo"),
        ("<b>bo</b>ld and <i>it</i>alic", "bold and italic"),
        ("one\n  two\t three&nbsp;four", "one two three four"),
        ("<style>p{}</style><script>alert(1)</script><head><title>t</title></head>text", "text"),
        ("<ul><li>one</li><li>two</li></ul>", "- one\n- two"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>", "a b\nc d"),
        ('<a href="https://example.com/x">here</a>', "here <https://example.com/x>"),
        ('<a href="https://example.com/">https://example.com/</a>', "https://example.com/"),
        ('<a href="mailto:a@example.com">a@example.com</a>', "a@example.com"),
        ('<a href="javascript:alert(1)">here</a>', "here"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("before<blockquote>quoted<br>more</blockquote>after", "before\n> quoted\n> more\nafter"),
        ("<blockquote>a<blockquote>b</blockquote></blockquote>", "> a\n\n> > b"),
        ("&lt;not a tag&gt; &amp; &euro;", "<not a tag> & €"),
        ("<!-- hidden -->shown", "shown"),
        ('<div style="display:none">preview<p style="display: none">x</p></div><p>shown</p>', "shown"),
        ('<body style="display:none">all that there is</body>', "all that there is"),
        ("unclosed <b>bold <p>text", "unclosed bold\n\ntext"),
        ("", ""),
    ],
)
def test_html_becomes_the_text_a_person_reads(html: str, text: str) -> None:
    assert html_text.text_from_html(html, costly=False) == text


def test_a_gmail_answer_in_html_is_separated_from_its_quotation() -> None:
    html = (
        b"Content-Type: text/html; charset=utf-8\r\n\r\n"
        b'<div dir="ltr">That works, thank you.</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">On Mon, Nov 2, 2026 '
        b'at 10:00 AM Support &lt;<a href="mailto:support@example.net">support@example.net</a>&gt; wrote:<br></div>'
        b"<blockquote><div>We have sent the lamp.</div></blockquote></div>"
    )
    found = parsed(mail("multipart/mixed", html))
    assert found.visible_text == "That works, thank you."
    assert "We have sent the lamp." in found.quoted_text


def test_uuencoded_parts_are_decoded() -> None:
    part = b"Content-Type: application/x\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 x\r\n%:&5L;&\\\r\n`\r\nend\r\n"
    (found,) = parsed(mail("multipart/mixed", part)).attachments
    assert found.size == 5


@every_row(
    ("parameters", "written", "read"),
    [
        ("; format=flowed", "one \r\ntwo\r\nthree", "one two\nthree"),
        ("; format=flowed; delsp=yes", "on \r\ne", "one"),
        ("; format=flowed", " >not quoted\r\n From here", ">not quoted\nFrom here"),
        ("; format=flowed", "> quoted \r\n> on\r\nanswer", "> quoted on\nanswer"),
        ("; format=flowed", "> quoted \r\nanswer", "> quoted \nanswer"),
        ("; format=flowed", "text \r\n-- \r\nAnna", "text \n-- \nAnna"),
        ("", "one \r\ntwo", "one \ntwo"),
    ],
)
def test_lines_broken_for_display_are_joined(parameters: str, written: str, read: str) -> None:
    """RFC 3676; only where the sender says that the text is flowed."""
    content = f"From: a@example.com\r\nContent-Type: text/plain{parameters}\r\n\r\n{written}".encode()
    assert parsed(content).text == read


def test_an_encrypted_mail_says_that_it_cannot_be_read() -> None:
    content = mail("multipart/encrypted", b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1")
    assert "The mail is encrypted with PGP: its text cannot be read" in parsed(content).problems
