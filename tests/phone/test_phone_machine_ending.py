"""Messages, hang-ups, the static answer, lost states, late and doubled requests."""

from typing import Any

import pytest

from channels.contract import Turn
from channels.twilio.phone import static
from channels.twilio.phone.moment import Request
from tests.phone import talking
from tests.phone.talking import ANIA, TOMEK, Call, options, placed, ringing

RE = "RE" + "a" * 32


def voicemail(**changed: Any) -> Call:
    """A call that nobody took."""
    return ringing(ANIA, account=options(menu=(), **changed)).dialed()


class TestVoicemail:
    def test_is_recorded_with_a_tone_until_hash(self) -> None:
        record = voicemail().verb("Record").attributes
        told = {name: record[name] for name in ("maxLength", "finishOnKey", "playBeep")}
        assert told == {"maxLength": "180", "finishOnKey": "#", "playBeep": "true"}
        assert record["recordingStatusCallback"].endswith(
            f"/hooks/phone/call/recording?of={talking.CALL}&why=voicemail"
        )
        assert "transcribe" not in record

    def test_is_thanked_for(self) -> None:
        call = voicemail().recorded(12)
        assert call.said.startswith("Thank you. We have your message")
        assert call.has("Hangup")
        assert call.hang_up().details == {"status": "completed", "duration_s": 42, "why": "voicemail"}

    @pytest.mark.parametrize("seconds", [0, None])
    def test_that_is_empty_is_asked_for_once_more(self, seconds: int | None) -> None:
        call = voicemail()
        if seconds is None:
            call.go_on()
        else:
            call.recorded(seconds)
        assert call.said.startswith("We have not heard a message.")
        assert call.has("Record")
        call.go_on()
        assert call.has("Hangup")
        assert call.hang_up().details["why"] == "no_message"

    def test_hung_up_at_the_tone_leaves_no_message(self) -> None:
        assert voicemail().hang_up().details["why"] == "no_message"

    def test_is_transcribed_by_twilio_only_when_asked_and_up_to_two_minutes(self) -> None:
        record = voicemail(transcription="twilio").verb("Record").attributes
        assert (record["transcribe"], record["maxLength"]) == ("true", "120")
        assert record["transcribeCallback"].endswith(f"/call/transcription?of={talking.CALL}&l=en")

    def test_in_another_language_is_not_given_to_an_english_ear(self) -> None:
        record = voicemail(transcription="twilio", languages=("pl",)).verb("Record").attributes
        assert "transcribe" not in record

    @pytest.mark.parametrize(
        ("query", "form", "told"),
        [
            (
                {"why": "voicemail"},
                {"RecordingSid": RE, "RecordingDuration": "9", "RecordingStatus": "completed"},
                [{"recording": RE, "duration_s": 9, "why": "voicemail"}],
            ),
            (
                {"why": "call"},
                {"RecordingSid": RE, "RecordingDuration": "90"},
                [{"recording": RE, "duration_s": 90, "why": "call"}],
            ),
            ({}, {"RecordingSid": RE, "RecordingStatus": "failed"}, []),
            ({}, {"RecordingStatus": "completed"}, []),
            ({}, {"RecordingSid": RE, "RecordingDuration": "0"}, []),
        ],
    )
    @pytest.mark.parametrize("is_over", [True, False])
    def test_a_recording_is_told_by_its_callback_before_and_after_the_end(
        self,
        query: dict[str, str],
        form: dict[str, str],
        told: list[dict[str, Any]],
        is_over: bool,  # noqa: FBT001
    ) -> None:
        call = voicemail()
        if is_over:
            call.hang_up()
        before = len(call.happened)
        call.post("call/recording", {"of": talking.CALL} | query, **form)
        assert [each.details for each in call.happened[before:]] == told
        assert (call.kept is None) == is_over

    def test_a_transcript_is_told(self) -> None:
        call = voicemail()
        query = {"of": talking.CALL, "l": "en"}
        form = {"TranscriptionText": "Call me.", "TranscriptionStatus": "completed", "RecordingSid": RE}
        call.post("call/transcription", query, **form)
        assert call.happened[-1].details == {
            "text": "Call me.",
            "language": "en",
            "confidence": None,
            "recording": RE,
        }

    def test_a_failed_transcript_is_not(self) -> None:
        call = voicemail()
        before = len(call.happened)
        call.post("call/transcription", {}, TranscriptionStatus="failed", TranscriptionText="")
        assert len(call.happened) == before


class TestHangingUp:
    @pytest.mark.parametrize(
        ("prepare", "why"),
        [
            (lambda: Call(options(languages=("en", "pl"))).start(), "hung_up_in_menu"),
            (lambda: Call().start(), "hung_up_in_menu"),
            (lambda: Call(open_refs=("T-1",)).start(), "hung_up_in_menu"),
            (lambda: Call().start().press("2"), "hung_up_waiting"),
            (lambda: ringing(ANIA), "hung_up_waiting"),
            (ringing, "hung_up_waiting"),
            (lambda: Call(options(record="ask", menu=())).start(), "hung_up_waiting"),
        ],
    )
    def test_says_where(self, prepare: Any, why: str) -> None:
        assert prepare().hang_up().details["why"] == why

    def test_ends_every_ringing(self) -> None:
        call = ringing(ANIA)
        call.hang_up()
        assert (call.turn.state, call.turn.holds) == (None, ())

    def test_in_a_talk_is_an_answered_call(self) -> None:
        call = ringing(ANIA)
        call.accept("ania")
        assert call.hang_up().details["why"] == "answered"

    @pytest.mark.parametrize("status", ["failed", "busy", "no-answer", "canceled"])
    def test_of_a_call_that_never_was_is_failed(self, status: str) -> None:
        assert Call().start().hang_up(status).details["why"] == "failed"

    @pytest.mark.parametrize("status", ["queued", "ringing", "in-progress"])
    def test_is_not_what_other_states_say(self, status: str) -> None:
        call = Call().start()
        before = call.kept
        call.post("call/status", CallStatus=status)
        assert call.kept == before

    def test_of_a_call_nobody_knows_is_told_all_the_same(self) -> None:
        assert Call().hang_up().details["why"] == "no_message"


class TestGone:
    """Twilio asks the action of a <Dial> and a <Record> also when the caller has hung up, before or after it says so."""

    def test_nobody_rings_for_who_has_gone(self) -> None:
        call = ringing(ANIA, TOMEK).dialed("canceled", CallStatus="completed")
        assert (call.turn.holds, call.words[-1]) == ((), "ringing")
        assert not call.has("Dial")
        assert call.hang_up().details["why"] == "hung_up_waiting"

    def test_a_talk_that_the_caller_ended_was_a_talk(self) -> None:
        call = ringing(ANIA)
        call.accept("ania")
        call.dialed("completed", CallStatus="completed", DialBridged="true")
        assert call.turn.holds == ()
        assert call.hang_up().details["why"] == "answered"

    def test_a_talk_that_was_over_before_we_heard_of_it_was_a_talk(self) -> None:
        call = ringing(ANIA)
        call.leg("ania")
        call.leg("ania", "call/accept", n=1, Digits="1")
        call.dialed("completed", CallStatus="completed", DialBridged="true")
        assert call.words[-1] == "connected"
        assert call.hang_up().details["why"] == "answered"

    def test_a_claim_that_came_too_late_was_no_talk(self) -> None:
        call = ringing(ANIA)
        call.leg("ania")
        call.leg("ania", "call/accept", n=1, Digits="1")
        call.dialed("completed", CallStatus="completed", DialBridged="false")
        assert call.hang_up().details["why"] == "hung_up_waiting"

    def test_a_message_that_ends_with_the_call_is_one(self) -> None:
        call = voicemail()
        action = call.verb("Record").get("action")
        call.follow(action, CallStatus="completed", RecordingSid=RE, RecordingDuration="6", Digits="hangup")
        assert call.hang_up().details["why"] == "voicemail"

    def test_a_message_that_was_none_is_none(self) -> None:
        call = voicemail()
        action = call.verb("Record").get("action")
        call.follow(action, CallStatus="completed", RecordingSid=RE, RecordingDuration="0", Digits="hangup")
        assert call.hang_up().details["why"] == "no_message"

    @pytest.mark.parametrize("path", ["call/dialed", "call/recorded", "call/menu", "call/static"])
    def test_after_the_end_nothing_begins_anew(self, path: str) -> None:
        call = ringing(ANIA)
        call.hang_up()
        call.post(path, {"n": "3"}, CallStatus="completed")
        assert (call.kept, call.turn.holds) == (None, ())


class TestDisorder:
    def test_a_request_with_an_older_number_changes_nothing_and_leads_to_where_the_call_is(self) -> None:
        call = Call().start()
        old = call.verb("Gather").get("action")
        call.press("1")
        before = call.kept
        call.follow(old, Digits="2")
        assert call.kept == before
        assert call.verb("Redirect").words.startswith("https://desk.example.com/hooks/phone/call/menu?n=2")

    def test_a_call_that_begins_twice_goes_on_where_it_is(self) -> None:
        call = Call().start().press("1")
        before = call.kept
        call.start()
        assert (call.kept, call.words.count("started")) == (before, 1)

    @pytest.mark.parametrize(
        "path", ["call/menu", "call/language", "call/ring", "call/dialed", "call/hold", "call/consent"]
    )
    def test_a_lost_state_goes_on_to_a_person_in_the_callers_language(self, path: str) -> None:
        call = Call(options(languages=("en", "pl")), placed=placed(ANIA))
        call.post(path, {"n": "5", "l": "pl"}, Digits="1")
        assert (call.state.language, call.state.n) == ("pl", 6)
        assert call.go_on().has("Dial")

    def test_a_lost_state_is_a_message_when_we_are_closed(self) -> None:
        call = Call(is_open=False)
        call.post("call/menu", {"n": "5"})
        assert call.has("Record")

    def test_a_lost_state_after_a_talk_is_good_bye(self) -> None:
        call = Call()
        call.post("call/dialed", {"n": "5"}, DialBridged="true")
        assert call.has("Hangup")

    def test_a_lost_state_after_a_message_is_thanks(self) -> None:
        call = Call()
        call.post("call/recorded", {"n": "5"}, RecordingSid=RE, RecordingDuration="5")
        assert "We have your message" in call.said

    @pytest.mark.parametrize("kept", [b"", b"\xff", b"\x80", b"garbage" * 100])
    def test_a_state_that_cannot_be_read_is_a_lost_one(self, kept: bytes) -> None:
        call = Call(placed=placed(ANIA))
        call.kept = kept
        call.post("call/menu", {"n": "2"}, Digits="1")
        assert call.state.phase == "placing"

    def test_a_request_that_says_nothing_gets_an_answer(self) -> None:
        call = Call()
        call.post("call/menu", {"n": "²"}, From="", To="")
        assert call.has("Redirect")


class TestStatic:
    def request(self, path: str = "call", query: dict[str, str] | None = None, **form: str) -> Request:
        return Request(path=path, query=query or {}, form={"CallSid": talking.CALL} | form, at=talking.NOON)

    def call(self, request: Request, **changed: Any) -> Call:
        call = Call(options(**changed))
        call.turn = Turn(state=None, reply=static.answer("phone", call.options, request))
        return call

    def test_takes_a_message_in_every_language(self) -> None:
        call = self.call(self.request(), languages=("en", "pl"))
        assert "Please leave a message" in call.said
        assert "Proszę zostawić wiadomość" in call.said
        assert call.has("Record")

    def test_takes_a_message_in_the_callers_language_when_the_address_has_it(self) -> None:
        call = self.call(self.request(query={"l": "pl"}), languages=("en", "pl"))
        assert "Please leave a message" not in call.said

    @pytest.mark.parametrize("path", talking.AGENT_PATHS)
    def test_lets_an_agent_go(self, path: str) -> None:
        assert [each.name for each in self.call(self.request(path)).root.children] == ["Hangup"]

    @pytest.mark.parametrize("path", ["call/static", "call/recorded"])
    def test_thanks_for_a_message(self, path: str) -> None:
        call = self.call(self.request(path, RecordingSid=RE, RecordingDuration="4"))
        assert "We have your message" in call.said
        assert not call.has("Record")

    def test_says_good_bye_after_a_talk(self) -> None:
        call = self.call(self.request("call/dialed", DialBridged="true"))
        assert not call.has("Record")

    def test_asks_a_caller_who_said_nothing_no_second_time(self) -> None:
        call = self.call(self.request(static.PATH))
        assert call.has("Hangup")

    def test_is_understood_by_the_machine_later(self) -> None:
        call = self.call(self.request())
        call.recorded(7)
        assert call.words == ["voicemail_offered"]
        assert call.happened[0].details == {"why": "unreachable"}
        assert "We have your message" in call.said
        assert call.hang_up().details["why"] == "voicemail"

    def test_ends_a_turn_that_was_kept_after_all(self) -> None:
        call = ringing(ANIA, TOMEK)
        call.turn = Turn(state=None, reply=static.answer("phone", call.options, self.request("call/ring")))
        call.recorded(7)
        assert (call.turn.holds, call.state.why) == ((), "voicemail")
