import pytest

from channels.email import visible_text
from channels.email.parting import Split
from tests.rows import every_row

ANSWER = "Thank you, that works.\n\nAnna"
QUOTE = "> We have sent the lamp.\n> It will be with you soon."

ATTRIBUTIONS = {
    "gmail en": "On Mon, Nov 2, 2026 at 10:00 AM Support <support@example.net> wrote:",
    "gmail pl": "pon., 2 lis 2026 o 10:00 Support <support@example.net> napisał(a):",
    "gmail el": "Στις Δευ, 2 Νοε 2026 στις 10:00 π.μ., ο χρήστης Support <support@example.net> έγραψε:",
    "gmail pt": "Support <support@example.net> escreveu (segunda, 2/11/2026 à(s) 10:00):",
    "gmail ja": "2026年11月2日(月) 10:00 Support <support@example.net>:",
    "gmail wrapped": "On Mon, Nov 2, 2026 at 10:00 AM A Person With A Very Long Name\n<support@example.net> wrote:",
    "thunderbird de": "Am 02.11.26 um 10:00 schrieb Support:",
    "thunderbird es": "El 2/11/26 a las 10:00, Support escribió:",
    "apple fr": "Le 2 nov. 2026 à 10:00, Support <support@example.net> a écrit :",
    "unknown language": "Xo 2026-11-02 10:00, Support <support@example.net> zopqa:",
}


@every_row("attribution", ATTRIBUTIONS.values(), ids=ATTRIBUTIONS.keys())
def test_an_answer_is_separated_from_the_quotation_and_its_attribution(attribution: str) -> None:
    split = visible_text.split(f"{ANSWER}\n\n{attribution}\n\n{QUOTE}\n")
    assert split.visible == ANSWER
    assert QUOTE in split.quoted
    assert attribution in split.quoted


OUTLOOK = {
    "en": "From: Support <support@example.net>\nSent: Monday, November 2, 2026 10:00\nTo: Anna <anna@example.com>\nSubject: lamp",
    "de": "Von: Support <support@example.net>\nGesendet: Montag, 2. November 2026 10:00\nAn: Anna <anna@example.com>\nBetreff: lamp",
    "pl": "Od: Support <support@example.net>\nWysłano: poniedziałek, 2 listopada 2026 10:00\nDo: Anna\nTemat: lamp",
    "el": "Από: Support <support@example.net>\nΣτάλθηκε: Δευτέρα, 2 Νοεμβρίου 2026 10:00\nΠρος: Anna\nΘέμα: lamp",
    "pt": "De: Support <support@example.net>\nEnviado: 2 de novembro de 2026 10:00\nPara: Anna\nAssunto: lamp",
    "bold": "*From:* Support <support@example.net>\n*Sent:* Monday, November 2, 2026 10:00\n*To:* Anna\n*Subject:* lamp",
    "unknown language": "Qwx: Support <support@example.net>\nPlo: 2026-11-02 10:00\nZut: Anna\nMup: lamp",
}


@every_row("block", OUTLOOK.values(), ids=OUTLOOK.keys())
@every_row("ruler", ["", "________________________________\n", "-----Original Message-----\n"])
def test_an_answer_above_a_block_of_header_fields_stands_alone(block: str, ruler: str) -> None:
    split = visible_text.split(f"{ANSWER}\n\n{ruler}{block}\n\nWe have sent the lamp.\n")
    assert split.visible == ANSWER
    assert "We have sent the lamp." in split.quoted


def test_answers_between_quotations_all_stay() -> None:
    split = visible_text.split("> Which colour?\nBlue.\n\n> Which size?\nLarge.\n")
    assert split.visible.split() == ["Blue.", "Large."]


def test_an_answer_below_the_quotation_stays() -> None:
    split = visible_text.split(f"{ATTRIBUTIONS['thunderbird de']}\n{QUOTE}\n\n{ANSWER}\n")
    assert split.visible == ANSWER


def test_a_signature_is_cut() -> None:
    split = visible_text.split(f"{ANSWER}\n\n-- \nAnna Example\n+44 20 1234\n")
    assert split.visible == ANSWER
    assert "Anna Example" in split.quoted


@every_row(
    "footer",
    [
        "Sent from my iPhone",
        "Von meinem Samsung Galaxy Smartphone gesendet.",
        "Wysłane z iPhone'a",
        "Enviado do meu iPad",
        "Get Outlook for Android<https://aka.ms/x>",
        "Στάλθηκε από το iPhone μου",
    ],
)
def test_the_line_of_a_mail_program_is_cut(footer: str) -> None:
    assert visible_text.split(f"{ANSWER}\n\n{footer}\n").visible == ANSWER


@every_row(
    "text",
    [
        "My phone is an iPhone. Is it supported?",
        "Hello,\nthese are my data:\nName: Anna\nEmail: anna@example.com\nPhone: 123\nOrder: 5",
        "Please call me at 10:00:\n+44 20 1234",
        "Name: Anna\nDate: 2026-11-02 10:00\nEmail: anna@example.com\nMessage: where is my lamp?",
        "The order of 2.11.2026 has these faults:\n- broken\n- blue",
        "| a | b |\n",
        "See below\n\n---------- Forwarded message ---------\nFrom: X <x@example.com>\nDate: Mon, 2 Nov 2026\nSubject: y\n\nplease help",
    ],
    ids=["question", "form", "colon", "form with date", "list", "table", "forward"],
)
def test_what_only_looks_like_a_quotation_stays(text: str) -> None:
    assert visible_text.split(text).visible == text.strip()


@every_row(
    "text", [QUOTE, "-- \nAnna", OUTLOOK["en"], ATTRIBUTIONS["gmail en"], "Sent from my iPhone", ">", "--"]
)
def test_a_text_is_never_cut_down_to_nothing(text: str) -> None:
    assert visible_text.split(text).visible


def test_nothing_is_lost_between_visible_and_quoted() -> None:
    text = f"{ANSWER}\n\n{ATTRIBUTIONS['gmail en']}\n{QUOTE}\n\n-- \nAnna\n"
    split = visible_text.split(text)
    assert sorted((split.visible + "\n" + split.quoted).split()) == sorted(text.split())


def test_an_empty_text_has_no_parts() -> None:
    assert visible_text.split(" \n") == Split("", "")


DISCLAIMER = (
    "This e-mail and any attachments are confidential and intended solely for the addressee. If you have received it "
    "in error, please delete it and notify the sender."
)


def test_a_disclaimer_is_cut() -> None:
    split = visible_text.split(f"{ANSWER}\n\n{DISCLAIMER}\n")
    assert split.visible == ANSWER
    assert split.quoted == DISCLAIMER


@pytest.mark.parametrize(
    "text", [DISCLAIMER, f"{ANSWER}\n\nPlease keep my data confidential, whatever you do with it. " * 3]
)
def test_what_a_customer_says_of_confidence_stays(text: str) -> None:
    assert visible_text.split(text).visible == text.strip()


def test_an_attribution_behind_the_last_word_of_an_answer_is_cut() -> None:
    text = "Blue, please.\nThank you--- On Mon, Nov 2, 2026 at 10:00 AM, Support <support@example.net> wrote:\n> Which colour?\n"
    assert visible_text.split(text).visible == "Blue, please.\nThank you"
