"""Words for the generated mails: customers who write in seven languages, with names, subjects, pages and files."""

import base64
import random

MAILERS = ("Thunderbird 128.4", "Apple Mail (2.3774)", "Microsoft Outlook 16.0", "K-9 Mail 8.0", "mutt 2.2.9")
FILES = (
    ("invoice-2026-11.pdf", "application/pdf"),
    ("photo.jpg", "image/jpeg"),
    ("report.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("log.zip", "application/zip"),
)
_FIRST = (
    "Anna",
    "Piotr",
    "Maria",
    "Jonas",
    "Chloe",
    "Luis",
    "Greta",
    "Tomasz",
    "Ines",
    "Karel",
    "Ada",
    "Milan",
)
_LAST = (
    "Nowak",
    "Keller",
    "Rossi",
    "Dubois",
    "Garcia",
    "Novak",
    "Berg",
    "Costa",
    "Wolf",
    "Marin",
    "Lind",
    "Haas",
)

_SUBJECTS = (
    "Invoice 4711 is wrong",
    "Parcel has not arrived",
    "Cannot log in since this morning",
    "Frage zu meiner Bestellung",
    "Rechnung für Oktober fehlt",
    "Gdzie jest moja przesyłka?",
    "Zmiana adresu dostawy",
    "Problème avec ma commande",
    "Devolución del pedido 2231",
    "Richiesta di rimborso",
    "Vraag over mijn abonnement",
    "Server down – urgent",
)

_SENTENCES = (
    (
        "I ordered two weeks ago and nothing has come since.",
        "The invoice shows an amount that I never agreed to.",
        "Could somebody please call me back before Friday?",
        "After the update the program stops as soon as I press the print button.",
        "I have attached what I see on my screen.",
        "My customer number is the same as always.",
    ),
    (
        "Ich habe vor zwei Wochen bestellt und seitdem nichts gehört.",
        "Auf der Rechnung steht ein Betrag, dem ich nie zugestimmt habe.",
        "Bitte rufen Sie mich vor Freitag zurück.",
        "Seit der Umstellung lässt sich das Gerät nicht mehr einschalten.",
        "Die Kündigung habe ich fristgerecht geschickt.",
    ),
    (
        "Zamówiłem towar dwa tygodnie temu i do dziś nic nie przyszło.",
        "Na fakturze jest kwota, na którą się nie zgadzałem.",
        "Proszę o pilny kontakt telefoniczny.",
        "Po aktualizacji program zamyka się przy każdym wydruku.",
        "W załączeniu przesyłam zdjęcie uszkodzonej paczki.",
    ),
    (
        "J'ai commandé il y a deux semaines et je n'ai rien reçu.",
        "Le montant de la facture ne correspond pas à notre accord.",
        "Merci de me rappeler avant vendredi.",
        "L'appareil ne s'allume plus depuis hier soir.",
    ),
    (
        "Hice el pedido hace dos semanas y todavía no ha llegado.",
        "La factura muestra un importe que nunca acepté.",
        "Les ruego que me llamen antes del viernes.",
        "Desde la actualización el programa se cierra al imprimir.",
    ),
    (
        "Ho ordinato due settimane fa e non è arrivato nulla.",
        "La fattura riporta un importo sbagliato.",
        "Vi prego di richiamarmi prima di venerdì.",
    ),
    (
        "Ik heb twee weken geleden besteld en nog niets ontvangen.",
        "Op de factuur staat een verkeerd bedrag.",
        "Kunt u mij voor vrijdag terugbellen?",
    ),
)


def address(number: int) -> str:
    return f"{_FIRST[number % 12].lower()}.{_LAST[number // 12 % 12].lower()}{number}@customer{number % 97}.example.net"


def name(number: int) -> str:
    return f"{_FIRST[number % 12]} {_LAST[number // 12 % 12]}"


def subject(rng: random.Random) -> str:
    return rng.choice(_SUBJECTS)


def header(text: str) -> str:
    """Write a header value as RFC 2047 when it is not ASCII."""
    return text if text.isascii() else f"=?utf-8?B?{base64.b64encode(text.encode()).decode()}?="


def letter(rng: random.Random, *, size: int, mark: str) -> str:
    """Write a letter in one language with `mark` on a line of its own; size: characters, about."""
    sentences = rng.choice(_SENTENCES)
    lines: list[str] = []
    written = 0
    while written < size - 120:
        line = " ".join(rng.choices(sentences, k=rng.randint(1, 3)))
        lines.append(line)
        written += len(line) + 1
    lines.insert(rng.randint(0, len(lines)), f"Ref {mark}")
    if rng.random() < 0.1:
        lines.insert(1, ".hidden files are affected too")
    return "\r\n".join(lines) + "\r\n\r\n@NAME@\r\n"


def page(rng: random.Random, text: str, *, size: int) -> str:
    """Write the letter as the HTML that mail programs make: styles, tables, much around little; size: characters, about."""
    paragraphs = "".join(
        f'<p class="MsoNormal" style="margin:0">{line}</p>\r\n' for line in text.split("\r\n")
    )
    rows: list[str] = []
    written = len(paragraphs)
    while written < size:
        row = (
            f'<tr><td style="font-family:Calibri,sans-serif;font-size:{rng.randint(9, 14)}pt;color:#1f{rng.randrange(4096):03x}7d">'
            f'<span lang="EN">Item {rng.randrange(10_000)}</span></td><td align="right">{rng.randrange(1, 99)}.00</td></tr>\r\n'
        )
        rows.append(row)
        written += len(row)
    return (
        "<html><head><style>p.MsoNormal{margin:0;font-size:11pt}</style></head>\r\n<body>"
        f"{paragraphs}<table>{''.join(rows)}</table></body></html>\r\n"
    )
