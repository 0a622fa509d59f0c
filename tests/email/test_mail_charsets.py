import base64

import msgspec
import pytest

from channels.email import charset_names, charsets, encoded_words, headers
from tests.email.mails import read, single
from tests.rows import every_row

POLISH = "Zażółć gęślą jaźń, proszę o zwrot pieniędzy za zamówienie"
CZECH = "Dobrý den, ještě jsem nedostal svou objednávku, prosím o vrácení peněz. Stačí částečně, děkuji, Jiří Šťastný"
GREEK = "Καλημέρα, θα ήθελα να μάθω πού είναι η παραγγελία μου"
RUSSIAN = "Здравствуйте, где мой заказ номер пять?"
HEBREW = "שלום, עדיין לא קיבלתי את ההזמנה שלי"
JAPANESE = "こんにちは、注文はどこですか？"
CHINESE = "你好，我的订单在哪里？请帮我查一下"
KOREAN = "안녕하세요 주문이 어디에 있나요"
GERMAN = "Schöne Grüße, für Äpfel und Öl übrigens"


@every_row(
    ("label", "codec"),
    [
        ("iso-8859-1 (latin)", "cp1252"), ("ISO-8859-1", "cp1252"), ("latin1", "cp1252"), ("8859-1", "cp1252"), ("windows1252", "cp1252"), ("ANSI", "cp1252"),
        ("iso_8859-1:1987", "cp1252"), ("win-1250", "cp1250"), ("x-cp1250", "cp1250"), ("cp-850", "cp850"), ("ibm852", "cp852"), ("latin-2", "iso8859-2"),
        ("iso 8859-2", "iso8859-2"), ("ISO8859_2", "iso8859-2"), ("utf8mb4", "utf-8"), ("UTF 8", "utf-8"), ("utf-8;format=flowed", "utf-8"), ("3Dutf-8", "utf-8"),
        ("'utf-8'", "utf-8"), ("UTF-8,UTF-8", "utf-8"), ("unicode-1-1-utf-7", "utf-7"), ("x-mac-roman", "mac-roman"), ("ks_c_5601-1987", "cp949"),
        ("windows-874", "cp874"), ("koi8r", "koi8-r"), ("hz-gb-2312", "hz"), ("gb2312_charset", "gb18030"), ("x-x-big5", "big5hkscs"), ("x-sjis", "cp932"),
        ("iso-8859-8-i", "iso8859-8"), ("csISOLatin1", "cp1252"), ("x-unknown", ""), ("unknown-8bit", ""), ("default", ""), ("", ""), ("idna", ""),
        ("unicode_escape", ""), ("rot13", ""), ("a" * 5_000, ""),
    ],
)  # fmt: skip
def test_a_label_is_understood_as_it_was_meant(label: str, codec: str) -> None:
    assert charset_names.codec_of(label) == codec


@every_row(
    ("text", "codec"),
    [
        (POLISH, "cp1250"), (POLISH, "iso8859-2"), (CZECH, "cp1250"), (CZECH, "iso8859-2"), (GREEK, "cp1253"), (GREEK, "iso8859-7"), (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8-r"), (HEBREW, "cp1255"), (JAPANESE, "shift_jis"), (JAPANESE, "euc_jp"), (JAPANESE, "iso2022_jp"), (CHINESE, "gb18030"),
        (KOREAN, "euc_kr"), (GERMAN, "cp1252"), (GERMAN, "utf-8"), (GERMAN, "utf-8-sig"), (GERMAN, "utf-16"), ("ASCII only, in pairs", "utf-16-le"),
    ],
)  # fmt: skip
def test_text_without_a_label_is_read(text: str, codec: str) -> None:
    assert read(single(text.encode(codec))).text == text


@every_row(
    ("text", "codec", "label"),
    [
        (POLISH, "utf-8", "iso-8859-1"), (POLISH, "utf-8", "us-ascii"), (POLISH, "utf-8", "iso-8859-2"), (GREEK, "utf-8", "windows-1253"),
        (CHINESE, "utf-8", "gb2312"), (JAPANESE, "utf-8", "shift_jis"), (POLISH, "cp1250", "iso-8859-1"), (POLISH, "iso8859-2", "windows-1252"),
        (CZECH, "cp1250", "iso-8859-1"), (GREEK, "cp1253", "iso-8859-1"), (RUSSIAN, "cp1251", "iso-8859-1"), (RUSSIAN, "koi8-r", "us-ascii"),
        ("„Zażółć” – gęślą", "cp1250", "iso-8859-2"), ("Ένα “κείμενο”", "cp1253", "iso-8859-7"), ("“quoted” – dashed", "cp1252", "iso-8859-1"),
        ("“quoted” € 5", "cp1252", "iso-8859-15"), (JAPANESE, "iso2022_jp", "us-ascii"), (JAPANESE, "iso2022_jp", "utf-8"), (GERMAN, "cp1252", "utf-8"),
        (GERMAN, "cp1252", "x-unknown"), ("①㈱髙", "cp932", "shift_jis"), ("똠방각하 안녕", "cp949", "euc-kr"), ("“quoted”", "gb18030", "gb2312"),
    ],
)  # fmt: skip
def test_text_under_a_wrong_label_is_read(text: str, codec: str, label: str) -> None:
    assert read(single(text.encode(codec), f"text/plain; charset={label}")).text == text


@every_row(
    "text",
    [
        GERMAN,
        "Où est ma commande, s'il vous plaît ?",
        "¿Dónde está mi pedido, señor?",
        "Não recebi a encomenda, ação 3º",
    ],
)
def test_a_right_western_label_is_believed(text: str) -> None:
    found = read(single(text.encode("cp1252"), "text/plain; charset=iso-8859-1"))
    assert (found.text, found.problems) == (text, ())


def test_a_wrong_label_is_named() -> None:
    found = read(single(POLISH.encode(), "text/plain; charset=iso-8859-2"))
    assert "Text labelled iso-8859-2 is UTF-8" in found.problems


def test_two_chinese_letters_that_could_be_utf8_stay_what_the_label_says() -> None:
    content = "联通".encode("gbk")
    assert charsets.text_from_bytes(content, "gb2312")[0] == "联通"


def test_the_vendors_characters_of_iso_2022_jp_are_read() -> None:
    """Row 13 of code page 932: the standard has no circled numbers, mail programs send them."""
    content = "号".encode("iso2022_jp").replace(b"\x1b(B", b"") + b"\x2d\x21\x2d\x6a\x1b(B."
    assert charsets.text_from_bytes(content, "iso-2022-jp")[0] == "号①㈱."


def test_katakana_of_half_width_in_iso_2022_jp_is_read() -> None:
    assert charsets.text_from_bytes(b"\x1b(I123\x1b(B \x1b$B\x2d\x21\x1b(B", "iso-2022-jp")[0] == "ｱｲｳ ①"


def test_html_without_a_label_is_read_as_its_meta_element_says() -> None:
    html = b'<html><head><meta charset="windows-1257"></head><body>'
    content = single(html + "Sąskaitų įmonė".encode("cp1257") + b"</body></html>", "text/html")
    assert read(content).text == "Sąskaitų įmonė"


@every_row(
    ("value", "text"),
    [
        ("=?utf-8?Q?a=C4?= =?utf-8?Q?=85b?=", "aąb"),
        ("=?utf-8?Q?hello w=C4=85rld and more?=", "hello wąrld and more"),
        ("=?utf-8?B?xIXEhw?=", "ąć"),
        ("=?utf-8?B?xIXE hw==?=", "ąć"),
        ("=?utf-8?Q?a?==?utf-8?Q?b?=", "ab"),
        ("foo=?utf-8?Q?=C4=85?=bar", "fooąbar"),
        ("=?x-unknown?Q?f=FCnf?=", "fünf"),
        ("=??Q?f=FCnf?=", "fünf"),
        ("=?utf-8?Q?f=C3=BCnf", "fünf"),
        ("=?UTF-8?q?f=c3=bcnf?=", "fünf"),
        ("=?utf-8?Q?=3D=3Futf-8=3FQ=3Ff=3DC3=3DBCnf=3F=3D?=", "fünf"),
        ("=?utf-8*de?Q?f=C3=BCnf?=", "fünf"),
        ("=?utf-8?Q?really?=3F?=", "really??"),
        ("=?utf-8?Q?=C4=85?= =?iso-8859-2?Q?=B1?= x", "ąą x"),
        ("=?iso-8859-1?Q?=C4=85?=", "ą"),
        ("=?utf-8?B??= x", " x"),
        ("2 =? 3 ?= 5", "2 =? 3 ?= 5"),
    ],
)
def test_a_broken_encoded_word_is_read(value: str, text: str) -> None:
    assert encoded_words.decode(value) == text


def test_base64_that_was_cut_between_words_is_joined() -> None:
    whole = base64.b64encode("你好订单".encode("gb2312")).decode()
    assert encoded_words.decode(f"=?gb2312?B?{whole[:6]}?= =?gb2312?B?{whole[6:]}?=") == "你好订单"


@every_row("codec", ["utf-8", "cp1250", "iso8859-2", "iso2022_jp", "cp1252"])
def test_a_subject_in_bare_bytes_is_read(codec: str) -> None:
    text = JAPANESE if codec == "iso2022_jp" else GERMAN if codec == "cp1252" else POLISH
    assert headers.scan(b"Subject: " + text.encode(codec) + b"\r\n\r\n").text("subject") == text


def test_a_fold_in_the_midst_of_an_encoded_word_is_no_space() -> None:
    assert headers.scan(b"Subject: =?utf-8?B?xIXE\r\n hw==?= x\r\n\r\n").text("subject") == "ąć x"


@pytest.mark.parametrize(
    "content",
    [
        single(b"hi +2AA- you", "text/plain; charset=utf-7"),
        b'Content-Disposition: attachment; filename="=?utf-7?q?+2AA-?=%C3%A9.txt"\r\n\r\nx',
        b"From: =?utf-7?q?+2AA-?= <a@b.example>\r\nSubject: =?utf-7?q?+2AA-?=\r\n\r\nx",
    ],
    ids=["text", "file name", "header"],
)
def test_half_a_character_of_utf_7_is_nothing_that_cannot_be_stored(content: bytes) -> None:
    assert "\\ud8" not in repr(msgspec.json.decode(msgspec.json.encode(read(content))))
