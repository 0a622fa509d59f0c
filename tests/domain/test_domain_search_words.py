"""What a message is found by, and what is typed, as words: pure, bounded, and nothing of it the engines' own language."""

import re
import time
from pathlib import Path

import pytest

import intake
from intake import search_query, search_words
from intake.search_query import Word


def words(*texts: str) -> set[str]:
    return set(search_words.words_of(*texts).split())


def test_a_word_stands_once_however_often_it_is_written() -> None:
    assert search_words.words_of("Printer, PRINTER!", "the printer") == "printer the"


def test_a_number_with_separators_is_a_word_without_them_as_well() -> None:
    assert {"ab", "4821", "26", "ab482126"} <= words("AB-4821/26")
    assert "examplecom" not in words("https://example.com/a-b")


@pytest.mark.parametrize("written", ["+48 601 234 567", "0601-234-567", "(0)601 234 567", "601.234.567"])
def test_a_phone_number_is_a_word_from_its_end(written: str) -> None:
    """Whatever stands before the national number: no sign, zeros, a country."""
    found = [word for word in words(written) if word.startswith(search_words.PHONE)]
    assert len(found) == 1
    assert found[0].startswith(f"{search_words.PHONE}765432106")


def test_nobody_can_write_a_word_of_ours() -> None:
    """The private letters that mark phone numbers do not pass folding."""
    assert words(f"{search_words.PHONE}12345") == {"12345"}


FLOODS = ("a", "1", "1 ", "a-", "-", "(", "+1-", "ก", "発", "ä", "1.", "٣", "a.1/", "\u200b", "́")


@pytest.mark.parametrize("flood", FLOODS)
def test_no_text_takes_long_or_makes_many_words(flood: str) -> None:
    """A million letters of any kind: a bounded row, in time that grows with the bound and not with its square."""
    began = time.process_time()
    row = search_words.words_of(flood * (1_000_000 // len(flood)))
    assert time.process_time() - began < 0.5
    assert len(row) < search_words.TEXT_MAX * 3
    search_query.read(flood * 100_000)
    assert time.process_time() - began < 1.0


def test_the_last_word_may_go_on_and_no_other() -> None:
    read = search_query.read("smoking printer")
    assert [piece.spellings for piece in read.pieces] == [
        ((Word("smoking"),),),
        ((Word("printer", is_beginning=True),),),
    ]


def test_a_whole_address_does_not_go_on() -> None:
    """Half of all messages have a word that begins as a domain's end does."""
    assert not any(word.is_beginning for word in search_query.read("anna@mail.example").words)


def test_filters_are_taken_out_and_what_is_none_is_text() -> None:
    read = search_query.read("status:open printer Team:billing before:2026-11-01 colour:red after:soon")
    assert (read.text, read.team) == ("printer colour:red after:soon", "billing")
    assert read.statuses == ("new", "on_hold", "open", "pending")
    assert read.before == 1_793_491_200_000_000
    assert read.after is None


def test_all_that_writes_messages_keeps_their_words() -> None:
    """Whoever writes a row of messages, or changes its text, calls the index in the same file."""
    writes = re.compile(
        r"tx\.insert\(\s*schema\.messages,|tx\.update\(\s*schema\.messages,[^)]*(?:\*\*|attachments=files\))"
    )
    files = [path for path in Path(intake.__path__[0]).rglob("*.py") if writes.search(path.read_text())]
    assert len(files) >= 5
    missing = [path.name for path in files if "search_index." not in path.read_text()]
    assert missing == []
