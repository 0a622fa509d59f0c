"""DKIM: what we sign is verified by another, with the public key that the guide has people publish."""

import base64
import hashlib
import shutil
import subprocess
from pathlib import Path
from typing import Any

import dkim
import dkim.util
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from channels import contract
from channels.email import send, signing
from channels.email.signing import Dkim
from tests.smtp.test_smtp_compose import outbound


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dkim") / "dkim.pem"
    subprocess.run(["openssl", "genrsa", "-out", path, "1024"], check=True, capture_output=True)
    path.chmod(0o600)
    return path


@pytest.fixture(scope="session")
def record(key: Path) -> bytes:
    written = subprocess.run(
        ["openssl", "rsa", "-in", key, "-pubout", "-outform", "DER"], check=True, capture_output=True
    )
    return b"v=DKIM1; k=rsa; p=" + base64.b64encode(written.stdout)


def ed25519_key(folder: Path) -> tuple[Path, bytes]:
    """A private key, and the 32 bytes of the public one."""
    path = folder / "ed25519.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", path], check=True)
    path.chmod(0o600)
    public = ["openssl", "pkey", "-in", str(path), "-pubout", "-outform", "DER"]
    return path, subprocess.run(public, check=True, capture_output=True).stdout[-32:]


def second_signature(content: bytes) -> tuple[bytes, bytes]:
    """The second signature of a mail and the hash it is of, as dkimpy reads them."""
    headers, _ = dkim.rfc822_parse(content)
    own = tuple([each for each in headers if each[0] == b"DKIM-Signature"][1])
    tags = dkim.util.parse_tag_value(own[1])
    assert tags[b"a"] == b"ed25519-sha256"
    policy = dkim.CanonicalizationPolicy.from_c_value(tags[b"c"])
    hasher = dkim.HashThrough(hashlib.sha256(), False)
    names = [name.strip().lower() for name in tags[b"h"].split(b":")]
    dkim.hash_headers(hasher, policy, policy.canonicalize_headers(headers), names, own, tags)
    return base64.b64decode(tags[b"b"]), hasher.digest()


def options(key: Path, domain: str = "example.com") -> Dkim:
    return Dkim(domain=domain, selector="intake2026", key_file=str(key))


async def sent(tmp_path: Path, *keys: Dkim, **fields: Any) -> bytes:
    way = send.Sender(send.Options(folder=str(tmp_path / "out"), dkim=keys))
    await way.deliver(outbound(**({"markdown": "", "cc": (contract.Address("bob@x.com", "Ż"),)} | fields)))
    (path,) = (tmp_path / "out").glob("*.eml")
    return path.read_bytes()


def is_valid(content: bytes, record: bytes) -> bool:
    asked: list[bytes] = []

    def ask(name: bytes, timeout: int = 5) -> bytes:
        asked.append(name)
        return record

    valid: bool = dkim.verify(content, dnsfunc=ask)
    assert set(asked) <= {b"intake2026._domainkey.example.com."}
    return valid


@pytest.mark.parametrize("markdown", [None, ""])
@pytest.mark.parametrize(
    "text", ["Grüße\n\n.\n  \n\n\n", "", "\n\n\n", " ", "a \t b  \n\tx \n ", "x" * 3_000]
)
async def test_a_signed_mail_is_verified(
    tmp_path: Path, key: Path, record: bytes, text: str, markdown: str | None
) -> None:
    content = await sent(tmp_path, options(key), subject="Zażółć " * 20, text=text, markdown=markdown)
    assert is_valid(content, record)
    assert b"c=relaxed/relaxed" in content


@pytest.mark.parametrize(
    "change",
    [
        (b"Hello", b"Hallo"),
        (b"Subject: Re: Help", b"Subject: Re: Helf"),
        (b"From: Support", b"Subject: a second one\r\nFrom: Support"),
        (b"From: Support", b"From: evil@x.com\r\nFrom: Support"),
        (b"From: Support", b"Reply-To: evil@x.com\r\nFrom: Support"),
        (b"From: Support", b"References: <a@b>\r\nFrom: Support"),
        (b"MIME-Version", b"Content-Type: text/html\r\nMIME-Version"),
    ],
)
async def test_nothing_is_changed_or_added_unnoticed(
    tmp_path: Path, key: Path, record: bytes, change: tuple[bytes, bytes]
) -> None:
    content = await sent(tmp_path, options(key))
    changed = content.replace(*change, 1)
    assert changed != content
    assert not is_valid(changed, record)


async def test_a_relay_may_refold(tmp_path: Path, key: Path, record: bytes) -> None:
    content = await sent(tmp_path, options(key))
    assert is_valid(content.replace(b"Subject: Re: Help", b"SUBJECT:  Re:\r\n\tHelp  "), record)


async def test_each_domain_is_signed_with_its_own_key(tmp_path: Path, key: Path) -> None:
    keys = (options(key), options(key, "other.example"))
    content = await sent(tmp_path, *keys, from_=contract.Address("a@mail.other.example"))
    assert content.count(b"DKIM-Signature:") == 1
    assert b"d=other.example" in content


async def test_a_retry_signs_the_same_bytes(tmp_path: Path, key: Path) -> None:
    """A folder has a mail once; a relay that has it already can tell."""
    first = await sent(tmp_path / "a", options(key))
    assert first == await sent(tmp_path / "b", options(key))


async def test_an_ed25519_key_signs_beside_an_rsa_key(tmp_path: Path, key: Path, record: bytes) -> None:
    """Each signature is found and holds."""
    short, public = ed25519_key(tmp_path)
    other = Dkim(domain="example.com", selector="ed", key_file=str(short))
    content = await sent(tmp_path, options(key), other)
    assert content.count(b"DKIM-Signature:") == 2
    Ed25519PublicKey.from_public_bytes(public).verify(*second_signature(content))
    assert is_valid(content, record)


async def test_without_its_key_a_mail_waits(tmp_path: Path, key: Path) -> None:
    """It is not sent unsigned, and no secret is in what is said."""
    loose, garbled = tmp_path / "loose.pem", tmp_path / "garbled.pem"
    shutil.copy(key, loose)
    loose.chmod(0o644)
    garbled.write_text("-----BEGIN RSA PRIVATE KEY-----\nc2VjcmV0\n-----END RSA PRIVATE KEY-----\n")
    garbled.chmod(0o600)
    for path, reason in [
        (tmp_path / "none", "cannot be read"),
        (loose, "chmod 600"),
        (garbled, "no key that can sign"),
    ]:
        way = send.Sender(send.Options(folder=str(tmp_path / "out"), dkim=(options(path),)))
        with pytest.raises(contract.DeliveryFailed, match=reason) as caught:
            await way.deliver(outbound())
        assert caught.value.retryable
        assert "c2VjcmV0" not in caught.value.reason
        assert [problem.severity for problem in way.check()] == ["error"]
    assert not (tmp_path / "out").exists()


def test_check_warns_of_addresses_that_no_key_covers(key: Path) -> None:
    found = signing.check(
        [options(key)], ["a@example.com", "b@sub.example.com", "c@example.org", "@notexample.com"]
    )
    assert [(each.severity, each.message.split()[2]) for each in found] == [
        ("warning", "c@example.org"),
        ("warning", "@notexample.com"),
    ]


@pytest.mark.parametrize(
    "fields", [{"domain": "no domain"}, {"domain": "example.com;x"}, {"selector": "a b"}]
)
def test_what_cannot_be_in_a_signature_is_refused(fields: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"is written like|is one name"):
        Dkim(**({"domain": "example.com", "selector": "s", "key_file": "k"} | fields))
