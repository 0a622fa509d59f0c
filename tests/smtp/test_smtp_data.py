"""The end of data, dots and line endings, in process."""

import itertools

import pytest

from channels.email import admission, data

_STRINGS = ["".join(s).encode() for n in range(1, 7) for s in itertools.product("\r\n\0.", repeat=n)]


def new_body(max_size_bytes: int = 1_000, max_bytes: int = 10_000) -> data.Body:
    return data.Body(max_size_bytes, memory=admission.Memory(max_bytes))


def ends_inside(terminator: bytes) -> bool:
    """Tell, by reading lines, whether a body would end within it: a line that is a lone dot between two CRLF."""
    return b"\r\n.\r\n" in b"first" + terminator + b"second"


def test_no_variant_of_the_end_of_data_splits_a_mail() -> None:
    """Of all 5 460 strings over CR, LF, NUL and dot only CRLF.CRLF ends a body, and what is odd is refused whole."""
    assert len(_STRINGS) == 5_460
    for terminator in _STRINGS:
        body = new_body()
        rest = body.feed(b"first" + terminator + b"second\r\n.\r\n")
        assert rest is not None
        assert (rest != b"") == ends_inside(terminator), terminator
        if rest == b"" and terminator.strip(b".").replace(b"\r\n", b"").strip(b"."):
            assert data.has_bare_controls(body.content()) == has_bare_byte_by_byte(body.content()), terminator


def has_bare_byte_by_byte(body: bytes) -> bool:
    text = body.replace(b"\r\n", b"")
    return any(control in text for control in (b"\r", b"\n", b"\0"))


def test_strictness_agrees_with_a_plain_reading_on_every_short_string() -> None:
    for text in _STRINGS:
        assert data.has_bare_controls(text) == has_bare_byte_by_byte(text), text


def test_the_cut_between_blocks_never_matters() -> None:
    mail = b"abc\r\n..x\r\n...\r\nyy\r\n.\r\nrest"
    for first, second in itertools.combinations_with_replacement(range(len(mail) + 1), 2):
        body = new_body()
        blocks = (mail[:first], mail[first:second], mail[second:])
        assert any(body.feed(block) is not None for block in blocks)
        assert body.content() == b"abc\r\n.x\r\n..\r\nyy\r\n"


@pytest.mark.parametrize(("sent", "content"), [(b".\r\n", b""), (b"..\r\n.\r\n", b".\r\n"), (b"..a\r\n..\r\n.\r\n", b".a\r\n.\r\n")])  # fmt: skip
def test_the_first_line_is_unstuffed_like_any_other(sent: bytes, content: bytes) -> None:
    body = new_body()
    assert body.feed(sent) == b""
    assert body.content() == content


@pytest.mark.parametrize("size", [999, 1_000, 1_001])
def test_the_size_limit_counts_unstuffed_bytes(size: int) -> None:
    body = new_body(1_000)
    unstuffed = b".\r\n" * 300 + b"x" * (size - 902) + b"\r\n"
    assert len(unstuffed) == size
    body.feed(
        b"\r\n".join(b"." + line if line[:1] == b"." else line for line in unstuffed.split(b"\r\n"))
        + b".\r\n"
    )
    assert body.content() == (unstuffed if size <= 1_000 else b"")
    assert body.is_too_large == (size > 1_000)


def test_a_body_beyond_the_limit_holds_no_memory_and_still_finds_its_end() -> None:
    memory = admission.Memory(10_000)
    body = data.Body(1_000, memory=memory)
    for _ in range(100):
        assert body.feed(b"x" * 500) is None
    assert memory.used_bytes == 0
    assert body.feed(b"\r\n.\r") is None
    assert body.feed(b"\nQUIT\r\n") == b"QUIT\r\n"
    assert body.is_too_large


def test_memory_is_given_back_once() -> None:
    memory = admission.Memory(10_000)
    body = data.Body(5_000, memory=memory)
    body.feed(b"x" * 3_000)
    assert memory.used_bytes == 3_000
    body.close()
    body.close()
    assert memory.used_bytes == 0


def test_a_body_starves_when_all_bodies_together_are_too_much() -> None:
    memory = admission.Memory(1_000)
    first, second = data.Body(900, memory=memory), data.Body(900, memory=memory)
    first.feed(b"x" * 800)
    second.feed(b"y" * 800)
    assert (first.is_starved, second.is_starved) == (False, True)
    assert memory.used_bytes == 800
