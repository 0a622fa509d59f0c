"""Names of attachments in all the forms that senders write them."""

import base64

from channels.email import file_names
from tests.email.mails import TEXT, multipart, names
from tests.rows import every_row

BASE64_NAME = base64.b64encode("zaż.pdf".encode())


def placed(disposition: bytes, content_type: bytes = b"application/octet-stream") -> bytes:
    return multipart(
        TEXT, b"Content-Type: " + content_type + b"\r\nContent-Disposition: " + disposition + b"\r\n\r\nDATA"
    )


@every_row(
    ("disposition", "name"),
    [
        (b"attachment; filename*=utf-8'en'za%C5%BC.pdf", "zaż.pdf"),
        (b"attachment; filename*0*=utf-8''za%C5; filename*1*=%BC; filename*2=.pdf", "zaż.pdf"),
        (b"attachment; filename*1=b.pdf; filename*0=a", "ab.pdf"),
        (b"attachment; filename*1=a; filename*2=b.pdf", "ab.pdf"),
        (b"attachment; filename*=za%C5%BC.pdf", "zaż.pdf"),
        (b"attachment; filename*=\"utf-8''za%C5%BC.pdf\"", "zaż.pdf"),
        (b"attachment; filename*=iso-8859-1''f%FCnf.pdf", "fünf.pdf"),
        (b"attachment; filename=\"f__.pdf\"; filename*=utf-8''f%C3%BC.pdf", "fü.pdf"),
        (b'attachment; filename="f.pdf"; filename*=', "f.pdf"),
        (b"attachment; filename*=utf-8''a%ZZb%.pdf", "a%ZZb%.pdf"),
        (b'attachment; filename="=?utf-8?B?' + BASE64_NAME + b'?="', "zaż.pdf"),
        (b"attachment; filename==?utf-8?B?" + BASE64_NAME + b"?=", "zaż.pdf"),
        (b'attachment; filename="=?utf-8?Q?za=C5=BC_a?=\r\n =?utf-8?Q?_b.pdf?="', "zaż a b.pdf"),
        (b"attachment; filename==?utf-8?Q?za=C5=BC_a?= =?utf-8?Q?_b.pdf?=; size=3", "zaż a b.pdf"),
        (b"attachment; filename=my report 2026.pdf; size=3", "my report 2026.pdf"),
        (b"attachment; filename=my report;2026.pdf", "my report;2026.pdf"),
        (b'attachment; filename="my;report.pdf"', "my;report.pdf"),
        (b'attachment; filename="my \\"new\\" report.pdf"', "my _new_ report.pdf"),
        (b'attachment; filename="my "new" report.pdf"; size=3', "my _new_ report.pdf"),
        (b'attachment; filename="my report.pdf', "my report.pdf"),
        (b'attachment; filename="my report.pdf; size=3', "my report.pdf"),
        (b"attachment; filename='my report.pdf'", "my report.pdf"),
        ("attachment; filename=zaż.pdf".encode(), "zaż.pdf"),
        ('attachment; filename="fünf Äpfel.pdf"'.encode("latin-1"), "fünf Äpfel.pdf"),
        ('attachment; filename="注文書.pdf"'.encode("iso2022_jp"), "注文書.pdf"),
        (b'attachment; filename="za%C5%BC%20x.pdf"', "zaż x.pdf"),
        (b'attachment; filename="my%20report.pdf"', "my%20report.pdf"),
        (b'attachment; filename="100% pure.pdf"', "100% pure.pdf"),
        (b'attachment filename="a b.pdf"', "a b.pdf"),
        (b'filename="a b.pdf"', "a b.pdf"),
        (b'attachment;; filename="a.pdf"', "a.pdf"),
        (b'ATTACHMENT; FileName="a b.pdf"', "a b.pdf"),
        (b'attachment; filename="a.pdf"; filename="b.pdf"', "a.pdf"),
        (b'attachment; filename="very long\r\n name.pdf"', "very long name.pdf"),
        (b'attachment; name="a.pdf"', "a.pdf"),
        (b'attachment; filename=""', "attachment-1.bin"),
        (b"=?utf-8?Q?invalid?=; filename=a.pdf", "a.pdf"),
    ],
)
def test_a_name_is_read_as_it_was_meant(disposition: bytes, name: str) -> None:
    assert names(placed(disposition)) == [name]


def test_the_name_of_content_type_counts_where_the_disposition_has_none() -> None:
    assert names(placed(b'attachment; filename=""', b'application/pdf; name="x y.pdf"')) == ["x y.pdf"]


@every_row(
    ("field", "name"),
    [
        (b"Content-Location: http://files.example/a/foto%20x.jpg?size=1#top", "foto x.jpg"),
        (b"Content-Location: http://files.example/a/", "attachment-1.jpg"),
        (b"Content-Description: =?utf-8?q?za=C5=BC.jpg?=", "zaż.jpg"),
        (b"Content-Description: a picture of us", "attachment-1.jpg"),
    ],
)
def test_other_fields_name_a_file_too(field: bytes, name: str) -> None:
    assert names(multipart(TEXT, b"Content-Type: image/jpeg\r\n" + field + b"\r\n\r\nJ")) == [name]


@every_row(
    ("content_type", "extension"),
    [
        ("image/jpg", ".jpg"), ("application/msword", ".doc"), ("audio/basic", ".au"), ("message/rfc822", ".eml"), ("application/pgp-signature", ".asc"),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".docx"), ("application/x-nobody-knows", ""),
    ],
)  # fmt: skip
def test_a_file_without_a_name_gets_one_of_its_type(content_type: str, extension: str) -> None:
    assert file_names.safe("", content_type=content_type, number=2) == f"attachment-2{extension}"


@every_row(
    ("name", "safe"),
    [
        ("CON.txt", "_CON.txt"), ("nul", "_nul"), ("console.txt", "console.txt"), ("a\u200bb\u061c.pdf", "a_b_.pdf"), ("a.pdf. ", "a.pdf"), (".htaccess", "htaccess"),
        ("ż" * 150 + ".pdf", "ż" * 118 + ".pdf"), ("a" * 300, "a" * 180), ("x/../y.pdf", "y.pdf"), ("\ud800.pdf", "_.pdf"), ("report", "report"),
    ],
)  # fmt: skip
def test_a_name_is_safe_on_every_system(name: str, safe: str) -> None:
    assert file_names.safe(name, content_type="application/pdf") == safe
    assert len(file_names.safe(name, content_type="application/pdf").encode()) <= file_names.MAX_NAME_BYTES


@every_row("codec", ["shift_jis", "gb18030", "cp1250", "koi8-r"])
def test_bytes_in_a_name_are_read_in_the_charset_of_the_text(codec: str) -> None:
    name = {"shift_jis": "注文書.pdf", "gb18030": "订单.pdf", "cp1250": "łódź.pdf", "koi8-r": "счёт.pdf"}[
        codec
    ]
    text = f"Content-Type: text/plain; charset={codec}\r\n\r\nx".encode()
    file = b'Content-Disposition: attachment; filename="' + name.encode(codec) + b'"\r\n\r\nDATA'
    assert names(multipart(text, file)) == [name]
    assert names(multipart(text, file, b"no header at all")) == [name]
