"""Signed links: what a token says, and that nothing but the token as it was written says it."""

import random
import string
from typing import Any

import pytest

from intake import notice_links
from intake.keys import Keys
from intake.notice_links import Link

LINK = Link(purpose="ack", ref="K7M4Q2P", agent="marek.k-2", notice=113563297384349699, until_s=1_795_000_000)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys.load_or_create(tmp_path_factory.mktemp("keys") / "keys.json")


@pytest.fixture(scope="module")
def link(keys: Keys) -> Link:
    """A link of a ref whose check character is right."""
    from intake import refs

    return Link(
        purpose="ack", ref=refs.ref_from_number(42, b"k"), agent="marek.k-2", notice=7, until_s=1_795_000_000
    )


def token(keys: Keys, link: Link) -> str:
    return notice_links.path(keys, link).rpartition("/")[2]


def test_a_link_is_read_as_it_was_made(keys: Keys, link: Link) -> None:
    assert notice_links.read(keys, "ack", token(keys, link)) == link


def test_a_link_for_one_thing_is_none_for_the_other(keys: Keys, link: Link) -> None:
    assert notice_links.read(keys, "take", token(keys, link)) is None


@pytest.mark.parametrize(
    "change", [{"agent": "ewa"}, {"notice": 8}, {"until_s": 1_795_000_001}, {"ref": "1111111"}]
)
def test_what_is_said_with_another_signature_is_refused(
    keys: Keys, link: Link, change: dict[str, Any]
) -> None:
    """The ticket, the agent, the notice and the end are all under it."""
    import msgspec

    other = token(keys, msgspec.structs.replace(link, **change))
    signature = token(keys, link).rpartition(".")[2]
    assert notice_links.read(keys, "ack", f"{other.rpartition('.')[0]}.{signature}") is None


def test_another_house_s_link_is_refused(
    keys: Keys, link: Link, tmp_path_factory: pytest.TempPathFactory
) -> None:
    theirs = Keys.load_or_create(tmp_path_factory.mktemp("other") / "keys.json")
    assert notice_links.read(keys, "ack", token(theirs, link)) is None


def test_every_bit_counts(keys: Keys, link: Link) -> None:
    """Each single bit of a token turned over, the case of a letter among them, makes it nobody's."""
    written = token(keys, link).encode()
    for place in range(len(written) * 8):
        turned = bytearray(written)
        turned[place // 8] ^= 1 << place % 8
        assert notice_links.read(keys, "ack", turned.decode("latin-1")) is None


def forged(keys: Keys, link: Link, count: int) -> int:
    """How many of so many made-up tokens are taken."""
    made, alphabet = random.Random(1), string.ascii_lowercase + string.digits
    said, _, signature = token(keys, link).rpartition(".")
    taken = 0
    for number in range(count):
        guess = "".join(made.choices(alphabet, k=len(signature) - 1))
        start = signature[0] if number % 2 else made.choice(alphabet)
        taken += notice_links.read(keys, "ack", f"{said}.{start}{guess}") is not None
    return taken


def test_made_up_signatures_are_refused(keys: Keys, link: Link) -> None:
    """A thousand."""
    assert forged(keys, link, 1_000) == 0


@pytest.mark.slow
def test_very_many_made_up_signatures_are_refused(keys: Keys, link: Link) -> None:
    """A hundred thousand."""
    assert forged(keys, link, 100_000) == 0


@pytest.mark.parametrize("other", ["{}0", "0{}", "{}.", " {}", "{}\n", "{}%00", "{}?x", ""])
def test_what_is_longer_or_empty_is_refused(keys: Keys, link: Link, other: str) -> None:
    assert notice_links.read(keys, "ack", other.format(token(keys, link))) is None


def test_the_same_spelt_otherwise_is_refused(keys: Keys, link: Link) -> None:
    """A zero before a number means nothing, and is not what we wrote."""
    written = token(keys, link)
    assert notice_links.read(keys, "ack", written.replace(".7.", ".07.")) is None


def test_a_link_in_a_text_is_recognized(keys: Keys, link: Link) -> None:
    """An agent's answer that quotes one must not go to a customer."""
    shown = f"see {notice_links.url(keys, 'https://help.example.com', link)} please"
    assert notice_links.shows_link(shown)
    assert not notice_links.shows_link("see https://help.example.com/n/ack please")
