"""Reads what Amazon SNS posts and tells whether Amazon signed it. Nothing here goes over the network.

Sources: Amazon SNS Developer Guide, "Verifying the signatures of Amazon SNS messages" and "Parsing Amazon SNS message
formats" (docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html, sns-message-and-json-formats.html,
checked 2026-11). Signed are name and value of certain fields, each followed by a line feed, in the order of their names;
SignatureVersion 1 is RSA with SHA-1, 2 with SHA-256. UnsubscribeURL is not signed, and not used.
"""

import base64
import binascii
import re
import urllib.parse
from datetime import datetime
from typing import Any

import msgspec

from channels.contract import Unavailable

NOTIFICATION = "Notification"
SUBSCRIPTION = "SubscriptionConfirmation"
UNSUBSCRIPTION = "UnsubscribeConfirmation"
MAX_BYTES = 2 * 1024 * 1024  # SNS publishes at most 256 KB; written as JSON inside JSON it may grow sixfold
_MIN_KEY_BITS = 2048
_MAX_URL_CHARS = 4_000

_SIGNED = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    SUBSCRIPTION: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    UNSUBSCRIPTION: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_TOPIC = re.compile(
    r"arn:(aws|aws-cn|aws-us-gov):sns:([a-z]{2}(?:-[a-z]+)+-[0-9]{1,2}):[0-9]{12}:[A-Za-z0-9_.-]{1,256}"
)
_CERTIFICATE_PATH = re.compile(r"/[A-Za-z0-9_-]{1,128}\.pem")
_TOKEN = re.compile(r"[A-Za-z0-9]{1,2048}")


class Envelope(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """What SNS wraps around a message; fields that a type does not have are None. Field names are those of SNS."""

    type: str
    message_id: str
    topic_arn: str
    message: str
    timestamp: str
    signature_version: str
    signature: str
    signing_cert_url: str = msgspec.field(name="SigningCertURL")
    subject: str | None = None
    token: str | None = None
    subscribe_url: str | None = msgspec.field(name="SubscribeURL", default=None)


_decode = msgspec.json.Decoder(Envelope).decode
_NAMES = {field.encode_name: field.name for field in msgspec.structs.fields(Envelope)}


def read(body: bytes) -> Envelope | None:
    """Read a post; None when it is not one of SNS, or one whose signature could be read in two ways."""
    try:
        envelope = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    single_line = (name for name in _SIGNED.get(envelope.type, ()) if name != "Message")
    if any("\n" in (_value(envelope, name) or "") for name in single_line):
        return None
    return envelope if envelope.type in _SIGNED else None


def is_topic(arn: str) -> bool:
    return _TOPIC.fullmatch(arn) is not None


def host_of(topic_arn: str) -> str:
    """Name the one host that speaks for a topic: SNS of its region. topic_arn: a configured one."""
    found = _TOPIC.fullmatch(topic_arn)
    if found is None:
        raise ValueError(f"'{topic_arn}' is not the ARN of an SNS topic")
    return f"sns.{found[2]}.amazonaws.com{'.cn' if found[1] == 'aws-cn' else ''}"


def is_certificate_url(url: str, topic_arn: str) -> bool:
    """Tell whether a certificate may be fetched from there: this text and no other, so nothing is left to parsers."""
    start = f"https://{host_of(topic_arn)}"
    return url.startswith(f"{start}/") and _CERTIFICATE_PATH.fullmatch(url, len(start)) is not None


def confirmation_url(envelope: Envelope) -> str | None:
    """Make the URL that confirms a subscription, of checked parts only; None when SubscribeURL is another one."""
    url, token = envelope.subscribe_url or "", envelope.token or ""
    start = f"https://{host_of(envelope.topic_arn)}/?"
    if not url.startswith(start) or not _TOKEN.fullmatch(token):
        return None
    wanted = {"Action": "ConfirmSubscription", "TopicArn": envelope.topic_arn, "Token": token}
    if len(url) > _MAX_URL_CHARS or urllib.parse.parse_qsl(url[len(start) :], keep_blank_values=True) != [
        *wanted.items()
    ]:
        return None
    return start + urllib.parse.urlencode(wanted, safe=":")


def load_certificate(pem: bytes) -> Any:
    """Read a certificate with an RSA key of at least 2 048 bits; None when it is not one. Raises: Unavailable."""
    x509, rsa = _library()
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        key = certificate.public_key()
    except Exception:  # noqa: BLE001 - the library has its own kinds of "not a certificate"
        return None
    return certificate if isinstance(key, rsa.RSAPublicKey) and key.key_size >= _MIN_KEY_BITS else None


def is_current(certificate: Any, now: datetime) -> bool:
    """Tell whether a certificate is valid now. now: aware."""
    return bool(certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc)


def is_signed_by(certificate: Any, envelope: Envelope) -> bool:
    """Tell whether the certificate's key signed the envelope."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    digests = {
        "1": hashes.SHA1,
        "2": hashes.SHA256,
    }  # SHA-1 is what version 1 is; nobody has a second preimage
    signature = _signature(envelope.signature)
    if signature is None or envelope.signature_version not in digests:
        return False
    try:
        certificate.public_key().verify(
            signature, signed_text(envelope), padding.PKCS1v15(), digests[envelope.signature_version]()
        )
    except InvalidSignature:
        return False
    return True


def signed_text(envelope: Envelope) -> bytes:
    """Write what SNS signs."""
    values = ((name, _value(envelope, name)) for name in _SIGNED[envelope.type])
    return "".join(f"{name}\n{value}\n" for name, value in values if value is not None).encode()


def _value(envelope: Envelope, name: str) -> str | None:
    value: str | None = getattr(envelope, _NAMES[name])
    return value


def _signature(text: str) -> bytes | None:
    """Decode base64 in its one canonical form; None when it is in another."""
    try:
        signature = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return signature if base64.b64encode(signature).decode() == text else None


def _library() -> tuple[Any, Any]:
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives.asymmetric import rsa
    except ImportError:
        raise Unavailable("signatures of Amazon need a library: pip install 'intaked[ses]'") from None
    return x509, rsa
