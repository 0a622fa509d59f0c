"""Words in nine languages: found with accents and without, in any case, over line breaks; look-alikes are not.

Each line is a word or phrase as an admin writes it, with what customers write: `+` finds it, `-` does not.
"""

import functools
import re

from routing import rulebook
from routing.customer_text import WHEN_NOT_SAID
from routing.decision import decide
from routing.facts import Facts
from tests.rows import every_row

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}

TABLE = r"""
pl: zwrot
 + Proszę o zwrot. | ZWROT! | o zwrot, pilnie | „zwrot” | (zwrot) | zwrot-pilne | nr.zwrot:5
 - zwrotnica | prezwrot | zwroty | zwro t | zwr0t
pl: zwrot*
 + zwrotów | ZWROTY | zwrotnica | o Zwrocie? nie, o zwrotach
 - nawrot | bezzwrotny | zwro
pl: nie działa
 + nic nie działa | NIE DZIALA | nie  działa | nie\ndziała | nie, działa? | Nie działa… | nie — działa | nie\u00a0działa
 - nie zadziała | wcale niedziała | nie dziś działa | niejedno działa
pl: żółć
 + ŻÓŁĆ | zolc | Żółć | żółc | z\u0307o\u0301łc\u0301 | ZOLC
 - żółcień | zolca | ziolo
pl: łódź
 + ŁÓDŹ | lodz | Łodz | LODZ
 - łódź2 | łodzią | todz
pl: reklamacj*
 + reklamacja | REKLAMACJĘ | reklamacje
 - reklama | autoreklamacja
pl: sąd
 + sąd | SĄD | do sadu? nie: do sąd | sad
 - sądzi | osąd
el: επιστροφή χρημάτων
 + επιστροφή χρημάτων | ΕΠΙΣΤΡΟΦΗ ΧΡΗΜΑΤΩΝ | Επιστροφή Χρημάτων; | επιστροφη χρηματων | θέλω επιστροφή\nχρημάτων
 - επιστροφές χρημάτων | επιστροφήχρημάτων | επιστροφή των χρημάτων
el: οδός
 + οδός | ΟΔΟΣ | ΟΔΌΣ | οδοσ | οδος,
 - οδοστρωτήρας | κάθοδος | οδού
el: δεν λειτουργεί
 + δεν λειτουργεί | ΔΕΝ ΛΕΙΤΟΥΡΓΕΙ | Δεν  λειτουργεί! | δεν λειτουργει
 - δεν λειτουργεία | μηδέν λειτουργεί
el: ευχαριστώ
 + ευχαριστώ | ΕΥΧΑΡΙΣΤΩ | Ευχαριστω πολύ
 - ευχαριστήθηκα | ευχάριστο
el: τιμολόγ*
 + τιμολόγιο | ΤΙΜΟΛΟΓΙΑ | τιμολογίου
 - τιμή | υποτιμολόγηση
el: άνθρωπος
 + ΆΝΘΡΩΠΟΣ | ανθρωπος | ἄνθρωπος | Άνθρωπος
 - άνθρωποι | υπεράνθρωπος
pt: não funciona
 + não funciona | NÃO FUNCIONA | nao funciona | não-funciona | na\u0303o funciona
 - não funcionam | não funcionava | senão funciona
pt: reembols*
 + reembolso | REEMBOLSAR | Reembolsem-me
 - embolso | desembolso
pt: ação
 + ação | AÇÃO | acao | Açao
 - fração | ações | acaso
pt: avó
 + avó | AVÓ | avo | avô
 - avós | povo
pt: obrigado
 + Obrigado! | OBRIGADO | muito obrigado,
 - obrigados | desobrigado | obrigada
es: contraseña
 + contraseña | CONTRASEÑA | contrasena | contrasen\u0303a | ¿contraseña?
 - contraseñas | seña
es: devolución
 + devolución | DEVOLUCIÓN | devolucion | ¡Devolución!
 - devoluciones | evolución
es: no funciona
 + no funciona | NO FUNCIONA | ¿No funciona? | no\tfunciona
 - no funcionan | techno funciona
es: envío*
 + envío | ENVIO | envíos | enviosexpress
 - reenvío | envase
es: pingüino
 + pingüino | PINGUINO | PINGÜINO
 - pingüinos | pingino
de: Straße
 + Straße | STRASSE | STRAẞE | strasse | Strasse,
 - Straßen | Seestraße | Stras | Straße1
de: Kasse
 + Kasse | KASSE | an der Kasse.
 - Katze | Kassette | Sparkasse | Kase
de: Rechnung*
 + Rechnung | RECHNUNGEN | Rechnungsnummer
 - Berechnung | Abrechnung | rechnen
de: zurück
 + zurück | ZURÜCK | zuruck | zuru\u0308ck
 - zurücknehmen | zurueck | ruck
de: Maße
 + Maße | MASSE | Masse | MAẞE
 - Maß | Massen | Mase
de: geht nicht
 + geht nicht | Geht nicht! | es geht\nnicht | GEHT  NICHT
 - geht doch nicht | angeht nicht | geht nichts
tr: iade
 + iade | İADE | IADE | İade istiyorum
 - iadeler | piyade | ciade
tr: ışık
 + ışık | IŞIK | isik | Işık | ISIK
 - ışıklar | yakışık
tr: çalışmıyor
 + çalışmıyor | ÇALIŞMIYOR | calismiyor | Calışmiyor
 - çalışmıyorum | çalışıyor
tr: şifre
 + şifre | ŞİFRE | sifre | SIFRE
 - şifreler | deşifre
tr: İstanbul
 + İstanbul | ISTANBUL | istanbul | i\u0307stanbul
 - İstanbullu
ru: возврат
 + возврат | ВОЗВРАТ | Возврат!
 - возврата | невозврат | возвраты
ru: возврат*
 + возврата | ВОЗВРАТЫ | возвратить
 - невозврат | возраст
ru: счёт
 + счёт | счет | СЧЁТ | СЧЕТ | сче\u0308т
 - счёты | расчёт | счётчик
ru: край
 + край | КРАЙ | краи\u0306
 - краи | крайний | раскрай
ru: не работает
 + не работает | НЕ РАБОТАЕТ | не\nработает | Не… работает
 - не работают | мне работает
ru: ёлка
 + ёлка | елка | ЁЛКА
 - ёлкам | метёлка
cs: vrácení peněz
 + vrácení peněz | VRÁCENÍ PENĚZ | vraceni penez | Vrácení\npeněz
 - navrácení peněz | vrácení peníze
cs: nefunguje
 + nefunguje | NEFUNGUJE! | to nefunguje,
 - nefungujeme | funguje
cs: příliš žluťoučký
 + příliš žluťoučký | PŘÍLIŠ ŽLUŤOUČKÝ | prilis zlutoucky
 - nepříliš žluťoučký | příliš žluťoučkého
cs: účet
 + účet | ÚČET | ucet
 - účty | podúčet | účetní
fr: remboursement*
 + remboursement | REMBOURSEMENTS | Remboursement ?
 - débours | rembourser
fr: reçu
 + reçu | REÇU | recu | un rec\u0327u
 - reçus | aperçu
fr: l'œuvre
 + l'œuvre | L’ŒUVRE | l’oeuvre | l oeuvre
 - l'œuvres | louvre | manœuvre
fr: ne marche pas
 + ne marche pas | NE MARCHE PAS | ne marche\r\npas | ça ne marche pas !
 - une marche pas | ne marche plus | ne marche passe
fr: été
 + été | ETE | ÉTÉ | e\u0301te\u0301
 - étés | côté | têtes
fr: naïve
 + naïve | NAIVE | naive
 - naïves | native
en: art
 + art | ART. | modern art! | art's | "art"
 - party | start | artist | Art1st | smart
en: refund*
 + refund | Refunds | refunded | REFUNDABLE
 - prefund | re fund | refun
en: not working
 + not working | Not  working | not\n\nworking | not, working | NOT-WORKING | not *working*
 - not networking | cannot working | not workings
en: café
 + café | CAFÉ | cafe | cafe\u0301 | ＣＡＦÉ
 - cafés | decafé | cafeteria
da: Ørsted
 + Ørsted | ORSTED | ørsted
 - Ørstedsparken | horsted
da: smørrebrød
 + smørrebrød | SMØRREBRØD | smorrebrod
 - smørrebrøds
"""


def rows() -> list[tuple[str, str, bool]]:
    found: list[tuple[str, str, bool]] = []
    word = ""
    for line in TABLE.strip().splitlines():
        if line.startswith((" + ", " - ")):
            found.extend((word, unescaped(text), line[1] == "+") for text in line[3:].split(" | "))
        else:
            word = line.partition(": ")[2]
    return found


def unescaped(text: str) -> str:
    r"""`\n` and `\u0301` as the characters themselves, which could not be seen in this file."""
    return re.sub(
        r"\\(u[0-9a-f]{4}|[nrt])", lambda found: _ESCAPES.get(found[1]) or chr(int(found[1][1:], 16)), text
    )


@functools.cache
def book(condition: str) -> rulebook.Rulebook:
    people = "version: 1\nagents: {a: {}}\nteams: {t: {levels: {l: [a]}}}\ndefault: {team: t}\n"
    return rulebook.load({"r.yaml": f"{people}route: [{{id: x, when: {condition}, then: {{team: t}}}}]"})


def has(condition: str, text: str) -> bool:
    return decide(book(condition), Facts(at=WHEN_NOT_SAID, channel="email", body=text)).rule == "x"


@every_row(("word", "text", "expected"), rows())
def test_a_word_is_found_where_it_stands_and_nowhere_else(word: str, text: str, expected: object) -> None:
    assert has(f'{{text.words: ["{word}"]}}', text) is expected


@every_row("word", sorted({word for word, _, _ in rows() if "*" not in word}))
def test_nothing_else_was_said_only_when_nothing_else_was(word: str) -> None:
    only = f'{{text.words: {{only: ["{word}"]}}}}'
    assert (has(only, f"{word}!\n {word.upper()}"), has(only, f"{word} xyz"), has(only, "")) == (
        True,
        False,
        False,
    )


def test_the_table_covers_the_languages_and_is_long() -> None:
    languages = {line[:2] for line in TABLE.splitlines() if line[2:4] == ": "}
    assert languages >= {"pl", "el", "pt", "es", "de", "tr", "ru", "cs", "fr"}
    assert sum(1 for row in rows() if row[2]) > 180
    assert sum(1 for row in rows() if not row[2]) > 130
