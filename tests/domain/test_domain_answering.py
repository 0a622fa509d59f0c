"""Automatic answers: what templates may say, whom they never go to, and the limits that hold them back."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from channels import markup
from channels.contract import DeliveryFailed
from intake import answering, loops, outbox
from intake.replies import Replies, TemplateProblem
from intake.sections import Limits
from tests.domain.world import SUPPORT, World
from tests.rows import every_row

ROOT = Path(__file__).parents[2]
VERIFIED = {"Authentication-Results": "mx.example.com; dmarc=pass header.from=customer.example"}


def with_template(world: World, text: str, language: str = "en") -> None:
    world.context = msgspec.structs.replace(world.context, replies=Replies({("received", language): text}))


def with_limits(world: World, **limits: int | None) -> None:
    world.context = msgspec.structs.replace(world.context, limits=Limits(**limits))  # type: ignore[arg-type]


def withheld(world: World) -> list[dict[str, Any]]:
    return world.rows("outbox", "state = 'withheld' ORDER BY id")


def reasons(world: World, ticket: dict[str, Any]) -> list[str]:
    rows = world.rows("events", "ticket_id = :id AND kind = 'reply_withheld' ORDER BY id", id=ticket["id"])
    return [msgspec.json.decode(row["details"])["reason"] for row in rows]


def is_taken(text: str) -> bool:
    try:
        Replies({("x", "en"): text})
    except TemplateProblem:
        return False
    return True


# -- templates ----------------------------------------------------------------------------------------------------


ESCAPES = [
    "{{ ''.__class__.__mro__ }}",
    "{{ ticket.__class__ }}",
    "{{ ticket.ref.__class__ }}",
    "{{ (ticket.ref).format }}",
    "{{ '{0.__class__}'.format(ticket) }}",
    "{{ '{0.__class__}'|format(ticket) }}",
    "{{ ticket|attr('__class__') }}",
    "{{ ticket['__class__'] }}",
    "{{ ['a']|map('upper')|list }}",
    "{{ self._TemplateReference__context }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ lipsum() }}",
    "{{ namespace() }}",
    "{{ range(9) }}",
    "{% set x = 1 %}",
    "{% set x %}a{% endset %}",
    "{% macro x() %}{% endmacro %}",
    "{% include 'x' %}",
    "{% import 'x' as y %}",
    "{% extends 'x' %}",
    "{% block x %}{% endblock %}",
    "{% filter upper %}x{% endfilter %}",
    "{% call x() %}{% endcall %}",
    "{% for x in ticket.tags recursive %}{{ loop(x) }}{% endfor %}",
]
_REACHING = (
    *("__class__", "__mro__", "__subclasses__", "__init__", "__globals__", "__builtins__", "__dict__", "__base__"),
    *("__code__", "__self__", "__func__", "__module__", "mro", "func_globals", "gi_frame", "f_globals", "cr_frame", "ag_frame"),
)  # fmt: skip
_THINGS = (
    "ticket",
    "ticket.ref",
    "customer.name",
    "''",
    "()",
    "[]",
    "{}",
    "1",
    "self",
    "loop",
    "expected",
    "joiner",
)
ESCAPES += [f"{{{{ {thing}.{name} }}}}" for thing in _THINGS for name in _REACHING]
ESCAPES += [f"{{{{ {thing}['{name}'] }}}}" for thing in _THINGS for name in _REACHING[:3]]
LARGE = [
    "{{ 'a' * 10**9 }}",
    "{{ 10 ** 10 ** 10 }}",
    "{{ 'x'|center(999999999) }}",
    "{{ 'x'|indent(999999999) }}",
    "{{ 'x'|replace('', 'x') }}",
    "{{ '%999999999d' % 1 }}",
    "{{ '%999999999d'|format(1) }}",
    "{{ 'x' + 'x' }}",
    "{% for a in range(10**9) %}{% endfor %}",
    "{% for a in 'aaaa' %}{% endfor %}",
    "{% for a in [1,2,3] %}{% endfor %}",
    "{% for a in ticket.tags %}{% for b in ticket.tags %}{% endfor %}{% endfor %}",
    "x" * 50_001,
    "{{" + "(" * 5_000 + "1" + ")" * 5_000 + "}}",
    *(
        form.format("{{", "}}", deep=part * number)
        for number in (60, 200, 400, 900, 1_500)
        for form, part in (
            ("{} {deep} ticket.ref {}", "not "),
            ("{} ticket.ref {deep} {}", "and ticket.ref "),
            ("{} ticket.ref {deep} {}", "|upper"),
            ("{} ticket.ref {deep} {}", "if ticket.ref else ticket.ref "),
        )
    ),
    *("{% if ticket.ref %}" * number + "{% endif %}" * number for number in (60, 110, 900)),
]


def test_template_that_reaches_out_is_refused_before_it_runs() -> None:
    """None of some 270 escapes gets as far as being rendered."""
    assert [text for text in ESCAPES if is_taken(text)] == []


@pytest.mark.slow
@every_row("text", LARGE)
def test_template_that_grows_is_refused_before_it_runs(text: str) -> None:
    """Nothing is multiplied, repeated or nested."""
    assert not is_taken(text)


def test_every_mistake_of_every_template_is_named_with_its_line() -> None:
    """The subject's line counts; a near name is hinted at."""
    sources = {
        ("a", "en"): "Subject: {{ tickt.ref }}\n\nHello\n{{ ticket.reff }}\n{{ lipsum() }}",
        ("b", "pl"): "{% if x %}",
    }
    with pytest.raises(TemplateProblem) as caught:
        Replies(sources)
    found = [(each.file, each.line) for each in caught.value.faults]
    assert found == [("a.en.md", 1), ("a.en.md", 4), ("a.en.md", 5), ("b.pl.md", 1)]
    assert "did you mean 'ticket.ref'?" in caught.value.faults[1].message


def test_output_is_stopped_while_it_grows() -> None:
    """20 000 characters, whatever the values are."""
    replies = Replies({("x", "en"): "{{ organization }}" * 30})
    with pytest.raises(TemplateProblem, match="more than 20000"):
        replies.render("x", "en", {"organization": "x" * 10_000_000})


def test_template_may_list_tags_and_ask_for_values(world: World) -> None:
    with_template(
        world,
        "{% for tag in ticket.tags %}{{ tag }}{% if not loop.last %}, {% endif %}{% endfor %}; "
        "{{ ticket.tags|join(' + ') }}; {{ ticket.team|upper }}; {{ customer.name|default('you', true) }}",
    )
    world.receive(body="my invoice is wrong")
    (receipt,) = world.sent("jan@customer.example")
    assert receipt.text == "money; money; BILLING; you"


@every_row("path", sorted((ROOT / "config" / "replies").glob("received.*.md")), ids=lambda path: path.stem)
def test_bundled_receipts_say_the_ref_and_when(path: Path) -> None:
    """In every language, with and without a name and an instant, and plainly enough for the quick road."""
    language = path.stem.rpartition(".")[2]
    replies = Replies({("received", language): path.read_text("utf-8")})
    values = {"ticket": {"ref": "K7M4Q2P"}, "customer": {"name": "Jan"}, "expected": "tomorrow"}
    full = replies.render("received", language, values)
    bare = replies.render("received", language, {**values, "customer": {"name": ""}, "expected": ""})
    assert full is not None
    assert bare is not None
    assert all(word in markup.plain(full.text) for word in ("K7M4Q2P", "Jan", "tomorrow"))
    assert "Jan" not in bare.text
    assert "K7M4Q2P" in (full.subject or "")
    assert markup.is_plain(markup.markdown_of(full.text))


def test_language_falls_back_to_english_then_to_any() -> None:
    replies = Replies({("x", "pl"): "pl", ("x", "en"): "en", ("y", "el"): "el", ("x", "pt-BR"): "br"})
    found = [replies.render(name, language, {}) for name, language in [("x", "pl"), ("x", "de"), ("x", "pl-PL"), ("x", "pt-BR"), ("y", None)]]  # fmt: skip
    assert [each.text if each else None for each in found] == ["pl", "en", "pl", "br", "el"]
    assert replies.render("z", "en", {}) is None


@pytest.mark.parametrize("name", ["[click](http://evil.example)", "a <b>x</b> c", "**x**", "# x", "- x", "1. x", "| x |", "{{ 7*7 }}"])  # fmt: skip
def test_customers_name_is_words(world: World, name: str) -> None:
    """Proven or not, what a customer is called brings no link, no element and no template."""
    with_template(world, "Dear {{ customer.name }}")
    world.receive(f'"{name}" <jan@customer.example>', headers=VERIFIED)
    (receipt,) = world.sent("jan@customer.example")
    assert receipt.text == f"Dear {name}"
    shown = markup.html_of(receipt.markdown or receipt.text)
    assert "<" not in shown.replace("<p>", "").replace("</p>", "")


def test_nothing_of_a_stranger_is_sent_on(world: World) -> None:
    """Not proven: neither subject nor name nor words nor further ids are in what goes to whoever he named."""
    with_template(
        world,
        "Subject: Hello {{ ticket.subject }}\n{{ customer.name }}{{ customer.organization }}{{ ticket.subject }}.",
    )
    world.receive(
        '"EVILNAME" <jan@customer.example>',
        subject="EVILSUBJECT",
        body="EVILBODY EVILBODY",
        headers={"References": "<EVILID@x>", "Reply-To": '"EVILNAME" <jan@customer.example>'},
    )
    (receipt,) = world.sent("jan@customer.example")
    assert "EVIL" not in str(msgspec.to_builtins(receipt)).upper()
    assert receipt.subject == "Hello"


STRANGERS = '"EVIL words" <jan@customer.example>'


@pytest.mark.parametrize(
    ("mails", "said"),
    [
        ([(STRANGERS, {}), ("jan@customer.example", VERIFIED)], ""),
        ([(STRANGERS, {}), ('"Jan" <jan@customer.example>', VERIFIED)], "Jan"),
        ([("jan@customer.example", VERIFIED), (STRANGERS, {}), ("jan@customer.example", VERIFIED)], ""),
        (
            [('"Jan" <jan@customer.example>', VERIFIED), (STRANGERS, {}), ("jan@customer.example", VERIFIED)],
            "Jan",
        ),
        ([("jan@customer.example", VERIFIED), ('"Jan" <jan@customer.example>', VERIFIED)], "Jan"),
    ],
)
def test_a_name_that_a_stranger_wrote_is_never_said_to_the_customer(
    world: World, mails: list[tuple[str, dict[str, str]]], said: str
) -> None:
    """Whoever wrote it, before the first proof or after it: only proven mail says what a customer is called."""
    with_template(world, "Dear {{ customer.name }}")
    for sender, headers in mails:
        world.receive(sender, headers=headers, body=f"{sender} {headers}")
        world.advance(hours=2)
    last = world.sent("jan@customer.example")[-1]
    assert (last.text.removeprefix("Dear ").strip(), last.to[0].name) == (said, said)


def test_expected_answer_is_the_due_instant_in_the_calendars_zone(world: World) -> None:
    """first_response in two hours, said as English does."""
    with_template(world, "By {{ expected }}.{% if not expected %}never{% endif %}")
    world.receive()
    (receipt,) = world.sent("jan@customer.example")
    assert receipt.text == "By today, 10 November, 11:00 UTC."


# -- never answered -------------------------------------------------------------------------------------------------


@every_row(
    "address",
    [
        "noreply@x.example", "no-reply+123@x.example", "No_Reply@x.example", "donotreply-orders@x.example", "MAILER-DAEMON@x.example",
        "postmaster@x.example", "bounces+77-jan=y.example@mail.example", "list-bounces@x.example", "owner-list@x.example",
        "list-request@x.example", "nie.odpowiadaj@x.example", "nichtantworten@x.example", "ne-pas-repondre@x.example",
        "bounce.77@x.example", "postmaster-eu@x.example", "majordomo@x.example", "root@x.example", "auto-reply@x.example", "never_reply@x.example",
    ],
)  # fmt: skip
def test_robots_by_their_address(address: str) -> None:
    assert loops.is_robot(address)


@every_row(
    "address",
    [
        "jan@customer.example",
        "norbert@x.example",
        "reply@x.example",
        "rebounce@x.example",
        "postmasterson@x.example",
        "rooth@x.example",
        "info@x.example",
        "noreen.plymouth@x.example",
        "returns@shop.example",
        "SRS0=ab=cd=x.example=jan@forwarder.example",
    ],
)
def test_people_are_no_robots(address: str) -> None:
    assert not loops.is_robot(address)


def test_robots_return_path_is_not_answered(world: World) -> None:
    """A mailing service notes the recipient in its return path; nobody reads an answer."""
    ticket = world.ticket(world.receive(envelope_sender="bounces+123-support=example.com@mailing.example"))
    assert not world.sent("jan@customer.example")
    assert reasons(world, ticket) == ["automatic mail is never answered"]


@pytest.mark.parametrize("address", [SUPPORT, "help+anything@example.com", "Support@Example.com"])
def test_our_own_addresses_are_not_answered(world: World, address: str) -> None:
    """With or without a detail: the answer would come back to us."""
    world.receive(address)
    assert not [each for each in world.sent() if each.automatic == "auto-replied"]


# -- limits ---------------------------------------------------------------------------------------------------------


def receive_many(world: World, senders: list[str]) -> None:
    for number, sender in enumerate(senders):
        world.receive(sender, subject=f"matter {number}", body=f"text {number}")


def acknowledged(world: World) -> int:
    return len([each for each in world.sent() if each.automatic == "auto-replied"])


def test_one_domain_gets_no_more_than_its_limit(world: World) -> None:
    """Senders of one domain together; another domain is answered all the same."""
    with_limits(world, auto_replies_per_domain_hour=3)
    receive_many(world, [f"p{number}@customer.example" for number in range(5)])
    receive_many(world, ["p@other.example"])
    assert acknowledged(world) == 4
    assert [row["error"] for row in withheld(world)] == [
        "this domain had 3 automatic replies within the hour"
    ] * 2


@pytest.mark.slow
def test_forged_senders_together_get_no_more_than_the_limit(world: World) -> None:
    """However many they are; and nobody is answered beyond it an hour long."""
    with_limits(world, auto_replies_per_hour=10)
    receive_many(world, [f"p@victim{number}.example" for number in range(30)])
    assert (acknowledged(world), len(withheld(world))) == (10, 20)
    world.advance(hours=1, seconds=1)
    receive_many(world, [f"q@victim{number}.example" for number in range(30)])
    assert acknowledged(world) == 20


def test_large_limits_are_shared_out_and_never_exceeded(world: World) -> None:
    """A limit in shards lets at most as many through as it says."""
    with_limits(world, auto_replies_per_address_hour=1, auto_replies_per_hour=answering.SHARDED_FROM)
    shards = {
        answering._sharded(answering.Limit("x", "", answering.SHARDED_FROM, ""), f"p{number}@x.example").key
        for number in range(100)
    }
    each = answering._sharded(answering.Limit("x", "", answering.SHARDED_FROM, ""), "p@x.example").most
    assert len(shards) * each <= answering.SHARDED_FROM
    assert len(shards) == answering.SHARDS


def test_the_unset_limits_follow_that_of_one_address(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who allows more to one address is not stopped by a number he has never seen."""
    monkeypatch.setattr(answering, "DOMAIN_FACTOR", 3)
    with_limits(world, auto_replies_per_address_hour=1)
    receive_many(world, [f"p{number}@customer.example" for number in range(4)])
    assert acknowledged(world) == 3
    with_limits(world, auto_replies_per_address_hour=2)
    world.receive("last@customer.example")
    assert acknowledged(world) == 4


def test_the_same_words_are_answered_once_an_hour(world: World) -> None:
    """A machine that says nothing of itself says the same again, with another ref of ours in it."""
    for ref in ("K7M4Q2P", "9XYTR2A", "ABCDEFG"):
        world.receive(subject=f"Re: We have your message [{ref}]", body="I am away.")
    assert acknowledged(world) == 1
    world.advance(hours=1, seconds=1)
    world.receive(subject="Re: We have your message [ABCDEFH]", body="I am away.")
    assert acknowledged(world) == 2


def test_what_a_limit_held_back_can_be_sent_after_all(world: World) -> None:
    """It is kept with its reason; retry queues it, drop ends it; until then nothing tries to send it."""
    with_limits(world, auto_replies_per_address_hour=1)
    receive_many(world, ["jan@customer.example"] * 3)
    first, second = withheld(world)
    assert (first["error"], first["next_at"]) == (
        "this address had 1 automatic replies within the hour",
        None,
    )
    assert first["id"] not in world.store.read_now(lambda tx: [each.id for each in outbox.due(tx)])
    assert world.store.write_now(lambda tx: outbox.retry(tx, first["id"]))
    assert world.store.write_now(lambda tx: outbox.drop(tx, second["id"]))
    assert [world.row("outbox", each["id"])["state"] for each in (first, second)] == ["queued", "dropped"]


def test_what_was_withheld_and_comes_back_later_is_no_lost_notice(world: World) -> None:
    """An operator sent it after all; that nobody gets it is told as of any other answer."""
    with_limits(world, auto_replies_per_address_hour=0)
    ticket = world.ticket(world.receive())
    (row,) = withheld(world)
    world.store.write_now(lambda tx: outbox.retry(tx, row["id"]))
    failure = DeliveryFailed("550 5.1.1 User unknown", retryable=False)
    world.store.write_now(
        lambda tx: outbox.note_failed(tx, row["id"], failure, 1, None, context=world.context)
    )
    assert "delivery_failed" in world.events(ticket)
    assert not {"notice_failed", "notice_reached_nobody"} & set(world.events(ticket))


def test_what_is_withheld_is_no_part_of_the_conversation(world: World) -> None:
    with_limits(world, auto_replies_per_address_hour=0)
    ticket = world.ticket(world.receive())
    assert [row["direction"] for row in world.rows("messages", "ticket_id = :id", id=ticket["id"])] == ["in"]
    assert "reply_withheld" in world.events(ticket)


def test_what_was_counted_is_forgotten_after_its_hour(world: World) -> None:
    """Counters name addresses; those that still count stay, and so does the number of the last ticket."""
    receive_many(world, ["jan@customer.example", "ewa@customer.example"])
    assert world.store.write_now(answering.forget_counted) == 0
    world.advance(minutes=59)
    receive_many(world, ["eva@other.example"])
    world.advance(minutes=2)
    assert world.store.write_now(answering.forget_counted) >= 8
    left = {(row["name"], row["key"]) for row in world.rows("counters")}
    assert ("tickets", "") in left
    assert ("auto_reply_address", "eva@other.example") in left
    assert not any("customer.example" in key for _, key in left)


def test_a_receipt_is_read_as_a_machines_by_anybody(world: World) -> None:
    """Marked for RFC 3834, for Exchange and for us; with no return path."""
    world.receive()
    (receipt,) = world.sent("jan@customer.example")
    assert (receipt.automatic, receipt.envelope_sender) == ("auto-replied", "")
    assert receipt.headers[loops.MARK].startswith("a.")
