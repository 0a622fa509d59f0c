"""What is sent to freeze or crash a parser: each shape by its name, made when it is asked for."""

from base64 import encodebytes
from collections.abc import Callable

from tests.email.tnef_writer import attribute, message, properties, stream

MIXED = b"From: a@example.com\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n"
TEXT = b"From: a@example.com\r\nContent-Type: text/plain"
HTML = b"From: a@example.com\r\nContent-Type: text/html\r\n\r\n"


def nested(depth: int) -> bytes:
    return b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(depth)
    )


def tnef(attributes: bytes) -> bytes:
    return b"Content-Type: application/ms-tnef\r\nContent-Transfer-Encoding: base64\r\n\r\n" + encodebytes(
        stream(attributes)
    )


def sealed(content: bytes) -> bytes:
    """S/MIME that begins like a signed message."""
    begin = bytes.fromhex("308006092a864886f70d010702a0803080")
    return b"Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\n" + encodebytes(
        begin + content
    )


BOMBS: dict[str, Callable[[], bytes]] = {
    "50 KB of quotes in To": lambda: b"To: " + b'"' * 50_000 + b"\r\n\r\nx",
    "50 KB of brackets in To": lambda: b"To: " + b"(<" * 25_000 + b"\r\n\r\nx",
    "50 KB of commas in To": lambda: b"To: " + b"," * 50_000 + b"\r\n\r\nx",
    "20 000 addresses": lambda: b"To: " + b"a@b.example, " * 20_000 + b"\r\n\r\nx",
    "1 MB of encoded words": lambda: b"Subject: " + b"=?utf-8?q?a?= " * 70_000 + b"\r\n\r\nx",
    "1 MB of encoded words folded": lambda: b"Subject: " + b"=?utf-8?q?a?=\r\n " * 70_000 + b"\r\n\r\nx",
    "encoded words without end": lambda: b"Subject: " + b"=?utf-8?q?" * 70_000 + b"\r\n\r\nx",
    "encoded words in a part": lambda: MIXED + b'--B\r\nContent-Disposition: attachment; filename="' + b"=?utf-8?b?w7w=?= " * 20_000 + b'"\r\n\r\nx\r\n--B--',
    "100 000 parts": lambda: MIXED + b"--B\r\n\r\nx\r\n" * 100_000,
    "100 000 delimiters": lambda: MIXED + b"--B\r\n" * 100_000,
    "10 000 multiparts nested": lambda: nested(10_000),
    "10 000 multiparts nested, one boundary": lambda: b"Content-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\n" * 10_000,
    "5 000 mails nested": lambda: b"Content-Type: message/rfc822\r\n\r\n" * 5_000,
    "10 MB below 49 multiparts": lambda: nested(49) + b"a\r\n--" * 2_000_000,
    "10 MB below 40 mails": lambda: b"Content-Type: message/rfc822\r\n\r\n" * 40 + b"a" * 10_000_000,
    "10 000 RFC 2231 pieces": lambda: TEXT + b"; " + b"".join(b"name*%d=a; " % n for n in range(10_000)) + b"\r\n\r\nx",
    "100 000 header fields": lambda: b"".join(b"X-%d: a\r\n" % n for n in range(100_000)) + b"\r\nx",
    "a header of 10 MB": lambda: b"X: " + b"a" * 10_000_000,
    "a field of folds": lambda: b"Subject: a" + b"\r\n " * 80_000 + b"b\r\n\r\nx",
    "a line of 25 MB": lambda: TEXT + b"\r\n\r\n" + b"a" * 25_000_000,
    "10 MB of line breaks": lambda: TEXT + b"\r\n\r\n" + b"\n" * 10_000_000,
    "10 MB of fields as text": lambda: TEXT + b"\r\n\r\n" + b"a:\n" * 3_000_000,
    "10 MB of broken base64": lambda: TEXT + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b"!aa=" * 2_500_000,
    "uuencoded lines": lambda: TEXT + b"\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 x\n" + b"M\n" * 500_000,
    "10 MB of open elements": lambda: HTML + b"<div>" * 2_000_000,
    "3 900 elements nested and closed": lambda: HTML + b"<div>" * 3_900 + b"</div>" * 3_900,
    "15 000 elements nested and closed": lambda: HTML + b"<div>" * 14_900 + b"</div>" * 14_900,
    "10 MB of <": lambda: HTML + b"<" * 10_000_000,
    "200 000 attributes": lambda: HTML + b"<a " + b"a=b " * 200_000 + b">",
    "references without end": lambda: b"References: " + b"<a@b " * 40_000 + b"\r\n\r\nx",
    "attributions": lambda: TEXT + b"\r\n\r\n" + b"On 2026-11-02 10:00 a@b.example wrote x:\n\n" * 6_000,
    "rulers": lambda: TEXT + b"\r\n\r\n" + b"__________\n" * 18_000,
    "a delivery report of 5 MB": lambda: b"Content-Type: multipart/report; report-type=delivery-status; boundary=B\r\n\r\n--B\r\nContent-Type: message/delivery-status\r\n\r\n" + b"Final-Recipient: rfc822; a@b.example\r\nAction: failed\r\n\r\n" * 80_000,
    "a slow codec": lambda: TEXT + b"; charset=punycode\r\n\r\n" + b"a-" * 100_000,
    "one emoji and 20 MB": lambda: TEXT + b"; charset=utf-8\r\n\r\n" + "😀".encode() + b"a " * 10_000_000,
    "nothing": lambda: b"",
    "zero bytes": lambda: b"\0" * 1_000_000,
    # What more of a header can be.
    "1 MB of comments in From": lambda: b"From: " + b"(" * 500_000 + b")" * 500_000 + b" a@b.example\r\n\r\nx",
    "a comment in each word of Content-Type": lambda: b"Content-Type: text" + b"(a)" * 20_000 + b"/plain\r\n\r\nx",
    "20 000 groups": lambda: b"To: " + b"g: a@b.example;, " * 20_000 + b"\r\n\r\nx",
    "50 KB of backslashes in a name": lambda: b'From: "' + b"\\" * 50_000 + b'" <a@b.example>\r\n\r\nx',
    "a route of 10 000 hops": lambda: b"From: <" + b"@a.example," * 10_000 + b":a@b.example>\r\n\r\nx",
    "60 000 at signs": lambda: b"From: " + b"@" * 60_000 + b"\r\n\r\nx",
    "5 000 From fields": lambda: b"From: a@b.example\r\n" * 5_000 + b"\r\nx",
    "5 000 Subject fields of encoded words": lambda: b"Subject: =?utf-8?b?w7w=?= =?utf-8?b?w7w=?=\r\n" * 5_000 + b"\r\nx",
    "an encoded word of 1 MB": lambda: b"Subject: =?utf-8?b?" + b"w7w=" * 250_000 + b"?=\r\n\r\nx",
    "encoded words of 2 000 charsets": lambda: b"Subject: " + b" ".join(b"=?x-%d?q?=FF?=" % n for n in range(2_000)) + b"\r\n\r\nx",
    "an escape of every byte": lambda: b"Subject: =?utf-8?q?" + b"=C3" * 20_000 + b"?=\r\n\r\nx",
    "a Date of 60 KB": lambda: b"Date: " + b"1 " * 30_000 + b"\r\n\r\nx",
    "a Date of one number": lambda: b"Date: " + b"9" * 60_000 + b"\r\n\r\nx",
    "2 000 Authentication-Results": lambda: b"Authentication-Results: mx.example; dkim=pass (((((a))))) header.d=a.example; spf=pass\r\n" * 2_000 + b"\r\nx",
    "500 sets of ARC": lambda: b"".join(b"ARC-Seal: i=%d; cv=pass\r\nARC-Authentication-Results: i=%d; a\r\n" % (n, n) for n in range(500)) + b"\r\nx",
    "10 000 Received": lambda: b"Received: from a by b; Sat, 21 Nov 2026 09:00:00 +0100\r\n" * 10_000 + b"\r\nx",
    "a Message-ID of 60 KB": lambda: b"Message-ID: <" + b"a" * 60_000 + b"@b>\r\n\r\nx",
    "10 000 parameters": lambda: TEXT + b"; " + b"; ".join(b"a%d=b" % n for n in range(10_000)) + b"\r\n\r\nx",
    "a file name of 60 KB": lambda: b'Content-Disposition: attachment; filename="' + b"../" * 20_000 + b'"\r\n\r\nx',
    "RFC 2231 pieces in the wrong order": lambda: TEXT + b"; " + b"".join(b"name*%d*=%%C3; " % n for n in range(5_000, 0, -1)) + b"\r\n\r\nx",
    "carriage returns alone": lambda: b"Subject: a\r" * 100_000,
    "a header of one colon a line": lambda: b":\r\n" * 300_000,
    "64 KB of spaces before a fold": lambda: b"Subject: " + b" " * 64_000 + b"a\r\n b\r\nFrom: " + b"\t" * 60_000 + b"a@b.example\r\n (x)\r\n\r\nx",
    "64 KB of letters in a name and a fold": lambda: b'From: "' + b"a" * 64_000 + b'"\r\n <a@b.example>\r\n\r\nx',
    "spaces and a colon in every field": lambda: b"".join(b"%s:%s\r\n :\r\n" % (name, b" " * 30_000) for name in (b"Date", b"Message-ID", b"References", b"Reply-To", b"List-Id", b"Received")) + b"\r\nx",
    # What more of a structure can be.
    "a boundary of 60 KB": lambda: b"Content-Type: multipart/mixed; boundary=" + b"b" * 60_000 + b"\r\n\r\n--" + b"b" * 60_000 + b"\r\n\r\nx",
    "an empty boundary": lambda: b'Content-Type: multipart/mixed; boundary=""\r\n\r\n' + b"--\r\n" * 100_000,
    "delimiters that are almost the boundary": lambda: b"Content-Type: multipart/mixed; boundary=" + b"a" * 60 + b"\r\n\r\n" + (b"--" + b"a" * 59 + b"b\r\n") * 100_000,
    "200 boundaries, each the beginning of the next": lambda: b"".join(b"Content-Type: multipart/mixed; boundary=%s\r\n\r\n--%s\r\n" % (b"b" * n, b"b" * n) for n in range(1, 200)),
    "40 attachments of 500 KB": lambda: MIXED + (b"--B\r\nContent-Disposition: attachment; filename=a.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b"QUFB" * 125_000 + b"\r\n") * 40,
    "100 texts of 100 KB": lambda: MIXED + (b"--B\r\nContent-Type: text/plain\r\n\r\n" + b"word " * 20_000 + b"\r\n") * 100,
    "100 HTML parts of 10 000 elements": lambda: MIXED + (b"--B\r\nContent-Type: text/html\r\n\r\n" + b"<p>a</p>" * 10_000 + b"\r\n") * 100,
    "10 000 external bodies": lambda: MIXED + b"--B\r\nContent-Type: message/external-body\r\n\r\n" * 10_000,
    "partial messages": lambda: b"Content-Type: message/partial; id=a; number=1; total=1000000\r\n\r\n" * 5_000,
    # What more of a text can be.
    "20 MB of soft line ends": lambda: TEXT + b"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=\r\n" * 6_000_000,
    "10 MB of broken quoted-printable": lambda: TEXT + b"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=zz==" * 2_000_000,
    "25 MB of base64 in one line": lambda: TEXT + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b"QUFB" * 6_250_000,
    "flowed spaces": lambda: TEXT + b"; format=flowed; delsp=yes\r\n\r\n" + b"a \r\n" * 1_000_000,
    "flowed quotes": lambda: TEXT + b"; format=flowed\r\n\r\n" + (b">" * 500 + b" a \r\n") * 5_000,
    "UTF-7 of 5 MB": lambda: TEXT + b"; charset=utf-7\r\n\r\n" + b"+AGEA" * 1_000_000,
    "ISO-2022-JP that only shifts": lambda: TEXT + b"; charset=iso-2022-jp\r\n\r\n" + b"\x1b$B\x1b(B" * 500_000,
    "UTF-16 of 10 MB": lambda: TEXT + b"; charset=utf-16\r\n\r\n" + "a\n".encode("utf-16-le") * 2_500_000,
    "no charset and every byte": lambda: TEXT + b"\r\n\r\n" + bytes(range(128, 256)) * 40_000,
    "1 000 000 marks on one letter": lambda: TEXT + b"; charset=utf-8\r\n\r\na" + "\u0301".encode() * 1_000_000,
    "1 000 000 directions": lambda: TEXT + b"; charset=utf-8\r\n\r\n" + "\u202e\u202d".encode() * 500_000,
    "200 KB of >": lambda: TEXT + b"\r\n\r\n" + b">" * 200_000,
    "66 000 lines of >": lambda: TEXT + b"\r\n\r\n" + b">\r\n" * 66_000,
    "quotes 600 deep": lambda: TEXT + b"\r\n\r\n" + b"".join(b"> " * n + b"a\r\n" for n in range(600)),
    "lines of spaces": lambda: TEXT + b"\r\n\r\n" + (b" " * 2_000 + b"\r\n") * 5_000,
    "200 KB of spaces": lambda: TEXT + b"\r\n\r\na" + b" " * 200_000 + b"b",
    "dashes": lambda: TEXT + b"\r\n\r\n" + b"-- \r\n" * 60_000,
    "header blocks": lambda: TEXT + b"\r\n\r\n" + b"From: a@b.example\nSent: 2026-11-02\nTo: c@d.example\nSubject: e\n\n" * 3_000,
    "one word of 200 KB with a colon at its end": lambda: TEXT + b"\r\n\r\n" + b"a" * 199_000 + b"@b.example wrote:\r\n> a",
    "addresses without end": lambda: TEXT + b"\r\n\r\n" + b"<a@b.example " * 15_000,
    "digits and colons": lambda: TEXT + b"\r\n\r\n" + b"10:10:10:" * 22_000,
    "5.1.1 everywhere in a bounce": lambda: b"From: MAILER-DAEMON@a.example\r\nSubject: Undelivered\r\nContent-Type: text/plain\r\n\r\n" + b"<a@b.example>: 550 5.1.1 unknown\r\n" * 6_000,
    "a bounce of one line": lambda: b"From: MAILER-DAEMON@a.example\r\nSubject: failure notice\r\n\r\n" + b"a@b.example 550 " * 12_000,
    "a complaint of 5 MB": lambda: b"Content-Type: multipart/report; report-type=feedback-report; boundary=B\r\n\r\n--B\r\nContent-Type: message/feedback-report\r\n\r\n" + b"Original-Rcpt-To: <a@b.example>\r\n" * 150_000,
    "a calendar of 10 MB": lambda: b"Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n" + b"ATTENDEE:mailto:a@b.example\r\n" * 350_000,
    "a calendar of folds": lambda: b"Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\nSUMMARY:a" + b"\r\n b" * 1_000_000,
    "winmail.dat of wrong lengths": lambda: b"Content-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + b"\x78\x9f\x3e\x22\x01\x00" + b"\x01\x00\x00\x00\x00\xff\xff\xff\x7f" * 500_000,
    "winmail.dat of 1 000 000 attributes": lambda: b"Content-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + b"\x78\x9f\x3e\x22\x01\x00" + b"\x02\x05\x80\x03\x00\x01\x00\x00\x00a\x61\x00" * 1_000_000,
    # What more of HTML can be.
    "1 000 000 entities": lambda: HTML + b"&amp;" * 1_000_000,
    "entities without end": lambda: HTML + b"&#x" + b"1" * 5_000_000 + b";",
    "comments without end": lambda: HTML + b"<!--" * 1_000_000,
    "CDATA and conditions": lambda: HTML + b"<!--[if mso]><![CDATA[" * 300_000,
    "a style of 5 MB": lambda: HTML + b"<style>" + b"a{b:c}" * 800_000 + b"</style>x",
    "an image of 10 MB in its address": lambda: HTML + b'<img src="data:image/png;base64,' + b"QUFB" * 2_500_000 + b'">x',
    "one attribute of 5 MB": lambda: HTML + b'<p title="' + b"a" * 5_000_000 + b'">x',
    "tables in cells": lambda: HTML + b"<table><tr><td>" * 5_000 + b"x",
    "lists in lists": lambda: HTML + b"<ul><li>" * 7_000 + b"x",
    "formatting that is never closed": lambda: HTML + b"<b><i><u><font color=red>" * 5_000 + b"x",
    "1 500 quotes, one in the other": lambda: HTML + b"<blockquote>" * 1_500 + b"x" + b"</blockquote>" * 1_500,
    "20 000 links": lambda: HTML + b'<a href="https://a.example/">b</a>' * 20_000,
    "pre of 5 MB": lambda: HTML + b"<pre>" + b"a b\n" * 1_200_000,
    "hidden in hidden": lambda: HTML + b'<div style="display:none">' * 2_000 + b"x",
    "zero bytes between the letters": lambda: HTML + b"<\0p\0>\0a" * 500_000,
    # What holds files without being MIME, and what is salvaged.
    "5 MB of uuencode that never ends": lambda: TEXT + b"\r\n\r\n" + b"begin 644 x\n" * 400_000,
    "40 000 empty blocks of uuencode": lambda: TEXT + b"\r\n\r\n" + b"begin 644 x\nend\n" * 40_000,
    "yEnc of nothing but escapes": lambda: TEXT + b"\r\n\r\n=ybegin name=x\n" + b"===" * 150_000 + b"\n=yend\n",
    "winmail.dat of 20 000 files": lambda: tnef(attribute(2, 0x0006_9002, b"") * 20_000),
    "winmail.dat of 16 000 properties": lambda: tnef(attribute(1, 0x0006_9003, properties(*[(3, 0x1234, b"1234")] * 400)) * 40),
    "winmail.dat that unpacks to 2 MB": lambda: tnef(message((0x0102, 0x1009, b"\0" * 4 + b"\x80\x84\x1e\0LZFu" + b"\0" * 4 + (b"\xff" + b"\x0c\xef" * 8) * 14_000))),
    "RTF of 300 000 groups": lambda: b"Content-Type: text/rtf\r\n\r\n{\\rtf1 " + b"{" * 300_000,
    "1 000 seals without an end": lambda: sealed(b"\x30\x80" * 1_000 + b"\x04\0" * 100_000),
    "100 000 octet strings in 100 seals": lambda: sealed((b"\x30\x80" + b"\x04\0" * 1_000 + b"\0\0") * 100),
    "an invitation to 20 000": lambda: b"Content-Type: text/calendar\r\n\r\nBEGIN:VEVENT\r\n" + b'ATTENDEE;CN="x":mailto:a@b\r\n' * 20_000,
    "enriched text of 60 000 parameters": lambda: b"Content-Type: text/enriched\r\n\r\n" + b"<param>" * 60_000,
    "one boundary, 3 000 times": lambda: MIXED + b"--B\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n" * 3_000,
    "190 names beyond ASCII in 1 MB": lambda: MIXED + b'--B\r\nContent-Type: text/plain; name="\xfc"\r\nContent-Description: \xfc\r\n\r\nx\r\n' * 190 + b"y" * 900_000,
    "100 000 lines of junk before the header": lambda: b"junk\r\n" * 100_000 + b"From: a@example.com\r\n\r\nx",
    "base64 that is one word": lambda: TEXT + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n!" + b"A" * 400_000,
    "base64 of nothing but padding": lambda: TEXT + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b"A=" * 200_000,
    # What patterns that try every beginning, or two repeats of the same blanks, would take minutes for.
    "a word of 100 KB above a quotation": lambda: TEXT + b"\r\n\r\na@bb.example " + b"x" * 100_000 + b"\n> quoted\n",
    "a bracket and 100 KB of spaces above a quotation": lambda: TEXT + b"\r\n\r\n(" + b" " * 100_000 + b"x:\n> quoted\n",
    "a bracket and 100 KB of spaces in a header block": lambda: TEXT + b"\r\n\r\nHello\n\nFoo: Bar\n<" + b" " * 100_000 + b"x\nBaz: 1\nQux: 2\n",
    "a last line of a link and 10 KB of spaces": lambda: TEXT + b"\r\n\r\nhello\n\nx:// " + b" " * 10_000 + b"y\n",
    "an author of 290 spaces": lambda: b"Subject: Fwd: a\r\n\r\nhi\n\n---------- Forwarded message ----------\nFrom: x" + b" " * 290 + b"y\nDate: 2026-01-01 10:00\nTo: a@b.example\n",
    "4 000 quoted lines that announce a forwarded mail": lambda: TEXT + b"\r\n\r\n" + b"a\n" * 4_000 + b"> x\n" + b">-- Forwarded message --\n" * 4_000,
    "25 times 2 000 marks of a signature": lambda: TEXT + b"\r\n\r\n" + (b"--\n" * 2_000 + b"> q\n") * 25,
    "1 000 lines that are almost separators": lambda: TEXT + b"\r\n\r\n" + (b"-" * 45 + b"a" + b"- " * 50 + b": .\n> q\n") * 1_000,
    "a Content-Type of 20 MB of spaces": lambda: MIXED + b"--B\r\nContent-Type: text/plain = a" + b" " * 20_000_000 + b"x\r\n\r\nx\r\n--B--\r\n",
    "yEnc that only begins": lambda: TEXT + b"\r\n\r\nbegin x\n" + b"=ybegin name=" * 19_000,
    "10 MB of yEnc that only begins": lambda: TEXT + b"\r\n\r\nbegin x\n" + b"=ybegin name=" * 800_000,
    "10 MB of uuencode that only begins": lambda: TEXT + b"\r\n\r\nbegin x\n" + b"begin 644 " * 1_000_000,
    "lines that are almost delimiters": lambda: MIXED.replace(b"=B", b"=C") + (b"--a" + b" " * 290 + b"x\r\n") * 1_500,
    "5 MB of lines that are almost delimiters": lambda: MIXED.replace(b"=B", b"=C") + (b"--a" + b" " * 290 + b"x\r\n") * 18_000,
    "250 styles that nearly hide": lambda: HTML + (b'<p style="font-size:0' + b" " * 1_900 + b'x">a</p>') * 250,
    "3 900 pre in one another": lambda: HTML + b"<pre>a\n" * 3_900 + b"</pre>" * 3_900,
    "95 addresses far behind a word in a bounce": lambda: b"From: MAILER-DAEMON@a.example\r\nSubject: failure notice\r\n\r\n" + (b"from" + b" " * 185 + b")a@b.example\n") * 95,
    "14 000 failed recipients": lambda: b"From: MAILER-DAEMON@a.example\r\n" + (b"X-Failed-Recipients: " + b"a@b.example," * 3_500 + b"\r\n") * 4 + b"\r\n5.1.1",
}  # fmt: skip
