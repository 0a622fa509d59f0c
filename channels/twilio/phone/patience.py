"""How long what a caller is asked takes, and for how long somebody is asked who gives no right answer.

Whoever presses nothing but wrong keys, or none, rings a person within PERSON_WITHIN_S of the call's beginning or of the
last right answer, even when each question is heard to its end and the key comes at the last moment: a question is asked
again only while there is time for it, and `lint` refuses an account in which one question alone takes too long. What is
told of an incident comes on top.

A synthetic voice speaks about 150 words a minute. Seconds everywhere.
"""

from collections.abc import Iterable

from channels.twilio.phone import questions
from channels.twilio.phone.moment import Line, Moment
from channels.twilio.phone.options import Options
from channels.twilio.phone.state import State

PERSON_WITHIN_S = 30
CHARACTERS_A_SECOND = 15
KEY_TIMEOUT_S = 4
CONSENT_TIMEOUT_S = 3
TURN_S = 0.5  # Twilio asks us, and the voice begins
PLACING_S = 1  # beyond "one moment, please", while which the rules decide already


def spoken_s(lines: Iterable[Line]) -> float:
    return sum(len(line.text) for line in lines) / CHARACTERS_A_SECOND


def put_through_s(options: Options, language: str) -> float:
    """How long it takes from the last answer until phones ring."""
    return TURN_S + spoken_s(questions.before_ringing(options, language)) + TURN_S + PLACING_S


def at_most_s(
    options: Options, language: str, lines: Iterable[Line], *, timeout_s: float = KEY_TIMEOUT_S
) -> float:
    """How long it takes until phones ring for somebody who hears this question out and answers it wrong at the last moment."""
    return TURN_S + spoken_s(lines) + timeout_s + put_through_s(options, language)


def is_left(moment: Moment, state: State, lines: Iterable[Line], *, timeout_s: float = KEY_TIMEOUT_S) -> bool:
    """Whether somebody who has given a wrong answer can be asked this before they are put through."""
    waited_s = (moment.at - (state.answered_at or state.started_at)).total_seconds()
    return waited_s + at_most_s(moment.options, state.language, lines, timeout_s=timeout_s) <= PERSON_WITHIN_S
