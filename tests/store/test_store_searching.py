"""Search on both engines: what is found, by whom, where it matched, page by page."""

from pathlib import Path
from typing import Any

import psycopg
import pytest

from intake import (
    search_index,
    search_learning,
    search_match,
    searching,
    tickets,
)
from intake.refs import ref_from_number
from intake.store import opening, schema
from intake.store.engine import Store, Tx
from intake.web.access import NOBODY, Who
from tests.domain.world import World
from tests.store import desk_rows
from tests.store.clock import Clock

ADMIN = Who(kind="agent", name="root", role="admin")
ANIA = Who(kind="agent", name="ania", teams=frozenset(("support",)))


@pytest.fixture
def world(store: Store, tmp_path: Path, clock: Clock) -> World:
    return World(store, tmp_path, clock)


def find(store: Store, typed: str, *, who: Who = ADMIN, **asked: Any) -> dict[str, Any]:
    return store.read_now(lambda tx: searching.find(tx, who, typed, **asked))


def refs(found: dict[str, Any]) -> list[str]:
    return [row["ref"] for row in found["tickets"]]


def written(tx: Tx, number: int, body: str, **columns: Any) -> None:
    """Write a ticket whose one message says this."""
    desk_rows.add_ticket(tx, number, **columns)
    tx.update(schema.messages, {"id": 10_000 * number}, body=body)
    search_index.renew(tx, 10_000 * number)


TEXTS = {
    1: "Proszę o fakturę za zażółconą gęś, zamówienie AB-4821/26",
    2: "ΟΔΟΣ Ομήρου 5: δεν λειτουργεί ο εκτυπωτής",
    3: "注文した商品の発送はいつですか",
    4: "สินค้ายังไม่มาส่งเลย",
    5: "Ruf mich an: 0601/234-567, Straße 7",
    6: "Мой ёжик не пришёл, заказ №٤٤٧٧",
    7: "naïve café résumé — coöperate",
}
FOUND = [
    ("fakture", 1), ("ZAŻÓŁCONĄ", 1), ("zazolcona ges", 1), ("AB-4821/26", 1), ("ab482126", 1), ("ab4821", 1), ("4821", 1),
    ("ομηρου", 2), ("οδος", 2), ("εκτυπωτησ", 2), ("発送", 3), ("商品の発送", 3), ("สินค้า", 4), ("มาส่ง", 4), ("+48 601 234 567", 5),
    ("601234567", 5), ("234 567", 5), ("strasse", 5), ("STRASSE 7", 5), ("ежик", 6), ("4477", 6), ("cafe resume", 7),
    ("cooper", 7), ("naive", 7),
]  # fmt: skip


@pytest.fixture
def texts(store: Store) -> Store:
    def write(tx: Tx) -> None:
        for number, text in TEXTS.items():
            written(tx, number, text)

    store.write_now(write)
    return store


@pytest.mark.parametrize(("typed", "number"), FOUND)
def test_words_of_every_script_are_found_however_they_are_typed(
    texts: Store, typed: str, number: int
) -> None:
    """Without accents and case, by the beginning of the last word, numbers with and without separators."""
    found = find(texts, typed)
    assert refs(found) == [f"R{number}"]
    hit = found["tickets"][0]["hit"]
    assert hit["where"] == "message"
    assert hit["marks"], hit


@pytest.mark.parametrize(
    "typed", ["rachunek", "発商", "zaz ges", "AB-4821/27", "999 234 567", "", "   ", '"', "NOT", "*"]
)
def test_what_is_not_there_is_not_found(texts: Store, typed: str) -> None:
    assert refs(find(texts, typed)) == []


HOSTILE = (
    '" OR "', "a' | 'b", "words:x", "NEAR(a b)", "a:*", "-a", "^a", "(((", "\\", "a\\' & b", "\x00", "🙂", "\ue000123", "{a b} :", "%s :x",
    "a" * 5_000, "1" * 400, "@", "@@@", "a@", "status:", "status:none before:soon", "\ud7ff", "؟", "' || 'x", "a & !b", "<-> x",
    "a@\U0010ffff", "a@\ud7ff", "a@\ud800", "\ud800 \udfff", "tag:\ud800",
)  # fmt: skip


@pytest.mark.parametrize("typed", HOSTILE)
def test_nothing_that_is_typed_is_the_engines_own_language(texts: Store, typed: str) -> None:
    """Quotes, operators, private letters and a mere flood of text find nothing, and break nothing."""
    assert refs(find(texts, typed)) == []


def test_only_what_may_be_seen_is_found(store: Store) -> None:
    def write(tx: Tx) -> None:
        for number, (team, agent) in enumerate(
            (("support", None), ("billing", None), ("billing", "ania"), (None, None)), 1
        ):
            written(tx, number, "the same words", team=team, agent=agent)

    store.write_now(write)
    assert refs(find(store, "same words", who=ANIA)) == ["R4", "R3", "R1"]
    assert refs(find(store, "c2@example.net", who=ANIA)) == []
    assert refs(find(store, "same words")) == ["R4", "R3", "R2", "R1"]
    assert refs(find(store, "same words", who=NOBODY)) == []


def test_filters_narrow_what_is_found(store: Store) -> None:
    def write(tx: Tx) -> None:
        written(tx, 1, "printer", status="closed", solved_at=5, team="support", tags='["vip"]')
        written(tx, 2, "printer", status="pending", team="billing", agent="ewa", medium="sms")

    store.write_now(write)
    for typed in ("status:closed", "team:support", "tag:vip", "is:closed", "before:2026-12-01 team:support"):
        assert refs(find(store, f"printer {typed}")) == ["R1"], typed
    for typed in (
        "status:open",
        "agent:ewa",
        "channel:sms",
        "Team:billing",
        "after:2026-01-01 status:pending",
    ):
        assert refs(find(store, f"{typed} printer")) == ["R2"], typed
    assert refs(find(store, "printer status:new")) == []


def test_pages_hold_each_ticket_once_and_the_newest_first(store: Store) -> None:
    """A ticket of which many messages have the words is shown on one page, whatever the size of pages."""

    def write(tx: Tx) -> None:
        for number in range(1, 31):
            written(tx, number, "same")
        for number in range(1, 31, 3):
            at = desk_rows.FIRST_US
            for more in range(3):
                message_id = 400_000 + number * 10 + more
                desk_rows.add_message(tx, message_id, ticket_id=number, at=at, body="same again")
                search_index.renew(tx, message_id)

    store.write_now(write)
    pages, cursor = [], None
    for _ in range(31):
        found = find(store, "same", cursor=cursor, limit=4)
        pages.append(refs(found))
        cursor = found["next"]
        if cursor is None:
            break
    newest = [f"R{number}" for number in range(28, 0, -3)]
    others = [f"R{number}" for number in range(30, 0, -1) if f"R{number}" not in newest]
    assert [ref for page in pages for ref in page] == newest + others
    assert [len(page) for page in pages] == [4] * 7 + [2]


def test_what_is_looked_through_at_once_is_bounded_and_said(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a word that most messages have, with a filter that few pass, a page says how far back it has seen."""

    def write(tx: Tx) -> None:
        for number in range(1, 301):
            written(tx, number, "common", team="billing" if number > 2 else "support")

    store.write_now(write)
    monkeypatch.setattr(searching, "LOOKED_THROUGH", 100)
    monkeypatch.setattr(search_match, "FIRST_CHUNK", 100)
    found = find(store, "common", who=ANIA)
    assert (refs(found), found["searched_back_to"] is not None) == ([], True)
    seen, pages = [], 1
    while found["next"] is not None:
        found, pages = find(store, "common", who=ANIA, cursor=found["next"]), pages + 1
        seen += refs(found)
        assert pages < 10
    assert seen == ["R2", "R1"]


def test_a_customer_is_found_by_address_and_by_number_with_all_tickets(store: Store) -> None:
    """Also where no message has either: who was mailed to, who was called once."""

    def write(tx: Tx) -> None:
        for number in range(1, 8):
            written(tx, number, "hello")
            tx.update(schema.tickets, {"id": number}, customer_id=1_000_001)
        written(tx, 9, "somebody else wrote of c1@example.net")
        tx.insert(
            schema.identities, id=5, kind="phone", value="+48601234567", customer_id=1_000_001, created_at=1,
            digits="76543210684",
        )  # fmt: skip

    store.write_now(write)
    theirs = [f"R{number}" for number in range(7, 0, -1)]
    for typed in ("0601 234 567", "+48601234567", "0048 601-234-567", "234567"):
        found = find(store, typed)
        assert refs(found) == theirs, typed
        assert {row["hit"]["where"] for row in found["tickets"]} == {"customer"}
    assert refs(find(store, "c1@example.net")) == [*theirs, "R9"]
    assert refs(find(store, "C1@EXAMPLE")) == [*theirs, "R9"]
    first = find(store, "c1@example.net", limit=5)
    rest = find(store, "c1@example.net", limit=5, cursor=first["next"])
    assert refs(first) + refs(rest) == [*theirs, "R9"]


def test_words_in_several_messages_of_a_ticket_find_it_last(store: Store) -> None:
    def write(tx: Tx) -> None:
        written(tx, 1, "the printer")
        desk_rows.add_message(tx, 10_001, ticket_id=1, at=1, body="there is smoke")
        search_index.renew(tx, 10_001)
        written(tx, 2, "a printer with smoke")
        written(tx, 3, "a printer")

    store.write_now(write)
    found = find(store, "printer smoke")
    assert [(row["ref"], row["hit"]["where"]) for row in found["tickets"]] == [
        ("R2", "message"),
        ("R1", "messages"),
    ]


# -- through the pipeline ------------------------------------------------------------------------------------------


def test_everything_that_is_said_is_found_and_where_it_stands(world: World) -> None:
    """The mail, our answer, a note, a name, an address, a subject: each tells which it was."""
    ticket = world.ticket(
        world.receive("Zoë Ångström <zoe@kunde.example>", subject="Broken Grußkarte", body="It arrived wet.")
    )
    world.reply(ticket, "We send a replacement.")
    found = world.store.write_now(lambda tx: tickets.load(tx, ticket["id"]))
    assert found is not None
    world.store.write_now(lambda tx: tickets.add_note(tx, found, author="ania", text="Goodwill, see Tomek"))
    for typed, where in (
        ("gruss", "subject"), ("arrived wet", "message"), ("replacement", "reply"), ("goodwill", "note"),
        ("angstrom", "name"), ("kunde.example", "address"),
    ):  # fmt: skip
        [row] = find(world.store, typed)["tickets"]
        assert (row["ref"], row["hit"]["where"]) == (ticket["ref"], where), typed
    [row] = find(world.store, "arrived wet")["tickets"]
    hit = row["hit"]
    assert [hit["text"][first:last] for first, last in hit["marks"]] == ["arrived", "wet"]
    assert refs(find(world.store, "received")) == []  # the acknowledgement, which every ticket has


def test_a_ref_finds_its_ticket_and_a_merged_one_the_ticket_that_has_its_messages(world: World) -> None:
    from intake import merging

    first = world.ticket(world.receive(subject="One", body="alpha"))
    second = world.ticket(world.receive(subject="Two", body="beta"))
    typed = f"{second['ref'][:3]}-{second['ref'][3:]}".lower()
    assert refs(find(world.store, typed)) == [second["ref"]]
    world.store.write_now(
        lambda tx: merging.merge(tx, world.context, second["ref"], first["ref"], agent="ania")
    )
    assert refs(find(world.store, typed)) == [first["ref"], second["ref"]]
    assert refs(find(world.store, "beta")) == [first["ref"]]
    third = world.ticket(world.receive(subject="Three", body="gamma"))
    world.store.write_now(
        lambda tx: merging.merge(tx, world.context, first["ref"], third["ref"], agent="ania")
    )
    assert refs(find(world.store, typed)) == [third["ref"], second["ref"]]
    assert refs(find(world.store, f"{typed} status:closed")) == [second["ref"]]


def test_an_old_ref_leads_whoever_sees_the_ticket_that_has_its_messages(store: Store) -> None:
    """A customer names the ref that they know; the ticket that it was merged into is another team's."""
    old = ref_from_number(1, b"key")

    def write(tx: Tx) -> None:
        desk_rows.add_ticket(tx, 1, team="support")
        desk_rows.add_ticket(tx, 2, ref=old, team="billing", merged_into=1, solved_at=1)

    store.write_now(write)
    assert refs(find(store, old.lower(), who=ANIA)) == ["R1"]
    assert refs(find(store, old.lower(), who=NOBODY)) == []


def test_a_quote_is_found_where_it_came_first(world: World) -> None:
    """What a later mail quotes stands above it already; what the first one forwards stands nowhere else."""
    forwarded = "See below.\n\n> The bill mentions Quetzal.\n> Regards\n"
    first = world.ticket(world.receive(body=forwarded, message_id="one@customer.example"))
    assert refs(find(world.store, "quetzal")) == [first["ref"]]
    world.receive(body="Thanks.\n\n> We wrote: Ocelot.\n", headers={"In-Reply-To": "<one@customer.example>"})
    assert refs(find(world.store, "thanks")) == [first["ref"]]
    assert refs(find(world.store, "ocelot")) == []


# -- upkeep --------------------------------------------------------------------------------------------------------


def test_making_the_index_anew_gives_the_same(world: World) -> None:
    ticket = world.ticket(world.receive(subject="Grußkarte", body="It arrived wet."))
    world.reply(ticket, "We send a replacement.")
    world.store.write_now(lambda tx: search_index.forget(tx, [row["id"] for row in world.rows("messages")]))
    assert refs(find(world.store, "grusskarte")) == []
    seen: list[tuple[int, int]] = []
    count = search_index.reindex(world.store, progress=lambda done, total: seen.append((done, total)))
    assert count == len(world.rows("messages"))
    assert seen[-1][0] == seen[-1][1]
    for typed in ("grusskarte", "replacement", "customer.example"):
        assert refs(find(world.store, typed)) == [ticket["ref"]], typed
    assert refs(find(world.store, "received")) == []


def test_whole_words_come_before_words_that_are_typed_to_a_part(store: Store) -> None:
    """Each ticket once, on whichever page: who has the whole word, newest first, then who has a longer one."""

    def write(tx: Tx) -> None:
        for number in range(1, 21):
            written(tx, number, "the print" if number % 2 else "the printer")
        desk_rows.add_message(tx, 900_000, ticket_id=1, at=1, body="a printer after all")
        search_index.renew(tx, 900_000)

    store.write_now(write)
    pages, cursor = [], None
    for _ in range(21):
        found = find(store, "the print", cursor=cursor, limit=3)
        pages.append(refs(found))
        cursor = found["next"]
        if cursor is None:
            break
    whole, begun = range(19, 0, -2), range(20, 0, -2)
    assert [ref for page in pages for ref in page] == [f"R{number}" for number in (*whole, *begun)]
    assert [len(page) for page in pages] == [3] * 6 + [2]


# -- misspelt words, and erasing -----------------------------------------------------------------------------------


def test_a_word_that_only_others_may_see_is_not_told_of(store: Store) -> None:
    """A slip finds the ticket, and says which word, for who may see it; nobody else learns that the word exists."""

    def write(tx: Tx) -> None:
        written(tx, 1, "the xylophone", team="billing")
        written(tx, 2, "something else", team="support")

    store.write_now(write)
    found = find(store, "xylohpone")
    assert (refs(found), found["also_searched"]) == (["R1"], ["xylophone"])
    found = find(store, "xylohpone", who=ANIA)
    assert (refs(found), found["also_searched"]) == ([], [])


def test_similar_words_come_behind_what_was_typed_and_only_where_little_was_found(store: Store) -> None:
    def write(tx: Tx) -> None:
        for number in range(1, 8):
            written(tx, number, "a receiver" if number > 1 else "a reciever")

    store.write_now(write)
    found = find(store, "reciever", limit=3)
    assert (refs(found), found["also_searched"]) == (["R1", "R7", "R6"], ["receiver"])
    rest = find(store, "reciever", limit=9, cursor=found["next"])
    assert refs(rest) == ["R5", "R4", "R3", "R2"]
    assert find(store, "receiver")["also_searched"] == []


async def test_words_of_new_messages_are_learnt_beside_their_settlement(world: World) -> None:
    ticket = world.ticket(world.receive(subject="Broken", body="The harpsichord is silent."))
    assert refs(find(world.store, "harpsicord")) == []
    world.advance(minutes=1)
    while await search_learning.catch_up(world.store):
        pass
    assert refs(find(world.store, "harpsicord")) == [ticket["ref"]]


def test_what_is_written_and_changed_in_one_commit_is_found_once_as_it_is(store: Store) -> None:
    """Words are written at the end of a commit: the later ones count, and what is taken out again is not found."""

    def write(tx: Tx) -> None:
        for number, body in ((1, "alpha"), (2, "gamma")):
            desk_rows.add_ticket(tx, number)
            columns = {"direction": "in", "ticket_id": number, "body": body, "subject": ""}
            search_index.keep(tx, 10_000 * number, columns)
        tx.update(schema.messages, {"id": 10_000}, body="delta")
        search_index.renew(tx, 10_000)
        search_index.forget(tx, (20_000,))

    store.write_now(write)
    assert [refs(find(store, typed)) for typed in ("alpha", "delta", "gamma")] == [[], ["R1"], []]


@pytest.mark.postgres
def test_beginnings_are_compared_by_code_points_whatever_the_language_of_the_server(
    postgres_url: str, tmp_path: Path
) -> None:
    """English sorts ":" before the digits, and "c2@" as "c2": a range of addresses or numbers would hold others, or none."""
    opening.open_store(postgres_url, tmp_path).close()
    with psycopg.connect(postgres_url) as connection:
        rows = connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE collation_name = 'C'"
        ).fetchall()
    assert {
        ("identities", "value"), ("identities", "digits"), ("search_vocabulary", "word"), ("search_vocabulary", "backwards"),
    } <= set(rows)  # fmt: skip
