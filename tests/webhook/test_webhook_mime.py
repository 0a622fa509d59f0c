"""A posted mail is taken when its signature says so, and only then."""

import logging
import random
import subprocess
import sys

import pytest

from channels import testing
from channels.email import webhook, webhook_signature
from tests.webhook import posting
from tests.webhook.conftest import Start

OTHER = "battery-staple-correct-horse"


async def test_a_signed_mail_is_stored_byte_for_byte_with_its_envelope(start: Start) -> None:
    desk = await start()
    status, said = await desk.post_mail(
        sender="ann@example.net", recipients="support@example.com, <sales@example.com>"
    )
    assert (status, said) == (200, "stored as 1\n")
    [raw] = desk.gate.stored
    assert (raw.kind, raw.account, raw.body, raw.lane) == (
        "email.webhook",
        "support",
        posting.MAIL,
        "ann@example.net",
    )
    assert raw.envelope == {
        "sender": "ann@example.net", "recipients": ["support@example.com", "sales@example.com"], "peer": "webhook",
    }  # fmt: skip


async def test_a_bounce_has_the_null_sender_and_an_unnamed_sender_is_not_one(start: Start) -> None:
    desk = await start()
    await desk.post_mail(sender="<>")
    await desk.post_mail(posting.MAIL.replace(b"<1@", b"<2@"))
    assert [raw.envelope.get("sender") for raw in desk.gate.stored] == ["", None]
    assert [raw.lane for raw in desk.gate.stored] == ["<>1@example.net", "ann@example.net"]


async def test_every_secret_of_a_rotation_signs_and_no_other(start: Start) -> None:
    desk = await start(secrets=(posting.SECRET, OTHER))
    assert [(await desk.post_mail(secret=secret))[0] for secret in (posting.SECRET, OTHER, "x" * 20)] == [
        200,
        200,
        403,
    ]


async def test_one_of_several_signatures_is_enough(start: Start) -> None:
    """A sender that changes its secret signs with both."""
    desk = await start()
    headers = webhook_signature.sign(posting.MAIL, [OTHER, posting.SECRET], at=int(posting.NOW_S))
    assert (
        await desk.post("/hooks/support/mime", posting.MAIL, {"Content-Type": "message/rfc822"} | headers)
    )[0] == 200


@pytest.mark.parametrize(("late_s", "status"), [(0, 200), (299, 200), (-299, 200), (301, 403), (-301, 403)])
async def test_a_signature_holds_five_minutes(start: Start, late_s: float, status: int) -> None:
    desk = await start()
    assert (await desk.post_mail(at=posting.NOW_S - late_s))[0] == status


async def test_the_tolerance_can_be_set(start: Start) -> None:
    desk = await start(tolerance_s=10)
    assert (await desk.post_mail(at=posting.NOW_S - 11))[0] == 403


async def test_a_replay_is_the_same_message(start: Start) -> None:
    desk = await start()
    assert [(await desk.post_mail())[0] for _ in range(3)] == [200, 200, 200]
    assert len(desk.gate.stored) == 1


async def test_a_mail_with_neither_id_nor_date_is_known_by_its_bytes(start: Start) -> None:
    desk = await start()
    for body in (b"From: a@b.c\r\n\r\nx", b"From: a@b.c\r\n\r\nx", b"From: a@b.c\r\n\r\ny"):
        await desk.post_mail(body)
    assert len(desk.gate.stored) == 2


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Intake-Signature": ""},
        {"Intake-Signature": "t=1,v1="},
        {"Intake-Signature": f"t={int(posting.NOW_S)}"},
        {"Intake-Signature": f"v1={'0' * 64}"},
        {"Intake-Signature": f"t={int(posting.NOW_S)},v1={'0' * 64}"},
        {"Intake-Signature": f"t={int(posting.NOW_S)}" + f",v1={'0' * 64}" * 9},
        {"Intake-Signature": f"t=-1,v1={'0' * 64}"},
        {"Intake-Signature": f"t={'9' * 4000},v1={'0' * 64}"},
        {"Intake-Signature": f"t=\u0661,v1={'0' * 64}"},
        {"Authorization": f"Bearer {posting.SECRET}"},
    ],
)
async def test_without_a_signature_nothing_is_taken(start: Start, headers: dict[str, str]) -> None:
    desk = await start()
    status, said = await desk.post(
        "/hooks/support/mime", posting.MAIL, {"Content-Type": "message/rfc822"} | headers
    )
    assert (status, said) == (403, "not signed as it has to be\n")
    assert desk.gate.submitted == 0


async def test_the_body_is_not_waited_for_when_its_signature_cannot_hold(start: Start) -> None:
    """A request whose headers are wrong is answered before its body is there."""
    import asyncio

    desk = await start()
    reader, writer = await asyncio.open_connection("127.0.0.1", desk.port)
    writer.write(b"POST /hooks/support/mime HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
    async with asyncio.timeout(5):
        assert (await reader.readline()).split()[1] == b"403"
    writer.close()


@pytest.mark.parametrize("name", ["Intake-Signature", "Intake-Sender", "Intake-Recipients"])
async def test_a_header_that_is_there_twice_is_refused(start: Start, name: str) -> None:
    from multidict import CIMultiDict

    desk = await start()
    headers = webhook_signature.sign(
        posting.MAIL, [posting.SECRET], at=int(posting.NOW_S), sender="a@b.c", recipients="d@e.f"
    )
    twice = CIMultiDict({"Content-Type": "message/rfc822"} | headers)
    twice.add(name, headers[name])
    async with desk.session.post(
        f"{desk.url}/hooks/support/mime", data=posting.MAIL, headers=twice
    ) as answer:
        assert answer.status == 400
    assert desk.gate.submitted == 0


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("message/rfc822", 200), ("message/global; charset=utf-8", 200), ("application/octet-stream", 200),
        ("multipart/form-data; boundary=x", 415), ("application/x-www-form-urlencoded", 415), ("application/json", 415),
        ("text/plain", 415),
    ],
)  # fmt: skip
async def test_only_mails_as_they_are_are_taken(start: Start, content_type: str, status: int) -> None:
    desk = await start()
    assert (await desk.post_mail(headers={"Content-Type": content_type}))[0] == status


async def test_an_empty_mail_is_the_senders_fault(start: Start) -> None:
    desk = await start()
    assert (await desk.post_mail(b"\r\n \r\n"))[0] == 400


async def test_recipients_beyond_all_measure_are_refused(start: Start) -> None:
    desk = await start()
    assert (await desk.post_mail(recipients=",".join(f"a{number}@b.c" for number in range(101))))[0] == 400
    assert (await desk.post_mail(recipients="a" * 1_001 + "@b.c"))[0] == 400


async def test_a_large_mail_is_taken_whole(start: Start) -> None:
    desk = await start()
    body = posting.MAIL + b"x" * 3_000_000
    assert (await desk.post_mail(body))[0] == 200
    assert desk.gate.stored[0].body == body


async def test_an_account_without_a_secret_has_no_such_address(start: Start) -> None:
    desk = await start(secrets=())
    assert (await desk.post_mail())[0] == 404
    [problem] = [each for each in desk.channel.check() if "posted" in each.message]
    assert "secrets" in problem.hint


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 16 characters"):
        webhook.Options(secrets=("short",))


def test_options_do_not_show_their_secrets() -> None:
    assert posting.SECRET not in repr(webhook.Options(secrets=(posting.SECRET,)))


async def test_the_operator_hears_of_forgeries_once_a_minute_and_the_forger_nothing(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    desk = await start()
    for _ in range(20):
        assert (await desk.post_mail(secret=OTHER))[1] == "not signed as it has to be\n"
    [line] = [record.getMessage() for record in caplog.records if "refused" in record.getMessage()]
    assert "account=support reason=the signature of a mail is wrong" in line
    assert not [record for record in caplog.records if posting.SECRET in record.getMessage()]


def _flipped(text: str, source: random.Random) -> str:
    """One character of the printable ones exchanged, taken away or added."""
    at = source.randrange(len(text))
    other = chr(source.choice([each for each in range(0x20, 0x7F) if chr(each) != text[at]]))
    return source.choice(
        [text[:at] + other + text[at + 1 :], text[:at] + text[at + 1 :], text[:at] + other + text[at:]]
    )


def test_of_ten_thousand_mutated_requests_none_is_accepted() -> None:
    """One change anywhere in signature, envelope or body: none of 10 000 passes (95 %: less than 3 in 10 000)."""
    source = random.Random(3)
    whole = webhook_signature.sign(
        posting.MAIL,
        [posting.SECRET],
        at=int(posting.NOW_S),
        sender="ann@example.net",
        recipients="support@example.com",
    )
    accepted = 0
    for _ in range(10_000):
        headers, body = dict(whole), bytearray(posting.MAIL)
        which = source.choice([*whole, "body"])
        if which == "body":
            body[source.randrange(len(body))] ^= 1 << source.randrange(8)
        else:
            headers[which] = _flipped(headers[which], source)
        accepted += _passes(headers, bytes(body))
    assert accepted == 0
    assert _passes(dict(whole), posting.MAIL)


def _passes(headers: dict[str, str], body: bytes) -> bool:
    signature = webhook_signature.read(headers["Intake-Signature"])
    return (
        signature is not None
        and signature.is_timely(posting.NOW_S, tolerance_s=300)
        and webhook_signature.is_valid(signature, body, headers, secrets=[posting.SECRET])
    )


def test_sender_and_recipients_cannot_be_shifted_into_each_other() -> None:
    """What was signed for one envelope is not valid for another that reads the same in a row."""
    made = webhook_signature.sign(posting.MAIL, [posting.SECRET], at=1, sender="a", recipients="b,c")
    signature = webhook_signature.read(made["Intake-Signature"])
    assert signature is not None
    for sender, recipients in (("a,b", "c"), ("", "a,b,c"), ("a", "b,c,"), ("ab", ",c")):
        headers = {"Intake-Sender": sender, "Intake-Recipients": recipients}
        assert not webhook_signature.is_valid(signature, posting.MAIL, headers, secrets=[posting.SECRET])


async def test_the_gate_that_rejects_is_answered_403(start: Start) -> None:
    gate = testing.MemoryGate()
    gate.fault = "rejected"
    desk = await start(gate)
    assert await desk.post_mail() == (403, "not wanted here\n")


@pytest.mark.slow
def test_a_settings_check_does_not_load_the_http_library() -> None:
    """`intake check` and `intake ingest` know the kind without the 0.4 s of aiohttp."""
    code = "import sys, channels.email.webhook as w; w.Channel('a', w.Options()).check(); sys.exit('aiohttp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
