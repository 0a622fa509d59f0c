"""From the rules' decision to somebody who has the call: rounds, whispers, claims, holds, recording, waiting."""

from typing import Any

import pytest

from channels.contract import Free
from channels.twilio.phone import placing
from tests.phone import talking
from tests.phone.talking import ANIA, EWA, OLEK, TOMEK, Call, free, options, placed, ringing

ALONE = options(menu=())


def numbers(call: Call) -> list[str]:
    return [each.text for each in call.root.walk() if each.name == "Number"]


class TestPlacing:
    def test_waits_a_second_until_the_rules_have_placed_the_call(self) -> None:
        call = Call(ALONE).start().go_on()
        assert (call.state.phase, call.verb("Pause").get("length")) == ("placing", "1")
        call.see(placed=placed(ANIA))
        assert call.go_on().state.phase == "dialing"

    def test_waits_six_times_and_then_takes_a_message(self) -> None:
        call = Call(ALONE).start()
        for _ in range(placing.MAX_LOOKS + 1):
            call.go_on()
        assert call.has("Record")
        assert call.happened[-1].details == {"why": "not_placed"}

    def test_does_not_wait_where_the_rules_were_quicker(self) -> None:
        assert ringing(ANIA).has("Dial")


class TestRounds:
    def test_all_of_a_level_who_know_as_much_ring_at_once(self) -> None:
        call = ringing(ANIA, EWA, TOMEK)
        assert numbers(call) == [ANIA.phone, EWA.phone]

    def test_who_knows_everything_rings_before_who_does_not(self) -> None:
        call = ringing(ANIA, free("ewa", 2, has_all=False))
        assert numbers(call) == [ANIA.phone]

    def test_ten_at_most_ring_at_once(self) -> None:
        crowd = tuple(msg for msg in (Free(f"agent{i}", f"+48600000{i:03}", "l1") for i in range(25)))
        call = ringing(*crowd)
        sizes = [len(numbers(call)), len(numbers(call.dialed())), len(numbers(call.dialed()))]
        assert sizes == [10, 10, 5]

    def test_one_after_the_other_where_the_account_says_so(self) -> None:
        call = ringing(ANIA, EWA, account=options(menu=(), ring="turn"))
        assert numbers(call) == [ANIA.phone]
        assert numbers(call.dialed()) == [EWA.phone]

    def test_the_next_level_rings_when_nobody_of_the_first_took_it(self) -> None:
        call = ringing(ANIA, EWA, TOMEK).dialed()
        assert numbers(call) == [TOMEK.phone]
        assert call.said == "Thank you for waiting. We are still trying to reach someone."

    def test_the_last_round_is_followed_by_a_message(self) -> None:
        call = ringing(ANIA).dialed("busy")
        assert call.has("Record")
        assert [each.details for each in call.happened[-2:]] == [
            {"agents": ["ania"], "status": "busy"},
            {"why": "unanswered"},
        ]

    def test_nobody_rings_twice_though_the_list_has_them_again(self) -> None:
        call = ringing(ANIA)
        call.see(placed=placed(ANIA, EWA))
        assert numbers(call.dialed()) == [EWA.phone]

    def test_two_names_for_one_phone_ring_once(self) -> None:
        twin = Free("twin", ANIA.phone, "l1")
        call = ringing(ANIA, twin)
        assert numbers(call) == [ANIA.phone]

    @pytest.mark.parametrize(
        "phone", ["ask reception", "", "+0048600000001", "+48 600 000 001", "48600000001"]
    )
    def test_a_phone_that_is_none_does_not_ring(self, phone: str) -> None:
        call = ringing(Free("odd", phone, "l1"), ANIA)
        assert numbers(call) == [ANIA.phone]

    def test_time_is_up_before_everybody_has_rung(self) -> None:
        call = ringing(ANIA, TOMEK, account=options(menu=(), ring_max_s=20))
        call.later(21)
        assert call.dialed().has("Record")

    def test_the_dial_is_as_the_account_wants_it(self) -> None:
        dial = ringing(ANIA, account=options(menu=(), ring_s=25, talk_max_s=600)).verb("Dial")
        assert dial.attributes == {
            "action": "https://desk.example.com/hooks/phone/call/dialed?n=2&l=en",
            "answerOnBridge": "true",
            "timeout": "25",
            "timeLimit": "600",
            "callerId": talking.OWN,
        }

    def test_the_callers_number_is_shown_where_the_account_wants_that(self) -> None:
        call = ringing(ANIA, account=options(menu=(), caller_id="caller"))
        assert call.verb("Dial").get("callerId") == talking.JAN

    def test_a_call_to_something_that_is_no_number_shows_our_main_one(self) -> None:
        call = Call(ALONE, placed=placed(ANIA))
        call.post("call", {}, To="sip:desk@example.sip.twilio.com")
        assert call.go_on().verb("Dial").get("callerId") == talking.OWN

    def test_who_rings_is_held_and_nobody_else(self) -> None:
        call = ringing(ANIA, EWA, TOMEK)
        assert call.turn.holds == ("ania", "ewa")
        assert 18 < call.turn.hold_s <= 120
        assert call.dialed().turn.holds == ("tomek",)
        assert call.dialed().turn.holds == ()


class TestHolding:
    def test_everybody_busy_lets_the_caller_wait(self) -> None:
        call = ringing()
        assert (call.state.phase, call.turn.holds) == ("holding", ())
        assert "Everybody is speaking" in call.said

    def test_somebody_free_rings(self) -> None:
        call = ringing()
        call.see(placed=placed(ANIA))
        assert numbers(call.press("")) == [ANIA.phone]

    def test_one_leaves_a_message_instead(self) -> None:
        call = ringing().press("1")
        assert call.has("Record")
        assert call.happened[-1].details == {"why": "asked"}

    def test_ends_after_the_time_that_is_set(self) -> None:
        call = ringing()
        call.later(20)
        assert call.press("").state.phase == "holding"
        call.later(11)
        assert call.press("").has("Record")
        assert call.happened[-1].details == {"why": "nobody"}

    def test_of_no_time_takes_a_message_at_once(self) -> None:
        assert ringing(account=options(menu=(), hold_s=0)).has("Record")

    def test_has_music_where_there_is_some(self) -> None:
        account = options(menu=(), hold_music="https://cdn.example.com/a.mp3")
        assert ringing(account=account).verb("Play").text == "https://cdn.example.com/a.mp3"


def test_nobody_waits_for_a_team_where_nobody_is_there() -> None:
    """Everybody who speaks may be free soon; who is not on duty will not."""
    call = Call(ALONE, placed=placed(is_staffed=False)).start().go_on()
    assert "Everybody is speaking" not in call.said
    assert "Sorry, nobody can take your call right now." in call.said
    assert call.has("Record")


class TestWhisper:
    def test_says_team_choice_language_who_it_may_be_how_long_and_how_urgent(self) -> None:
        call = Call(
            options(languages=("en", "de")),
            language="de",
            placed=placed(ANIA, team="billing", customer="Ms Ito", priority="urgent"),
        )
        call.start().press("1").press("0").go_on()
        call.later(185)
        call.leg("ania")
        assert call.said == (
            "A call for billing. About invoices. Deutsch Perhaps from Ms Ito. Minutes waited: 3. "
            "It is urgent. Press 1 to take the call."
        )

    def test_says_what_tags_mean_and_that_it_has_priority(self) -> None:
        told = {"vip": {"en": "A very important customer."}}
        call = Call(options(menu=(), whisper=told), placed=placed(ANIA, tags=("new", "vip"), priority="high"))
        call.start().go_on()
        call.leg("ania")
        assert "A very important customer. It has priority. Press 1" in call.said

    def test_the_callers_language_is_named_in_itself(self) -> None:
        call = Call(options(languages=("en", "de"), menu=()), language="de", placed=placed(ANIA))
        call.start().go_on()
        call.leg("ania")
        spoken = {each.words: each.get("language") for each in call.verb("Gather").children}
        assert spoken["Deutsch"] == "de-DE"

    def test_one_takes_the_call(self) -> None:
        call = ringing(ANIA, EWA)
        call.leg("ania")
        call.leg("ania", "call/accept", n=1, Digits="1")
        assert call.words[-1] == "accepted"
        turn = call.leg("ania", "call/connected")
        assert turn.reply.endswith("<Response/>")  # what follows the end of a whisper is the connection
        assert (call.state.owner, turn.holds) == ("ania", ("ania",))
        assert call.words[-1] == "connected"

    def test_who_has_the_call_is_held_for_the_whole_talk(self) -> None:
        call = ringing(ANIA)
        assert call.accept("ania").hold_s > call.options.talk_max_s

    def test_no_key_is_a_no(self) -> None:
        call = ringing(ANIA, EWA)
        call.leg("ania")
        turn = call.leg("ania", "call/accept", n=1)
        assert (call.words[-1], turn.holds) == ("declined", ("ewa",))
        assert call.has("Hangup")

    def test_a_wrong_key_is_asked_again_once(self) -> None:
        call = ringing(ANIA)
        call.leg("ania")
        call.leg("ania", "call/accept", n=1, Digits="7")
        assert call.said == "That key is not used here. Press 1 to take the call."
        assert "n=2" in call.verb("Gather").get("action")
        call.leg("ania", "call/accept", n=2, Digits="7")
        assert call.words[-1] == "declined"

    def test_a_machine_that_picks_up_never_gets_the_call(self) -> None:
        call = ringing(ANIA)
        call.leg("ania")
        call.leg("ania", "call/accept", n=1)
        call.leg("ania", "call/leg", CallStatus="completed")
        assert call.dialed("completed", DialBridged="false").has("Record")

    def test_the_second_hears_that_it_is_taken(self) -> None:
        call = ringing(ANIA, EWA)
        call.leg("ania")
        call.leg("ewa")
        call.leg("ania", "call/accept", n=1, Digits="1")
        turn = call.leg("ewa", "call/accept", n=1, Digits="1")
        assert call.said == "Somebody else has taken the call. Thank you."
        assert (call.words.count("accepted"), turn.holds) == (1, ("ania", "ewa"))

    def test_who_hears_that_it_is_taken_is_free_for_another_call_once_that_is_said(self) -> None:
        call = ringing(ANIA, EWA)
        call.leg("ania")
        call.leg("ewa")
        call.leg("ania", "call/accept", n=1, Digits="1")
        call.leg("ewa", "call/accept", n=1, Digits="1")
        assert call.leg("ewa", "call/leg", CallStatus="completed").holds == ("ania",)

    def test_a_claim_without_media_is_open_after_ten_seconds(self) -> None:
        call = ringing(ANIA, EWA)
        for name in ("ania", "ewa"):
            call.leg(name)
        call.leg("ania", "call/accept", n=1, Digits="1")
        call.later(10)
        call.leg("ewa", "call/accept", n=1, Digits="1")
        assert call.words[-2:] == ["claim_expired", "accepted"]
        call.leg("ania", "call/connected")  # too late
        assert (call.state.owner, call.has("Hangup")) == (None, True)
        call.leg("ewa", "call/connected")
        assert call.state.owner == "ewa"

    def test_a_claim_that_is_nine_seconds_old_stands(self) -> None:
        call = ringing(ANIA, EWA)
        for name in ("ania", "ewa"):
            call.leg(name)
        call.leg("ania", "call/accept", n=1, Digits="1")
        call.later(9)
        call.leg("ewa", "call/accept", n=1, Digits="1")
        assert call.words[-1] == "accepted"
        assert call.words.count("accepted") == 1

    def test_an_owner_cannot_be_replaced_ever(self) -> None:
        call = ringing(ANIA, EWA)
        call.leg("ewa")
        call.accept("ania")
        call.later(3_600)
        call.leg("ewa", "call/accept", n=1, Digits="1")
        assert call.state.owner == "ania"

    def test_a_claim_whose_phone_is_gone_is_open_at_once(self) -> None:
        call = ringing(ANIA, EWA)
        for name in ("ania", "ewa"):
            call.leg(name)
        call.leg("ania", "call/accept", n=1, Digits="1")
        call.leg("ania", "call/leg", CallStatus="completed")
        call.leg("ewa", "call/accept", n=1, Digits="1")
        assert call.words[-2:] == ["claim_expired", "accepted"]

    def test_pressed_twice_is_taken_once(self) -> None:
        call = ringing(ANIA)
        call.leg("ania")
        call.leg("ania", "call/accept", n=1, Digits="1")
        call.leg("ania", "call/accept", n=2, Digits="1")
        assert call.words.count("accepted") == 1

    def test_of_a_caller_who_hung_up_says_so(self) -> None:
        call = ringing(ANIA)
        call.hang_up()
        call.leg("ania")
        assert call.said == "The caller is no longer there. Thank you."
        assert call.kept is None

    def test_of_an_earlier_round_is_over(self) -> None:
        call = ringing(ANIA, TOMEK)
        query = {"a": "ania", "of": talking.CALL, "r": "1"}
        call.dialed()
        call.post("call/whisper", query, CallSid=talking.leg_of("ania"))
        assert call.has("Hangup")

    def test_is_in_the_agents_language(self) -> None:
        call = ringing(ANIA, account=options(menu=(), agents_language="de"))
        call.leg("ania")
        assert "Drücken Sie die 1, um den Anruf anzunehmen." in call.said


class TestLegs:
    @pytest.mark.parametrize("status", ["busy", "no-answer", "failed", "canceled", "completed"])
    def test_a_phone_that_is_done_is_free_again(self, status: str) -> None:
        call = ringing(ANIA, EWA)
        assert call.leg("ania", "call/leg", CallStatus=status).holds == ("ewa",)

    @pytest.mark.parametrize("status", ["initiated", "ringing", "in-progress"])
    def test_a_phone_that_rings_stays_held(self, status: str) -> None:
        call = ringing(ANIA, EWA)
        assert call.leg("ania", "call/leg", CallStatus=status).holds == ("ania", "ewa")

    def test_a_late_one_of_an_earlier_round_changes_nothing(self) -> None:
        call = ringing(ANIA, TOMEK)
        call.dialed()
        query = {"a": "tomek", "of": talking.CALL, "r": "1"}
        turn = call.post("call/leg", query, CallSid=talking.leg_of("tomek"), CallStatus="completed")
        assert turn.holds == ("tomek",)

    def test_an_agent_who_hangs_up_leaves_the_call(self) -> None:
        call = ringing(ANIA)
        call.accept("ania")
        turn = call.leg("ania", "call/leg", CallStatus="completed")
        assert (call.words[-1], turn.holds) == ("agent_left", ())

    @pytest.mark.parametrize("is_first", [True, False])
    def test_a_talk_ends_once_in_either_order(self, is_first: bool) -> None:  # noqa: FBT001
        call = ringing(ANIA)
        call.accept("ania")
        over: list[Any] = [
            lambda: call.leg("ania", "call/leg", CallStatus="completed"),
            lambda: call.dialed("completed", DialBridged="true", DialCallDuration="60"),
        ]
        for each in over if is_first else reversed(over):
            each()
        assert call.words.count("agent_left") == 1
        assert call.hang_up().details["why"] == "answered"

    def test_after_a_session_is_over_nothing_begins_anew(self) -> None:
        call = ringing(ANIA)
        call.hang_up()
        call.leg("ania", "call/leg", CallStatus="completed")
        assert call.kept is None


class TestAfterTheDial:
    def test_a_talk_is_followed_by_good_bye(self) -> None:
        call = ringing(ANIA)
        call.accept("ania")
        call.dialed("completed", DialBridged="true", DialCallDuration="60")
        assert call.said == "Thank you for your call. Goodbye."
        assert call.turn.holds == ()

    def test_a_claim_that_never_spoke_is_followed_by_the_next_round(self) -> None:
        call = ringing(ANIA, TOMEK)
        call.leg("ania")
        call.leg("ania", "call/accept", n=1, Digits="1")
        call.dialed("completed", DialBridged="false")
        assert (numbers(call), call.state.claim) == ([TOMEK.phone], None)

    def test_an_owner_who_was_gone_before_the_bridge_is_followed_by_the_next_round(self) -> None:
        call = ringing(ANIA, TOMEK)
        call.accept("ania")
        assert numbers(call.dialed("completed", DialBridged="false")) == [TOMEK.phone]

    def test_a_bridge_whose_signs_came_late_is_a_talk(self) -> None:
        call = ringing(ANIA)
        call.leg("ania")
        call.leg("ania", "call/accept", n=1, Digits="1")
        call.dialed("completed", DialBridged="true")
        assert call.words[-2:] == ["connected", "agent_left"]


class TestRecording:
    @pytest.mark.parametrize(
        ("record", "digit", "consents"),
        [
            ("ask", "1", [{"given": True, "how": "key"}]),
            ("ask", "2", [{"given": False, "how": "key"}]),
            ("ask", "", [{"given": False, "how": "key"}]),
        ],
    )
    def test_is_asked_for(self, record: str, digit: str, consents: list[dict[str, Any]]) -> None:
        call = Call(options(menu=(), record=record), placed=placed(ANIA)).start().press(digit)
        assert [each.details for each in call.happened if each.what == "consent"] == consents
        assert ("record" in call.verb("Dial").attributes) == consents[0]["given"]

    def test_is_told(self) -> None:
        call = Call(options(menu=(), record="notice"), placed=placed(ANIA)).start()
        assert "This call is recorded." in call.said
        assert call.words[-1] == "consent"
        assert call.go_on().verb("Dial").get("record") == "record-from-answer-dual"

    def test_is_off_unless_somebody_wants_it(self) -> None:
        call = ringing(ANIA, OLEK, EWA)
        assert "record" not in call.verb("Dial").attributes
        assert "consent" not in call.words

    def test_is_asked_while_the_rules_decide(self) -> None:
        """The consent stands after the menu: it costs no time of its own."""
        call = Call(options(menu=(), record="ask")).start()
        assert call.words == ["started", "menu_done"]
        assert call.state.phase == "consent"
