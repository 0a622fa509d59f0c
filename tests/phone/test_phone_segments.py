"""Segments and encodings, by vectors counted by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.twilio import segments
from channels.twilio.segments import figures
from tests.rows import every_row

FAMILY = "👨‍👩‍👧‍👦"  # four emoji and three joiners: 4 × 2 + 3 units

TOLL_FREE = "+18005550100"


@every_row(
    ("text", "encoding", "units", "count"),
    [
        ("", "GSM-7", 0, 0),
        ("a", "GSM-7", 1, 1),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("a" * 459, "GSM-7", 459, 3),
        ("a" * 1_600, "GSM-7", 1_600, 11),
        ("€", "GSM-7", 2, 1),
        ("€" * 80, "GSM-7", 160, 1),
        ("€" * 81, "GSM-7", 162, 2),
        ("[]{}\\|^~€\f", "GSM-7", 20, 1),
        ("a" * 158 + "[", "GSM-7", 160, 1),
        ("a" * 159 + "[", "GSM-7", 161, 2),
        # An escape and its character stay together: 152 and 2 do not fit into 153.
        ("a" * 152 + "€" + "a" * 153, "GSM-7", 307, 3),
        ("a" * 151 + "€" + "a" * 153, "GSM-7", 306, 2),
        ("@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà\r\n", "GSM-7", 44, 1),
        ("ç", "UCS-2", 1, 1),
        ("`", "UCS-2", 1, 1),
        ("\t", "UCS-2", 1, 1),
        ("ą" * 70, "UCS-2", 70, 1),
        ("ą" * 71, "UCS-2", 71, 2),
        ("ą" * 134, "UCS-2", 134, 2),
        ("ą" * 135, "UCS-2", 135, 3),
        ("a" * 69 + "ą", "UCS-2", 70, 1),
        ("a" * 70 + "’", "UCS-2", 71, 2),
        # In UCS-2 what GSM would escape is one unit.
        ("€" * 69 + "ą", "UCS-2", 70, 1),
        ("👍", "UCS-2", 2, 1),
        ("👍" * 35, "UCS-2", 70, 1),
        ("👍" * 36, "UCS-2", 72, 2),
        # A surrogate pair stays together: 33 pairs fit into 67 units.
        ("👍" * 66, "UCS-2", 132, 2),
        ("👍" * 67, "UCS-2", 134, 3),
        (FAMILY, "UCS-2", 11, 1),
        (FAMILY * 6 + "abcd", "UCS-2", 70, 1),
        (FAMILY * 6 + "abcde", "UCS-2", 71, 2),
    ],
)
def test_vectors(text: str, encoding: str, units: int, count: int) -> None:
    counted = figures(text)
    assert (counted.encoding, counted.units, counted.segments) == (encoding, units, count)


@every_row(
    ("text", "count"),
    [
        ("a" * 160, 1),
        ("a" * 304, 2),
        ("a" * 305, 3),
        ("ą" * 70, 1),
        ("ą" * 132, 2),
        ("ą" * 133, 3),
    ],
)
def test_a_toll_free_number_has_a_longer_header(text: str, count: int) -> None:
    assert figures(text, own=TOLL_FREE).segments == count


def test_only_north_american_free_numbers_are_toll_free() -> None:
    assert segments.is_toll_free("+18885550100")
    assert not segments.is_toll_free("+48800123456")
    assert not segments.is_toll_free("+12025550100")


def test_every_character_that_forces_ucs2_is_named_with_its_place_and_what_may_stand_there() -> None:
    forcing = figures("It’s 5 € – ok 👍 Łódź").forcing
    assert [(each.at, each.character, each.instead) for each in forcing] == [
        (2, "’", "'"),
        (9, "–", "-"),
        (14, "👍", None),
        (16, "Ł", "L"),
        (17, "ó", "o"),
        (19, "ź", "z"),
    ]
    assert forcing[0].name == "right single quotation mark"


def test_what_reads_the_same_makes_a_text_cheap_again() -> None:
    dear = "“Zażółć” gęślą jaźń… zero\u200bwidth\u00a0space"
    assert segments.plainer(dear) == '"Zazolc" gesla jazn... zerowidth space'
    assert figures(segments.plainer(dear)).encoding == "GSM-7"


def test_what_has_no_equal_stays_as_it_is() -> None:
    assert segments.plainer("ok 👍 漢") == "ok 👍 漢"


@pytest.mark.parametrize(
    ("length", "is_long", "is_too_long"),
    [(320, False, False), (321, True, False), (1_600, True, False), (1_601, True, True)],
)
def test_the_soft_and_the_hard_limit(length: int, *, is_long: bool, is_too_long: bool) -> None:
    counted = figures("a" * length)
    assert (counted.is_long, counted.is_too_long) == (is_long, is_too_long)


def test_the_hard_limit_counts_utf16_units() -> None:
    assert figures("👍" * 801).is_too_long


def test_the_room_left_is_that_of_the_last_segment() -> None:
    assert figures("a" * 100).left == 60
    assert figures("a" * 161).left == 145
    assert figures("a" * 306).left == 0


def test_a_price_is_exact() -> None:
    assert segments.cost(3, "0.0079 USD") == "0.0237 USD"
    assert segments.cost(10, "0.04 EUR") == "0.4 EUR"
    assert segments.cost(3, "") is None


def test_what_is_cut_fits_and_says_so() -> None:
    said = segments.cut("👍" * 900)
    assert said.endswith("👍...")
    assert figures(said).characters <= 1_600
    assert segments.cut("a" * 1_600) == "a" * 1_600


@given(st.text(max_size=700))
def test_no_segment_is_counted_that_need_not_be(text: str) -> None:
    """Segments are as few as the room allows, plus what keeping pairs together wastes: one unit in each."""
    counted = figures(text)
    single, several = (160, 153) if counted.encoding == "GSM-7" else (70, 67)
    if counted.units <= single:
        assert counted.segments == (1 if text else 0)
    else:
        assert -(-counted.units // several) <= counted.segments <= -(-counted.units // (several - 1))


@given(st.text(max_size=200))
def test_a_plainer_text_is_never_forced_by_what_it_could_have_replaced(text: str) -> None:
    assert all(each.instead is None for each in figures(segments.plainer(text)).forcing)
