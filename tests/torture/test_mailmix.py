"""The generated mails are what the figures say they are."""

import email
import email.message
import email.policy
import re

import pytest

from tests.torture import mailmix


@pytest.fixture(scope="module")
def pool() -> mailmix.Pool:
    return mailmix.Pool(mailmix.MIXES["mix"], seed=5, recipient="support@example.com")


def _parsed(mail: mailmix.Mail) -> email.message.EmailMessage:
    return email.message_from_bytes(re.sub(rb"(?m)^\.\.", b".", mail.content), policy=email.policy.default)


@pytest.mark.slow
def test_the_same_number_is_the_same_bytes(pool: mailmix.Pool) -> None:
    again = mailmix.Pool(mailmix.MIXES["mix"], seed=5, recipient="support@example.com")
    assert [again.mail(number) for number in range(50)] == [pool.mail(number) for number in range(50)]


def test_each_body_holds_its_own_marker_and_no_other(pool: mailmix.Pool) -> None:
    for number in range(60):
        mail = pool.mail(number)
        body = _parsed(mail).get_body(("plain", "html"))
        assert body is not None
        assert set(mailmix.MARKER.findall(body.get_content())) == {mail.marker}


def test_three_in_ten_answer_an_earlier_mail_of_the_same_sender(pool: mailmix.Pool) -> None:
    """A reference names a mail with a lower number whose sender is the same."""
    mails = [pool.mail(number) for number in range(4_000, 5_000)]
    replies = [(mail, re.search(rb"In-Reply-To: <(\w+)@", mail.content)) for mail in mails]
    answered = [(mail, int(found[1][7:15], 16)) for mail, found in replies if found]
    assert 250 <= len(answered) <= 350
    assert all(pool.mail(root).sender == mail.sender and root < mail.number for mail, root in answered)


def test_shapes_have_their_shares_and_sizes(pool: mailmix.Pool) -> None:
    """60 % plain of 1-3 KB, 25 % HTML of 20-60 KB, 15 % with attachments of 100-500 KB, before transfer encoding."""
    sizes: dict[str, list[int]] = {"plain": [], "html": [], "attached": []}
    for number in range(2_000):
        content = pool.mail(number).content
        shape = "attached" if b"mixed_" in content else "html" if b"text/html" in content else "plain"
        sizes[shape].append(len(content))
    shares = {shape: len(of) / 2_000 for shape, of in sizes.items()}
    assert shares == pytest.approx({"plain": 0.60, "html": 0.25, "attached": 0.15}, abs=0.04)
    assert 1_000 <= min(sizes["plain"]) <= max(sizes["plain"]) <= 6_500
    assert 20_000 <= min(sizes["html"]) <= max(sizes["html"]) <= 80_000
    assert 100_000 <= min(sizes["attached"]) <= max(sizes["attached"]) <= 600_000


@pytest.mark.slow
def test_lines_end_as_smtp_wants_them_and_none_ends_the_mail(pool: mailmix.Pool) -> None:
    """No bare CR or LF, and no line that is a lone dot."""
    for number in range(300):
        content = pool.mail(number).content
        assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\r\n\.\r\n", content)
