"""Whether a talk is recorded, by the caller's country: never without a consent that was told before."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels import recording
from tests.phone.talking import ANIA, EWA, Call, options, placed

BY_COUNTRY = {"default": "off", "PL": "ask", "DE": "notice"}
NUMBERS = ("+48600100200", "+4915112345678", "+12125550123", "+33612345678", "anonymous", "+266696687")
MODES = st.sampled_from(("off", "ask", "notice"))
MAPS = st.dictionaries(st.sampled_from(("PL", "DE", "US", "FR", "default")), MODES)


@pytest.mark.parametrize(
    ("modes", "number", "expected"),
    [
        ("ask", "+48600100200", "ask"),
        ("notice", None, "notice"),
        (BY_COUNTRY, "+48600100200", "ask"),
        (BY_COUNTRY, "+4915112345678", "notice"),
        (BY_COUNTRY, "+33612345678", "off"),
        (BY_COUNTRY, None, "off"),
        ({"default": "ask", "DE": "off"}, None, "ask"),
        ({"PL": "notice"}, "+33612345678", "off"),
        ({"PL": "notice"}, None, "off"),
        ({}, "+48600100200", "off"),
        ({"default": "ask", "US": "notice"}, "+80012345678", "ask"),
    ],
)
def test_the_country_of_the_number_says_whether_it_is_recorded(
    modes: recording.Modes, number: str | None, expected: str
) -> None:
    assert recording.mode(modes, number) == expected


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(
    modes=st.one_of(MODES, MAPS),
    caller=st.sampled_from(NUMBERS),
    keys=st.lists(st.sampled_from(("1", "2", "0", "9", "")), max_size=6),
)
def test_nothing_is_recorded_before_a_consent_was_told(
    modes: recording.Modes, caller: str, keys: list[str]
) -> None:
    """Whatever the account says, whoever calls and whatever they press; and with one it is."""
    call = Call(options(menu=(), record=modes), placed=placed(ANIA, EWA))
    call.caller = caller
    call.post("call")
    for key in [*keys, "", "", ""]:
        verb = call.root.children[-1]
        if verb.name == "Dial":
            break
        call.later(1)
        call.follow(verb.words if verb.name == "Redirect" else verb.get("action"), Digits=key)
    verb = call.root.children[-1]
    has_agreed = any(each.what == "consent" and each.details["given"] for each in call.happened)
    assert verb.name == "Dial"
    assert bool(verb.get("record")) == has_agreed
    if recording.mode(modes, caller if caller in NUMBERS[:4] else None) == "off":
        assert "consent" not in call.words


@pytest.mark.parametrize(
    ("modes", "expected"),
    [
        ({"de": "ask"}, "'de' is no country"),
        ({"XX": "ask"}, "'XX' is no country"),
        ({"UK": "ask"}, "'UK' is no country"),
    ],
)
def test_a_country_that_there_is_not_is_refused(modes: dict[str, recording.Mode], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        options(record=modes)


def test_a_default_that_is_laxer_than_a_country_is_doubted() -> None:
    """Who hides their number may be from there."""
    [doubt] = recording.doubts({"default": "notice", "DE": "ask", "FR": "off", "PL": "notice"})
    assert "from DE, FR who hide their number" in doubt
    assert not list(recording.doubts({"default": "off", "DE": "ask"}))
