"""An API key logs in at Twilio in the token's place; what Twilio posts is signed with the token all the same."""

from typing import Any

import pytest

from channels.twilio import media, probe, settings, setup
from channels.twilio.api import Api
from channels.twilio.simulator.provider import Provider
from tests.phone.outage import JAN, OWN, Desk, ended

KEY, SECRET = "SK" + "7" * 32, "the-secret-of-the-key"
SID = "AC" + "0" * 32
LOGIN: dict[str, Any] = {"api_key": KEY, "api_secret": SECRET, "auth_token": "signs-and-does-not-log-in"}


async def test_a_key_lists_what_was_lost_and_fetches_its_files(provider: Provider, api_url: str) -> None:
    provider.keys[KEY] = SECRET
    desk = Desk(provider, api_url, **LOGIN)
    await desk.round()
    file = provider.media(b"one")
    sent = provider.receive(JAN, OWN, "look", media=(file,))
    await ended(desk)
    fetcher = media.Fetcher(desk.options)
    path = f"/2010-04-01/Accounts/{provider.account}/Messages/{sent.sid}/Media/{file.sid}"
    fetched = await fetcher.fetch(api_url + path)
    await fetcher.close()
    await desk.api.close()
    assert desk.said == ["look"]
    assert fetched.content == b"one"


async def test_a_wrong_secret_is_named_and_not_shown(provider: Provider, api_url: str) -> None:
    provider.keys[KEY] = "another-one"
    desk = Desk(provider, api_url, **LOGIN)
    reconciler = desk.texts()
    await reconciler.attempt(desk.gate)
    [problem] = (await probe.inspect("texts", desk.options, "sms", desk.api)).problems
    await desk.api.close()
    for said in (problem.message, *reconciler.troubles()):
        assert "api_key and api_secret do not belong together" in said
        assert SECRET not in said
    assert "type Standard" in problem.hint


async def test_a_key_without_a_token_asks_and_believes_nothing(provider: Provider, api_url: str) -> None:
    """Webhooks are signed with the token only, so it is still missed."""
    provider.keys[KEY] = SECRET
    given = settings.Options(
        account_sid=provider.account, api_url=api_url, numbers=(OWN,), api_key=KEY, api_secret=SECRET
    )
    api = Api(given)
    assert (await probe.inspect("texts", given, "sms", api)).problems == ()
    await api.close()
    assert "auth_token is not set: no webhook is believed" in [
        each.message for each in setup.problems(given, "sms")
    ]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"api_key": KEY}, "belong together"),
        ({"api_secret": SECRET}, "belong together"),
        ({"api_key": "AC" + "7" * 32, "api_secret": SECRET}, "like SK and 32"),
    ],
)
def test_half_a_key_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        settings.Options(account_sid=SID, **given)
