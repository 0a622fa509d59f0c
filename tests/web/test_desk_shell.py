"""What the desk's pages stand on: modules and their size, the stream of what happens, and the words for time and events."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from sqlalchemy import select

from intake import events
from intake.feeds import Glimpse
from intake.store import opening, schema
from intake.store.engine import Store
from intake.store.statements import Statement, values_of
from intake.web.access import Role, Subject, Who
from intake.web.desk import live, sayings, search, text, when
from intake.web.desk.assets import Assets
from intake.web.desk.glimpses import Glimpses
from intake.web.desk.happened import Happened
from intake.web.desk.live import Listener, Live
from tests.conftest import ManualClock
from tests.rows import every_row
from tests.web.site import Site, open_site

FOLDER = Path(search.__file__).parent
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
ANIA = Who(kind="agent", name="ania", teams=frozenset({"support"}))
EWA = Who(kind="agent", name="ewa", teams=frozenset({"billing"}))
_t = schema.tickets.c
_TICKETS = Statement(select(_t.id).where(_t.ref.in_(values_of("ids"))).order_by(_t.ref))
JS_MOST, CSS_MOST = 80_000, 24_000  # bytes, packed
PAGE = {"Accept": "text/html"}


# -- files -------------------------------------------------------------------------------------------------------


def test_all_modules_together_are_at_most_80_kilobytes() -> None:
    """Whatever is added, an agent's browser loads little."""
    packed = {name: len(each.packed) for name, each in Assets().files.items()}
    assert sum(size for name, size in packed.items() if name.endswith(".js")) <= JS_MOST, packed
    assert sum(size for name, size in packed.items() if name.endswith(".css")) <= CSS_MOST, packed


@every_row(
    "pattern",
    [r"innerHTML", r"outerHTML", r"insertAdjacentHTML", r"document\.write", r"\beval\(", r"new Function"],
)
def test_no_module_makes_markup_or_code_of_text(pattern: str) -> None:
    """Under Trusted Types it would fail in the browser; here it is named."""
    found = [each.name for each in (FOLDER / "modules").iterdir() if re.search(pattern, each.read_text())]
    assert found == []


def test_styles_know_no_left_and_no_right() -> None:
    """Pages that are read from right to left need no style of their own."""
    sides = re.compile(r"[\s-](left|right)\s*[:;]|(margin|padding|border|inset)-(left|right|top|bottom)")
    found = [
        (each.name, line)
        for each in FOLDER.glob("*.css")
        for line in each.read_text().splitlines()
        if sides.search(line)
    ]
    assert found == []


def test_pages_hold_no_script_and_no_style_of_their_own() -> None:
    """The policy would stop them; the page that needs one is found here first."""
    inline = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=")
    found = [each.name for each in (FOLDER / "pages").glob("*.html") if inline.search(each.read_text())]
    assert found == []


# -- the stream --------------------------------------------------------------------------------------------------


@asynccontextmanager
async def running(folder: Path, clock: Any, new_store: bytes) -> AsyncIterator[tuple[Store, Live]]:
    (folder / "intake.db").write_bytes(new_store)
    with closing(opening.open_store("", folder, clock=clock)) as store:
        told = Live(store)
        task = asyncio.create_task(told.run())
        with told.listening(ANIA, after="") as listener:
            await happen(store, "begun")
            await heard(listener, "begun")
        try:
            yield store, told
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def happen(store: Store, kind: str, *, ref: str = "", team: str | None = None, **details: Any) -> None:
    """Write an event, of a new ticket where a ref is given; else ewa has done it, and it is about ania."""

    def write(tx: Any) -> None:
        ticket_id = tx.new_id() if ref else None
        if ref:
            tx.insert(
                schema.tickets, id=ticket_id, ref=ref, customer_id=1, subject="", team=team, medium="email", account="a",
                rule="default", created_at=tx.now, updated_at=tx.now,
            )  # fmt: skip
        about = details if ref else {"agent": "ania"} | details
        events.record(tx, kind, ticket_id=ticket_id, actor="agent:ewa", **about)

    await store.write(write)


async def heard(listener: Listener, kind: str) -> list[dict[str, Any]]:
    """What came, up to an event of a kind."""
    found: list[dict[str, Any]] = []
    while not any(each.get("kind") == kind for each in found):
        lines = (await listener.next(5.0)).decode().splitlines()
        assert lines, f"'{kind}' did not come: {found}"
        found += [msgspec.json.decode(line[6:]) for line in lines if line.startswith("data: ")]
    return found


async def heard_of(listener: Listener, what: str) -> dict[str, Any]:
    """The first thing of a kind that is worth no row."""
    for _ in range(10):
        for line in (await listener.next(5.0)).decode().splitlines():
            found = msgspec.json.decode(line[6:]) if line.startswith("data: ") else {}
            if found.get("what") == what:
                return dict(found)
    raise AssertionError(f"nobody told of '{what}'")


async def test_an_event_is_told_after_its_commit_to_whoever_may_see_its_ticket(
    tmp_path: Path, clock: ManualClock, new_store: bytes
) -> None:
    """Who may not see the ticket hears nothing of it, not even that it is."""
    async with running(tmp_path, clock, new_store) as (store, told):
        with told.listening(ANIA, after="") as ania, told.listening(EWA, after="") as ewa:
            await happen(store, "created", ref="AAAAAA1", team="billing")
            await happen(store, "end")
            assert [each["kind"] for each in await heard(ania, "end")] == ["end"]
            [first, _] = await heard(ewa, "end")
    assert (first["ref"], first["actor"]) == ("AAAAAA1", "agent:ewa")
    assert set(first) == {"id", "kind", "ref", "actor", "at"}


async def test_who_loses_a_ticket_hears_that_it_went(
    tmp_path: Path, clock: ManualClock, new_store: bytes
) -> None:
    """A ticket that moves to another team leaves the list of the team that had it."""
    async with running(tmp_path, clock, new_store) as (store, told):
        with told.listening(ANIA, after="") as ania:
            moved = {"field": "team", "from": "support", "to": "billing"}
            await happen(store, "team_changed", ref="AAAAAA1", team="billing", **moved)
            await happen(store, "end")
            assert (await heard(ania, "end"))[0]["ref"] == "AAAAAA1"


@every_row(
    ("kind", "heard_by"),
    [
        ("role_changed", {"root", "audrey"}),
        ("session_ended", {"root", "audrey"}),
        ("ledger_gap", {"root", "audrey", "tomek"}),
        ("of_another_version", {"root", "audrey", "tomek"}),
        ("agent_away", {"root", "audrey", "tomek", "ania"}),
    ],
)
def test_what_is_of_no_ticket_is_told_to_who_may_see_it(kind: str, heard_by: set[str]) -> None:
    """Who signs in is the business of those who may see that, and a channel's trouble of those who see operations."""
    zoe = Happened(id=1, kind=kind, actor="agent:root2", at="", ref=None, agent="zoe")
    roles: dict[str, Role] = {"ania": "agent", "tomek": "lead", "root": "admin", "audrey": "auditor"}
    people = [Who(kind="agent", name=name, role=role) for name, role in roles.items()]
    assert {who.name for who in people if zoe.is_for(who)} == heard_by
    assert zoe.is_for(Who(kind="agent", name="zoe"))
    assert not zoe.is_for(Who())


async def test_nobody_hears_of_another_agents_sign_in(
    tmp_path: Path, clock: ManualClock, new_store: bytes
) -> None:
    """Also not who resumes a stream, from what is kept."""
    async with running(tmp_path, clock, new_store) as (store, told):
        with told.listening(ANIA, after="") as ania:
            await happen(store, "mine")
            number = (await heard(ania, "mine"))[0]["id"]
            await happen(store, "role_changed", agent="zoe")
            await happen(store, "end")
            assert [each["kind"] for each in await heard(ania, "end")] == ["end"]
        with told.listening(ANIA, after=number) as again:
            assert [each["kind"] for each in await heard(again, "end")] == ["end"]


async def test_a_stream_is_resumed_by_number(tmp_path: Path, clock: ManualClock, new_store: bytes) -> None:
    """What happened between a number and now comes first, once, in order; what was heard before does not come again."""
    async with running(tmp_path, clock, new_store) as (store, told):
        with told.listening(ANIA, after="") as listener:
            for kind in ("one", "two", "three"):
                await happen(store, kind)
            numbers = {each["kind"]: each["id"] for each in await heard(listener, "three")}
        with told.listening(ANIA, after=numbers["one"]) as listener:
            assert [each["kind"] for each in await heard(listener, "three")] == ["two", "three"]


async def test_a_number_that_is_not_known_any_more_means_load_anew(
    tmp_path: Path, clock: ManualClock, new_store: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rather a whole page than a gap."""
    monkeypatch.setattr(live, "KEPT_MAX", 3)
    async with running(tmp_path, clock, new_store) as (store, told):
        with told.listening(ANIA, after="") as listener:
            for number in range(6):
                await happen(store, f"n{number}")
            first, *_, last = await heard(listener, "n5")
        with told.listening(ANIA, after=first["id"]) as listener:
            assert await listener.next(5.0) == b'event: reset\ndata: {"id":"%s"}\n\n' % last["id"].encode()
        with told.listening(ANIA, after="nonsense") as listener:
            assert (await listener.next(5.0)).startswith(b"event: reset")


async def test_who_does_not_read_is_told_to_load_anew(
    tmp_path: Path, clock: ManualClock, new_store: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tab that sleeps costs us a bounded queue."""
    monkeypatch.setattr(live, "WAITING_MAX", 4)
    async with running(tmp_path, clock, new_store) as (_, told):
        with told.listening(ANIA, after="") as listener:
            for number in range(6):
                told.tell("hello", {"number": number})
            lines = await listener.next(5.0)
    assert lines.count(b"event: reset") == 1
    assert b'"number":5' in lines
    assert b'"number":1' not in lines


async def test_what_is_worth_no_row_reaches_those_who_may_see_the_ticket(
    tmp_path: Path, clock: ManualClock, new_store: bytes
) -> None:
    """Typing is told with the ticket's own subject, looked up where it is not given; of no ticket nothing is told."""
    async with running(tmp_path, clock, new_store) as (store, told):
        await happen(store, "created", ref="AAAAAA1", team="billing")
        with told.listening(ANIA, after="") as ania, told.listening(EWA, after="") as ewa:
            told.tell("ticket:AAAAAA1", {"t": "typing"})
            told.tell("ticket:ZZZZZZ9", {"t": "typing"})
            told.tell("ticket:BBBBBB2", {"t": "viewing"}, subject=Subject(team="support"))
            await happen(store, "end")
            assert [each.get("topic") for each in await heard(ania, "end")] == ["ticket:BBBBBB2", None]
            while b"typing" not in (lines := await ewa.next(5.0)):
                assert lines
    assert b"AAAAAA1" in lines


async def test_a_line_is_told_to_who_sees_the_ticket_that_its_own_was_merged_into(
    tmp_path: Path, clock: ManualClock, new_store: bytes
) -> None:
    """Its session is of the first ticket until the next line is settled; who sees that one alone hears nothing more."""
    async with running(tmp_path, clock, new_store) as (store, told):
        shown = Glimpses(store, told)
        await happen(store, "created", ref="AAAAAA1", team="support")
        await happen(store, "created", ref="BBBBBB2", team="billing")
        first, second = (
            row[0] for row in await store.read(lambda tx: tx.all(_TICKETS, ids='["AAAAAA1","BBBBBB2"]'))
        )
        with told.listening(ANIA, after="") as ania, told.listening(EWA, after="") as ewa:
            shown(Glimpse("s", "a", first, "typing"))
            assert (await heard_of(ania, "chat_typing"))["ref"] == "AAAAAA1"
            await store.write(lambda tx: tx.update(schema.tickets, {"id": first}, merged_into=second))
            await happen(store, "merged")
            await heard(ania, "merged")
            shown(Glimpse("s", "a", first, "typing"))
            assert (await heard_of(ewa, "chat_typing"))["ref"] == "BBBBBB2"
            await happen(store, "end")
            assert [each["kind"] for each in await heard(ania, "end")] == ["end"]


# -- words -------------------------------------------------------------------------------------------------------


@every_row(
    ("seconds", "written"),
    [
        (0, "1 min"),
        (59, "1 min"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (3660, "1 h 1 min"),
        (86_400, "1 d"),
        (90_061, "1 d 1 h"),
    ],
)
def test_lengths_are_short(seconds: int, written: str) -> None:
    """The two units that matter; the browser's module writes the same (test_desk_browser)."""
    assert when.length(seconds) == written


def test_a_target_says_how_near_it_is_in_words() -> None:
    """Colour is never alone."""
    late, soon, later = (when.due(NOW + timedelta(minutes=each), now=NOW) for each in (-5, 42, 200))
    assert [late.text, soon.text, later.text] == ["5 min late", "in 42 min", "in 3 h 20 min"]
    assert [late.look, soon.look, later.look] == ["late", "soon", "later"]


def test_times_are_those_of_the_readers_zone() -> None:
    """An instant shortly before midnight UTC is of the next day in Warsaw."""
    zone, at = ZoneInfo("Europe/Warsaw"), "2026-11-21T23:30:00Z"
    assert when.short(at, now=NOW, zone=zone) == "00:30"
    assert when.day(at, now=NOW, zone=zone) == "Today"
    assert when.full(at, zone=zone) == "Sun 22 November 2026, 00:30 CET"
    assert when.short("2025-03-01T12:00:00Z", now=NOW, zone=zone) == "1 Mar 2025"


def test_addresses_in_text_are_links_and_nothing_else_is_markup() -> None:
    """What stands behind an address stays text, and so does whatever looks like an element."""
    written = text.linked('<b>see</b> https://a.example/x?y="><img src=x> (http://b.example).')
    assert written.startswith('&lt;b&gt;see&lt;/b&gt; <a href="https://a.example/x?y="')
    assert "<img" not in written
    assert ">http://b.example</a>)." in written
    assert "<a" not in text.linked("javascript:alert(1) data:text/html,x")


@every_row(
    ("kind", "details", "said"),
    [
        ("assigned", {"field": "agent", "from": None, "to": "ania"}, "gave it to ania"),
        ("tags_changed", {"field": "tags", "from": ["a"], "to": ["b"]}, "added b; took away a"),
        ("priority_changed", {"field": "priority", "from": "low", "to": "high"}, "made the priority high"),
        ("nature_changed", {"field": "nature", "from": None, "to": "complaint"}, "set nature to complaint"),
        ("something_new", {"reason": "of another version"}, "something new: of another version"),
        ("assigned", {}, "assigned"),
    ],
)
def test_events_are_sentences(kind: str, details: dict[str, Any], said: str) -> None:
    """Also those that another version wrote."""
    event = {"id": "1", "at": "2026-11-22T10:00:00Z", "kind": kind, "actor": "agent:ewa", "details": details}
    assert (sayings.of_event(event).who, sayings.of_event(event).text) == ("ewa", said)


# -- pages -------------------------------------------------------------------------------------------------------


@pytest.fixture
async def site(tmp_path: Path, clock: ManualClock, new_store: bytes) -> AsyncIterator[Site]:
    async with open_site(tmp_path, clock, new_store=new_store) as opened:
        yield opened


async def test_every_page_carries_the_strict_policy(site: Site) -> None:
    """Ours alone, from files, and Trusted Types; kept by no cache."""
    status, page, headers = await site.signed_in("ania").ask("GET", "/", headers=PAGE)
    policy = headers["Content-Security-Policy"]
    assert (status, headers["Cache-Control"]) == (200, "private, no-store")
    assert "default-src 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy
    assert re.search(r'<script type="module" src="/desk/assets/[0-9a-f]{16}/desk\.js">', page)


async def test_modules_are_kept_for_ever_under_a_name_that_changes_with_them(site: Site) -> None:
    """A page that is older than the daemon gets the module as it is now, and keeps it not."""
    version = Assets().version
    _, _, new = await site.browser().ask(
        "GET", f"/desk/assets/{version}/desk.js", headers={"Accept-Encoding": "gzip"}
    )
    assert "immutable" in new["Cache-Control"]
    assert new["Content-Encoding"] == "gzip"
    status, _, old = await site.browser().ask("GET", f"/desk/assets/{'0' * 16}/desk.js")
    assert (status, old["Cache-Control"]) == (200, "no-cache")
    assert (await site.browser().ask("GET", f"/desk/assets/{version}/secrets.js"))[0] == 404


async def test_a_list_that_cannot_be_is_said_so(site: Site) -> None:
    """An address that somebody mistyped is an answer, not a fault of ours."""
    ania = site.signed_in("ania")
    for path in ("/?view=team&cursor=x", "/?view=nonsense", "/?order=up"):
        assert (await ania.ask("GET", path, headers=PAGE))[0] == 400, path
    for path in (
        "/?status=nonsense&team=none&tag=%22",
        "/search?q=%22%25*&cursor=x",
    ):
        assert (await ania.ask("GET", path, headers=PAGE))[0] == 200, path


async def test_a_stream_says_the_time_first(site: Site) -> None:
    """Countdowns go by the daemon's clock."""
    ania = site.signed_in("ania")
    async with ania._session.get(ania.base + "/live?after=") as answer:
        assert answer.content_type == "text/event-stream"
        lines = [await answer.content.readline() for _ in range(3)]
    assert lines[1] == b"event: hello\n"
    assert b'"now":"2026-' in lines[2]
