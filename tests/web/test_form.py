"""A web form: what is sent with it is kept whole, told in the page when it is not, and never taken twice."""

import hashlib
import os
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from channels import contract, form, testing
from channels.email.message import attachment_bytes
from channels.form import multipart, page, settings, submission, words
from channels.form.pace import Pace, network_of
from tests.rows import every_row
from tests.web.forms import BOUNDARY, FILLED, NOW_S, running_form, value_in
from tests.web.forms import multipart as written

HTML = {"Accept": "text/html"}
_AT = datetime.fromtimestamp(NOW_S, UTC)
_BODY = submission.kept(
    f"multipart/form-data; boundary={BOUNDARY}", written(FILLED, ("a.pdf", "application/pdf", b"%PDF"))
)
_RAW = contract.RawMessage(
    kind="form",
    account="support",
    lane="ann@example.net",
    body=_BODY,
    received_at=_AT,
    envelope={"language": "en"},
)
_MESSAGE = contract.Message(
    kind="form",
    from_=contract.Address("Ann@example.net", "Ann Ito"),
    subject="Order",
    text="Where is my order?",
    visible_text="Where is my order?",
    language="en",
    attachments=(
        contract.Attachment(
            "a.pdf", "application/pdf", 4, hashlib.sha256(b"%PDF").hexdigest(), inline=False, part="5"
        ),
    ),
    sender=contract.Identity("email", "ann@example.net"),
)


class TestParses(testing.ParserContract):
    module = form  # type: ignore[assignment]
    options = form.Options()
    valid = ((_RAW, _MESSAGE),)


class TestTakes(testing.ReceiverContract):
    secrets = ("Where is my order?", "Ann Ito")  # a customer's words are as secret as any

    def body(self) -> bytes:
        return written(FILLED | {"form": "a" * 22})

    def oversize(self) -> bytes:
        return written(FILLED, ("a.bin", "application/octet-stream", b"x" * 600_000))

    async def send(self, gate: testing.MemoryGate, body: bytes) -> testing.Answer:
        async with running_form(gate, max_size_bytes=10_000) as served:
            status, _, _ = await served.post(body)
        answers: dict[int, testing.Answer] = {3: "taken", 4: "refused", 5: "try again"}
        return answers[status // 100]


FILES = (
    b"", b"a", b"a\r\n", b"\r\n\r\n", b"line\nline\n", b"\n", b"x\r", b"\x00\x01", b"--other\r\n", b"--\r\n", "żółć".encode(),
    b"From: x\r\nSubject: y\r\n\r\nbody", os.urandom(4_000), b"<svg onload=alert(1)>",
)  # fmt: skip
KINDS = (
    "application/octet-stream", "text/plain", "text/html", "message/rfc822", "multipart/related; boundary=q", "image/svg+xml",
    "text/plain; charset=utf-16", "application/ms-tnef", "", "nonsense", "multipart/mixed",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_read_out_of_what_was_sent_byte_for_byte(kind: str) -> None:
    """The desk reads attachments out of raw messages by their part; a browser's form is read as well as a mail."""
    for content in FILES:
        raw = submission.kept(
            f"multipart/form-data; boundary={BOUNDARY}", written({"message": "hi"}, ("ż.bin", kind, content))
        )
        [file] = submission.read(raw).files
        described = submission.attachment(file, 1)
        assert (file.content, described.part, described.name) == (content, "2", "ż.bin")
        assert attachment_bytes(raw, described.part) == content


def test_an_older_browser_sends_pairs() -> None:
    raw = submission.kept(multipart.FORM, b"name=Ann&message=Hello+%C5%BC%0D%0Athere&email=a%40b.example")
    assert submission.read(raw).fields == {"name": "Ann", "message": "Hello ż\nthere", "email": "a@b.example"}


def test_an_empty_file_input_is_no_file() -> None:
    raw = submission.kept(
        f"multipart/form-data; boundary={BOUNDARY}", written(FILLED, ("", "application/octet-stream", b""))
    )
    assert submission.read(raw).files == ()


ADDRESSES = {
    "ann@example.net": "ann@example.net", " Ann@Example.NET ": "Ann@example.net", "a.b+c@x-y.example": "a.b+c@x-y.example",
    "ann": None, "ann@": None, "@example.net": None, "ann@example": None, "a b@example.net": None, "a@b@example.net": None,
    "a@example.net,b@example.net": None, "a@example.net\nBcc: c@example.net": None, "<a@example.net>": None,
    '"a"@example.net': None, "a@.net": None, "a@example..net": None, f"{'a' * 300}@example.net": None, "żółw@example.net": "żółw@example.net",
}  # fmt: skip


@every_row("given", ADDRESSES)
def test_an_address_is_one_mailbox_or_none(given: str) -> None:
    assert submission.mailbox(given) == ADDRESSES[given]


async def test_the_page_says_its_language_and_has_a_label_for_every_field() -> None:
    async with running_form() as served:
        status, html, headers = await served.get("?lang=pl")
        assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert '<html lang="pl" dir="ltr">' in html
        for name in ("name", "email", "subject", "message", "files"):
            assert f'<label for="{name}">' in html
            assert f'id="{name}"' in html
        assert "<script" not in html
        assert "style=" not in html


async def test_a_page_from_right_to_left_keeps_the_sentences_that_are_not() -> None:
    """What it has no word for is English: without a direction of its own its full stop stands before it."""
    own: dict[str, Any] = {"languages": ["ar"], "words": {"send": {"ar": "إرسال"}}}
    async with running_form(**own) as served:
        _, html, _ = await served.fill(email="")
    assert 'lang="ar" dir="rtl"' in html
    assert html.count("<bdi>Email address: please fill this in.</bdi>") == 2


async def test_the_browsers_language_counts_where_the_link_names_none() -> None:
    async with running_form() as served:
        for accepted, language in (
            ("el-GR,el;q=0.9,en;q=0.8", "el"),
            ("xx", "en"),
            ("en;q=0.1,de;q=0.9", "de"),
            ("", "en"),
        ):
            _, html, _ = await served.get(**{"Accept-Language": accepted})
            assert f'lang="{language}"' in html


async def test_what_is_sent_is_stored_as_it_came_and_thanked_for() -> None:
    async with running_form() as served:
        status, _, headers = await served.fill(("a.pdf", "application/pdf", b"%PDF"), language="pl")
        assert (status, headers["Location"]) == (303, "/form/support?sent&lang=pl")
        [raw] = served.gate.stored
        assert (raw.kind, raw.account, raw.lane) == ("form", "support", "ann@example.net")
        assert raw.envelope == {"sender": "Ann@example.net", "language": "pl"}
        assert form.parse(raw, form.Options()).text == "Where is my order?"
        _, html, _ = await served.get("?sent&lang=pl")
        assert 'role="status"' in html


async def test_a_double_click_is_one_message_and_a_second_thought_another() -> None:
    async with running_form() as served:
        _, html, _ = await served.get()
        page_id = value_in(html, "form")
        for message in ("first", "first", "second"):
            assert (await served.fill(message=message, form=page_id))[0] == 303
        assert [form.parse(raw, form.Options()).text for raw in served.gate.stored] == ["first", "second"]


async def test_two_pages_may_send_the_same_words() -> None:
    async with running_form() as served:
        for _ in range(2):
            _, html, _ = await served.get()
            assert (await served.fill(form=value_in(html, "form")))[0] == 303
        assert len(served.gate.stored) == 2


async def test_a_form_of_another_page_sends_the_same_words_once_a_day() -> None:
    async with running_form() as served:
        assert [(await served.fill())[0] for _ in range(2)] == [303, 303]
        assert len(served.gate.stored) == 1


ORIGINS = {
    None: 403, "null": 403, "": 403, "https://evil.example": 403, "https://shop.example": 303, "http://shop.example": 403,
    "https://shop.example.evil.example": 403, "https://evil.shop.example": 403, "https://shop.example:444": 403,
    "https://shop.example/": 403, "https://SHOP.example": 403, "https://shop.example, https://evil.example": 403,
    "file://": 403, "https://example": 403, "own": 303, "data:": 403,
}  # fmt: skip


@pytest.mark.parametrize("origin", ORIGINS)
async def test_only_pages_that_are_named_may_post(origin: str | None) -> None:
    async with running_form(origins=["https://shop.example"]) as served:
        sent = served.origin if origin == "own" else origin
        status, _, _ = await served.post(written(FILLED), Origin=sent)
        assert status == ORIGINS[origin]
        assert len(served.gate.stored) == (status == 303)


async def test_a_field_that_nobody_sees_stops_machines_and_is_shown_to_people() -> None:
    async with running_form() as served:
        status, html, _ = await served.fill(website="https://spam.example")
        assert (status, served.gate.stored) == (422, [])
        assert 'class="shown"' in html
        assert "Where is my order?" in html


FAULTS: dict[str, tuple[dict[str, str], str]] = {
    "no message": ({"message": "  "}, "Your message: please fill this in."),
    "no address": ({"email": ""}, "Email address: please fill this in."),
    "an address that is none": ({"email": "ann"}, "Email address: please write it like name@example.com."),
    "a message that is too long": (
        {"message": "x" * 20_001},
        "Your message: please use at most 20000 characters.",
    ),
    "an order that is missing": ({"order": ""}, "Order number: please fill this in."),
    "a choice of nobody's": ({"about": "other"}, "About: please choose one of the list."),
    "no tick": ({"consent": ""}, "I agree: please tick this to send the message."),
    "a tick for an older text": ({"consent": "2025"}, "I agree: please tick this to send the message."),
}
OWN: dict[str, Any] = {
    "fields": {
        "order": {"label": {"en": "Order number", "de": "Bestellnummer"}, "required": True},
        "about": {
            "label": "About",
            "kind": "choice",
            "choices": {"bill": "A bill", "else": "Something else"},
        },
    },
    "consent": {"text": "I agree", "version": "2026"},
}
ANSWERED = {"order": "A-7", "about": "bill", "consent": "2026"}


@pytest.mark.parametrize("what", FAULTS)
async def test_what_is_wrong_is_said_at_the_top_and_at_its_field_and_nothing_is_lost(what: str) -> None:
    changed, sentence = FAULTS[what]
    async with running_form(**OWN) as served:
        status, html, _ = await served.fill(**(ANSWERED | {"name": "Zoë <b>"} | changed))
        assert (status, served.gate.stored) == (422, [])
        assert html.count(sentence) == 2
        assert "Zoë &lt;b&gt;" in html
        assert 'aria-invalid="true"' in html


async def test_own_fields_are_read_by_agents_and_by_rules() -> None:
    async with running_form(**OWN) as served:
        assert (await served.fill(**ANSWERED, phone="+48 22 123 45 67"))[0] == 303
        [raw] = served.gate.stored
    message = form.parse(raw, msgspec.convert(OWN, form.Options))
    assert message.text.splitlines() == [
        "Where is my order?",
        "",
        "Phone number: +48 22 123 45 67",
        "Order number: A-7",
        "About: A bill",
    ]
    assert message.headers == {
        "order": ("A-7",),
        "about": ("bill",),
        "phone": ("+48 22 123 45 67",),
        "consent": ("2026",),
    }


def test_a_phone_number_beside_an_address_is_not_taken_for_the_senders() -> None:
    """Whoever writes somebody else's address would make their own phone that customer's."""
    raw = submission.kept(
        f"multipart/form-data; boundary={BOUNDARY}", written(FILLED | {"phone": "+48221234567"})
    )
    message = form.parse(msgspec.structs.replace(_RAW, body=raw), form.Options())
    assert (message.sender, message.also) == (contract.Identity("email", "ann@example.net"), ())
    assert not message.trust.verified_sender


async def test_so_many_an_hour_come_from_one_network_and_the_text_stays() -> None:
    async with running_form(limits={"per_network_hour": 2}) as served:
        statuses = [(await served.fill(message=f"number {number}"))[0] for number in range(2)]
        status, html, headers = await served.fill(message="number 3")
        assert (statuses, status, len(served.gate.stored)) == ([303, 303], 429, 2)
        assert int(headers["Retry-After"]) > 3_000
        assert "number 3" in html


async def test_what_is_too_large_keeps_its_text_in_its_language() -> None:
    """The files are refused, by their size or by their number, and not what was written above them."""
    small = [(f"{number}.txt", "text/plain", b"x") for number in range(101)]
    async with running_form(max_size_bytes=10_000) as served:
        _, html, _ = await served.get("?lang=pl")
        page_id = value_in(html, "form")
        for files in ([("a.bin", "application/octet-stream", b"x" * 900_000)], small):
            status, html, _ = await served.fill(*files, form=page_id, language="pl", message="Gdzie jest?")
            assert (status, served.gate.stored) == (413, [])
            assert ('lang="pl"' in html, "Gdzie jest?" in html, value_in(html, "form")) == (
                True,
                True,
                page_id,
            )
            assert words.WORDS["pl"]["files_again"] in html


async def test_what_was_chosen_is_to_be_chosen_again_wherever_the_page_comes_back() -> None:
    """Else somebody sends their words once more, and believes that the file has gone along."""
    note, file = words.WORDS["en"]["files_again"], ("a.pdf", "application/pdf", b"%PDF")
    gate = testing.MemoryGate()
    async with running_form(gate, limits={"per_network_hour": 1}) as served:
        gate.fault = "unavailable"
        assert note in (await served.fill(file))[1]
        gate.fault = None
        assert (await served.fill(file))[0] == 303
        status, html, _ = await served.fill(file, message="more")
        assert (status, note in html) == (429, True)
        assert note not in (await served.fill(message="more"))[1]


PAGES = {
    "https://shop.example/help?x=1": "https://shop.example/help?x=1", "https://shop.example/": "https://shop.example/",
    "": None, "javascript:alert(1)": None, "own": None, "nonsense": None,
}  # fmt: skip


@pytest.mark.parametrize("where", PAGES)
async def test_rules_hear_where_the_link_was(where: str) -> None:
    """The page carries it: what a browser sends along with the form is the page's own address."""
    async with running_form() as served:
        _, html, _ = await served.get(Referer=served.url if where == "own" else where)
        carried = {"page": value_in(html, "page")} if 'name="page"' in html else {}
        await served.post(written(FILLED | carried), Referer=served.url)
        [raw] = served.gate.stored
    found = form.parse(raw, form.Options()).headers.get("page")
    assert found == (None if PAGES[where] is None else (PAGES[where],))


async def test_a_fault_of_ours_counts_for_nobody_and_the_text_stays() -> None:
    gate = testing.MemoryGate()
    async with running_form(gate, limits={"per_network_hour": 1}) as served:
        for gate.fault in ("unavailable", "crash"):
            status, html, headers = await served.fill()
            assert (status, headers["Retry-After"]) == (503, "61")
            assert "Where is my order?" in html
        gate.fault = None
        assert (await served.fill())[0] == 303


async def test_the_page_that_is_shown_again_sends_the_same_message() -> None:
    """Where a commit's answer was lost, the second try is known."""
    gate = testing.MemoryGate()
    async with running_form(gate) as served:
        _, html, _ = await served.get()
        page_id = value_in(html, "form")
        gate.fault = "unavailable"
        _, html, _ = await served.fill(form=page_id)
        assert value_in(html, "form") == page_id


def test_a_network_is_an_address_or_a_subscribers_part_of_the_new_ones() -> None:
    same = {network_of(each) for each in ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9")}
    assert len(same) == 1
    assert len({network_of(each) for each in ("192.0.2.1", "192.0.2.2", "::ffff:192.0.2.1", None)}) == 3
    assert network_of("2001:db8:1:2::/64") == network_of("2001:db8:1:2::7")


def test_the_pace_forgets_and_is_bounded() -> None:
    now = [0.0]
    pace = Pace(settings.Limits(per_network_hour=1, per_minute=1_000_000), clock=lambda: now[0])
    for number in range(10_500):
        pace.count(f"10.{number // 65_536}.{number // 256 % 256}.{number % 256}")
    assert len(pace._networks) == 10_000
    assert pace.wait_s("10.0.41.3") == 3_600
    now[0] = 3_600
    assert pace.wait_s("10.0.41.3") == 0


@every_row("language", words.LANGUAGES)
def test_every_language_says_every_word_with_its_places(language: str) -> None:
    english, said = words.WORDS["en"], words.WORDS[language]
    assert said.keys() == english.keys()
    for name, text in said.items():
        assert {each for each in ("{field}", "{count}", "{size}") if each in text} == {
            each for each in ("{field}", "{count}", "{size}") if each in english[name]
        }, name
        assert bool(text) == bool(english[name])
        assert "!" not in text


WRONG: tuple[dict[str, Any], ...] = (
    {"fields": {"email": {"label": "x"}}}, {"fields": {"Order": {"label": "x"}}}, {"fields": {"a": {"label": "x", "kind": "choice"}}},
    {"languages": ["english"]}, {"languages": []}, {"words": {"titel": "x"}}, {"origins": ["shop.example"]}, {"origins": ["https://shop.example/"]},
    {"thanks_url": "javascript:alert(1)"}, {"max_size_bytes": 20_000, "max_bytes_in_flight": 10_000}, {"unknown": 1},
)  # fmt: skip


@every_row("number", range(len(WRONG)))
def test_what_cannot_be_meant_is_refused_when_it_is_read(number: int) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(WRONG[number], form.Options)


def test_a_form_that_leads_nowhere_is_told_by_check() -> None:
    options = msgspec.convert({"ask": {"email": "no"}}, form.Options)
    [problem] = form.Channel("support", options).check()
    assert "nobody who uses this form can be answered" in problem.message


def test_whatever_was_written_stays_words_in_the_page() -> None:
    payload = "\"><script>alert(1)</script></textarea><img src=x onerror=alert(1)>'"
    options = msgspec.convert(OWN, form.Options)
    look = page.Look(path="/form/x", language='en"><script>', options=options, form_id=payload)
    names = ("name", "email", "subject", "message", "order", "about", "website")
    html = page.form(look, submission.Submission(dict.fromkeys(names, payload)))
    assert "<script" not in html
    assert "<img" not in html
    assert html.count("</textarea>") == 1
