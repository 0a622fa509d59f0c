"""TwiML that Twilio would not play as it was meant is a flaw, with the line and Twilio's code."""

import pytest
from twilio.twiml.messaging_response import MessagingResponse
from twilio.twiml.voice_response import Dial, Gather, VoiceResponse

from channels.twilio.simulator import grammar
from channels.twilio.simulator.grammar import Flawed, Place
from tests.rows import every_row

NUMBER = "<Number>+48600100200</Number>"
MANY = "".join(f"<Number>+4860010020{each}</Number>" for each in range(10)) + "<Number>+48600100210</Number>"

# what -> (what stands in <Response>, Twilio's code, the place)
WRONG: dict[str, tuple[str, int, Place]] = {
    "a verb in small letters": ("<say>Hello</say>", 12200, "voice"),
    "an unknown verb": ("<Shout>Hello</Shout>", 12200, "voice"),
    "text beside verbs": ("Hello", 12200, "voice"),
    "a response in a response": ("<Response/>", 12200, "voice"),
    "a noun without its verb": (NUMBER, 12200, "voice"),
    "words without words": ("<Say/>", 13510, "voice"),
    "words of blanks": ("<Say>  \n </Say>", 13510, "voice"),
    "too many words": (f"<Say>{'word ' * 900}</Say>", 13510, "voice"),
    "an unknown voice": ('<Say voice="robot">Hello</Say>', 13510, "voice"),
    "a language with an underscore": ('<Say language="pl_PL">Hej</Say>', 13510, "voice"),
    "a loop that is no number": ('<Say loop="twice">Hello</Say>', 13510, "voice"),
    "an attribute in small letters": ('<Gather numdigits="1"/>', 12200, "voice"),
    "a verb in words": ("<Say>Hello<Pause/></Say>", 12200, "voice"),
    "markup that speech has not": ("<Say>Hello <b>you</b></Say>", 12200, "voice"),
    "a break that is no time": ('<Say>Hello<break time="long"/></Say>', 12200, "voice"),
    "a way of saying that is none": ('<Say><say-as interpret-as="song">x</say-as></Say>', 12200, "voice"),
    "a substitute without its word": ("<Say><sub>x</sub></Say>", 12200, "voice"),
    "nothing to play": ("<Play/>", 13420, "voice"),
    "a sound that is no URL": ("<Play>file:///music.mp3</Play>", 13420, "voice"),
    "keys to play that are none": ('<Play digits="12x"/>', 13410, "voice"),
    "a pause that is no time": ('<Pause length="1.5"/>', 13610, "voice"),
    "a pause with words": ("<Pause>wait</Pause>", 12200, "voice"),
    "a negative pause": ('<Pause length="-1"/>', 13610, "voice"),
    "listening to noise": ('<Gather input="noise"/>', 13310, "voice"),
    "listening with a comma": ('<Gather input="dtmf,speech"/>', 13310, "voice"),
    "no key at all": ('<Gather numDigits="0"/>', 13310, "voice"),
    "a finishing key that is none": ('<Gather finishOnKey="x"/>', 13310, "voice"),
    "a method that is none": ('<Gather method="PUT"/>', 13310, "voice"),
    "an action with a blank": ('<Gather action="/a b"/>', 13310, "voice"),
    "an action of another scheme": ('<Gather action="ftp://example.com/x"/>', 13310, "voice"),
    "time until the first key as a word": ('<Gather timeout="auto"/>', 13310, "voice"),
    "time after speech as a word": ('<Gather input="speech" speechTimeout="soon"/>', 13310, "voice"),
    "hints for keys": ('<Gather hints="sales"/>', 13310, "voice"),
    "an empty hint": ('<Gather input="speech" hints="sales,,billing"/>', 13310, "voice"),
    "a hint without end": (f'<Gather input="speech" hints="{"x" * 101}"/>', 13310, "voice"),
    "a call while listening": (f"<Gather><Dial>{NUMBER}</Dial></Gather>", 12200, "voice"),
    "listening while listening": ("<Gather><Gather/></Gather>", 12200, "voice"),
    "a redirect while listening": ("<Gather><Redirect>/x</Redirect></Gather>", 12200, "voice"),
    "an empty-result flag that is none": ('<Gather actionOnEmptyResult="yes"/>', 13310, "voice"),
    "words in a recording": ("<Record><Say>Beep</Say></Record>", 12200, "voice"),
    "a recording of one second": ('<Record maxLength="1"/>', 13610, "voice"),
    "a transcript of a long recording": ('<Record transcribe="true" maxLength="180"/>', 13617, "voice"),
    "a transcript of any recording": ('<Record transcribe="true"/>', 13617, "voice"),
    "a callback without a transcript": ('<Record transcribeCallback="/t"/>', 13610, "voice"),
    "trimming that is none": ('<Record trim="yes"/>', 13610, "voice"),
    "an event of recordings that is none": ('<Record recordingStatusCallbackEvent="done"/>', 13610, "voice"),
    "nobody to call": ("<Dial/>", 13201, "voice"),
    "eleven at once": (f"<Dial>{MANY}</Dial>", 13215, "voice"),
    "the same twice": (f"<Dial>{NUMBER}{NUMBER}</Dial>", 12200, "voice"),
    "text beside a number": (f"<Dial>+48600100200{NUMBER}</Dial>", 13223, "voice"),
    "a caller id without a plus": (f'<Dial callerId="48221234567">{NUMBER}</Dial>', 13210, "voice"),
    "a ringing time beyond the most": (f'<Dial timeout="601">{NUMBER}</Dial>', 13210, "voice"),
    "a time limit of nothing": (f'<Dial timeLimit="0">{NUMBER}</Dial>', 13210, "voice"),
    "a bridge flag that is none": (f'<Dial answerOnBridge="1">{NUMBER}</Dial>', 13210, "voice"),
    "a recording word that is none": (f'<Dial record="record">{NUMBER}</Dial>', 13210, "voice"),
    "a whisper on the call": (f'<Dial url="/whisper">{NUMBER}</Dial>', 12200, "voice"),
    "words in a call": (f"<Dial><Say>x</Say>{NUMBER}</Dial>", 12200, "voice"),
    "a number with blanks": ("<Dial><Number>+48 600 100 200</Number></Dial>", 13223, "voice"),
    "a number without a number": ("<Dial><Number/></Dial>", 13221, "voice"),
    "an event of calls that is none": (
        '<Dial><Number statusCallbackEvent="ringing busy">+48600100200</Number></Dial>',
        13221,
        "voice",
    ),
    "events with a comma": (
        '<Dial><Number statusCallbackEvent="ringing,answered">+48600100200</Number></Dial>',
        13221,
        "voice",
    ),
    "machines detected by true": (
        '<Dial><Number machineDetection="true">+48600100200</Number></Dial>',
        13221,
        "voice",
    ),
    "two keys that finish": ('<Gather finishOnKey="#*"/>', 13310, "voice"),
    "a room beside a number": (f"<Dial><Conference>room</Conference>{NUMBER}</Dial>", 12200, "voice"),
    "a room without a name": ("<Dial><Conference/></Dial>", 12200, "voice"),
    "a room for one": ('<Dial><Conference maxParticipants="1">a</Conference></Dial>', 12200, "voice"),
    "a region that is none": ('<Dial><Conference region="eu">a</Conference></Dial>', 12200, "voice"),
    "a queue with a long name": (f"<Enqueue>{'q' * 65}</Enqueue>", 12200, "voice"),
    "a queue without a name": ("<Enqueue/>", 12200, "voice"),
    "a queue without end": ('<Enqueue maxQueueSize="9999">q</Enqueue>', 12200, "voice"),
    "going nowhere": ("<Redirect/>", 13710, "voice"),
    "going to a number": ("<Redirect>tel:+48600100200</Redirect>", 13710, "voice"),
    "words after the end": ("<Hangup/><Say>Bye</Say>", 12200, "voice"),
    "words after going elsewhere": ("<Redirect>/x</Redirect><Say>Bye</Say>", 12200, "voice"),
    "a reason to reject that is none": ('<Reject reason="sleep"/>', 13810, "voice"),
    "rejecting after words": ("<Say>No</Say><Reject/>", 12200, "voice"),
    "a text in a call": ("<Message>Hello</Message>", 12200, "voice"),
    "a stream by http": ('<Start><Stream url="https://example.com"/></Start>', 12200, "voice"),
    "a call in a whisper": (f"<Dial>{NUMBER}</Dial>", 13235, "whisper"),
    "a recording in a whisper": ("<Record/>", 13235, "whisper"),
    "going elsewhere in a whisper": ("<Redirect>/x</Redirect>", 13235, "whisper"),
    "a call while waiting": (f"<Dial>{NUMBER}</Dial>", 13249, "waiting"),
    "words in a text's answer": ("<Say>Hello</Say>", 12200, "messaging"),
    "a text too long": (f"<Message>{'x' * 1601}</Message>", 12200, "messaging"),
    "a file outside a text": ("<Media>https://example.com/a.png</Media>", 12200, "messaging"),
}


@every_row("what", WRONG)
def test_it_is_a_flaw_to_write(what: str) -> None:
    inside, code, place = WRONG[what]
    with pytest.raises(Flawed) as refused:
        grammar.read(f"<Response>{inside}</Response>".encode(), place=place)
    assert code in [each.code for each in refused.value.flaws], refused.value


BROKEN: dict[str, tuple[bytes, str, int]] = {
    "no XML": (b"Hello", "text/xml", 12100),
    "an open element": (b"<Response><Say>Hello</Response>", "text/xml", 12100),
    "a naked ampersand": (b"<Response><Say>You & me</Say></Response>", "text/xml", 12100),
    "bytes that are no text": (b"<Response><Say>\xff\xfe</Say></Response>", "text/xml", 12100),
    "a control character": (b"<Response><Say>\x01</Say></Response>", "text/xml", 12100),
    "two roots": (b"<Response/><Response/>", "text/xml", 12100),
    "another root": (b"<Answer/>", "text/xml", 12101),
    "a root in small letters": (b"<response/>", "text/xml", 12101),
    "an entity of its own": (b'<!DOCTYPE a [<!ENTITY b "c">]><Response/>', "text/xml", 12100),
    "too deep": (b"<Response>" + b"<Say>" * 20 + b"</Say>" * 20 + b"</Response>", "text/xml", 12101),
    "too long": (b"<Response>" + b" " * 70_000 + b"</Response>", "text/xml", 11750),
    "JSON": (b"{}", "application/json", 12300),
    "no type": (b"<Response/>", "", 12300),
}


@every_row("what", BROKEN)
def test_it_is_no_document_with(what: str) -> None:
    body, content_type, code = BROKEN[what]
    with pytest.raises(Flawed) as refused:
        grammar.read(body, content_type=content_type)
    assert [each.code for each in refused.value.flaws] == [code]


def test_a_flaw_names_its_line() -> None:
    with pytest.raises(Flawed) as refused:
        grammar.read(b'<Response>\n<Say>a</Say>\n<Gather input="x"/>\n</Response>')
    assert [each.line for each in refused.value.flaws] == [3]


def test_an_empty_answer_is_an_empty_response() -> None:
    assert grammar.read(b"", content_type="text/xml").children == []


def test_what_the_package_builds_is_right() -> None:
    """The builders of the twilio package write what the grammar takes."""
    answer = VoiceResponse()
    gather = Gather(
        input="dtmf speech",
        num_digits=1,
        action="/next?n=1",
        hints="sales, billing",
        language="pl-PL",
        speech_timeout="auto",
    )
    gather.say("Naciśnij jeden", language="pl-PL", voice="Polly.Ewa")
    answer.append(gather)
    dial = Dial(answer_on_bridge=True, timeout=18, caller_id="+48221234567", action="/done")
    dial.number(
        "+48600100200", url="/whisper", status_callback="/s", status_callback_event="answered completed"
    )
    answer.append(dial)
    answer.record(
        max_length=120, transcribe=True, transcribe_callback="/t", finish_on_key="#", play_beep=True
    )
    answer.redirect("https://help.example.com/hooks/phone/call?n=2")
    root = grammar.read(str(answer).encode())
    assert [each.name for each in root.children] == ["Gather", "Dial", "Record", "Redirect"]
    assert root.children[0].words == "Naciśnij jeden"


def test_speech_may_have_markup() -> None:
    body = '<Response><Say>Ticket <say-as interpret-as="characters">7KQ</say-as> <break time="300ms"/></Say></Response>'
    assert grammar.read(body.encode()).children[0].words == "Ticket 7KQ"


def test_a_text_is_answered_by_texts() -> None:
    answer = MessagingResponse()
    answer.message("Thank you")
    assert grammar.read(str(answer).encode(), place="messaging").children[0].text == "Thank you"
