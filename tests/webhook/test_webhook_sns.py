"""What Amazon signed is taken; whatever is changed, forged, of another topic or from another place is not."""

import base64
import json
import logging
import random
import sys
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from channels import testing
from channels.email import amazon, sns, webhook
from tests.rows import every_row
from tests.webhook import amazon_play, posting
from tests.webhook.amazon_play import CERTIFICATE_PATH, TOKEN, TOPIC
from tests.webhook.conftest import Start

MAIL = base64.b64encode(posting.MAIL).decode()
RECEIVED = posting.received(MAIL, encoding="Base64")
Played = amazon_play.Server
Keys = amazon_play.Keys


@pytest.mark.parametrize("version", ["1", "2"])
async def test_a_signed_notification_is_stored(
    start: Start, played: Played, keys: Keys, version: str
) -> None:
    desk = await start(played=played, topics=(TOPIC,))
    assert await desk.post_sns(keys.notification(RECEIVED, version=version)) == 200
    assert [raw.body for raw in desk.gate.stored] == [posting.MAIL]


async def test_a_notification_without_subject_is_signed_without_it(
    start: Start, played: Played, keys: Keys
) -> None:
    desk = await start(played=played, topics=(TOPIC,))
    message = {
        name: value for name, value in keys.notification(RECEIVED, Subject=None).items() if value is not None
    }
    assert await desk.post_sns(message) == 200
    assert await desk.post_sns(message | {"Subject": None}) == 200
    assert await desk.post_sns(message | {"Subject": "added"}) == 403


async def test_the_certificate_is_fetched_once_in_a_day(start: Start, played: Played, keys: Keys) -> None:
    desk = await start(played=played, topics=(TOPIC,))
    for number in range(5):
        await desk.post_sns(keys.notification(RECEIVED, MessageId=str(number)))
    assert played.asked == [CERTIFICATE_PATH]


def changed(value: str, source: random.Random) -> list[str]:
    """Other values that look like it."""
    at = source.randrange(len(value))
    return [
        "", value + " ", " " + value, value + "\n", value[:-1], value[:at] + "x" + value[at:], value.swapcase(), value * 2,
        value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1 :],
    ]  # fmt: skip


async def test_no_field_of_a_signed_message_can_be_changed(start: Start, played: Played, keys: Keys) -> None:
    """Every signed field of each type, changed in ways that look alike, dropped, or of another type, is refused.

    UnsubscribeURL is not signed by Amazon, and not read by anybody.
    """
    desk = await start(played=played, topics=(TOPIC,))
    source = random.Random(5)
    whole = [keys.notification(RECEIVED), keys.notification(RECEIVED, version="1"), keys.confirmation()]
    tried = 0
    for message in whole:
        for name, value in message.items():
            if name == "UnsubscribeURL":
                continue
            others: list[Any] = [*changed(value, source), None, 1, [value], {"a": value}]
            for other in others:
                if other == value:
                    continue
                status = await desk.post_sns(message | {name: other})
                assert status in (400, 403), (name, other)
                tried += 1
            assert await desk.post_sns({key: each for key, each in message.items() if key != name}) in (
                400,
                403,
            )
    assert tried > 250
    assert (desk.gate.submitted, [path for path in played.asked if path.startswith("/?")]) == (0, [])


async def test_a_message_is_not_another_type(start: Start, played: Played, keys: Keys) -> None:
    desk = await start(played=played, topics=(TOPIC,))
    message = keys.confirmation() | {"Type": "UnsubscribeConfirmation"}
    assert await desk.post_sns(message) == 403


@pytest.mark.parametrize("name", ["MessageId", "Subject", "Timestamp", "TopicArn"])
async def test_a_line_feed_in_a_field_of_one_line_is_refused(
    start: Start, played: Played, keys: Keys, name: str
) -> None:
    """Signed text is lines: a value with a line feed could be read as another split of the same text."""
    desk = await start(played=played, topics=(TOPIC,))
    message = keys.notification("a\nMessageId\nb")
    assert await desk.post_sns(message | {name: f"{message[name]}\n"}) == 400


async def test_the_same_signed_text_split_another_way_is_refused(
    start: Start, played: Played, keys: Keys
) -> None:
    desk = await start(played=played, topics=(TOPIC,))
    message = keys.notification("a\nMessageId\nb", MessageId="c")
    assert await desk.post_sns(message | {"Message": "a", "MessageId": "b\nMessageId\nc"}) == 400
    assert desk.gate.submitted == 0


@pytest.mark.slow
async def test_ten_thousand_bits_of_signatures_are_all_needed(keys: Keys) -> None:
    """Every single bit of the signature of three messages, flipped: none is valid."""
    for number in range(3):
        message = keys.notification(RECEIVED, MessageId=str(number))
        signature = base64.b64decode(message["Signature"])
        for bit in range(0, len(signature) * 8, 1 if number == 0 else 7):
            other = bytearray(signature)
            other[bit // 8] ^= 1 << bit % 8
            envelope = sns.read(
                json.dumps(message | {"Signature": base64.b64encode(other).decode()}).encode()
            )
            assert envelope is not None
            assert not sns.is_signed_by(keys.signing_certificate, envelope)


async def test_base64_that_says_the_same_in_another_way_is_refused(keys: Keys) -> None:
    """The unused bits of the last character, white space, and the other alphabet."""
    message = keys.notification(RECEIVED)
    text: str = message["Signature"]
    assert text.endswith("==")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    twin = text[:-3] + alphabet[alphabet.index(text[-3]) ^ 1] + "=="
    assert base64.b64decode(twin) == base64.b64decode(text)
    for other in (
        twin,
        text[:10] + "\n" + text[10:],
        text.replace("+", "-").replace("/", "_") + "=",
        text + "A",
    ):
        envelope = sns.read(json.dumps(message | {"Signature": other}).encode())
        assert envelope is not None
        assert not sns.is_signed_by(keys.signing_certificate, envelope)


@pytest.mark.parametrize(
    "topic",
    [
        TOPIC + "x", TOPIC[:-1], TOPIC.replace("123456789012", "210987654321"), TOPIC.replace("eu-west-1", "eu-west-2"),
        TOPIC.upper(), TOPIC.replace("arn:aws:", "arn:aws-cn:"), "", "*",
    ],
)  # fmt: skip
async def test_another_topic_is_refused_though_amazon_signed_it(
    start: Start, played: Played, keys: Keys, topic: str
) -> None:
    desk = await start(played=played, topics=(TOPIC,))
    assert await desk.post_sns(keys.notification(RECEIVED, TopicArn=topic)) == 403
    assert played.asked == []


async def test_another_key_is_refused(start: Start, played: Played, keys: Keys) -> None:
    desk = await start(played=played, topics=(TOPIC,))
    message = keys.notification(RECEIVED)
    envelope = sns.read(json.dumps(message).encode())
    assert envelope is not None
    forged = rsa.generate_private_key(public_exponent=65537, key_size=2048).sign(
        sns.signed_text(envelope), padding.PKCS1v15(), hashes.SHA256()
    )
    assert await desk.post_sns(message | {"Signature": base64.b64encode(forged).decode()}) == 403


@pytest.mark.parametrize("days", [31, -2])
async def test_an_expired_or_future_certificate_signs_nothing(
    start: Start, played: Played, keys: Keys, days: int
) -> None:
    now_s = (amazon_play.NOW + timedelta(days=days)).timestamp()
    desk = await start(played=played, topics=(TOPIC,), now_s=now_s)
    assert await desk.post_sns(keys.notification(RECEIVED)) == 403


async def test_what_is_no_certificate_signs_nothing(start: Start, played: Played, keys: Keys) -> None:
    """Junk, a key that is not RSA, and one that is too short."""
    curve = ec.generate_private_key(ec.SECP256R1())
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    bad = [
        b"", b"junk", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        amazon_play.pem(amazon_play.certificate("sns.amazonaws.com", curve)),
        amazon_play.pem(amazon_play.certificate("sns.amazonaws.com", short)),
    ]  # fmt: skip
    for pem in bad:
        played.answers[CERTIFICATE_PATH] = (200, pem)
        desk = await start(played=played, topics=(TOPIC,))
        assert await desk.post_sns(keys.notification(RECEIVED)) == 403


async def test_a_short_key_signs_nothing(start: Start, played: Played, keys: Keys) -> None:
    """1 024 bits can be broken: the signature is right, and is not believed."""
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    played.answers[CERTIFICATE_PATH] = (
        200,
        amazon_play.pem(amazon_play.certificate("sns.amazonaws.com", short)),
    )
    message = keys.notification(RECEIVED)
    envelope = sns.read(json.dumps(message).encode())
    assert envelope is not None
    signed = short.sign(sns.signed_text(envelope), padding.PKCS1v15(), hashes.SHA256())
    desk = await start(played=played, topics=(TOPIC,))
    assert await desk.post_sns(message | {"Signature": base64.b64encode(signed).decode()}) == 403


async def test_amazon_in_trouble_is_try_again_and_a_missing_certificate_is_a_forgery(
    start: Start, played: Played, keys: Keys
) -> None:
    expected = {500: 503, 503: 503, 301: 503, 302: 503, 404: 403, 403: 403}
    for status, answer in expected.items():
        played.answers[CERTIFICATE_PATH] = (status, b"")
        desk = await start(played=played, topics=(TOPIC,))
        assert await desk.post_sns(keys.notification(RECEIVED)) == answer, status
    assert len(played.asked) == len(expected), "redirects are not followed"


async def test_an_answer_that_does_not_end_is_cut(start: Start, played: Played, keys: Keys) -> None:
    played.answers[CERTIFICATE_PATH] = (200, b"x" * 1_000_000)
    desk = await start(played=played, topics=(TOPIC,))
    assert await desk.post_sns(keys.notification(RECEIVED)) == 503


async def test_amazon_has_to_prove_its_name(start: Start, played: Played, keys: Keys) -> None:
    """A server with the right name and a certificate that nobody vouches for is not believed."""
    channel = webhook.Channel(
        "support", webhook.Options(topics=(TOPIC,)), clock=lambda: posting.NOW_S,
        known_of_amazon=amazon.Amazon(clock=lambda: posting.NOW_S, resolver=played.resolver, is_allowed=lambda address: True),
    )  # fmt: skip
    desk = await posting.serve(channel, testing.MemoryGate())
    assert await desk.post_sns(keys.notification(RECEIVED)) == 503
    assert played.asked == []
    await desk.stop()


async def test_forgers_cannot_make_us_call_amazon_all_day(start: Start, played: Played, keys: Keys) -> None:
    """Of 100 posts that each name another certificate only ten lead to a question within a minute."""
    desk = await start(played=played, topics=(TOPIC,))
    message = keys.notification(RECEIVED)
    host = f"https://{amazon_play.HOST}"
    statuses = [
        await desk.post_sns(message | {"SigningCertURL": f"{host}/{number}.pem"}) for number in range(100)
    ]
    assert len(played.asked) == amazon.FETCHES_PER_MINUTE
    assert sorted(set(statuses)) == [403, 503]


async def test_a_subscription_of_a_configured_topic_is_confirmed(
    start: Start, played: Played, keys: Keys, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    desk = await start(played=played, topics=(TOPIC,))
    assert await desk.post_sns(keys.confirmation()) == 200
    assert played.asked[1:] == [f"/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token={TOKEN}"]
    assert desk.gate.submitted == 0
    assert f"sns_confirmed account=support topic={TOPIC}" in caplog.text
    assert TOKEN not in caplog.text


async def test_a_subscription_is_not_confirmed_when_told_so_nor_for_another_topic(
    start: Start, played: Played, keys: Keys, caplog: pytest.LogCaptureFixture
) -> None:
    desk = await start(played=played, topics=(TOPIC,), confirm_subscriptions=False)
    assert await desk.post_sns(keys.confirmation()) == 200
    assert "sns_not_confirmed" in caplog.text
    assert await desk.post_sns(keys.confirmation(TopicArn=TOPIC + "2")) == 403
    assert [path for path in played.asked if path.startswith("/?")] == []


@pytest.mark.parametrize(
    "url",
    [
        "https://sns.eu-west-1.amazonaws.com.evil.example/?Action=ConfirmSubscription&TopicArn={topic}&Token={token}",
        "http://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={topic}&Token={token}",
        "https://sns.eu-west-1.amazonaws.com:444/?Action=ConfirmSubscription&TopicArn={topic}&Token={token}",
        "https://a@sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={topic}&Token={token}",
        "https://sns.eu-west-1.amazonaws.com/x?Action=ConfirmSubscription&TopicArn={topic}&Token={token}",
        "https://sns.eu-west-1.amazonaws.com/?Action=DeleteTopic&TopicArn={topic}&Token={token}",
        "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={topic}2&Token={token}",
        "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={topic}&Token={token}0",
        "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={topic}&Token={token}&AuthenticateOnUnsubscribe=true",
        "https://sns.eu-west-2.amazonaws.com/?Action=ConfirmSubscription&TopicArn={topic}&Token={token}",
        "http://169.254.169.254/latest/meta-data/",
        "",
    ],
)
async def test_a_confirmation_goes_to_the_topics_own_address_only(
    start: Start, played: Played, keys: Keys, url: str
) -> None:
    """Even signed, another address is not called."""
    desk = await start(played=played, topics=(TOPIC,))
    assert await desk.post_sns(keys.confirmation(SubscribeURL=url.format(topic=TOPIC, token=TOKEN))) in (
        400,
        403,
    )
    assert played.asked == [CERTIFICATE_PATH]


async def test_a_confirmation_that_amazon_does_not_take_is_tried_again(
    start: Start, played: Played, keys: Keys
) -> None:
    played.answers["/"] = (500, b"")
    desk = await start(played=played, topics=(TOPIC,))
    assert await desk.post_sns(keys.confirmation()) == 503


async def test_the_end_of_a_subscription_is_an_error_in_the_log(
    start: Start, played: Played, keys: Keys, caplog: pytest.LogCaptureFixture
) -> None:
    desk = await start(played=played, topics=(TOPIC,))
    assert await desk.post_sns(keys.confirmation("UnsubscribeConfirmation")) == 200
    [record] = [each for each in caplog.records if "sns_unsubscribed" in each.getMessage()]
    assert record.levelno == logging.ERROR
    assert len(played.asked) == 1, "nothing is subscribed again by itself"


async def test_raw_delivery_is_refused_with_what_to_do(
    start: Start, played: Played, caplog: pytest.LogCaptureFixture
) -> None:
    desk = await start(played=played, topics=(TOPIC,))
    assert await desk.post_sns(RECEIVED, {"x-amz-sns-rawdelivery": "true"}) == 403
    assert "turn raw message delivery of the subscription off" in caplog.text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff",
        b'{"Type": "Notification"}',
        b"{}" * 3,
        b"[" * 100_000,
        b'{"a": ' + b"[" * 100_000,
    ],
)
async def test_what_is_not_of_sns_is_400(start: Start, played: Played, body: bytes) -> None:
    desk = await start(played=played, topics=(TOPIC,))
    assert (await desk.post("/hooks/support/sns", body))[0] == 400


async def test_an_account_without_topics_has_no_such_address(start: Start, keys: Keys) -> None:
    desk = await start()
    assert await desk.post_sns(keys.notification(RECEIVED)) == 404


async def test_without_its_library_it_is_try_again_and_the_operator_hears_what_to_install(
    start: Start,
    played: Played,
    keys: Keys,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    message = keys.notification(RECEIVED)
    desk = await start(played=played, topics=(TOPIC,))
    monkeypatch.setitem(sys.modules, "cryptography", None)
    assert await desk.post_sns(message) == 503
    assert "pip install 'intaked[ses]'" in caplog.text
    assert [problem for problem in desk.channel.check() if "intaked[ses]" in problem.message]


@every_row(
    "arn",
    [
        "support-mail",
        "arn:aws:sqs:eu-west-1:123456789012:x",
        f"{TOPIC}\n",
        "arn:aws:sns:eu-west-1.evil.example/:123456789012:x",
    ],
)
def test_a_topic_is_written_as_an_arn(arn: str) -> None:
    with pytest.raises(ValueError, match="is not written like arn:aws:sns:"):
        webhook.Options(topics=(arn,))


@every_row(
    ("region", "host"),
    [
        ("arn:aws:sns:us-east-1", "sns.us-east-1.amazonaws.com"),
        ("arn:aws:sns:ap-southeast-12", "sns.ap-southeast-12.amazonaws.com"),
        ("arn:aws-us-gov:sns:us-gov-west-1", "sns.us-gov-west-1.amazonaws.com"),
        ("arn:aws-cn:sns:cn-north-1", "sns.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_each_topic_has_its_own_host(region: str, host: str) -> None:
    assert sns.host_of(f"{region}:123456789012:x") == host
