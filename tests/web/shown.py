"""A desk with a day's work on it: customers on several channels, long mails, what rules did, clocks about to run out."""

from datetime import timedelta
from typing import Any

import msgspec

from intake import desk, events, tickets
from intake.store import schema
from intake.store.engine import Tx
from tests.domain.world import World
from tests.web.site import Site

RULES = """
version: 1
calendars:
  always: {timezone: Europe/Warsaw, open: {mon-sun: "00:00-24:00"}}
agents:
  ania: {email: ania@desk.example, hours: always}
  ewa: {email: ewa@desk.example}
  tomek: {email: tomek@desk.example}
  maximilian: {email: max@desk.example}
teams:
  support: {levels: {l1: [ania, maximilian], lead: [tomek]}}
  billing: {levels: {l1: [ewa, ania]}}
sla:
  standard: {calendar: always, first_response: {urgent: 30m, high: 1h, normal: 4h}, resolution: 1d, pause: [pending, on_hold]}
enrich:
  - {id: vip, when: {sender.domain: bigcustomer.example}, then: {tags: [vip], priority: high}}
  - {id: broken, when: {text.words: [fire, "does not work", smoke]}, then: {priority: urgent, tags: [broken]}}
route:
  - {id: money, when: {text.words: [invoice, refund, "faktura*"]}, then: {team: billing, sla: standard, nature: question, tags: [money]}}
default: {team: support, priority: normal, sla: standard}
"""
LONG = (
    "Good morning,\n\nI am writing for the third time about the printer that you delivered to our office in Gdynia.\n\n"
    + "\n\n".join(
        f"{n}. On the {n}th of November the display showed E-{500 + n} and nothing came out of the tray, although we had "
        "followed the steps of your page https://help.example.com/printers/after-a-paper-jam?model=XR-200&lang=en one by one. "
        "Our office manager switched it off, waited, and switched it on again, as she was told on the phone."
        for n in range(3, 16)
    )
    + "\n\nPlease tell us by when somebody will come. We print our delivery notes with it and cannot ship without.\n\n"
    "With kind regards\nMagdalena Wiśniewska-Kowalczyk\nHead of Operations"
)
QUOTED = (
    "It works now, thank you!\n\n"
    "On Sat, 21 Nov 2026 at 09:12, Example <support@example.com> wrote:\n> Please try the other tray.\n> Ania\n"
)
MAILS = (
    ("Jan Nowak <jan@customer.example>", "My printer is on fire", "There is smoke coming out of the back. What should I do?"),
    ("Zofia Lis <zofia@bigcustomer.example>", "Faktura 2026/11/0042", "Dzień dobry, na fakturze jest zły NIP. Proszę o korektę."),
    ("José Álvarez <jose@tienda.example>", "¿Cuándo llega mi pedido 88213?", "Hola, hice el pedido hace nueve días y no sé nada."),
    ("Γιώργος Παπαδόπουλος <g@ellada.example>", "Επιστροφή χρημάτων", "Καλησπέρα, θα ήθελα refund για την παραγγελία μου."),
    ("أمل حداد <amal@suq.example>", "سؤال عن الطابعة", "مرحبا، الطابعة لا تعمل منذ أمس."),
    ("Noah <noah@startup.example>", "Do you integrate with anything that we have not already been told about by your sales colleagues last week?", "Asking for a friend."),
    ("Priya Raman <priya@bigcustomer.example>", "Access for two new colleagues", "Please add Sam and Lee to our account."),
    ("Lukas Weber <lukas@laden.example>", "Rechnung doppelt bezahlt", "Guten Tag, ich habe invoice 77 zweimal bezahlt."),
    ("Emma <emma@home.example>", "", "hi, the paper tray does not work any more"),
)  # fmt: skip


class Shown:
    """The desk's world, and the refs in it. main: a ticket with a bit of everything."""

    def __init__(self, site: Site, clock: Any) -> None:
        self.site, self.clock = site, clock
        self.world = World(site.store, site.wired.settings.folder, clock, rules=RULES)
        self.refs: list[str] = []
        self.main = ""

    def fill(self) -> "Shown":
        """Play the day."""
        self._conversation()
        for sender, subject, body in MAILS:
            self.clock.at += timedelta(minutes=17)
            self.refs.append(self.mail(sender, subject, body))
        self.do(self.refs[1], "assign", "ewa")
        self.do(self.refs[6], "assign", "ania")
        self.do(self.refs[5], "status", "pending")
        self.clock.at += timedelta(minutes=12)
        return self

    def mail(self, sender: str, subject: str, body: str, **headers: Any) -> str:
        """Receive a mail; its ticket's ref."""
        return str(
            self.world.ticket(self.world.receive(sender, subject=subject, body=body, **headers))["ref"]
        )

    def do(self, ref: str, what: str, value: str = "", *, agent: str = "ania") -> None:
        """Do as an agent."""
        context = self.world.context

        def act(tx: Tx) -> None:
            if what == "note":
                desk.note(tx, context, ref, agent=agent, text=value)
            elif what == "reply":
                desk.reply(tx, context, ref, agent=agent, text=value)
            elif what == "status":
                desk.set_status(tx, context, ref, value, agent=agent)
            else:
                ticket = desk.find(tx, ref)
                tickets.change(tx, ticket, actor=f"agent:{agent}", is_seated=True, agent=value or None)

        self.site.store.write_now(act)

    def say(self, ref: str, medium: str, text: str, *, direction: str = "in", **columns: Any) -> None:
        """Have something said on another channel."""

        given = {
            "author": "+48 601 234 567",
            "account": "phone",
        } | columns  # of an account that is not configured

        def say(tx: Tx) -> None:
            ticket = desk.find(tx, ref)
            tx.insert(
                schema.messages, id=tx.new_id(), ticket_id=ticket.id, customer_id=ticket.customer_id, direction=direction,
                medium=medium, body=text, at=tx.now, **given,
            )  # fmt: skip
            events.of_ticket(tx, ticket, "customer_replied", actor="customer")

        self.site.store.write_now(say)

    def talk(self, ref: str, count: int) -> None:
        """Have so many texts said at once."""

        def say(tx: Tx) -> None:
            ticket = desk.find(tx, ref)
            for number in range(count):
                tx.insert(
                    schema.messages, id=tx.new_id(), ticket_id=ticket.id, customer_id=ticket.customer_id, direction="in",
                    author="+48 601 234 567", medium="sms", account="phone", body=f"Word {number}", at=tx.now,
                )  # fmt: skip
            events.of_ticket(tx, ticket, "customer_replied", actor="customer")

        self.site.store.write_now(say)

    def _conversation(self) -> None:
        step = timedelta(minutes=23)
        who = "Magdalena Wiśniewska-Kowalczyk <magdalena@bigcustomer.example>"
        ref = self.main = self.mail(who, "The printer in Gdynia does not work", LONG)
        self.clock.at += step
        self.do(ref, "assign", "ania")
        self.do(
            ref,
            "reply",
            "Dear Ms Wiśniewska-Kowalczyk,\n\nI am sorry. Please try the **other tray** first.\n\nAnia",
        )
        self._delivered(ref, "read")
        self.clock.at += step
        self.do(ref, "reply", "Somebody is with you at 15:00.\n\nAnia")
        self._delivered(ref, "failed", "550 5.2.2 mailbox full")
        self.clock.at += timedelta(hours=20)
        self.say(ref, "sms", "The other tray is empty too. Is anybody coming today?")
        self.clock.at += step
        self.do(
            ref,
            "note",
            "Called the depot: a technician is free at 15:00. Do not promise it before Piotr has confirmed.",
        )
        self.say(ref, "chat", "hello? I am on your page now", author="chat", author_name="Magdalena")
        self.clock.at += timedelta(minutes=2)
        attached = [
            {
                "name": "E-507 display.jpg",
                "content_type": "image/jpeg",
                "size": 482_113,
                "sha256": "0" * 64,
                "inline": False,
            }
        ]
        self.say(ref, "whatsapp", "This is what it shows", attachments=msgspec.json.encode(attached).decode())
        self.clock.at += timedelta(minutes=9)
        mail: dict[str, Any] = {
            "author": "magdalena@bigcustomer.example",
            "author_name": "Magdalena Wiśniewska-Kowalczyk",
            "is_verified": 1,
        }
        self.say(ref, "email", QUOTED, account="support", visible_text=QUOTED.partition("\n\n")[0], **mail)
        self.refs.append(ref)

    def _delivered(self, ref: str, state: str, error: str | None = None) -> None:
        """Say how the last answer fared."""
        found = self.world.rows("outbox", "action = 'reply' ORDER BY id DESC")[0]
        self.site.store.write_now(
            lambda tx: tx.update(schema.outbox, {"id": found["id"]}, state=state, error=error)
        )
        ticket = self.world.rows("tickets", "ref = :ref", ref=ref)[0]
        self.site.store.write_now(
            lambda tx: events.record(
                tx, "delivery_failed" if error else "answer_read", ticket_id=ticket["id"], reason=error
            )
        )
