"""The mails of the torture run and of the bench: mail number n of a seed is the same bytes for ever.

60 % plain text of 1-3 KB, 25 % HTML of 20-60 KB, 15 % with attachments of 100-500 KB; 30 % of all are replies to an
earlier mail of the same sender. Bodies are built once as templates; a mail is a template with its own Message-ID,
sender and marker put in, so that a client spends microseconds on it and is never what is measured.
"""

import base64
import dataclasses
import functools
import quopri
import random
import re
from collections.abc import Callable

from tests.torture import phrases

MARKER = re.compile(r"mk[0-9a-f]{4}x[0-9a-f]{8}kz")
REPLY_PER_MILLE = 300
_MASK = (1 << 64) - 1
_SENDERS = 20_000
_REPLY_REACH = (60, 3_000)  # how many mails back, at least and beyond that, the one lies that is answered
_HOLES = ("@MARKER@", "@SENDER@", "@NAME@", "@ID@", "@THREAD@", "@RE@")
_HOLE = re.compile("|".join(_HOLES).encode())


@dataclasses.dataclass(frozen=True)
class Mix:
    """Shares of the three shapes, in per cent of all mails; the rest is plain. scale: of attachment sizes."""

    html: int
    attached: int
    scale: float = 1.0
    templates: int = 240
    has_files: bool = (
        False  # one attached mail in six is beyond 1 MB, where its bytes leave the row for a file
    )


MIXES = {
    "mix": Mix(html=25, attached=15),
    "plain": Mix(html=0, attached=0),
    # What a torture run sends: all shapes, but 200 000 of them still fit on a small disk.
    "light": Mix(html=8, attached=3, scale=0.3, has_files=True),
}


@dataclasses.dataclass(frozen=True)
class Mail:
    """One mail as it goes over the wire. content: dot-stuffed, without the final CRLF.CRLF."""

    number: int
    marker: str
    sender: str
    content: bytes


def marker(number: int, *, seed: int) -> str:
    """Make a word that no language has, the same in every encoding of a body."""
    return f"mk{seed & 0xFFFF:04x}x{number:08x}kz"


class Pool:
    """Mails by number. recipient: an address the daemon takes mail for."""

    def __init__(self, mix: Mix, *, seed: int, recipient: str) -> None:
        self.seed = seed
        self.recipient = recipient
        rng = random.Random(seed)
        self._shapes = _shapes(mix, rng)
        self._templates = {
            shape: [_template(shape, mix, recipient, rng) for _ in range(_share(shape, mix))]
            for shape in sorted(set(self._shapes))
        }

    def mail(self, number: int) -> Mail:
        root = self._root(number)
        chance = self._chance(number, 1)
        templates = self._templates[self._shapes[chance % len(self._shapes)]]
        template = templates[(chance >> 32) % len(templates)]
        sender_number = self._chance(root, 2) % _SENDERS
        sender = phrases.address(sender_number)
        own = marker(number, seed=self.seed)
        threading = b""
        if root != number:
            reference = f"<{marker(root, seed=self.seed)}@mail.example.net>"
            threading = f"In-Reply-To: {reference}\r\nReferences: {reference}\r\n".encode()
        filling = {
            b"@MARKER@": own.encode(),
            b"@ID@": f"{own}@mail.example.net".encode(),
            b"@SENDER@": sender.encode(),
            b"@NAME@": phrases.name(sender_number).encode(),
            b"@THREAD@": threading,
            b"@RE@": b"Re: " if threading else b"",
        }
        content = b"".join(filling.get(part, part) for part in template)
        return Mail(number, own, sender, content)

    def _root(self, number: int) -> int:
        """Tell which earlier mail it answers; its own number when it begins a conversation."""
        while (chance := self._chance(number, 0)) % 1000 < REPLY_PER_MILLE:
            earlier = number - _REPLY_REACH[0] - (chance >> 32) % _REPLY_REACH[1]
            if earlier < 0:
                break
            number = earlier
        return number

    def _chance(self, number: int, purpose: int) -> int:
        """Mix 64 bits (splitmix64): a generator of its own for each mail would cost more than the mail."""
        mixed = (
            self.seed * 0x9E3779B97F4A7C15 + number * 0xD1B54A32D192ED03 + purpose * 0x8CB92BA72F3D8DD7
        ) & _MASK
        mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & _MASK
        mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & _MASK
        return mixed ^ mixed >> 31


def _shapes(mix: Mix, rng: random.Random) -> list[str]:
    plain = 100 - mix.html - mix.attached
    shapes = ["plain"] * plain + ["html"] * mix.html + ["attached"] * mix.attached
    rng.shuffle(shapes)
    return shapes


def _share(shape: str, mix: Mix) -> int:
    per_cent = {"plain": 100 - mix.html - mix.attached, "html": mix.html, "attached": mix.attached}[shape]
    return max(3, mix.templates * per_cent // 100)


def _template(shape: str, mix: Mix, recipient: str, rng: random.Random) -> list[bytes]:
    """Cut one mail at its holes: texts and holes in turn."""
    bodies: dict[str, Callable[[random.Random], bytes]] = {
        "plain": _plain,
        "html": _html,
        "attached": functools.partial(_attached, mix=mix),
    }
    body = bodies[shape](rng)
    head = (
        "Received: from mx.example.net (mx.example.net [192.0.2.25]) by relay.example.org; Sat, 21 Nov 2026 09:00:00 +0100\r\n"
        "From: @NAME@ <@SENDER@>\r\n"
        f"To: Support <{recipient}>\r\n"
        f"Subject: @RE@{phrases.header(phrases.subject(rng))}\r\n"
        "Message-ID: <@ID@>\r\n@THREAD@"
        f"Date: Sat, 21 Nov 2026 {rng.randrange(8, 18):02}:{rng.randrange(60):02}:{rng.randrange(60):02} +0100\r\n"
        f"X-Mailer: {rng.choice(phrases.MAILERS)}\r\nMIME-Version: 1.0\r\n"
    ).encode()
    whole = _stuffed(head + body)
    cut: list[bytes] = []
    at = 0
    for hole in _HOLE.finditer(whole):
        cut += (whole[at : hole.start()], hole.group())
        at = hole.end()
    return [*cut, whole[at:]]


def _stuffed(content: bytes) -> bytes:
    """Double the dots at line starts (RFC 5321 §4.5.2)."""
    content = re.sub(rb"(?<!\r)\n", b"\r\n", content)
    return content.replace(b"\r\n.", b"\r\n..").removesuffix(b"\r\n")


def _plain(rng: random.Random) -> bytes:
    text = phrases.letter(rng, size=rng.randint(1_000, 3_000), mark="@MARKER@")
    encoding, encode = rng.choice(_ENCODINGS)
    return _headed(
        f'Content-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: {encoding}', encode(text)
    )


def _quoted(text: str) -> bytes:
    """Keep the holes whole: quoted-printable would break its lines inside them."""
    holes = {hole: f"HOLE{chr(65 + index)}" for index, hole in enumerate(_HOLES)}
    for hole, name in holes.items():
        text = text.replace(hole, f"\n{name}\n")
    encoded = quopri.encodestring(text.encode())
    for hole, name in holes.items():
        encoded = encoded.replace(name.encode(), hole.encode())
    return encoded


_ENCODINGS: tuple[tuple[str, Callable[[str], bytes]], ...] = (
    ("8bit", str.encode),
    ("quoted-printable", _quoted),
)


def _headed(header: str, body: bytes) -> bytes:
    return header.encode() + b"\r\n\r\n" + body


def _alternative(rng: random.Random, size: int) -> bytes:
    text = phrases.letter(rng, size=rng.randint(800, 2_500), mark="@MARKER@")
    boundary = f"alt_{rng.randrange(1 << 40):010x}"
    parts = (
        _headed(
            'Content-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: 8bit', text.encode()
        ),
        _headed(
            'Content-Type: text/html; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable',
            _quoted(phrases.page(rng, text, size=size)),
        ),
    )
    return _multipart("alternative", boundary, parts)


def _html(rng: random.Random) -> bytes:
    size = rng.randint(20_000, 60_000)
    if rng.random() < 0.5:
        return _alternative(rng, size)
    text = phrases.letter(rng, size=1_500, mark="@MARKER@")
    header = 'Content-Type: text/html; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable'
    return _headed(header, _quoted(phrases.page(rng, text, size=size)))


def _attached(rng: random.Random, *, mix: Mix) -> bytes:
    size = int(rng.randint(100_000, 500_000) * mix.scale)
    if mix.has_files and rng.random() < 1 / 6:
        size = 1_500_000
    boundary = f"mixed_{rng.randrange(1 << 40):010x}"
    content = base64.encodebytes(rng.randbytes(size * 3 // 4))
    name, kind = rng.choice(phrases.FILES)
    attachment = _headed(
        f'Content-Type: {kind}; name="{name}"\r\nContent-Transfer-Encoding: base64\r\n'
        f'Content-Disposition: attachment; filename="{name}"',
        content,
    )
    first = _alternative(rng, 4_000) if rng.random() < 0.5 else _plain(rng)
    return _multipart("mixed", boundary, (first, attachment))


def _multipart(subtype: str, boundary: str, parts: tuple[bytes, ...]) -> bytes:
    line = f"--{boundary}".encode()
    body = b"".join(line + b"\r\n" + part.rstrip(b"\r\n") + b"\r\n" for part in parts) + line + b"--\r\n"
    return _headed(f'Content-Type: multipart/{subtype}; boundary="{boundary}"', body)
