"""Texts are taken in only with Twilio's signature, once each, and read whole; a refused one says to the operator why."""

import hashlib
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
import yarl
from twilio.request_validator import RequestValidator

from channels import contract, testing
from channels.contract import Identity, Message
from channels.twilio import incoming, mismatch, settings, signature, sms, whatsapp
from tests.phone import texting
from tests.phone.texting import JAN, OWN, PUBLIC_URL, SID, TOKEN, Served
from tests.rows import every_row

AT = datetime(2026, 11, 10, 9, 0, tzinfo=UTC)
URL = f"{PUBLIC_URL}/hooks/texts/message"
Serve = Callable[..., Awaitable[Served]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    running: list[Served] = []

    async def begin(gate: Any = None, **options: Any) -> Served:
        served = await texting.serve(gate, **options)
        running.append(served)
        return served

    yield begin
    for served in running:
        await served.stop()


def read(posted: texting.Form, *, kind: Any = sms, **envelope: Any) -> Message:
    understood = kind.parse(texting.raw(posted, at=AT, **envelope), kind.Options(account_sid=SID))
    assert isinstance(understood, Message)
    return understood


# -- the contract of every channel ------------------------------------------------------------------------------

FIRST = texting.form("Ma drukarka się pali, proszę o pomoc", MessageSid="SM" + "a" * 32)


class TestTextsParse(testing.ParserContract):
    module = sms  # type: ignore[assignment]
    options = sms.Options(account_sid=SID)
    valid = (
        (
            texting.raw(FIRST, at=AT),
            Message(
                kind="sms",
                message_id="SM" + "a" * 32,
                from_=contract.Address(JAN),
                to=(contract.Address(OWN),),
                text="Ma drukarka się pali, proszę o pomoc",
                visible_text="Ma drukarka się pali, proszę o pomoc",
                language="pl",
                sender=Identity("phone", JAN),
                headers={
                    "tocountry": ("PL",), "nummedia": ("0",), "smsstatus": ("received",), "fromcountry": ("PL",),
                    "to": (OWN,), "numsegments": ("1",), "messagesid": ("SM" + "a" * 32,), "from": (JAN,),
                },
            ),
        ),
    )  # fmt: skip


class TestTextsTake(testing.ReceiverContract):
    secrets = (TOKEN,)

    async def send(self, gate: testing.MemoryGate, body: bytes) -> testing.Answer:
        served = await texting.serve(gate)
        try:
            given = RequestValidator(TOKEN).compute_signature(URL, incoming.form_of(body))
            status, _ = await served.post(body, signature=given)
        finally:
            await served.stop()
        return "taken" if status == 200 else "try again" if status == 503 else "refused"

    def body(self) -> bytes:
        return urlencode(FIRST).encode()

    def oversize(self) -> bytes:
        return urlencode(FIRST | {"Body": "x" * 300_000}).encode()


# -- the door ---------------------------------------------------------------------------------------------------


async def test_a_text_is_journalled_and_answered_with_an_empty_response(serve: Serve) -> None:
    served = await serve()
    posted = texting.form("Hej")
    status, twiml = await served.post(posted)
    assert (status, twiml) == (200, '<?xml version="1.0" encoding="UTF-8"?><Response/>')
    (kept,) = served.gate.stored
    assert kept.keys == (f"twilio:{SID}:{posted['MessageSid']}",)
    assert (kept.lane, kept.envelope, kept.body) == (
        f"phone:{JAN}",
        {"path": "message"},
        urlencode(posted).encode(),
    )


REFUSED: dict[str, dict[str, Any]] = {
    "another token": {"token": TOKEN[::-1]},
    "no signature": {"signature": ""},
    "a signature of another URL": {"signed": URL.replace("https", "http")},
    "a signature without the prefix": {"signed": URL.replace("/intake", "")},
}


@pytest.mark.parametrize("why", REFUSED)
async def test_a_wrong_or_missing_signature_is_403_and_nothing_is_stored(serve: Serve, why: str) -> None:
    served = await serve()
    status, said = await served.post(texting.form(), **REFUSED[why])
    assert (status, said) == (403, "that is not signed\n")
    assert served.gate.submitted == 0


async def test_without_a_token_nothing_is_believed(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    served = await serve(auth_token="")
    assert (await served.post(texting.form(), token=""))[0] == 403
    assert served.gate.submitted == 0
    assert "no auth_token is configured" in caplog.text


async def test_what_a_request_says_of_its_host_changes_nothing(serve: Serve) -> None:
    """Signed for another host or scheme, with headers that claim that one: still refused; signed right, still taken."""
    served = await serve()
    claims = {
        "Host": "evil.example", "X_Forwarded_Host": "evil.example", "X_Forwarded_Proto": "http",
        "X_Forwarded_Port": "8080", "X_Forwarded_Prefix": "/", "Forwarded": "host=evil.example;proto=http",
        "X_Original_Url": "/hooks/texts/message", "X_Original_Host": "evil.example",
    }  # fmt: skip
    for url in ("http://evil.example/hooks/texts/message", "https://evil.example/intake/hooks/texts/message"):
        assert (await served.post(texting.form(), signed=url, **claims))[0] == 403
    assert served.gate.submitted == 0
    assert (await served.post(texting.form(), **claims))[0] == 200


async def test_both_tokens_are_believed_while_one_replaces_the_other(serve: Serve) -> None:
    served = await serve(auth_token_old=TOKEN[::-1])
    answers = [(await served.post(texting.form(), token=token))[0] for token in (TOKEN, TOKEN[::-1])]
    assert answers == [200, 200]


async def test_another_account_of_twilio_is_refused(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    served = await serve()
    assert (await served.post(texting.form(AccountSid="AC" + "f" * 32)))[0] == 403
    assert "another Twilio account" in caplog.text
    assert served.gate.submitted == 0


async def test_a_signature_given_twice_is_refused(serve: Serve) -> None:
    served = await serve()
    posted = texting.form()
    given = RequestValidator(TOKEN).compute_signature(URL, posted)
    headers = [("X-Twilio-Signature", given), ("X-Twilio-Signature", given)]
    headers.append(("Content-Type", "application/x-www-form-urlencoded"))
    async with served.session.post(
        f"{served.url}/hooks/texts/message", data=urlencode(posted), headers=headers
    ) as answer:
        assert answer.status == 403


async def test_a_status_report_at_the_wrong_address_is_told_so(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    served = await serve()
    status, _ = await served.post(texting.form(SmsStatus="delivered", MessageStatus="delivered"))
    assert (status, served.gate.submitted) == (400, 0)
    assert "a status callback belongs to …/status" in caplog.text


async def test_the_same_text_five_times_is_one_key(serve: Serve) -> None:
    served = await serve()
    posted = texting.form()
    assert {(await served.post(posted))[0] for _ in range(5)} == {200}
    assert len(served.gate.stored) == 1


async def test_a_status_callback_is_kept_once_for_each_status(serve: Serve) -> None:
    served = await serve()
    for word in ("sent", "delivered", "sent"):
        posted = {
            "MessageSid": "SM" + "b" * 32,
            "MessageStatus": word,
            "AccountSid": SID,
            "To": JAN,
            "From": OWN,
        }
        assert (await served.post(posted, path="status"))[0] == 200
    assert [each.envelope["path"] for each in served.gate.stored] == ["status", "status"]
    report = sms.parse(served.gate.stored[1], sms.Options(account_sid=SID))
    assert isinstance(report, contract.DeliveryReport)
    assert report.state == "delivered"


async def test_json_is_believed_with_the_hash_of_its_body_in_the_url(serve: Serve) -> None:
    """No message comes so, but the door is that of every webhook: signed right it is asked for its SID, wrong it is 403."""
    served = await serve()
    body = b'{"MessageSid": "SM1"}'
    path = f"message?bodySHA256={hashlib.sha256(body).hexdigest()}"
    given = RequestValidator(TOKEN).compute_signature(f"{PUBLIC_URL}/hooks/texts/{path}", {})
    kind = {"Content_Type": "application/json"}
    assert (await served.post(body, path=path, signature=given, **kind))[0] == 400
    assert (await served.post(body + b" ", path=path, signature=given, **kind))[0] == 403
    assert (await served.post(body, path="message", signature=given, **kind))[0] == 403


async def test_a_path_that_is_written_in_another_way_is_not_the_one_that_was_signed(serve: Serve) -> None:
    served = await serve()
    posted = texting.form()
    headers = {
        "X-Twilio-Signature": RequestValidator(TOKEN).compute_signature(URL, posted),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    for path in (
        "/hooks/texts/%6dessage",
        "/hooks/%74exts/message",
        "/hooks/texts/message?",
        "/hooks/texts/message?a=1",
    ):
        url = yarl.URL(served.url + path, encoded=True)
        async with served.session.post(url, data=urlencode(posted), headers=headers) as answer:
            # An empty query is none: aiohttp's client leaves its mark away, others may not.
            assert answer.status == (200 if path.endswith("?") else 403), path


async def test_too_many_fields_are_refused(serve: Serve) -> None:
    served = await serve()
    assert (await served.post(b"a=b&" * 2_000, signature="x"))[0] == 400
    assert served.gate.submitted == 0


@pytest.mark.parametrize(
    "url", ["help.example.com", "https://help.example.com/", "https://help.example.com/intake/"]
)
def test_a_public_url_that_nothing_could_be_signed_for_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="public_url is written like"):
        sms.Options(account_sid=SID, public_url=url)


# -- which part differs -----------------------------------------------------------------------------------------

CONFIGURED = settings.Options(account_sid=SID, auth_token=TOKEN, public_url="https://help.example.com/intake")
POSTED = list(texting.form("Dzień dobry", Empty="").items())
DIFFERENT: dict[str, tuple[str, dict[str, Any]]] = {
    "the scheme differs: Twilio signed http://help.example.com/intake/": (
        "http://help.example.com/intake",
        {},
    ),
    "the port differs: Twilio signed https://help.example.com:8443/intake": (
        "https://help.example.com:8443/intake",
        {"host": "127.0.0.1:8443"},
    ),
    "the host differs: Twilio signed https://other.example/intake": (
        "https://other.example/intake",
        {"host": "other.example"},
    ),
    "the path prefix differs: Twilio signed https://help.example.com/hooks": ("https://help.example.com", {}),
    "the scheme and path prefix differ: Twilio signed http://help.example.com/hooks": (
        "http://help.example.com",
        {},
    ),
}


def seen(public_url: str, **about: Any) -> mismatch.Seen:
    signed = f"{public_url}/hooks/texts/message{about.pop('slash', '')}"
    given = RequestValidator(TOKEN).compute_signature(signed, dict(about.pop("signed", POSTED)))
    url = f"{CONFIGURED.public_url}/hooks/texts/message"
    known = {"url": url, "body": urlencode(POSTED).encode(), "fields": POSTED, "given": (given,)} | about
    return mismatch.Seen(**known)


@every_row("sentence", DIFFERENT)
def test_the_operator_hears_which_part_of_the_url_differs(sentence: str) -> None:
    public_url, about = DIFFERENT[sentence]
    said = mismatch.found(seen(public_url, **about), CONFIGURED)
    assert said.startswith(sentence)
    assert said.endswith("and public_url is https://help.example.com/intake")


def test_the_operator_hears_of_a_final_slash() -> None:
    said = mismatch.found(seen(CONFIGURED.public_url, slash="/"), CONFIGURED)
    assert said.startswith("the final slash differs")


def test_the_operator_hears_that_a_proxy_changed_the_body() -> None:
    without_blanks = [(name, value) for name, value in POSTED if value]
    said = mismatch.found(seen(CONFIGURED.public_url, signed=without_blanks), CONFIGURED)
    assert said == "the body of a request was changed on its way to us: look at the proxy in between"


def test_the_operator_hears_of_another_account() -> None:
    other = "AC" + "f" * 32
    fields = list((dict(POSTED) | {"AccountSid": other}).items())
    said = mismatch.found(seen(CONFIGURED.public_url, fields=fields, given=("nonsense",)), CONFIGURED)
    assert said == f"the request is of the Twilio account {other}, and account_sid is {SID}"


def test_what_nobody_signed_is_told_in_general_words_without_a_secret() -> None:
    options = msgspec.structs.replace(CONFIGURED, public_url="https://user:geheim@help.example.com")
    said = mismatch.found(seen("https://elsewhere.example", host="evil\n.example"), options)
    assert said.startswith("the signature fits no URL like public_url")
    assert not any(secret in said for secret in (TOKEN, "geheim", "evil"))


def test_forgeries_cost_one_search_in_ten_seconds() -> None:
    now = 0.0
    seeker = mismatch.Seeker("texts", CONFIGURED, clock=lambda: now)
    first = seeker.reason(seen("http://help.example.com/intake"))
    assert seeker.reason(seen("https://elsewhere.example")) == first
    now = 10.0
    assert seeker.reason(seen("https://elsewhere.example")) != first


def test_a_search_hashes_no_more_than_so_much_however_large_the_forgery(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A forgery of 256 KB in all its forms would keep everybody waiting for half a second."""
    hashed = 0

    def counting(url: str, fields: signature.Fields, given: str, *, tokens: Any) -> bool:
        nonlocal hashed
        hashed += 2 * len(tokens) * sum(len(name) + len(value) for name, value in fields)
        return False

    monkeypatch.setattr(signature, "is_valid", counting)
    forged = msgspec.structs.replace(
        seen("https://elsewhere.example", host="inner:8080"), body=b"Body=" + b"x" * 256_000
    )
    forged = msgspec.structs.replace(forged, fields=signature.fields_of(forged.body))
    mismatch.found(forged, CONFIGURED)
    assert hashed <= mismatch.SEARCHED_BYTES


async def test_no_token_stands_in_a_refusal(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    served = await serve(auth_token_old=TOKEN[::-1])
    status, said = await served.post(
        texting.form(), signed="http://help.example.com/intake/hooks/texts/message"
    )
    assert status == 403
    assert not any(secret in caplog.text + said for secret in (TOKEN, TOKEN[::-1]))
    assert "the scheme differs" in caplog.text


# -- what is read -----------------------------------------------------------------------------------------------


def test_a_whatsapp_user_is_known_by_number_and_by_id() -> None:
    message = read(texting.whatsapp_form(), kind=whatsapp)
    assert message.sender == Identity("whatsapp", JAN)
    assert message.also == (Identity("phone", JAN), Identity("whatsapp", "PL.4566546130240823"))
    assert message.from_ == contract.Address(JAN, "Jan Kowalski")


def test_an_organizations_id_of_a_whatsapp_user_is_theirs_too() -> None:
    message = read(
        texting.whatsapp_form(ParentExternalUserId="whatsapp:PL.ENT.118157992128868"), kind=whatsapp
    )
    assert message.also[-1] == Identity("whatsapp", "PL.ENT.118157992128868")


def test_a_whatsapp_user_may_have_no_number() -> None:
    posted = texting.whatsapp_form(
        From="whatsapp:PL.4566546130240823", WaId="", ExternalUserId="whatsapp:PL.4566546130240823"
    )
    message = read(posted, kind=whatsapp)
    assert (message.sender, message.also) == (Identity("whatsapp", "PL.4566546130240823"), ())


SENDERS = {
    "+48 600 100 200": JAN, "72345": "72345", "BANK-INFO": "BANK-INFO", "rcs:+48600100200": JAN,
    " +48600100200 ": JAN,
}  # fmt: skip


@every_row("written", SENDERS)
def test_every_kind_of_sender_of_a_text_is_read(written: str) -> None:
    assert read(texting.form(From=written)).sender == Identity("phone", SENDERS[written])


def test_who_hides_is_nobody() -> None:
    message = read(texting.form(From=""))
    assert (message.sender, message.from_) == (None, None)


def test_a_place_is_a_line_that_can_be_read_and_headers_for_rules() -> None:
    posted = texting.whatsapp_form(
        "",
        MessageType="location",
        Latitude="52.2297",
        Longitude="21.0122",
        Label="Office",
        Address="Prosta 1",
    )
    message = read(posted, kind=whatsapp)
    assert message.text == "Location: Office, Prosta 1 (geo:52.2297,21.0122)"
    assert message.headers["latitude"] == ("52.2297",)


def test_a_button_is_its_text_and_its_payload_is_for_rules() -> None:
    posted = texting.whatsapp_form(
        "Confirm",
        MessageType="interactive",
        ButtonText="Confirm",
        ButtonPayload="order:1",
        OriginalRepliedMessageSid="MM" + "c" * 32,
        OriginalRepliedMessageSender=f"whatsapp:{OWN}",
    )
    message = read(posted, kind=whatsapp)
    assert (message.visible_text, message.in_reply_to) == ("Confirm", ("MM" + "c" * 32,))
    assert message.headers["buttonpayload"] == ("order:1",)


def test_a_choice_from_a_list_is_read_where_the_text_is_empty() -> None:
    message = read(texting.whatsapp_form("", ListId="2", ListTitle="Invoices"), kind=whatsapp)
    assert (message.text, message.headers["listid"]) == ("Invoices", ("2",))


def test_a_reaction_is_told_as_one() -> None:
    posted = texting.whatsapp_form("👍", MessageType="reaction", OriginalRepliedMessageSid="SM" + "d" * 32)
    message = read(posted, kind=whatsapp)
    assert (message.text, message.in_reply_to) == ("Reaction: 👍", ("SM" + "d" * 32,))


FLOW = (
    '{"screen_2_Choose_all_that_apply_0":["1_A_new_outfit","2_Shoes"],"screen_1_Choose_one_0":"1_Wear_the_same",'
    '"flow_token":"abcd1234","order":4711,"remark":"call  me","none":null}'
)


def test_a_form_that_was_filled_in_is_what_the_customer_said() -> None:
    """Twilio passes it on beside an empty Body: no agent may read "the message is empty"."""
    for posted in (
        {"FlowData": FLOW},
        {"InteractiveData": f'{{"flowResponse":{FLOW}}}'},
        {"FlowData": FLOW, "InteractiveData": "{}"},
    ):
        message = read(texting.whatsapp_form("", MessageType="interactive", **posted), kind=whatsapp)
        assert message.visible_text.splitlines() == [
            "Choose all that apply: A new outfit, Shoes",
            "Choose one: Wear the same",
            "order: 4711",
            "remark: call me",
            "none: null",
        ]
        assert message.problems == ()


def test_a_form_that_cannot_be_read_is_shown_as_it_came() -> None:
    for written in ("no json", "[1]", "7", '{"flowResponse":[]}', "[" * 100_000, "{" * 9):
        message = read(texting.whatsapp_form("", FlowData=written), kind=whatsapp)
        assert message.visible_text == written[:500]


def test_an_advertisement_and_a_forwarded_text_are_told_beside_what_was_written() -> None:
    posted = texting.whatsapp_form(
        "Is it in stock?",
        Forwarded="true",
        ReferralHeadline="Printers",
        ReferralSourceUrl="https://ads.example/1",
        ReferralSourceType="ad",
    )
    message = read(posted, kind=whatsapp)
    assert message.visible_text == "Is it in stock?"
    assert "(forwarded)" in message.text
    assert "(came from an advertisement: Printers · https://ads.example/1)" in message.text
    assert message.headers["referralsourcetype"] == ("ad",)


def test_files_are_named_at_once() -> None:
    posted = texting.form(
        "",
        NumMedia="2",
        MediaUrl0="https://api.twilio.com/2010-04-01/Accounts/x/Messages/y/Media/z",
        MediaContentType0="image/jpeg",
        MediaUrl1="https://api.twilio.com/1",
        MediaContentType1="text/x-vCard; charset=utf-8",
    )
    message = read(posted)
    assert [(each.name, each.content_type, each.part, each.size) for each in message.attachments] == [
        ("image-1.jpg", "image/jpeg", "media:0", 0),
        ("contact-2.vcf", "text/x-vcard", "media:1", 0),
    ]
    assert not message.problems
    assert not any("media" in name and "url" in name for name in message.headers)


def test_a_group_message_names_who_else_got_it() -> None:
    posted = texting.form("Hi all", OtherRecipients0="+48600100201", OtherRecipients1="+48600100202")
    assert [each.address for each in read(posted).cc] == ["+48600100201", "+48600100202"]


PROBLEMS = {
    "the message is empty": texting.form(""),
    "2 files were announced, and 0 named": texting.form("Look", NumMedia="2"),
    "a message of another medium came to an account for sms": texting.whatsapp_form(),
    "WhatsApp does not pass this kind of message on": texting.whatsapp_form("", MessageType="unsupported"),
}


@pytest.mark.parametrize("problem", PROBLEMS)
def test_what_is_odd_is_said(problem: str) -> None:
    assert problem in read(PROBLEMS[problem]).problems


def test_what_the_reconciler_brings_says_when_it_was_sent() -> None:
    assert read(texting.form(), sent_at="2026-11-10T08:00:00+00:00").sent_at == datetime(
        2026, 11, 10, 8, tzinfo=UTC
    )


def test_controls_and_line_ends_do_not_come_through() -> None:
    assert read(texting.form("a\x00b\r\nc\rd\x1b[2J")).text == "ab\nc\nd[2J"


CONSENTS: tuple[tuple[texting.Form, Any, str | None], ...] = (
    (texting.form("STOP"), sms, "stop"),
    (texting.form("Stop!"), sms, "stop"),
    (texting.form("whatever", OptOutType="HELP"), sms, "help"),
    (texting.whatsapp_form("stop"), whatsapp, "stop"),
    (texting.form("STOP 12345"), sms, None),
    (texting.form("please stop by"), sms, None),
)


@every_row(("posted", "kind", "word"), CONSENTS)
def test_a_word_of_consent_is_nobodys_message(posted: texting.Form, kind: Any, word: str | None) -> None:
    understood = kind.parse(texting.raw(posted, at=AT), kind.Options(account_sid=SID))
    assert (understood.word if isinstance(understood, contract.Consent) else None) == word


def test_a_word_of_consent_says_who_to_whom_and_whether_twilio_answered() -> None:
    posted = texting.form("STOP", OptOutType="STOP")
    understood = sms.parse(texting.raw(posted, at=AT), sms.Options(account_sid=SID))
    assert understood == contract.Consent(
        kind="sms",
        word="stop",
        sender=Identity("phone", JAN),
        own=OWN,
        said="STOP",
        provider_id=posted["MessageSid"],
        is_answered=True,
    )


@pytest.mark.slow
def test_ten_thousand_garbage_bodies_are_read_without_an_error() -> None:
    source = random.Random(5)
    names = [
        *texting.whatsapp_form(),
        "MediaUrl0",
        "Latitude",
        "Longitude",
        "OtherRecipients0",
        "OptOutType",
        "NumMedia",
    ]
    options = sms.Options(account_sid=SID)
    for number in range(10_000):
        if number % 2:
            body = source.randbytes(source.randrange(400))
        else:
            parts = (
                f"{source.choice(names)}={source.choice(('', '%', '%ff', '%00', '%ED%A0%80', '9' * 30, '+', 'AC', '³'))}".encode()
                + source.randbytes(source.randrange(6))
                for _ in range(source.randrange(20))
            )
            body = b"&".join(parts)
        taken = msgspec.structs.replace(texting.raw({}, at=AT), body=body)
        understood = (sms, whatsapp)[number // 2 % 2].parse(taken, options)
        msgspec.json.encode(understood)
        sms.kept_elsewhere(taken)
