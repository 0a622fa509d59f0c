"""No address that a stranger names is fetched: certificate URLs that look like Amazon's, and those that do not even try."""

from channels.email import sns
from tests.rows import every_row
from tests.webhook import amazon_play, posting
from tests.webhook.amazon_play import CERTIFICATE_PATH, CERTIFICATE_URL, HOST, TOPIC
from tests.webhook.conftest import Start

_HOSTS = [
    "localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "2130706433", "0177.0.0.1", "0x7f000001", "127.1",
    "169.254.169.254", "10.0.0.1", "0.0.0.0", "metadata.google.internal", "evil.example", "amazonaws.com", "sns.amazonaws.com",
    f"{HOST}.evil.example", f"evil.example.{HOST}", f"evil-{HOST}", f"evil.{HOST}", "sns.eu-west-1.amazonaws.com.cn",
    "sns.eu-west-2.amazonaws.com", "sns.us-east-1.amazonaws.com", "sqs.eu-west-1.amazonaws.com", "snsxeu-west-1.amazonaws.com",
    "sns.eu-west-1xamazonaws.com", "sns.eu-west-1.amazonaws.co", "sns.eu-west-1.amazonaws.comx", "sns.eu-west-1.amazonaws-com",
    "sns-eu-west-1.amazonaws.com", "sns.eu-west-1.s3.amazonaws.com", "sns.s3.amazonaws.com", "my-bucket.s3.eu-west-1.amazonaws.com",
    "s3.eu-west-1.amazonaws.com", f"{HOST}.", f"{HOST}:443", f"{HOST}:444", f"{HOST}:", f"user@{HOST}", f"user:pass@{HOST}", f"@{HOST}",
    f"{HOST}@evil.example", f"{HOST}:443@evil.example", f"evil.example#@{HOST}", f"evil.example\\@{HOST}", f"evil.example?@{HOST}",
    f"evil.example/{HOST}", HOST.upper(), "SNS.eu-west-1.amazonaws.com", "sns.eu-west-1.аmazonaws.com", "sns.eu-west-1.amazonaws。com",
    "ｓns.eu-west-1.amazonaws.com", "sns%2eeu-west-1.amazonaws.com", f"{HOST}%00.evil.example", f"{HOST}\t.evil.example", f" {HOST}",
    "xn--sns-eu.amazonaws.com", "", "sns..amazonaws.com", "sns.eu-west-1.amazonaws.com\u3002",
]  # fmt: skip
_PATHS = [
    "", "/", "/x.pem/", "/x.pem?a=b", "/x.pem#a", "/x.pem;a", "/a/x.pem", "/../x.pem", "/%2e%2e/x.pem", "/x%2epem", "/x.PEM", "/x.pem%00",
    "/x.pem\n", "/x.pem ", "/ x.pem", "//x.pem", "\\x.pem", "/x.crt", "/.pem", "/x.pem.html", "/x.pеm", "/x\r\nHost: evil.pem", "?x.pem",
    "/?Action=x.pem", "/@evil.example/x.pem", f"/{'x' * 129}.pem", "/x:y.pem",
]  # fmt: skip
URLS = [
    *(f"https://{host}{CERTIFICATE_PATH}" for host in _HOSTS),
    *(f"https://{HOST}{path}" for path in _PATHS),
    *(CERTIFICATE_URL.replace("https://", scheme) for scheme in ("http://", "HTTPS://", "ftp://", "//", "https:/", "https:", "https:\\\\", "file://", "gopher://", " https://", "https:///", "jar:https://", "")),
    "file:///etc/passwd", "data:text/plain,x.pem", "javascript:alert(1)", "x" * 10_000,
]  # fmt: skip


def test_there_are_enough_of_them_and_the_right_one_is_allowed() -> None:
    assert len(set(URLS)) == len(URLS) >= 100
    assert sns.is_certificate_url(CERTIFICATE_URL, TOPIC)


@every_row("url", URLS, ids=range(len(URLS)))
def test_no_other_address_is_allowed(url: str) -> None:
    assert not sns.is_certificate_url(url, TOPIC)


async def test_none_of_them_is_asked_for_anything(
    start: Start, played: amazon_play.Server, keys: amazon_play.Keys
) -> None:
    """Posted, each is refused; no name is resolved and no connection made, though every name would lead to us."""
    desk = await start(played=played, topics=(TOPIC,))
    message = keys.notification(posting.received("x"))
    statuses = {await desk.post_sns(message | {"SigningCertURL": url}) for url in URLS}
    assert statuses <= {400, 403}
    assert (played.asked, played.resolver.asked) == ([], [])
