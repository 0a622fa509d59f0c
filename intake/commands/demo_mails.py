"""The customers of `intake demo`: a dozen mails as desks get them, in four languages, with their little troubles."""

import base64
from collections.abc import Iterator
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

import msgspec

from intake import instants

_PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


class Customer(msgspec.Struct, frozen=True, kw_only=True):
    """One mail to send. about: what there is to see in it, for the person who watches."""

    about: str
    name: str
    address: str
    subject: str
    text: str
    html: str = ""
    attachment: str = ""
    headers: dict[str, str] = {}
    is_robot: bool = False

    def mail(self, to: str) -> EmailMessage:
        """Write it, with a Message-ID and a date of its own."""
        mail = EmailMessage()
        mail["From"] = (
            f"{self.name} <{self.address}>" if self.name.isascii() else _from(self.name, self.address)
        )
        mail["To"] = to
        mail["Subject"] = self.subject
        mail["Date"] = format_datetime(instants.now())
        mail["Message-ID"] = make_msgid(domain=self.address.rpartition("@")[2])
        for name, value in self.headers.items():
            mail[name] = value
        mail.set_content(self.text)
        if self.html:
            mail.add_alternative(self.html, subtype="html")
        if self.attachment:
            mail.add_attachment(_PIXEL, maintype="image", subtype="png", filename=self.attachment)
        return mail


def _from(name: str, address: str) -> str:
    from email.headerregistry import Address

    local, _, domain = address.rpartition("@")
    return str(Address(name, local, domain))


CUSTOMERS = (
    Customer(
        about="a plain question",
        name="Ann Novak",
        address="ann.novak@example.net",
        subject="Can I change my delivery address?",
        text="Hello,\n\nI have moved. How can I change the address of order 10482?\n\nThank you\nAnn\n",
    ),
    Customer(
        about="billing, angry, with a screenshot",
        name="Tom Baker",
        address="tom.baker@example.org",
        subject="Charged twice!",
        text="I was charged twice for the same invoice. I want a refund of one payment, see the screenshot.\n\nTom\n",
        attachment="bank statement.png",
    ),
    Customer(
        about="an outage at a big customer",
        name="Operations",
        address="ops@bigcustomer.example",
        subject="Portal is down: error 503",
        text="Since 09:12 the portal is not working for any of our users. They all see error 503.\n\nThis is urgent.\n",
    ),
    Customer(
        about="Polish, something is broken",
        name="Zofia Wiśniewska",
        address="zofia@example.pl",
        subject="Logowanie nie działa",
        text="Dzień dobry,\n\nod rana logowanie nie działa. Po wpisaniu hasła strona się nie otwiera.\n\nPozdrawiam\nZofia\n",
    ),
    Customer(
        about="Greek, a question",
        name="Νίκος Παππάς",
        address="nikos.pappas@example.gr",
        subject="Πότε θα έρθει η παραγγελία μου;",
        text="Καλημέρα σας,\n\nπεριμένω την παραγγελία μου εδώ και δέκα ημέρες. Μπορείτε να μου πείτε πού βρίσκεται;\n\nΕυχαριστώ\nΝίκος\n",
    ),
    Customer(
        about="Spanish, something is broken, in HTML",
        name="Lucía Gómez",
        address="lucia.gomez@example.es",
        subject="La aplicación no funciona",
        text="Buenos días:\n\nDesde ayer la aplicación no funciona en mi teléfono.\n\nUn saludo,\nLucía\n",
        html="<p>Buenos días:</p><p>Desde ayer la aplicación <b>no funciona</b> en mi teléfono.</p><p>Un saludo,<br>Lucía</p>",
    ),
    Customer(
        about="a forwarded conversation: only the top is new",
        name="Sam Reed",
        address="sam.reed@example.com",
        subject="Fwd: your offer",
        text="Is this still valid?\n\nOn Mon, 2 Nov 2026 at 10:00, Sales <sales@example.com> wrote:\n> We offer ten licences at a price of 900.\n> The offer is valid for a month.\n",
    ),
    Customer(
        about="Polish, an invoice is wanted",
        name="Piotr Zając",
        address="piotr.zajac@example.pl",
        subject="Prośba o fakturę",
        text="Dzień dobry,\n\nproszę o fakturę za październik na dane firmy, które przesyłam w załączniku.\n\nPiotr Zając\n",
        attachment="dane firmy.png",
    ),
    Customer(
        about="a newsletter that nobody here asked for",
        name="Shop News",
        address="news@newsletter.example",
        subject="Ten offers you must not miss",
        text="Ten offers you must not miss this week.\n",
        headers={"List-Id": "Shop News <news.newsletter.example>", "Precedence": "bulk"},
        is_robot=True,
    ),
    Customer(
        about="a robot's automatic reply: kept, and never answered",
        name="Jo Hill",
        address="jo.hill@example.net",
        subject="Out of office: Your order",
        text="I am out of office until Monday and read no mail.\n",
        headers={"Auto-Submitted": "auto-replied"},
        is_robot=True,
    ),
)


def endless() -> Iterator[Customer]:
    """Give the customers again and again; each writes a new mail every time."""
    while True:
        yield from CUSTOMERS
