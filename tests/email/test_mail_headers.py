from channels.contract import Address
from channels.email import addresses, charsets, encoded_words, headers, parameters
from tests.rows import every_row


@every_row(
    ("written", "read"),
    [
        ("plain", "plain"),
        ("=?utf-8?q?J=C3=BCrgen_M?=", "Jürgen M"),
        ("=?UTF-8?B?SsO8cmdlbg==?=", "Jürgen"),
        ("=?iso-8859-1?q?a=E9?= b =?utf-8?q?c?=", "aé b c"),
        ("=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
        ("=?utf-8?q?a?=\t=?iso-8859-1?q?b?=", "ab"),
        ("=?utf-8*en?q?language?=", "language"),
        ("=?utf-8?q?question?mark?=", "question?mark"),
        ("=?utf-8?q?with space?=", "with space"),
    ],
)
def test_encoded_words_are_read(written: str, read: str) -> None:
    assert encoded_words.decode(written) == read


@every_row(
    ("written", "read"),
    [
        ("=?utf-8?b?SsO8cmdlbg?=", "Jürgen"),
        ("=?utf-8?b?SsO8!cmdlbg==?=", "Jürgen"),
        ("=?utf-8?b?SsM=?= =?utf-8?b?vHJnZW4=?=", "Jürgen"),
        ("=?utf-8?q?J=C3?= =?utf-8?q?=BCrgen?=", "Jürgen"),
        ("=?utf-8?q?cut=20off", "cut off"),
        ("=?nonsense?q?J=C3=BCrgen?=", "Jürgen"),
        ("=?utf-8?x?what?=", "=?utf-8?x?what?="),
        ("=?utf-8?q??=", ""),
        ("=?=?=?", "=?=?=?"),
    ],
    ids=[
        "no padding",
        "foreign letter",
        "split in base64",
        "split in a character",
        "cut",
        "charset",
        "encoding",
        "empty",
        "junk",
    ],
)
def test_broken_encoded_words_are_read_as_far_as_they_go(written: str, read: str) -> None:
    assert encoded_words.decode(written) == read


@every_row(
    ("written", "read"),
    [
        ("a@example.com", [("a@example.com", "")]),
        ("A B <a@Example.COM>", [("a@example.com", "A B")]),
        ('"B, A" <a@example.com>, c@example.com', [("a@example.com", "B, A"), ("c@example.com", "")]),
        ("a@example.com; b@example.com", [("a@example.com", ""), ("b@example.com", "")]),
        ("team: a@example.com, b@example.com;, c@example.com", [("a@example.com", ""), ("b@example.com", ""), ("c@example.com", "")]),
        ("undisclosed-recipients:;", []),
        ("a@example.com (Anna)", [("a@example.com", "Anna")]),
        ("=?utf-8?q?M=2C_J?= <a@example.com>", [("a@example.com", "M, J")]),
        ('"a\\"b" <a@example.com>', [("a@example.com", 'a"b')]),
        ("<@relay.example,@two.example:a@example.com>", [("a@example.com", "")]),
        ("<a(comment)@example.com(host)>", [("a@example.com", "")]),
        ("", []),
        (",,;,", []),
        ("MAILER-DAEMON", [("MAILER-DAEMON", "")]),
        ("just some words", []),
        ("Anna <>", []),
    ],
)  # fmt: skip
def test_address_fields_are_taken_apart(written: str, read: list[tuple[str, str]]) -> None:
    assert addresses.parse([written]) == tuple(Address(*pair) for pair in read)


def test_an_encoded_address_is_not_decoded_into_another() -> None:
    """A name may be encoded, an address never: decoding it would let one address pose as another."""
    (found,) = addresses.parse(["<=?utf-8?q?ceo=40example=2Ecom?=@evil.example>"])
    assert found.address.endswith("@evil.example")
    assert "ceo@example.com" not in found.address


def test_at_most_a_hundred_addresses_of_a_field_are_read() -> None:
    assert len(addresses.parse(["a@example.com," * 500])) == 100


@every_row(
    ("written", "name", "read"),
    [
        ('application/pdf; name="a b.pdf"', "name", "a b.pdf"),
        ("attachment; filename=no quotes.txt", "filename", "no quotes.txt"),
        ("attachment; filename*=utf-8''M%C3%A4rz.pdf", "filename", "März.pdf"),
        ("attachment; filename*0*=utf-8''M%C3; filename*1*=%A4rz; filename*2=.pdf", "filename", "März.pdf"),
        ('attachment; filename*1="b.pdf"; filename*0="a"', "filename", "ab.pdf"),
        ('attachment; filename="=?utf-8?q?M=C3=A4rz.pdf?="', "filename", "März.pdf"),
        ("attachment; filename=plain.txt; filename*=utf-8''better.txt", "filename", "better.txt"),
        ('a/b; name="semi;colon"; x=y', "name", "semi;colon"),
        ('a/b; name="quo\\"te"', "name", 'quo"te'),
    ],
)
def test_parameters_are_read(written: str, name: str, read: str) -> None:
    assert parameters.parse(written)[name] == read


@every_row(
    ("content", "label", "read"),
    [
        ("żółw".encode("iso-8859-2"), "iso-8859-2", "żółw"),
        ("Jürgen".encode(), "iso-8859-1", "Jürgen"),
        ("Jürgen".encode(), "us-ascii", "Jürgen"),
        ("Jürgen".encode("latin-1"), "utf-8", "Jürgen"),
        ("“quoted” €".encode("cp1252"), "iso-8859-1", "“quoted” €"),
        ("漢字".encode("gb18030"), "gb2312", "漢字"),
        ("한국어 텍스트".encode("cp949"), "ks_c_5601-1987", "한국어 텍스트"),
        ("テスト".encode("iso-2022-jp"), "ISO-2022-JP", "テスト"),
        (b"plain", "zip", "plain"),
        (b"\\u0041", "unicode_escape", "\\u0041"),
        (
            "Παρακαλώ στείλτε μου την παραγγελία".encode("iso-8859-7"),
            "",
            "Παρακαλώ στείλτε μου την παραγγελία",
        ),
    ],
)
def test_text_is_read_whatever_its_label_says(content: bytes, label: str, read: str) -> None:
    assert charsets.text_from_bytes(content, label)[0] == read


def test_a_wrong_label_is_a_problem() -> None:
    assert (
        charsets.text_from_bytes("Jürgen".encode("latin-1"), "utf-8")[1] == "Text is not in its charset utf-8"
    )


def test_raw_bytes_in_a_header_are_read_in_the_charset_of_the_text() -> None:
    fields = headers.scan("Subject: Zażółć gęślą".encode("iso-8859-2") + b"\n\n")
    fields.charset = "iso-8859-2"
    assert fields.text("subject") == "Zażółć gęślą"


def test_a_field_folded_without_a_space_stays_one_field() -> None:
    fields = headers.scan(b"To: a@example.com,\nb@example.com\nSubject: x\n\ntext")
    assert [address.address for address in addresses.parse(fields.structured("to"))] == [
        "a@example.com",
        "b@example.com",
    ]
    assert fields.text("subject") == "x"


def test_an_mbox_line_above_the_header_is_passed_over() -> None:
    assert (
        headers.scan(b"From a@example.com Mon Nov  2 11:00:00 2026\nSubject: x\n\ntext").text("subject")
        == "x"
    )


def test_control_characters_do_not_reach_a_subject() -> None:
    assert headers.scan(b"Subject: a\x00b\x1b[31mc\n\n").text("subject") == "a b [31mc"


def test_line_breaks_inside_an_encoded_word_do_not_reach_a_subject() -> None:
    assert headers.scan(b"Subject: =?utf-8?q?a=0D=0AX-Evil:_1?=\n\n").text("subject") == "a X-Evil: 1"
