"""A signed source of one's own: what it posts is a message by the mapping, once, and nothing that is not signed is looked at."""

import gzip
import json
import re
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from channels import contract, testing, webhook
from channels.contract import FetchFailed
from channels.email import webhook_signature
from channels.webhook import mapping, signature
from tests.rows import every_row
from tests.web.forms import EVENT, MAPPING, NOW_S, SECRET, post_event, running_source

_OPTIONS = msgspec.convert({"secrets": [SECRET], "mapping": MAPPING}, webhook.Options)
_RAW = contract.RawMessage(
    kind="webhook",
    account="support",
    lane="ann@example.net",
    body=json.dumps(EVENT).encode(),
    received_at=datetime.fromtimestamp(NOW_S, UTC),
)
_MESSAGE = contract.Message(
    kind="webhook",
    message_id="evt_1",
    from_=contract.Address("ann@example.net", "Ann Ito"),
    subject="Order 7: late",
    text="Where is my order?",
    visible_text="Where is my order?",
    language="en",
    sender=contract.Identity("email", "ann@example.net"),
    headers={"order": ("7",)},
)
SCHEMES: tuple[signature.Scheme, ...] = ("intake", "standard", "stripe", "slack", "github")


class TestParses(testing.ParserContract):
    module = webhook  # type: ignore[assignment]
    options = _OPTIONS
    valid = ((_RAW, _MESSAGE),)


class TestTakes(testing.ReceiverContract):
    secrets = (SECRET, "Where is my order?")

    def body(self) -> bytes:
        return json.dumps(EVENT).encode()

    def oversize(self) -> bytes:
        return json.dumps(EVENT | {"text": "x" * 20_000}).encode()

    async def send(self, gate: testing.MemoryGate, body: bytes) -> testing.Answer:
        async with running_source(gate, max_size_bytes=10_000) as desk:
            status, _ = await post_event(desk, body)
        answers: dict[int, testing.Answer] = {2: "taken", 4: "refused", 5: "try again"}
        return answers[status // 100]


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_every_scheme_is_taken_when_it_is_signed_and_refused_otherwise(
    scheme: signature.Scheme,
) -> None:
    async with running_source(scheme=scheme) as desk:
        assert await post_event(desk, scheme=scheme, secret="battery-staple-correct") == (
            403,
            f"{webhook.FORGED}\n",
        )
        assert desk.gate.stored == []
        assert await post_event(desk, scheme=scheme) == (200, "stored as 1\n")


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_no_single_bit_of_a_signed_request_can_be_turned(scheme: signature.Scheme) -> None:
    """In the body and in each header, every bit, one at a time; what is another spelling of the same bytes is none."""
    body = b'{"text":"a"}'
    headers = signature.sign(scheme, body, SECRET, at=NOW_S, id="m1")

    def is_taken(given: dict[str, str], sent: bytes) -> bool:
        signed = signature.read(scheme, given)
        return signed is not None and signature.is_valid(signed, sent, secrets=[SECRET])

    assert is_taken(headers, body)
    for place in range(len(body) * 8):
        turned = bytearray(body)
        turned[place // 8] ^= 1 << place % 8
        assert not is_taken(headers, bytes(turned))
    for name, value in headers.items():
        if scheme == "github" and name != "X-Hub-Signature-256":
            continue
        for place in range(len(value) * 8):
            written = bytearray(value.encode())
            written[place // 8] ^= 1 << place % 8
            given = headers | {name: written.decode("latin-1")}
            assert not is_taken(given, body), (name, place)


async def test_our_own_scheme_is_that_of_posted_mails() -> None:
    body = json.dumps(EVENT).encode()
    async with running_source() as desk:
        made = webhook_signature.sign(body, [SECRET], at=NOW_S)
        assert (await desk.post("/hooks/support", body, made))[0] == 200


def test_a_known_signature_of_standard_webhooks_holds() -> None:
    """The example of the specification (standardwebhooks.com, "Signature scheme", checked 2026-11)."""
    signed = signature.read(
        "standard",
        {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        },
    )
    assert signed is not None
    assert signature.is_valid(
        signed, b'{"test": 2432232314}', secrets=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]
    )


@pytest.mark.parametrize(("late_s", "status"), [(299, 200), (-299, 200), (301, 403), (-301, 403)])
async def test_a_signature_holds_five_minutes(late_s: int, status: int) -> None:
    async with running_source() as desk:
        assert (await post_event(desk, at=NOW_S - late_s))[0] == status


async def test_a_signature_that_is_there_twice_is_none() -> None:
    body = json.dumps(EVENT).encode()
    made = signature.sign("intake", body, SECRET, at=NOW_S)["Intake-Signature"]
    async with running_source() as desk:
        headers = [("Intake-Signature", made), ("Intake-Signature", made)]
        async with desk.session.post(f"{desk.url}/hooks/support", data=body, headers=headers) as answer:
            assert answer.status == 403


NO_IDS: tuple[dict[str, Any], ...] = ({}, {"id": None}, {"id": ""}, {"id": {}}, {"id": []}, {"id": True})


@pytest.mark.parametrize("mapped", ["/id", "{/shop}-{/id}", "{/customer/email}{/none}"])
async def test_what_has_no_id_is_not_taken_for_another_that_has_none(mapped: str) -> None:
    """A text around a missing value is the same for all of them, and they are not: the second would be lost."""
    async with running_source(mapping=MAPPING | {"id": mapped}) as desk:
        for nothing in NO_IDS:
            event = {name: value for name, value in EVENT.items() if name != "id"} | {"shop": "1"} | nothing
            assert (await post_event(desk, event))[0] == 200
        assert len(desk.gate.stored) == 6


async def test_long_ids_are_told_apart_to_their_end() -> None:
    async with running_source() as desk:
        for last in ("a", "b", "a"):
            await post_event(desk, EVENT | {"id": "x" * 3_000 + last})
        assert len(desk.gate.stored) == 2


async def test_either_of_two_secrets_signs_while_one_replaces_the_other() -> None:
    old, new = SECRET, "battery-staple-correct"
    taken = {}
    for name, known in (("before", [old]), ("meanwhile", [old, new]), ("after", [new])):
        async with running_source(secrets=known) as desk:
            taken[name] = [(await post_event(desk, secret=each))[0] for each in (old, new)]
    assert taken == {"before": [200, 403], "meanwhile": [200, 200], "after": [403, 200]}


async def test_a_body_is_taken_to_its_last_byte_and_never_unpacked() -> None:
    """Exactly as large as allowed, one more; compressed, by one header or behind another; of whatever charset it says."""
    body = json.dumps(EVENT).encode()
    for size, status in ((len(body), 200), (len(body) - 1, 413)):
        async with running_source(max_size_bytes=size) as desk:
            assert (await post_event(desk, body))[0] == status
    packed = gzip.compress(body)
    made = signature.sign("intake", packed, SECRET, at=NOW_S)
    async with running_source() as desk:
        for said in (["gzip"], ["identity", "gzip"], ["GZIP, identity"], ["br"]):
            headers = [*made.items(), *(("Content-Encoding", each) for each in said)]
            async with desk.session.post(
                f"{desk.url}/hooks/support", data=packed, headers=headers, skip_auto_headers=["Content-Type"]
            ) as answer:
                assert answer.status == 415
        assert desk.gate.stored == []
        plain = {"Content-Type": "application/json; charset=klingon"}
        assert (await post_event(desk, body, headers=plain))[0] == 200


# What real sources write -> the text that is read out of it.
LOOSE = {
    b'\xef\xbb\xbf{"text": "mark"}': "mark",
    '{"text": "żółw"}'.encode("utf-16"): "żółw",
    b'{"text": "cut \\ud83d"}': "cut ?",
    '{"text": "café"}'.encode("latin-1"): "caf\ufffd",
    b'{"text": "a", "x": NaN, "y": 1e999}': "a",
}


@pytest.mark.parametrize("number", range(len(LOOSE)))
def test_what_is_nearly_json_is_read(number: int) -> None:
    body, text = list(LOOSE.items())[number]
    message = webhook.parse(msgspec.structs.replace(_RAW, body=body), _OPTIONS)
    assert (message.text, message.problems) == (text, ())


SENDERS: dict[str, tuple[str | None, str]] = {
    "Ann Ito <ann@example.net>": ("ann@example.net", "Ann Ito"), '"Ito, Ann" <Ann@Example.NET>': ("ann@example.net", "Ito, Ann"),
    "<ann@example.net>": ("ann@example.net", ""), "bob@example.net <ann@example.net>": (None, ""), "<a@b.example><c@d.example>": (None, ""),
    "ann@example.net, bob@example.net": (None, ""), "Ann": (None, ""),
}  # fmt: skip


@every_row("written", SENDERS)
def test_who_writes_is_one_address_or_a_problem_says_so(written: str) -> None:
    options = msgspec.convert(
        {"secrets": [SECRET], "mapping": {"text": "/text", "from": "/from"}}, webhook.Options
    )
    message = webhook.parse(
        msgspec.structs.replace(_RAW, body=json.dumps({"text": "x", "from": written}).encode()), options
    )
    value, name = SENDERS[written]
    assert (message.sender.value if message.sender else None) == value
    assert (message.from_.name if message.from_ else "") == name
    assert message.problems == (() if value else ("what stands at /from is no address",))


async def test_slack_hears_its_challenge_and_nobody_else_does() -> None:
    asked = {"type": "url_verification", "challenge": "3eZbrw1aB", "token": "x"}
    async with running_source(scheme="slack") as desk:
        assert await post_event(desk, asked, scheme="slack") == (200, "3eZbrw1aB")
        assert (await post_event(desk, asked, scheme="slack", secret="battery-staple-correct"))[0] == 403
        assert desk.gate.stored == []
    async with running_source() as desk:
        assert await post_event(desk, asked) == (200, "stored as 1\n")


async def test_a_recorded_request_sent_again_is_the_same_message() -> None:
    """With an id, and without one: the bytes and the instant they were signed for are known then."""
    async with running_source(mapping=MAPPING | {"id": ""}) as desk:
        for at in (NOW_S, NOW_S, NOW_S + 1):
            await post_event(desk, at=at)
        assert len(desk.gate.stored) == 2
    async with running_source() as desk:
        for at in (NOW_S, NOW_S, NOW_S + 1):
            await post_event(desk, at=at)
        assert len(desk.gate.stored) == 1


async def test_what_only_leaves_out_is_answered_and_not_kept() -> None:
    async with running_source(only={"/order/number": [7, 8], "/title": ["late"]}) as desk:
        assert await post_event(desk) == (200, "stored as 1\n")
        for changed in (
            {"order": {"number": 9}},
            {"order": {"number": "7"}},
            {"order": {"number": True}},
            {"title": "on time"},
        ):
            assert await post_event(desk, EVENT | {"id": "other"} | changed) == (200, "noted\n")
        assert len(desk.gate.stored) == 1


async def test_what_is_no_json_is_a_message_all_the_same() -> None:
    async with running_source(only={"/type": ["message"]}) as desk:
        assert (await post_event(desk, b"order 7 is late"))[0] == 200
        [raw] = desk.gate.stored
    message = webhook.parse(raw, _OPTIONS)
    assert (message.text, message.problems) == ("order 7 is late", ("it is not JSON",))


POINTERS: dict[str, Any] = {
    "/a/b": 1, "/list/0": "first", "/list/2": mapping.ABSENT, "/list/01": mapping.ABSENT, "/list/-": mapping.ABSENT, "/list/-1": mapping.ABSENT,
    "/with~1slash": 2, "/with~0tilde": 3, "/": 4, "/a/none": mapping.ABSENT, "/text/0": mapping.ABSENT, "/null": None, "/ x": 5,
}  # fmt: skip
DOCUMENT = {
    "a": {"b": 1},
    "list": ["first", "second"],
    "with/slash": 2,
    "with~tilde": 3,
    "": 4,
    "text": "abc",
    "null": None,
    " x": 5,
}


@every_row("pointer", POINTERS)
def test_a_pointer_names_a_value(pointer: str) -> None:
    """RFC 6901 §4 and §5."""
    assert mapping.value_at(DOCUMENT, pointer) == POINTERS[pointer]


TEXTS = {
    "/text": "abc", "plain": "plain", "{/text}-{/a/b}": "abc-1", "{/none}x": "", "{/none}x{/text}": "xabc", "{/null}: {/none}": "", "/list": "first\nsecond", "/a": '{"b":1}', "/null": "",
    "{/text}{/text}": "abcabc", "": "",
}  # fmt: skip


@every_row("written", TEXTS)
def test_a_text_has_values_in_it(written: str) -> None:
    assert mapping.text_at(DOCUMENT, written) == TEXTS[written]


def test_a_value_is_never_read_as_a_pointer() -> None:
    """Customer text is data: what stands in a value is not looked up in turn."""
    assert mapping.text_at({"a": "{/secret}", "secret": "s"}, "{/a}") == "{/secret}"


def test_every_pointer_ends_soon() -> None:
    for pump in ("{/" * 20_000, "{" * 50_000, "/~" * 20_000, "{/a}" * 10_000):
        mapping.text_at({"a": "b"}, pump)
        mapping.faults(pump)


def test_deep_nesting_is_no_end_of_the_daemon() -> None:
    raw = msgspec.structs.replace(_RAW, body=b"[" * 200_000)
    assert webhook.parse(raw, _OPTIONS).problems == ("it is not JSON",)


INSTANTS = {
    "2026-11-22T10:00:00Z": datetime(2026, 11, 22, 10, tzinfo=UTC), "1795000000": datetime.fromtimestamp(1_795_000_000, UTC),
    "1795000000000": datetime.fromtimestamp(1_795_000_000, UTC), "2026-11-22": None, "soon": None, "": None, "9" * 400: None, "٣": None,
}  # fmt: skip


@every_row("written", INSTANTS)
def test_an_instant_is_read_as_sources_write_it(written: str) -> None:
    options = msgspec.convert(
        {"secrets": [SECRET], "mapping": {"text": "/text", "sent_at": "/at"}}, webhook.Options
    )
    raw = msgspec.structs.replace(_RAW, body=json.dumps({"text": "x", "at": written}).encode())
    assert webhook.parse(raw, options).sent_at == INSTANTS[written]


async def test_files_that_the_source_keeps_are_named_for_the_fetcher() -> None:
    files = [
        {"url": "https://files.example/1", "name": "../a.pdf"},
        {"name": "no url"},
        "https://files.example/2",
    ]
    async with running_source(files={"at": "/files", "name": "/name"}) as desk:
        await post_event(desk, EVENT | {"files": files})
        [raw] = desk.gate.stored
    assert webhook.kept_elsewhere(raw) == {
        "url:0": "https://files.example/1",
        "url:1": "https://files.example/2",
    }
    assert [(each.name, each.part) for each in webhook.parse(raw, _OPTIONS).attachments] == [
        ("a.pdf", "url:0"),
        ("attachment-2", "url:1"),
    ]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://other.example/x",
        "file:///etc/passwd",
    ],
)
async def test_a_file_is_fetched_from_a_named_host_of_the_internet_alone(url: str) -> None:
    options = msgspec.convert(
        {"secrets": [SECRET], "mapping": MAPPING, "files": {"at": "/files", "hosts": ["files.example"]}},
        webhook.Options,
    )
    channel = webhook.Channel("support", options)
    with pytest.raises(FetchFailed) as failure:
        await channel.fetch(url)
    assert not failure.value.retryable
    await channel.close()


WRONG: tuple[tuple[dict[str, Any], str], ...] = (
    ({"secrets": []}, "nothing would be believed"),
    ({"secrets": ["short"]}, "at least 16 characters"),
    ({"secrets": ["whsec_c2hvcnQ="], "scheme": "standard"}, "at least 16 characters"),
    ({"mapping": {"text": "/a~2"}}, "is not a JSON Pointer"),
    ({"mapping": {"text": "{/a"}}, "a brace that holds no pointer"),
    ({"mapping": {"text": "{order}"}}, "a brace that holds no pointer"),
    ({"mapping": {}}, "text"),
    ({"mapping": {"text": "/a", "id": "id"}}, "is the same for every message"),
    ({"mapping": {"text": "/a", "headers": {"X Y": "/b"}}}, "cannot name a header"),
    ({"only": {"type": ["a"]}}, "is not a JSON Pointer"),
    ({"files": {"at": "files"}}, "is not a JSON Pointer"),
    ({"scheme": "none"}, "none"),
)


@every_row("number", range(len(WRONG)))
def test_what_cannot_be_meant_is_refused_when_it_is_read(number: int) -> None:
    changed, said = WRONG[number]
    with pytest.raises(msgspec.ValidationError, match=re.escape(said)):
        msgspec.convert({"secrets": [SECRET], "mapping": MAPPING} | changed, webhook.Options)


def test_check_tries_the_mapping_on_an_example() -> None:
    def said(**changed: Any) -> list[str]:
        options = msgspec.convert(
            {"secrets": [SECRET], "mapping": MAPPING, "example": EVENT} | changed, webhook.Options
        )
        return [problem.message for problem in webhook.Channel("support", options).check()]

    assert said() == []
    assert said(mapping=MAPPING | {"text": "/body"}) == ["the mapping finds no text in the example"]
    assert said(only={"/type": ["x"]}) == ["only: leaves the example out"]
    assert said(mapping=MAPPING | {"id": "{/id}-{/none}"}) == ["the mapping finds no id in the example"]
    assert said(mapping=MAPPING | {"headers": {"text": "/none"}}) == [
        "the mapping finds no header.text in the example"
    ]
    assert said(mapping=MAPPING | {"from": "/title"}) == ["from: 'late' in the example is no address"]
    assert said(mapping=MAPPING | {"id": ""}) == [
        "what the source sends a second time, after a timeout, becomes a second message"
    ]


def test_the_options_show_no_secret() -> None:
    assert SECRET not in repr(_OPTIONS)
