"""Amazon SNS, played: a key that signs, certificates, and a TLS server that is reached by SNS's own host name."""

import base64
import json
import socket
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import abc, web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from channels.email import sns

TOPIC = "arn:aws:sns:eu-west-1:123456789012:support-mail"
HOST = "sns.eu-west-1.amazonaws.com"
CERTIFICATE_PATH = "/SimpleNotificationService-0123456789abcdef.pem"
CERTIFICATE_URL = f"https://{HOST}{CERTIFICATE_PATH}"
TOKEN = "2336412f37fb687f5d51e6e241d09c80"
NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


def certificate(
    name: str,
    key: Any,
    *,
    signer: Any = None,
    issuer: str = "",
    days: int = 30,
    before: datetime = NOW,
    is_ca: bool = False,
) -> x509.Certificate:
    """Make a certificate that begins a day before `before`."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    by = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer or name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(before - timedelta(days=1))
        .not_valid_after(before + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        # Python 3.13 holds chains to RFC 5280 to the letter: who signs says so, and keys are named.
        .add_extension(_usage(is_ca=is_ca), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key((signer or key).public_key()), critical=False
        )
    )
    return builder.sign(signer or key, hashes.SHA256())


def _usage(*, is_ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        encipher_only=False,
        decipher_only=False,
    )


def pem(made: x509.Certificate) -> bytes:
    return made.public_bytes(serialization.Encoding.PEM)


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


class Keys:
    """One set for the whole run: they take a tenth of a second each."""

    def __init__(self) -> None:
        self.signing = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.signing_certificate = certificate("sns.amazonaws.com", self.signing)
        authority = ec.generate_private_key(ec.SECP256R1())
        server = ec.generate_private_key(ec.SECP256R1())
        today = datetime.now(UTC)  # TLS is checked by the machine's clock
        self.authority = certificate("test authority", authority, before=today, is_ca=True)
        self.server_pem = key_pem(server) + pem(
            certificate(HOST, server, signer=authority, issuer="test authority", before=today)
        )

    def sign(self, fields: dict[str, Any], *, version: str = "2") -> dict[str, Any]:
        """Complete the fields of a message as SNS does."""
        complete = {"SignatureVersion": version, "SigningCertURL": CERTIFICATE_URL, "Signature": ""} | fields
        envelope = sns.read(json.dumps(complete).encode())
        assert envelope is not None
        digest = hashes.SHA1() if version == "1" else hashes.SHA256()
        made = self.signing.sign(sns.signed_text(envelope), padding.PKCS1v15(), digest)
        return complete | {"Signature": base64.b64encode(made).decode()}

    def notification(self, message: Any, *, version: str = "2", **fields: Any) -> dict[str, Any]:
        text = message if isinstance(message, str) else json.dumps(message)
        return self.sign(
            {
                "Type": "Notification",
                "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
                "TopicArn": TOPIC,
                "Subject": "Amazon SES Email Receipt Notification",
                "Message": text,
                "Timestamp": "2026-11-21T09:59:58.000Z",
                "UnsubscribeURL": f"https://{HOST}/?Action=Unsubscribe&SubscriptionArn={TOPIC}:1",
            }
            | fields,
            version=version,
        )

    def confirmation(self, kind: str = "SubscriptionConfirmation", **fields: Any) -> dict[str, Any]:
        return self.sign(
            {
                "Type": kind,
                "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
                "Token": TOKEN,
                "TopicArn": TOPIC,
                "Message": "You have chosen to subscribe.\nVisit the SubscribeURL.",
                "SubscribeURL": f"https://{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token={TOKEN}",
                "Timestamp": "2026-11-21T09:59:58.000Z",
            }
            | fields,
        )


class Everywhere(abc.AbstractResolver):
    """Resolves every name to one local port, and remembers the names."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[Any]:
        self.asked.append(host)
        return [
            abc.ResolveResult(
                hostname=host,
                host="127.0.0.1",
                port=self.port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        pass


class Server:
    """SNS's own endpoint. answers: path -> (status, body), to be changed by a test; asked: the requests' paths and queries."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self.answers: dict[str, tuple[int, bytes]] = {
            CERTIFICATE_PATH: (200, pem(keys.signing_certificate)),
            "/": (200, b"<ConfirmSubscriptionResponse/>"),
        }
        self.asked: list[str] = []
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        tls = _server_side(self.keys)
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        self.resolver = Everywhere(runner.addresses[0][1])

    async def stop(self) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cadata=pem(self.keys.authority).decode())

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path_qs)
        status, body = self.answers.get(request.path, (404, b"nothing here"))
        headers = {"Location": f"https://{HOST}{CERTIFICATE_PATH}"} if 300 <= status < 400 else {}
        return web.Response(status=status, body=body, headers=headers)


def _server_side(keys: Keys) -> ssl.SSLContext:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(keys.server_pem)
        tls.load_cert_chain(file.name)
    return tls
