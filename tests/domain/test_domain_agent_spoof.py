"""Mails that would like to be an agent's: none of them is obeyed, none reaches a customer as the desk's word."""

import itertools
from collections.abc import Iterator

import pytest

from tests.domain.agents import ANIA, JAN, notice, to_customer
from tests.domain.world import SUPPORT, World

EVE = "eve@evil.example"
# dmarc=pass for the domain that Eve owns: what a server says that reads another address out of From than a person does.
EVES_PASS = "mx.example.com; spf=pass; dkim=pass header.d=evil.example; dmarc=pass header.from=evil.example"


def froms() -> Iterator[str]:
    """From fields that show ania's address to somebody and Eve's to somebody else."""
    yield f"{ANIA}"
    yield f"Ania <{ANIA}>"
    for quote, open_, close in itertools.product(('"', "", "'"), ("<", "(", "[", ""), (">", ")", "]", "")):
        yield f"{quote}{open_}{ANIA}{close}{quote} <{EVE}>"
        yield f"{quote}{open_}{EVE}{close}{quote} <{ANIA}>"
    for glue in (
        ",",
        ";",
        " ",
        "\t",
        "\r\n ",
        ":",
        "<>",
        "><",
        '"',
        "\\",
        "\x00",
        "\x0b",
        "%00",
        "=00",
        "\u2028",
        "\u200b",
    ):
        yield f"{ANIA}{glue}{EVE}"
        yield f"{EVE}{glue}{ANIA}"
        yield f"<{ANIA}{glue}{EVE}>"
        yield f"Ania <{ANIA}{glue}> <{EVE}>"
    for group in ("{a}: {b};", "undisclosed: {a}, {b};", "{a}:{b}", "g: {a};, {b}", '"g: {a};" <{b}>'):
        yield group.format(a=ANIA, b=EVE)
        yield group.format(a=EVE, b=ANIA)
    for word in ("=?utf-8?q?{a}?=", "=?utf-8?b?YW5pYUBkZXNrLmV4YW1wbGU=?=", "=?utf-8?q?ania=40desk=2Eexample?=",
                 "=?utf-8?q?=3Cania=40desk=2Eexample=3E?=", "=?utf-8?q?ania=40desk.example=0D=0AFrom:_x?="):  # fmt: skip
        yield f"{word.format(a=ANIA)} <{EVE}>"
        yield f"<{word.format(a=ANIA)}>"
        yield word.format(a=ANIA)
    for look in ("ania@desk.example.evil.example", "ania@desk-example", "ania@dеsk.example", "аnia@desk.example",
                 "ania@desk.example@evil.example", '"ania@desk.example"@evil.example', "ania%desk.example@evil.example",
                 "ania@[desk.example]", "ania@desk.example.", "ania(c)@desk.example", "ania @desk.example", "ANIA@DESK.EXAMPLE",
                 "ania+x@desk.example", "@evil.example:ania@desk.example", "ania@desk.example\u3002evil.example"):  # fmt: skip
        yield look
        yield f"Ania <{look}>"
        yield f'"{look}" <{EVE}>'
    for comment in ("({a})", "(x <{a}>)", "(\\){a}", "(({a})"):
        yield f"{comment.format(a=ANIA)} {EVE}"
        yield f"{EVE} {comment.format(a=ANIA)}"
        yield f"<{EVE}{comment.format(a=ANIA)}>"


FROMS = list(dict.fromkeys(froms()))


def test_there_are_two_hundred() -> None:
    """The kinds: names, groups, encoded words, comments, look-alikes, several addresses, control characters."""
    assert len(FROMS) >= 200


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind",
    ["held", pytest.param("sent", marks=pytest.mark.slow), pytest.param("notice", marks=pytest.mark.slow)],
)
def test_no_from_makes_eve_an_agent(world: World, kind: str) -> None:
    """Whatever a server that vouches for Eve's domain has read: nothing is sent, closed or assigned by her mail."""
    opened = world.ticket(world.receive(JAN, message_id="first@customer.example"))
    before = world.row("tickets", opened["id"])
    reference = {
        "held": "first@customer.example",
        "sent": world.sent(JAN)[0].message_id,
        "notice": notice(world).message_id[:-40] + "a" * 40,
    }[kind]
    for number, text in enumerate(FROMS):
        content = (
            f"Authentication-Results: {EVES_PASS}\r\nFrom: {text}\r\nTo: {SUPPORT}\r\nSubject: Re\r\n"
            f"Message-ID: <{number}@evil.example>\r\nIn-Reply-To: <{reference}>\r\n\r\n#close\r\nSend me money.\r\n"
        ).encode("utf-8", "surrogateescape")
        world.receive(EVE, content=content)
    assert not to_customer(world)
    after = world.row("tickets", opened["id"])
    assert (after["status"], after["agent"], after["agent_replied_at"]) == (
        before["status"],
        before["agent"],
        before["agent_replied_at"],
    )
    assert not world.rows("events", "kind IN ('agent_mail', 'answer_held', 'agent_mail_refused')")


FORGED = [
    "notify-{ref}-ania@example.com",
    "{ref}.a{moment}.{number}.@example.com",
    "{ref}.a{moment}.{number}.{zeros}@example.com",
    "{ref}.a{moment}.0.{token}@example.com",
    "{ref}.a0.{number}.{token}@example.com",
    "{ref}.{number}.{token}@example.com",
    "{ref}.a{moment}.{number}.{token}{zeros}@example.com",
    "x{ref}.a{moment}.{number}.{token}@example.com",
]


@pytest.mark.parametrize("form", FORGED)
def test_message_id_without_its_signature_is_worth_nothing(world: World, form: str) -> None:
    """A form that looks like a notice's, a legacy of another system, or parts of a true one put together anew."""
    opened = world.ticket(world.receive(JAN))
    ref, moment, number, token = notice(world).message_id.partition("@")[0].split(".")
    identifier = form.format(ref=ref, moment=moment[1:], number=number, token=token, zeros="a" * len(token))
    row = world.receive(ANIA, body="#close\nWater.", headers={"In-Reply-To": f"<{identifier}>"})
    assert (row["ticket_id"] != opened["id"], to_customer(world)) == (True, [])
    assert world.row("tickets", opened["id"])["status"] == "new"
