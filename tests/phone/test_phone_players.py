"""Calls are played as Twilio plays them: what is asked when, with which fields, and how long it takes."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from twilio.request_validator import RequestValidator

from channels.twilio.simulator import rest
from channels.twilio.simulator.calls import Switchboard
from channels.twilio.simulator.legs import APOLOGY, Leg
from channels.twilio.simulator.provider import Provider
from channels.twilio.simulator.scenario import Act, Phone
from channels.twilio.simulator.studio import Studio
from channels.twilio.simulator.texts import Mailman
from channels.twilio.simulator.webhooks import Webhooks

OWN, JAN = "+48221234567", "+48600100200"
EWA, TOMEK = "+48600000002", "+48600000003"
PUBLIC = "https://help.example.com"
Documents = dict[str, str]
Form = dict[str, str]


class Stage:
    """A desk that answers with documents that a test has written. asked: path -> forms, in order."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.documents: Documents = {}
        self.is_moody = False
        self.redirects = ""
        self.asked: list[tuple[str, Form]] = []
        self.studio: Studio
        self.board: Switchboard

    async def answer(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        url = f"{PUBLIC}{request.path_qs}"
        signed = RequestValidator(self.provider.token).validate(
            url, form, request.headers["X-Twilio-Signature"]
        )
        assert signed, "a webhook was signed wrongly"
        self.asked.append((request.path, form))
        if self.redirects:
            raise web.HTTPTemporaryRedirect(self.redirects)
        said = self.documents.get(request.path)
        if said is None:
            return web.Response(status=500)
        if self.is_moody:
            self.documents[request.path] = f"{said}<Pause/>"
        return web.Response(text=f"<Response>{said}</Response>", content_type="text/xml")

    def form(self, path: str) -> Form:
        """Give the last form that was posted there."""
        return [form for asked, form in self.asked if asked == path][-1]

    def count(self, path: str) -> int:
        return sum(asked == path for asked, _ in self.asked)

    async def call(self, *acts: Act, **documents: str) -> Leg:
        """Let jan call, and play it to its end. documents: path without its slash -> verbs."""
        self.documents |= {f"/{name}": text for name, text in documents.items()}
        leg = self.board.incoming(JAN, OWN, acts)
        await self.studio.time.play()
        return leg


Staged = Callable[[], Awaitable[Stage]]


@pytest.fixture
async def stage(provider: Provider) -> AsyncIterator[Stage]:
    async with contextlib.AsyncExitStack() as stack:
        made = Stage(provider)
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", made.answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        session = await stack.enter_async_context(aiohttp.ClientSession())
        base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        webhooks = Webhooks(provider, public_url=PUBLIC, base_url=base_url, session=session)
        made.studio = Studio(provider, webhooks)
        made.board = Switchboard(made.studio)
        provider.numbers[OWN].settings |= {
            "voice_url": f"{PUBLIC}/call",
            "status_callback": f"{PUBLIC}/status",
        }
        made.documents["/status"] = ""
        yield made


def dial(*numbers: str, attributes: str = "", noun: str = "") -> str:
    nouns = "".join(f"<Number {noun}>{each}</Number>" for each in numbers)
    return f'<Dial action="/dialed" timeout="18" {attributes}>{nouns}</Dial>'


async def test_a_call_begins_ringing_and_ends_completed(stage: Stage) -> None:
    leg = await stage.call(call="<Say>Hello</Say>")
    assert stage.form("/call")["CallStatus"] == "ringing"
    assert (stage.form("/status")["CallStatus"], leg.call.status) == ("completed", "completed")
    assert leg.persona.heard == ["Hello"]


async def test_speech_takes_as_long_as_it_would_and_nobody_waits_for_it(stage: Stage) -> None:
    leg = await stage.call(call=f"<Say>{'word ' * 60}</Say><Pause length='40'/>")
    assert 55 < leg.call.duration_s < 65


async def test_keys_are_gathered_until_there_are_enough(stage: Stage) -> None:
    await stage.call(Act(press="12345"), call='<Gather numDigits="3" action="/next"/>', next="")
    assert stage.form("/next")["Digits"] == "123"


async def test_the_finishing_key_is_not_among_the_digits(stage: Stage) -> None:
    await stage.call(Act(press="12#9"), call='<Gather action="/next"/>', next="")
    assert (stage.form("/next")["Digits"], stage.form("/next")["FinishedOnKey"]) == ("12", "#")


async def test_any_key_is_a_digit_where_no_key_finishes(stage: Stage) -> None:
    await stage.call(Act(press="#"), call='<Gather finishOnKey="" numDigits="1" action="/next"/>', next="")
    assert stage.form("/next")["Digits"] == "#"


async def test_silence_goes_on_with_the_next_verb(stage: Stage) -> None:
    leg = await stage.call(call='<Gather action="/next"/><Say>Nothing?</Say>')
    assert (stage.count("/next"), leg.persona.heard) == (0, ["Nothing?"])


async def test_silence_is_posted_where_that_is_wanted(stage: Stage) -> None:
    await stage.call(call='<Gather action="/next" actionOnEmptyResult="true"/>', next="")
    assert stage.form("/next")["Digits"] == ""


async def test_a_key_stops_what_is_said(stage: Stage) -> None:
    say = f"<Say>{'word ' * 300}</Say>"
    leg = await stage.call(
        Act(press="1", after=2), call=f'<Gather numDigits="1" action="/next">{say}</Gather>', next=""
    )
    assert leg.call.duration_s < 5


async def test_words_are_not_heard_where_only_keys_are(stage: Stage) -> None:
    await stage.call(Act(say="billing"), call='<Gather action="/next"/>')
    assert stage.count("/next") == 0


async def test_words_come_with_their_confidence(stage: Stage) -> None:
    await stage.call(
        Act(say="billing", confidence=0.4), call='<Gather input="dtmf speech" action="/next"/>', next=""
    )
    assert (stage.form("/next")["SpeechResult"], stage.form("/next")["Confidence"]) == ("billing", "0.4")


async def test_a_key_that_comes_too_late_is_silence(stage: Stage) -> None:
    await stage.call(Act(press="1", after=9), call='<Gather timeout="5" action="/next"/>')
    assert stage.count("/next") == 0


async def test_who_hangs_up_is_asked_nothing_more(stage: Stage) -> None:
    leg = await stage.call(
        Act(hang_up=True, after=1), call='<Gather action="/next"/><Redirect>/next</Redirect>'
    )
    assert (stage.count("/next"), leg.is_left) == (0, True)


async def test_a_message_is_posted_with_its_length(stage: Stage) -> None:
    verb = '<Record action="/kept" recordingStatusCallback="/told" maxLength="60"/>'
    await stage.call(Act(leave="Call me", seconds=7, finish="#"), call=verb, kept="", told="")
    assert (stage.form("/kept")["RecordingDuration"], stage.form("/kept")["Digits"]) == ("7", "#")
    assert stage.form("/told")["RecordingSid"] in stage.provider.recordings


async def test_a_message_of_nothing_asks_no_action(stage: Stage) -> None:
    leg = await stage.call(call='<Record action="/kept"/><Say>Nothing</Say>')
    assert (stage.count("/kept"), leg.persona.heard) == (0, ["Nothing"])


async def test_a_message_that_ends_by_hanging_up_is_kept(stage: Stage) -> None:
    await stage.call(
        Act(leave="Call me", hang_up=True), call='<Record action="/kept"/>', kept="<Say>Never heard</Say>"
    )
    assert (stage.form("/kept")["Digits"], stage.form("/kept")["CallStatus"]) == ("hangup", "completed")


async def test_a_message_is_written_down_some_time_later(stage: Stage) -> None:
    verb = '<Record action="/kept" transcribe="true" transcribeCallback="/words" maxLength="60"/>'
    await stage.call(Act(leave="Call me", finish="#"), call=verb, kept="", words="")
    assert (stage.form("/words")["TranscriptionText"], stage.asked[-1][0]) == ("Call me", "/words")


async def dialled(
    stage: Stage, *phones: Phone, noun: str = "", attributes: str = "", acts: tuple[Act, ...] = ()
) -> Any:
    """Let jan be put through to phones; the form of the action."""
    stage.studio.phones |= {each.number: [each] for each in phones}
    numbers = [each.number for each in phones]
    verb = dial(*numbers, attributes=attributes, noun=noun)
    await stage.call(*acts, call=verb, dialed="")
    return stage.form("/dialed")


STATUSES: dict[str, tuple[Phone, str]] = {
    "nobody answers": (Phone(number=EWA), "no-answer"),
    "it is busy": (Phone(number=EWA, busy=True), "busy"),
    "it is declined": (Phone(number=EWA, declines=3), "busy"),
    "it is off": (Phone(number=EWA, unreachable=True), "failed"),
    "somebody answers": (Phone(number=EWA, answers=3), "completed"),
    "somebody answers too late": (Phone(number=EWA, answers=40), "no-answer"),
}


@pytest.mark.parametrize("what", STATUSES)
async def test_the_action_says_how_it_ended_when(stage: Stage, what: str) -> None:
    phone, status = STATUSES[what]
    told = await dialled(stage, phone)
    assert (told["DialCallStatus"], told["DialBridged"]) == (status, str(status == "completed").lower())


async def test_ringing_takes_its_time_and_no_longer(stage: Stage) -> None:
    await dialled(stage, Phone(number=EWA))
    assert 17 < stage.studio.time.now_s < 20


async def test_a_talk_ends_at_its_limit(stage: Stage) -> None:
    told = await dialled(stage, Phone(number=EWA, answers=1, talks=500), attributes='timeLimit="60"')
    assert told["DialCallDuration"] == "60"


async def test_the_caller_who_leaves_ends_the_ringing(stage: Stage) -> None:
    told = await dialled(stage, Phone(number=EWA, answers=10), acts=(Act(hang_up=True, after=4),))
    assert (told["DialCallStatus"], told["CallStatus"]) == ("canceled", "completed")
    child = next(each for each in stage.provider.calls.values() if each.direction == "outbound-dial")
    assert child.status == "no-answer"


async def test_the_first_who_answers_stops_the_others(stage: Stage) -> None:
    stage.documents["/leg"] = ""
    told = await dialled(
        stage,
        Phone(number=EWA, answers=3),
        Phone(number=TOMEK, answers=6),
        noun='statusCallback="/leg" statusCallbackEvent="answered completed"',
    )
    legs = [(form["To"], form["CallStatus"]) for path, form in stage.asked if path == "/leg"]
    assert told["DialBridged"] == "true"
    assert sorted(legs) == [(EWA, "completed"), (EWA, "in-progress"), (TOMEK, "no-answer")]


WHISPER = '<Gather numDigits="1" action="/pressed"><Say>Press 1</Say></Gather><Hangup/>'


async def test_who_does_not_press_is_not_connected(stage: Stage) -> None:
    stage.documents |= {"/whisper": WHISPER, "/pressed": "<Hangup/>"}
    told = await dialled(stage, Phone(number=EWA, answers=3, presses="2"), noun='url="/whisper"')
    assert (told["DialBridged"], told["DialCallStatus"]) == ("false", "no-answer")


async def test_who_presses_is_connected_when_the_document_ends(stage: Stage) -> None:
    stage.documents |= {"/whisper": WHISPER, "/pressed": ""}
    told = await dialled(stage, Phone(number=EWA, answers=3, presses="1"), noun='url="/whisper"')
    assert told["DialBridged"] == "true"
    assert (stage.form("/pressed")["Digits"], stage.form("/pressed")["Direction"]) == ("1", "outbound-dial")


@pytest.mark.parametrize(("pick", "connected"), [("answer", "false"), ("bridge", "true")])
async def test_both_readings_of_the_first_to_pick_up_are_played(
    stage: Stage, pick: Any, connected: str
) -> None:
    """One answers first and declines; whether the other still gets the call is what Twilio leaves open."""
    stage.studio.pick = pick
    stage.documents |= {"/whisper": WHISPER, "/pressed": ""}
    first = Phone(number=EWA, answers=3, hangs_up=1)
    told = await dialled(stage, first, Phone(number=TOMEK, answers=6, presses="1"), noun='url="/whisper"')
    assert told["DialBridged"] == connected


async def test_a_talk_is_recorded_where_it_is_asked_for(stage: Stage) -> None:
    stage.documents["/told"] = ""
    attributes = 'record="record-from-answer-dual" recordingStatusCallback="/told"'
    await dialled(stage, Phone(number=EWA, answers=3, talks=20), attributes=attributes)
    assert (stage.form("/told")["RecordingChannels"], stage.form("/told")["RecordingDuration"]) == ("2", "20")


async def test_a_fault_of_ours_is_heard_as_twilios_apology(stage: Stage) -> None:
    leg = await stage.call()
    assert leg.persona.heard == [APOLOGY]
    assert stage.studio.webhooks.errors == ["/call: HTTP 500 (11200)"]


async def test_the_fallback_is_asked_when_we_fail(stage: Stage) -> None:
    stage.provider.numbers[OWN].settings["voice_fallback_url"] = f"{PUBLIC}/fallback"
    leg = await stage.call(fallback="<Say>Please leave a message</Say>")
    assert leg.persona.heard == ["Please leave a message"]
    assert stage.form("/fallback")["ErrorCode"] == "11200"


async def test_wrong_twiml_is_an_error_for_the_caller(stage: Stage) -> None:
    leg = await stage.call(call="<Shout>Hello</Shout>")
    assert leg.persona.heard == [APOLOGY]


@pytest.mark.slow
async def test_a_call_that_goes_round_in_circles_is_ended(stage: Stage) -> None:
    await stage.call(call="<Redirect>/call</Redirect>")
    assert stage.count("/call") == 200


async def test_somebody_in_a_queue_leaves_it_when_the_document_says_so(stage: Stage) -> None:
    await stage.call(
        call='<Enqueue waitUrl="/wait" action="/left">support</Enqueue>',
        wait="<Say>Soon</Say><Leave/>",
        left="",
    )
    assert (stage.form("/left")["QueueResult"], stage.form("/wait")["QueuePosition"]) == ("leave", "1")


async def test_callbacks_may_come_late(stage: Stage) -> None:
    stage.studio.callbacks = "late"
    await stage.call(call="<Hangup/>")
    assert stage.studio.time.now_s == 30


async def ask(stage: Stage, path: str, fields: dict[str, str]) -> int:
    """Ask the REST API of the same provider."""
    provider = stage.provider
    headers = {"Authorization": aiohttp.encode_basic_auth(provider.account, provider.token)}
    async with rest.serving(provider) as url, aiohttp.ClientSession() as session:
        where = f"{url}/2010-04-01/Accounts/{provider.account}/{path}"
        async with session.post(where, data=fields, headers=headers) as answer:
            return answer.status


async def test_a_call_that_we_ask_for_rings_and_says_what_we_say(stage: Stage) -> None:
    stage.studio.phones[JAN] = [Phone(number=JAN, answers=4, presses="1")]
    stage.documents |= {
        "/out": '<Gather numDigits="1" action="/took"><Say>Press 1</Say></Gather>',
        "/took": "",
        "/how": "",
    }
    fields = {"To": JAN, "From": OWN, "Url": f"{PUBLIC}/out", "StatusCallback": f"{PUBLIC}/how"}
    assert await ask(stage, "Calls.json", fields) == 201
    await stage.studio.time.play()
    assert (stage.form("/took")["Digits"], stage.form("/how")["CallStatus"]) == ("1", "completed")


async def test_a_call_that_we_ask_for_and_nobody_answers_is_reported(stage: Stage) -> None:
    stage.documents["/how"] = ""
    fields = {
        "To": JAN,
        "From": OWN,
        "Url": f"{PUBLIC}/out",
        "StatusCallback": f"{PUBLIC}/how",
        "Timeout": "20",
    }
    await ask(stage, "Calls.json", fields)
    await stage.studio.time.play()
    assert (stage.form("/how")["CallStatus"], stage.count("/out")) == ("no-answer", 0)


async def test_a_call_under_way_is_ended_by_a_request(stage: Stage) -> None:
    stage.documents |= {"/call": "<Pause length='600'/>"}
    leg = stage.board.incoming(JAN, OWN)
    await stage.studio.time.play(until_s=30)
    assert await ask(stage, f"Calls/{leg.call.sid}.json", {"Status": "completed"}) == 200
    await stage.studio.time.play()
    assert (leg.call.status, leg.call.duration_s < 40) == ("completed", True)


async def test_a_call_under_way_goes_on_with_other_instructions(stage: Stage) -> None:
    stage.documents |= {"/call": "<Pause length='600'/>"}
    leg = stage.board.incoming(JAN, OWN)
    await stage.studio.time.play(until_s=30)
    await ask(stage, f"Calls/{leg.call.sid}.json", {"Twiml": "<Response><Say>Changed</Say></Response>"})
    await stage.studio.time.play()
    assert leg.persona.heard == ["Changed"]


async def test_a_text_that_fails_is_tried_again_as_often_as_the_url_says_then_the_fallback_is(
    stage: Stage,
) -> None:
    own = {"sms_url": f"{PUBLIC}/broken#rc=2&rp=5xx,ct", "sms_fallback_url": f"{PUBLIC}/spare"}
    stage.provider.numbers[OWN].settings |= own
    stage.documents["/spare"] = ""
    await Mailman(stage.studio).bring(stage.provider.receive(JAN, OWN, "Hello"))
    assert [path for path, _ in stage.asked] == ["/broken", "/broken", "/broken", "/spare"]


async def test_webhooks_that_are_answered_in_two_ways_are_noticed(stage: Stage) -> None:
    stage.studio.webhooks.is_doubled = True
    stage.documents["/call"] = ""
    stage.is_moody = True
    await stage.call()
    assert "/call: the same webhook was answered in two ways" in stage.studio.webhooks.errors


NOT_PLAYED = {  # a document -> what is said of it
    "<Dial><Conference>room</Conference></Dial>": "<Conference> in <Dial> is not played here",
    "<Dial><Sip>sip:ewa@example.com</Sip></Dial>": "<Sip> in <Dial> is not played here",
    "<Connect><Stream url='wss://example.com'/></Connect>": "<Connect> is not played here",
}


async def test_what_is_not_played_is_said_and_ends_the_call(stage: Stage) -> None:
    for document, said in NOT_PLAYED.items():
        leg = await stage.call(call=f"{document}<Say>Are you still there?</Say>")
        assert leg.persona.heard == [], document
        assert said in stage.studio.webhooks.errors.pop(), document
    assert stage.studio.rang == []


async def test_a_redirect_of_the_web_is_no_document(stage: Stage) -> None:
    stage.redirects = "/elsewhere"
    leg = await stage.call(elsewhere="<Say>Hello.</Say>")
    assert leg.persona.heard == [APOLOGY]
    assert "HTTP 307" in stage.studio.webhooks.errors.pop()
