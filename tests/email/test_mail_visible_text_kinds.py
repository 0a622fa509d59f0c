"""Kinds of mail that tempt a reader to cut too much or too little."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.email import visible_text
from tests.email.clients import ATTRIBUTIONS, FOOTERS, FORWARDS, head
from tests.rows import every_row

ANSWER = "Hi,\n\nworks now."

# What customers write that looks like a border: every word of it stays.
OWN_WORDS = [
    "I would like this one.\n\n- Red",
    "Your mail came late:\n\nReturn-Path: <support@example.net>\nReceived: from a by b; Mon, 2 Nov 2026 10:00:00 +0100\nFrom: Support <support@example.net>\nTo: anna@example.com\nDate: Mon, 2 Nov 2026 09:00:00 +0100\nSubject: lamp\nMessage-ID: <a@example.net>\n\nWhy?",
    "Which one is better?\n\nOption A: blue\n---\nOption B: red",
    "I have two questions.\n--\nDoes it work?\n--\nWhat does it cost?",
    "Hello\n\n---\nPlease write to my new address anna@example.com from now on.",
    "Hello\n\n**********\n\nPlease call\nmy brother at\nwww.example.com\n\nwhen he is there",
    "Hello\n\nThe virus scanner says that it is infected, avast or what it is called",
    "Hello,\n\nwhat I need:\n- a lamp\n- a bulb\n\nAnna",
    "Hello,\n\n*** URGENT ***\n\nMy lamp is broken.\n\nAnna",
    "--- My order ---\n2 lamps\n--- My address ---\nMain St 1\n\nThanks",
    "Question 1: does it work?\n---\nQuestion 2: what does it cost?\n",
    "Hello\n\n________________________________\n\nI have drawn a line above. Please read on.\nAnna",
    "Reise\n\nVon: Berlin\nNach: Hamburg\nDatum: 2.11.2026 10:00\nPersonen: 2\n\nDanke",
    "Proszę o bilet\n\nOd: Warszawa\nDo: Kraków\nData: 2026-11-02 10:00\n\nDziękuję",
    "Vorrei prenotare\n\nDa: Roma\nA: Milano\nData: 02/11/2026 ore 10:00\n\nGrazie",
    "It does not work.\n\nIt fails on my iPhone",
    "Which program?\n\nI use Outlook for iOS.",
    "Hello\n\nI have sent it from my Samsung",
    "Here is another email\n\nSent from my desk, is much easier then my mobile phone.",
    "Ich habe ein Problem.\n\nIch habe es von meinem iPhone gesendet",
    "On 2.11.2026 at 10:00 your colleague told me the following:\n\nthe lamp will arrive on Friday. It did not.",
    "Please send the invoice of 2.11.2026 to anna@example.com:\n\nAnna Example\nMain St 1",
    "Am 2.11.2026 um 10:00 habe ich angerufen:\n\nNiemand war da.",
    "I wrote to you on 2 November 2026 at 10:00:\n\nno answer since then!",
    "Please call me at 10:00:\n+44 20 1234",
    "See this mail:\n\n5 > 3\n\nAnna",
    ">From what I see it is broken.\nAnna",
    "Bitte senden an:\n\nName: Anna Muster\nStraße: Weg 1\nOrt: Berlin\nE-Mail: anna@example.com\nTelefon: 030 123",
    "Order: 5\nDate: 2026-11-02 10:00\nFrom: Anna\nItem: lamp",
    "Log:\n2026-11-02 10:00:00 ERROR: failed\n2026-11-02 10:00:01 ERROR: failed:\n\nWhat does it mean?",
    "Hi,\nmy data:\n| a | b |\n| 1 | 2 |\nThanks",
    "Bonjour,\n\nPrix : 10\nDate : 2/11/2026\nLieu : Paris\n\nMerci",
    "Please keep this confidential.\n\nAnna",
    "Hi\n\nPlease print the invoice and think of the environment of our office.\n\nAnna",
    "Please send me:\n- Red\n- Blue",
    "I would like\n-Red",
    "Thanks!\n\nPS: my phone is a Samsung Galaxy S21.",
    "Name: Anna\nFrom: Berlin\nTo: Hamburg\nDate: 2 November 2026, 10:00\nSubject: ticket",
    "Der Fehler:\n\nDatum: 2.11.2026\nZeit: 10:00\nNutzer: anna@example.com\nFehler: 500\n\nBitte prüfen.",
    "Steps:\n1. Open\n2. Click\n==========\nResult: error\n==========\nExpected: ok",
    "Wir haben am 02.11.2026 um 10:00 Uhr folgende Lampe bestellt:\n\nLampe blau\n\nWo bleibt sie?",
    "He said at 10:00 on 2 Nov 2026 that he wrote:\n\nsome text of mine",
    "Sent the lamp back on Monday.",
    "Danke!\n\nGesendet habe ich die Lampe am Montag.",
    "Hello\n\nHave you sent it? I use Gmail",
    "Thanks.\n\n-- we will order again, surely, once the new lamps have come into your shop; please tell us when.",
    "Code:\n\n    if a > b:\n        print('x')\n\nWhy?",
    'Traceback:\n>>> foo()\nTraceback (most recent call last):\n  File "x", line 1\n\nHelp',
    "Hallo\n\nVon: Anna\nAn: Ben\nBetreff: Geschenk\n\nDas soll auf die Karte.",
    "Name: Anna\nFrom: Berlin\nTo: Hamburg\nDate: 2 November 2026, 10:00\nSubject: ticket",
]

# What stands below the answer, in the ways of programs that are not in `clients`.
BELOW = [
    "\n[ Write your answer above this line ]\n\nolder",
    "\n## Reply above this line ##\n\nolder",
    "\nPlease reply above this line\n\nolder",
    "\nOn Nov 21, 2026, at 10:18, John\n Doe\n<john@example.net> wrote:\n\n> older one\n> older two\n",
    "\n2026-11-02 10:00 GMT+01:00 Bob <bob@example.net>:\n\n> older one\n> older two\n",
    "\nBob <bob@example.net> schrieb am Mo., 2. Nov. 2026, 10:00:\n\n> older one\n> older two\n",
    "\nBob <bob@example.net> ezt írta (2026. november 2., hétfő):\n\n> older one\n> older two\n",
    "\n-------- Original Message --------\nSubject: \tRe: x\nDate: \tMon, 2 Nov 2026 10:00:00 +0100\nFrom: \tBob <bob@example.net>\nTo: \tanna@example.com\n\nolder\n",
    "\n-----Ursprüngliche Nachricht-----\nVon: Bob [mailto:bob@example.net] \nGesendet: Montag, 2. November 2026 10:00\nAn: Anna\nBetreff: x\n\nolder",
    '\n------ Originalnachricht ------\nVon "Bob" <bob@example.net>\nAn anna@example.com\nDatum 02.11.2026 10:00:00\nBetreff Re: x\n\nolder',
    "\n> Am 02.11.2026 um 10:00 schrieb Bob <bob@example.net>:\n> \n> older",
    "\n> Bob <bob@example.net> hat am 02.11.2026 10:00 CET geschrieben:\n> \n>  \n> older\n",
    '\n> Message du 02/11/26 10:00\n> De : "Bob" <bob@example.net>\n> A : anna@example.com\n> Copie à : \n> Objet : x\n> \n> older',
    '\n---------- Původní e-mail ----------\nOd: Bob <bob@example.net>\nKomu: anna@example.com\nDatum: 2. 11. 2026 10:00:00\nPředmět: Re: x\n"older\n\n"',
    "\n\nFrom:\tBob/Firma\nTo:\tAnna/Firma@Firma\nDate:\t02/11/2026 10:00\nSubject:\tRe: x\n\n\n\nolder",
    "\nBob/Firma@Firma\n02/11/2026 10:00\n\nTo\nAnna\ncc\n\nSubject\nRe: x\n\nolder",
    "\n\n-----bob@example.net wrote: -----\n\nTo: anna\nFrom: bob@example.net\nDate: 11/02/2026 10:00AM\nSubject: x\n\nolder",
    "\n---- On Mon, 02 Nov 2026 10:00:00 +0100 Bob <bob@example.net> wrote ----\n\nolder",
    "\n--- On Mon, 2/11/26, Bob <bob@example.net> wrote:\n\nFrom: Bob <bob@example.net>\nSubject: x\n\nolder",
    "\n--- bob@example.net wrote:\n\n> older",
    "\n##- Please type your reply above this line -##\n\nolder",
    "\n--- Reply above this line ---\n\nolder",
    "\nВы писали 2 ноября 2026 г., 10:00:00:\n\nBD> older one\nBD> older two\n",
    "\n  On Monday, November 2, 2026 at 10:00:00 AM GMT+1, Bob <bob@example.net> wrote:  \n \n Older\n  ",
    "\nEl El lun, 2 nov 2026 a la(s) 10:00, Bob <bob@example.net>\nescribió:\n\n> older",
    "\nW dniu 2.11.2026 o 10:00, Bob pisze:\n> older\n\n\n-- \nAnna",
    "\n--\nThis email has been checked for viruses by Avast antivirus software.\nwww.avast.com",
    "\nDiese E-Mail wurde von Avast-Antivirussoftware auf Viren geprüft.\nwww.avast.com\n",
    "\n-Bob Smith\n",
    "\n_______________________________________________\nusers mailing list\nusers@lists.example.org\nhttps://lists.example.org/listinfo/users\n",
    "\n-- \nYou received this message because you are subscribed to the group.\nTo unsubscribe send an email to a@example.org.\n",
    "\nOn 2 Nov 2026, Bob wrote:\n\n> older\n",
    "\nBob wrote:\n> older\n",
    "\nSent from my iPhone\n\n> On 2. Nov 2026, at 10:00, Bob <bob@example.net> wrote:\n> \n> \ufeffolder\n> ",
    "\nThis e-mail may contain confidential and/or privileged information. If you are not the intended recipient (or have received this e-mail in error) please notify the sender immediately.\n\nPlease consider the environment before printing this e-mail.\n",
    "\nGet Outlook for iOS<https://x.example>\n________________________________\nFrom: Bob <bob@example.net>\nSent: Monday, November 2, 2026 10:00:00 AM\nTo: Anna\nSubject: x\n\nolder",
    "\n________________________________\nVan: Bob <bob@example.net>\nVerzonden: maandag 2 november 2026 10:00\nAan: Anna\nOnderwerp: x\n\nolder",
    "\n*From:* Bob <bob@example.net> \n*Sent:* Monday, November 2, 2026 10:00\n*To:* Anna\n*Cc:* x\n*Subject:* x\n\nolder",
    "\n**From:** Bob <bob@example.net>\n**Date:** Monday, November 2, 2026 at 10:00\n**To:** Anna\n\nolder",
    "\nOn Mon 2. Nov 2026 at 10:00, Bob <bob@example.net> wrote:\n\n> older line which is very long and so it was wrapped by the program at the\nend\n> of it\n",
    '\nAm 2. November 2026 10:00:00 schrieb "Bob" <bob@example.net>:\n\n> older',
    "\nKimden: Bob\nGönderilen: Pazartesi, 2 Kasım 2026 10:00\nKime: Anna\nKonu: x\n\nolder",
    "\nnull wrote:\n\n> older",
    "\nDne po 2. 11. 2026 10:00 uživatel Bob <bob@example.net> napsal:\n\n> older",
    "\n________________________________\n From: Bob <bob@example.net>\nTo: anna@example.com \nSent: Monday, November 2, 2026 10:00 AM\nSubject: x\n \n\nolder",
    "\n---\nTa wiadomość została sprawdzona na obecność wirusów przez oprogramowanie antywirusowe Avast.\nhttps://www.avast.com/antivirus\n",
]


@every_row("text", OWN_WORDS)
def test_the_customers_own_words_stay(text: str) -> None:
    split = visible_text.split(text)
    assert (split.visible, split.quoted) == (text.strip(), "")


@every_row("below", BELOW)
def test_what_programs_put_below_an_answer_goes(below: str) -> None:
    split = visible_text.split(f"{ANSWER}\n{below}")
    assert split.visible == ANSWER
    assert split.quoted.split() == below.split() or set(split.quoted.split()) == set(below.split())


@pytest.mark.parametrize("above", ["", "\n"])
def test_a_gap_keeps_the_empty_lines_that_stood_above_it(above: str) -> None:
    text = f"One\n{above}{ATTRIBUTIONS['en'][0]}\n\n> older\n\n\nTwo"
    assert visible_text.split(text).visible == f"One\n{above}Two"


@every_row("language", FORWARDS)
def test_a_forwarded_mail_stays_whole(language: str) -> None:
    for line in FORWARDS[language]:
        for above in ("", "Please help.\n\n"):
            text = f"{above}{line}\n{head(language)}\n\nThe lamp is broken.\n\n> Is it?\n\n-- \nCarl"
            split = visible_text.split(text)
            assert (split.visible, split.quoted) == (text, "")
            assert split.forward == above.count("\n")


def test_a_short_answer_right_below_a_long_question_stays() -> None:
    text = f"> {'Would you like to have the lamp in the colour that is shown ' * 2}or in blue?\nin blue\n> And when?\nsoon"
    assert visible_text.split(text).visible == "in blue\nsoon"


def test_a_link_between_quotations_is_an_answer() -> None:
    assert visible_text.split("> Which page?\nhttps://example.com/lamp\n> When?\nsoon").visible.split() == [
        "https://example.com/lamp",
        "soon",
    ]


def test_the_forwarders_own_signature_goes() -> None:
    text = (
        f"Please help.\n\n-- \nAnna\n\n{FORWARDS['en'][0]}\n{head('en')}\n\nThe lamp is broken.\n\n-- \nCarl"
    )
    split = visible_text.split(text)
    assert split.visible.startswith("Please help.\n\n----------")
    assert split.visible.endswith("-- \nCarl")
    assert split.quoted == "-- \nAnna"


def test_header_fields_begin_a_forwarded_mail_where_the_subject_says_so() -> None:
    text = f"Please help.\n\n{head('de')}\n\nDie Lampe ist kaputt."
    assert visible_text.split(text).visible == "Please help."
    assert visible_text.split(text, is_forward=True).visible == text


def test_a_forwarded_mail_in_a_quotation_is_quoted() -> None:
    text = f"{ANSWER}\n\n-----Original Message-----\n\nFYI\n\n{FORWARDS['en'][0]}\n{head('en')}\n\nolder"
    assert visible_text.split(text).visible == ANSWER


_LINES = st.sampled_from(
    ["", "", "Blue, please.", "> older", ">> oldest", "-- ", "--", "---", "________________", "Anna Example", "+48 22 123", "-----Original Message-----"]
    + [each for several in ATTRIBUTIONS.values() for each in several[:2]]
    + [each for several in FOOTERS.values() for each in several[:1]]
    + [head("en"), head("pl", style="bold"), head("de", style="quoted"), FORWARDS["en"][0], "AB> older", "| a | b |", "wrote:", "<a@b.example>", "10:00:"],
)  # fmt: skip


@given(st.lists(_LINES, max_size=25))
def test_visible_and_quoted_hold_every_word_and_something_is_visible(lines: list[str]) -> None:
    text = "\n".join(lines)
    split = visible_text.split(text)
    assert sorted((split.visible + "\n" + split.quoted).split()) == sorted(text.split())
    assert bool(split.visible.strip()) == bool(text.strip())


# Lines of customers that hold dates, addresses, colons and products.
_OWN_LINES = st.sampled_from(
    [
        "Hello,",
        "Hi Support team,",
        "Dear Sir or Madam,",
        "I ordered on 2.11.2026 at 10:00.",
        "My address is anna@example.com.",
        "Please reply to: anna@example.com",
        "Order number: 4711",
        "Date: 2.11.2026",
        "From: Berlin",
        "To: Hamburg",
        "Phone: +49 30 123456",
        "On Monday I called your hotline:",
        "The error says:",
        "Error 500: failed",
        "Here is the list:",
        "- lamp",
        "- bulb",
        "1. open",
        "2. close",
        "Thanks,",
        "Anna",
        "Kind regards",
        "Sent the lamp back yesterday.",
        "I use an iPhone 15.",
        "It works on Android.",
        "My Samsung says no",
        "Get back to me soon",
        "Outlook shows nothing",
        "The mail from support@example.net said:",
        "Your colleague Bob wrote on 2.11.2026 at 10:00 that it is fixed.",
        "At 10:00 on 2 Nov 2026 your system sent me this:",
        "Question 1",
        "Why?",
        "https://example.com/x",
        "www.example.com",
        "Price: 10:00 EUR",
        "Von: Anna",
        "An: Ben",
        "Bitte um Rückruf um 10:00:",
        "Am 2.11.2026 um 10:00 Uhr war niemand da:",
        "Ich habe von meinem iPhone gesendet, was Sie wollten.",
        "Le 2/11/2026 à 10:00 j'ai appelé :",
        "W dniu 2.11.2026 o 10:00 dzwoniłem:",
        "Zamówienie nr 5:",
        "El 2/11/2026 a las 10:00 llamé:",
        "Dne 2. 11. 2026 v 10:00 jsem volal:",
        "2 ноября 2026 в 10:00 я звонил:",
        "2026年11月2日 10:00 に電話しました：",
        "Please keep it confidential.",
        "The recipient was wrong.",
        "This is important: read it",
        "Name: Anna Example",
        "E-Mail: anna@example.com",
        "Time: 10:00",
        "*bold* text",
        "_underlined_",
        "(see below)",
        "[1] first",
        "Original invoice attached",
        "--- see here ---",
        "*** NEW ***",
        "Forwarded it to my boss",
        "Begin with the lamp:",
        "10:00 lamp",
        "11:00 bulb",
        "a > b",
        "-5 degrees",
        "- 5 degrees",
    ]
).flatmap(lambda line: st.sampled_from([f"{line}\n", f"{line}\n\n"]))


@pytest.mark.slow
@given(st.lists(_OWN_LINES, min_size=1, max_size=9))
def test_what_customers_write_of_dates_addresses_and_phones_stays(lines: list[str]) -> None:
    text = "Hello,\n\n" + "".join(lines)
    assert visible_text.split(text).quoted == ""


@given(st.text(alphabet="aA \n>|-_:.,@<>()0123456789*#\u200b\ufeff", max_size=300))
def test_no_text_of_any_kind_is_lost_or_hidden_whole(text: str) -> None:
    split = visible_text.split(text)
    assert sorted("".join((split.visible + split.quoted).split())) == sorted("".join(text.split()))
    assert bool(split.visible.strip()) == bool(text.strip())


def test_a_mail_of_a_signature_above_a_quotation_shows_the_signature() -> None:
    text = f"-- \nAnna\n\n{ATTRIBUTIONS['en'][0]}\n\n> older"
    assert visible_text.split(text).visible == "-- \nAnna"


HOSTILE = {
    "one line of >": ">" * 50_000,
    "lines of >": ">\n" * 25_000,
    "prompts": ">>> x\n" * 8_000,
    "colons": ":\n" * 25_000,
    "fields": "From: a\n" * 6_000,
    "field and line": "Betreff: x\n\n" * 4_000,
    "dated lines": "On 2026-11-02 10:00 x\n" * 2_300,
    "attributions": "a wrote:\n\n" * 5_000,
    "questions": "x:\n> y\n" * 7_000,
    "halves of addresses": "<a@b" * 12_000 + ":",
    "dots": "1." * 25_000 + ":",
    "dashes": "-" * 50_000,
    "separators": "---- x\n" * 7_000,
    "signatures": "-- \nx\n" * 8_000,
    "footers": "\nSent from my iPhone\n\n> a\n" * 2_000,
    "empty lines": "\n" * 50_000 + "x",
    "borders": "\x0e\n\x11\nx\n" * 8_000,
    "tables": "| | | |\n" * 7_000,
    "initials": "AB> x\n" * 8_000,
}


@pytest.mark.slow
@every_row("name", HOSTILE)
def test_fifty_kilobytes_of_borders_are_read_in_linear_time(name: str) -> None:
    begin = time.process_time()
    visible_text.split(HOSTILE[name])
    assert time.process_time() - begin < 0.5
