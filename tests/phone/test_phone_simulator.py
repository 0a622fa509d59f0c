"""The played REST API takes what Twilio takes, and refuses what Twilio refuses."""

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from channels.twilio.simulator.provider import Provider

OWN = "+48221234567"
JAN = "+48600100200"
WHATSAPP = {"From": f"whatsapp:{OWN}", "To": f"whatsapp:{JAN}"}
TEXT = {"From": OWN, "To": JAN, "Body": "Hello"}
CALL = {"From": OWN, "To": JAN, "Url": "https://help.example.com/hooks/phone/call"}
ROOT = "/2010-04-01/Accounts"


class Api:
    """A client of the played API, with the right password unless told otherwise."""

    def __init__(self, provider: Provider, url: str, session: aiohttp.ClientSession) -> None:
        self.provider, self.url, self._session = provider, url, session
        self.password: str | None = provider.token

    async def ask(self, method: str, path: str, fields: Any = None) -> tuple[int, Any]:
        where = path if path.startswith("/2010") else f"{ROOT}/{self.provider.account}{path}"
        headers = (
            {}
            if self.password is None
            else {"Authorization": aiohttp.encode_basic_auth(self.provider.account, self.password)}
        )
        given = {"params" if method == "GET" else "data": fields}
        async with self._session.request(method, self.url + where, headers=headers, **given) as answer:
            body = await answer.read()
            is_json = answer.content_type == "application/json"
            return answer.status, json.loads(body) if is_json else body

    async def post(self, path: str, fields: Any) -> tuple[int, Any]:
        return await self.ask("POST", path, fields)


@pytest.fixture
async def api(provider: Provider, api_url: str) -> AsyncIterator[Api]:
    async with aiohttp.ClientSession() as session:
        yield Api(provider, api_url, session)


async def test_a_text_is_taken_and_said_to_be_queued(api: Api) -> None:
    status, body = await api.post("/Messages.json", TEXT)
    assert (status, body["status"], body["direction"]) == (201, "queued", "outbound-api")
    assert [each.body for each in api.provider.sent] == ["Hello"]


REFUSED_TEXTS: dict[str, tuple[dict[str, str], int]] = {
    "an unknown parameter": ({**TEXT, "Text": "x"}, 20001),
    "no recipient": ({"From": OWN, "Body": "x"}, 21604),
    "no sender": ({"To": JAN, "Body": "x"}, 21603),
    "no words": ({"From": OWN, "To": JAN}, 21602),
    "empty words": ({**TEXT, "Body": ""}, 21602),
    "too many words": ({**TEXT, "Body": "x" * 1601}, 21617),
    "a recipient that is no number": ({**TEXT, "To": "12"}, 21211),
    "a recipient with blanks": ({**TEXT, "To": "+48 600 100 200"}, 21211),
    "a sender that is no number": ({**TEXT, "From": "Shop"}, 21212),
    "a sender of somebody else": ({**TEXT, "From": "+48221111111"}, 21659),
    "itself": ({**TEXT, "To": OWN}, 21266),
    "two channels": ({**TEXT, "To": f"whatsapp:{JAN}"}, 21910),
    "a sender that is not on WhatsApp": ({**WHATSAPP, "From": "whatsapp:+48221111111", "Body": "x"}, 63007),
    "an unknown template": ({**WHATSAPP, "ContentSid": "HX1"}, 21655),
    "a bad callback": ({**TEXT, "StatusCallback": "/hooks"}, 21609),
    "a callback's host with an underscore": ({**TEXT, "StatusCallback": "https://a_b.example.com/"}, 21609),
    "a bad file": ({**TEXT, "MediaUrl": "file.png"}, 21620),
    "an unknown service": ({"To": JAN, "Body": "x", "MessagingServiceSid": "MG1"}, 21701),
    "values without a template": ({**TEXT, "ContentVariables": "{}"}, 21656),
}


@pytest.mark.parametrize("what", REFUSED_TEXTS)
async def test_a_text_with_this_is_refused(api: Api, what: str) -> None:
    fields, code = REFUSED_TEXTS[what]
    status, body = await api.post("/Messages.json", fields)
    assert body["code"] == code
    assert body["status"] == status >= 400
    assert body["more_info"] == f"https://www.twilio.com/docs/errors/{code}"
    assert api.provider.sent == []


REFUSED_CALLS: dict[str, tuple[dict[str, str], int]] = {
    "an unknown parameter": ({**CALL, "Uri": "x"}, 20001),
    "nobody to call": ({"From": OWN, "Url": CALL["Url"]}, 21201),
    "no number of ours": ({"To": JAN, "Url": CALL["Url"]}, 21213),
    "no instructions": ({"From": OWN, "To": JAN}, 21205),
    "instructions that are no URL": ({**CALL, "Url": "hooks/call"}, 21205),
    "a number of somebody else": ({**CALL, "From": "+48221111111"}, 21210),
    "a recipient that is no number": ({**CALL, "To": "+0"}, 21211),
    "an unknown event": ({**CALL, "StatusCallbackEvent": "rang"}, 21710),
    "a time limit that is none": ({**CALL, "TimeLimit": "long"}, 21710),
    "a method that is none": ({**CALL, "Method": "PUT"}, 21710),
    "a record that is no yes or no": ({**CALL, "Record": "yes"}, 21710),
    "TwiML that is none": ({"From": OWN, "To": JAN, "Twiml": "<Response><Shout/></Response>"}, 21710),
    "a machine detection of another name": ({**CALL, "MachineDetection": "On"}, 21710),
}


@pytest.mark.parametrize("what", REFUSED_CALLS)
async def test_a_call_with_this_is_refused(api: Api, what: str) -> None:
    fields, code = REFUSED_CALLS[what]
    status, body = await api.post("/Calls.json", fields)
    assert (status, body["code"]) == (400, code)
    assert api.provider.called == []


async def test_a_wrong_password_is_refused(api: Api) -> None:
    api.password = "wrong"
    assert (await api.post("/Messages.json", TEXT))[1]["code"] == 20003


async def test_no_password_is_refused(api: Api) -> None:
    api.password = None
    assert (await api.post("/Messages.json", TEXT))[0] == 401


async def test_another_account_is_not_found(api: Api) -> None:
    status, body = await api.post(f"{ROOT}/AC{'0' * 32}/Messages.json", TEXT)
    assert (status, body["code"]) == (404, 20404)


async def test_a_wrong_sid_is_not_found(api: Api) -> None:
    for path in ("/Messages/SM1.json", "/Calls/CA1.json", "/Recordings/RE1.json", "/Nothing.json"):
        assert (await api.ask("GET", path))[1]["code"] == 20404


async def test_who_opted_out_gets_nothing(api: Api) -> None:
    api.provider.opted_out.add((OWN, JAN))
    assert (await api.post("/Messages.json", TEXT))[1]["code"] == 21610


WORDS = {  # what jan writes -> whether texts to them are refused afterwards
    "STOP": True, "stop ": True, "Revoke": True, "OPTOUT": True, "Stop it": False, "STOP.": False, "arrêt": False,
}  # fmt: skip


async def test_a_word_that_twilio_knows_closes_the_number_and_another_opens_it(api: Api) -> None:
    for word, is_closed in WORDS.items():
        api.provider.receive(JAN, OWN, word)
        status, body = await api.post("/Messages.json", TEXT)
        assert (status, body.get("code")) == ((400, 21610) if is_closed else (201, None)), word
        api.provider.receive(JAN, OWN, "Start")
        assert (await api.post("/Messages.json", TEXT))[0] == 201


async def test_stop_on_whatsapp_closes_nothing_at_twilio(api: Api) -> None:
    api.provider.receive(WHATSAPP["To"], WHATSAPP["From"], "STOP")
    assert (await api.post("/Messages.json", {**WHATSAPP, "Body": "Good-bye"}))[0] == 201
    assert api.provider.opted_out == set()


async def test_what_comes_twice_is_refused(api: Api) -> None:
    status, body = await api.post("/Messages.json", [*TEXT.items(), ("Body", "again")])
    assert (status, body["code"]) == (400, 21710)


async def test_a_call_under_way_is_not_sent_to_what_is_no_address(api: Api) -> None:
    _, made = await api.post("/Calls.json", CALL)
    for wrong in ({"Url": "help.example.com"}, {"Twiml": "<Hangup/>"}, {"Status": "done"}, {"Method": "PUT"}):
        status, _ = await api.post(f"/Calls/{made['sid']}.json", wrong)
        assert status == 400, wrong


async def test_beyond_the_rate_is_too_much(api: Api) -> None:
    api.provider.requests_per_s = 2
    codes = [(await api.post("/Messages.json", TEXT))[0] for _ in range(3)]
    api.provider.advance(1)
    assert [*codes, (await api.post("/Messages.json", TEXT))[0]] == [201, 201, 429, 201]


async def test_an_outage_is_not_for_ever(api: Api) -> None:
    api.provider.refuse(20503, times=1)
    assert [(await api.post("/Messages.json", TEXT))[0] for _ in range(2)] == [503, 201]


async def test_free_words_after_the_window_are_taken_and_fail_later(api: Api) -> None:
    """Twilio takes them, and says 63016 in the status callback."""
    assert (await api.post("/Messages.json", {**WHATSAPP, "Body": "x"}))[0] == 201
    assert (api.provider.sent[0].final, api.provider.sent[0].final_code) == ("failed", 63016)


async def test_free_words_inside_the_window_go_through(api: Api) -> None:
    api.provider.receive(WHATSAPP["To"], WHATSAPP["From"], "Hi")
    await api.post("/Messages.json", {**WHATSAPP, "Body": "x"})
    assert api.provider.sent[0].final_code is None


async def test_a_page_goes_on_where_the_last_one_ended(api: Api) -> None:
    """New texts shift nothing: the token names the row after which the page begins."""
    for number in range(5):
        api.provider.receive(JAN, OWN, str(number))
    _, page = await api.ask("GET", "/Messages.json", {"PageSize": "2"})
    found = [each["body"] for each in page["messages"]]
    api.provider.receive(JAN, OWN, "new")
    while page["next_page_uri"]:
        _, page = await api.ask("GET", page["next_page_uri"])
        found += [each["body"] for each in page["messages"]]
    assert found == ["4", "3", "2", "1", "0"]


async def test_a_page_without_its_token_is_refused(api: Api) -> None:
    assert (await api.ask("GET", "/Messages.json", {"Page": "1"}))[1]["code"] == 20006


async def test_texts_are_listed_by_when_and_by_whom(api: Api) -> None:
    first = api.provider.receive(JAN, OWN, "first")
    api.provider.advance(hours=30)
    api.provider.receive(JAN, OWN, "second")
    _, page = await api.ask("GET", "/Messages.json", {"DateSent>": "2026-11-11", "To": OWN})
    assert [each["body"] for each in page["messages"]] == ["second"]
    _, page = await api.ask("GET", "/Messages.json", {"DateSent": "2026-11-10", "From": JAN})
    assert [each["sid"] for each in page["messages"]] == [first.sid]


async def test_a_file_is_fetched_with_the_password(api: Api) -> None:
    file = api.provider.media(b"\xff\xd8jpeg")
    text = api.provider.receive(JAN, OWN, "", media=(file,))
    path = f"/Messages/{text.sid}/Media/{file.sid}"
    assert await api.ask("GET", path) == (200, b"\xff\xd8jpeg")
    api.password = None
    assert (await api.ask("GET", path))[0] == 401


async def test_a_number_is_set_up(api: Api) -> None:
    sid = api.provider.numbers[OWN].sid
    url = "https://help.example.com/hooks/sms/message"
    _, body = await api.post(f"/IncomingPhoneNumbers/{sid}.json", {"SmsUrl": url})
    assert (body["sms_url"], body["voice_url"]) == (url, "")


async def test_everything_asked_is_remembered(api: Api) -> None:
    await api.post("/Messages.json", TEXT)
    await api.post("/Messages.json", {**TEXT, "To": "12"})
    assert [(each["To"], each.code) for each in api.provider.asked_for("Messages")] == [
        (JAN, 0),
        ("12", 21211),
    ]
