"""Free words that read like "leave me alone": suggested to an agent, who decides; never more than that.

Any reasonable way of saying it counts in the United States, a mail and a voicemail included, and has to be honoured
within ten business days (47 CFR 64.1200(a)(10), in force since 2025-04-11). So each is kept with the day by which
somebody has to decide: weekdays are counted, holidays are not left out, which is early and never late.

Phrases are looked for in the folded words, in every language at once: a customer writes in any. What a phrase may not
go on with ("don't call me before ten") is left alone.
"""

from datetime import timedelta
from typing import Final

import re2
from sqlalchemy import bindparam, select

from channels.contract import Identity
from intake import events, instants, opt_outs
from intake.model import Arrival, Context
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from routing import folding

MAX_CHARACTERS = 4_000
SAID_CHARACTERS = 200
HOW = "words"
_FRIDAY = 4
_j = schema.journal.c
_SETTLED = Statement(select(_j.ticket_id, _j.message_id).where(_j.id == bindparam("id")))

# "~" stands for up to three words; a phrase begins with a word and may end within one.
PHRASES: Final[dict[str, tuple[str, ...]]] = {
    "en": (
        "(?:stop|quit|cease)(?: all| the| these| those| this| your| with| and desist)*~ (?:text|messag|contacting|calling|calls|writing|email|e mail|spam|bothering|pestering|bugging|harassing|sms|communicat|sending (?:me|us))",
        "(?:don t|dont|do not|never|please not)(?: ever| please)?(?: text| message| msg| contact| call| email| e mail| write to| write| bother| sms| phone| ring| spam| send)(?: or \\S+)?(?: me| us| this number| any| anything| here| again)",
        "(?:remove|delete|take|drop|erase) (?:me|us|my (?:phone |mobile |cell )?number|this number|my (?:e ?mail|address|name|contact))~ (?:list|database|contacts|system|records|off|file)",
        "(?:remove|delete|erase) my (?:phone |mobile |cell )?number",
        "(?:remove|delete) me(?: please| pls| now| thanks| thank you)* $",
        "unsubscribe (?:me|us|my|this|please|from|now)",
        "(?:want|like|wish|need|how do i) (?:to )?unsubscribe",
        "opt(?:ing)?(?: me| us)? out",
        "leave (?:me|us) alone",
        "lose (?:my|this) number",
        "(?:no longer|not|don t|dont|never)(?: want| wish| care)(?: to (?:receive|get|be contacted|be called|be texted|hear)| any| more| your| these| further)~ ?(?:text|message|email|call|contact|sms|communic|hear|from you|newsletter|offer)",
        "(?:no longer|not|don t|dont) (?:want|wish) to (?:be contacted|be called|be texted|hear from|receive (?:anything|these|any))",
        "no more (?:text|message|sms|call|email|mail|spam|of (?:these|your) (?:text|message))",
        "(?:enough|done|sick|tired)(?: \\S+)? (?:with|of) (?:the|these|your|all these|getting) (?:text|message|sms|call|email)",
        "(?:revoke|withdraw|withdrawing|revoking)(?: my| our)? (?:consent|permission)",
    ),
    "de": (
        "(?:hor(?:en sie|t)?|hore)(?: \\S+){0,2} auf~ (?:schreib|nachricht|sms|anruf|anzuruf|kontakt|belastig)",
        "(?:schreib(?:en|t)?|ruf(?:en|t)?|kontaktier(?:en|t|e)?|schick(?:en|t|e)?|belastig(?:en|t|e)?|send(?:en|et|e)?)(?: sie| ihr| bitte)*(?: mir| mich| uns)(?: bitte)? (?:keine(?: \\S+)? (?:nachricht|sms|mail|werbung)|nicht (?:mehr|wieder|nochmal|an $)|nichts mehr|nie)",
        "keine weiteren (?:nachricht|sms|anruf|mail|werbung)",
        "(?:keine|nie wieder) (?:nachrichten|sms|anrufe|mails|e mails|werbung)(?: \\S+){0,2} (?:mehr|schicken|senden)",
        "(?:nicht mehr|nie wieder) (?:schreib|anruf|anschreib|kontaktier|meld|belastig)",
        "(?:will|mochte|wunsche)(?: \\S+){0,2} (?:keine|nicht mehr|nichts mehr)~ (?:nachricht|sms|anruf|mail|kontakt|angeschrieben|angerufen|von (?:ihnen|euch)|werbung|horen)",
        "(?:losch(?:en|t|e)|entfern(?:en|t|e)|nehm(?:en|t)|streich(?:en|t|e))(?: sie| bitte)*(?: meine (?:nummer|handynummer|telefonnummer|adresse)| mich (?:\\S+ ){0,3}(?:verteiler|liste))",
        "(?:lass(?:en|t)?)(?: sie)?(?: mich| uns)(?: \\S+)? in ruhe",
        "widerruf(?:e)?(?: \\S+){0,2} (?:einwilligung|zustimmung)",
        "schluss mit(?: den| diesen| euren| ihren)? (?:sms|nachrichten|anrufen|mails)",
    ),
    "fr": (
        "(?:arretez|arrete|cessez|cesse)(?: s il vous plait)?(?: de| d)?(?: m| me| nous)?~ (?:ecri|envoy|contact|appel|message|sms|texto|harcel|mail|sollicit|derang)",
        "ne (?:m|me|nous)(?: \\S+)? (?:ecri|envoy|contact|appel|derang|sollicit)\\S*(?: \\S+){0,2} (?:plus|pas|jamais)",
        "ne plus(?: me| m| nous| etre| jamais)* (?:contact|ecri|envoy|appel|derang|sollicit|recevoir)",
        "n (?:ecri|envoy|appel)\\S* (?:plus|jamais)",
        "(?:ne|n)(?: \\S+){0,2} (?:veux|souhaite|desire|voudrais) plus~ (?:recevoir|message|sms|contact|appel|mail|entendre|etre)",
        "plus (?:de|aucun) (?:message|sms|texto|appel|mail|pub)\\S*(?: s il| svp| merci| de votre| de vous)",
        "(?:desabonne|desinscri)\\S*(?: moi| me)",
        "(?:supprime|retire|enleve|efface)\\S*(?: moi| mon numero| mes coordonnees)",
        "(?:laissez|laisse|foutez)(?: moi| nous)(?: la paix| tranquille)",
        "(?:retire|revoque)\\S*(?: \\S+)? consentement",
    ),
    "es": (
        "(?:deja|deje|dejen|dejad|parad?|paren|pare)(?: por favor)? de (?:escrib|mandar|enviar|llamar|contact|molest|mensaj)",
        "no (?:me|nos)(?: \\S+)? (?:escrib|mand|envi|llam|contact|molest)\\S*(?: \\S+){0,2} (?:mas|nunca|jamas|nada)",
        "no (?:me|nos) (?:escriban|escriba|escribas|escribais|manden|envien|llamen|llames|llameis|contacten|molesten)",
        "no (?:me|nos) (?:vuelv)\\S+ a (?:escrib|mandar|enviar|llamar|contact|molest)",
        "no (?:quiero|deseo|queremos) (?:recibir|mas|que me|seguir|saber)~ ?(?:mensaj|sms|llam|corre|mas|escrib|contact|nada|publicidad)",
        "(?:basta de|no mas|ni un)(?: \\S+)? (?:mensaj|sms|llamad|corre)",
        "(?:borr|elimin|quit|sac)\\S*(?: \\S+)?(?: mi numero| mis datos|me de (?:la|su|vuestra|esta) lista| de (?:la|su) lista)",
        "(?:denme|darme|dame|dadme|deme|darse) de baja",
        "(?:dejenme|dejame|dejadme|dejeme)(?: \\S+)? en paz",
        "(?:retir|revoc)\\S*(?: \\S+)? consentimiento",
    ),
    "pl": (
        "(?:nie|przestan\\S*|przestac|prosze nie|juz nie)(?: prosze)?(?: do mnie| mi| mnie)?(?: wiecej| juz)? (?:pisz|piszcie|pisac|pisza|wysylaj|wysylajcie|wysylac|przysylaj|przysylajcie|przysylac|dzwon|dzwoncie|dzwonic|nekaj|nekajcie|nekac|kontaktuj|kontaktujcie|kontaktowac|spamuj|spamujcie|spamowac|smsuj|smsujcie) ",
        "(?:prosze|przestancie|skonczcie|koniec)(?: \\S+)? (?:z (?:tymi|waszymi|tym)) (?:sms|wiadomosci|telefon|mail|esemes)",
        "nie (?:chce|zycze sobie|zyczymy sobie)(?: juz| wiecej)?~ ?(?:wiadomosci|smsow|sms|telefonow|kontakt|maili|dostawac|otrzymywac|pisali)",
        "(?:usun|wykresl|skasuj|wykasuj|wypis)\\S*(?: prosze)?(?: mnie| moj numer| moje dane| ten numer)",
        "(?:dajcie|daj|prosze dac)(?: \\S+)? (?:mi )?(?:swiety )?spokoj",
        "(?:odwoluje|cofam|wycofuje)(?: \\S+)? zgod",
        "odczep\\S* sie",
    ),
    "pt": (
        "(?:pare|parem|parar|para|deixe|deixem)(?: por favor)? de (?:me |nos )?(?:escrev|mandar|enviar|ligar|contat|contact|incomod|mensag|chatear)",
        "nao (?:me|nos)(?: \\S+)? (?:escrev|mand|envi|lig|contat|contact|incomod)\\S*(?: \\S+){0,2} (?:mais|nunca|nada)",
        "nao (?:quero|desejo|queremos)(?: mais)?(?: receber| que| saber| ser)~ ?(?:mensag|sms|liga|e ?mail|mais|contat|contact|nada|escrev)",
        "(?:chega de|nao mais|nada de)(?: \\S+)? (?:mensag|sms|liga|e ?mail)",
        "(?:remov|retir|apag|exclu|tir)\\S*(?: \\S+)?(?: meu numero| o meu numero| meus dados| me da (?:sua|vossa|lista)| da (?:sua |vossa )?lista)",
        "(?:descadastr|desinscrev)\\S*(?: me| o meu)?",
        "(?:me deixe|deixe me|deixem me|me deixem)(?: \\S+)? em paz",
        "(?:revogo|retiro)(?: \\S+)? consentimento",
    ),
    "it": (
        "(?:smett|piant|fini|basta)\\S*(?:la)?(?: per favore)?(?: di| con)(?: \\S+)?~ ?(?:scriv|mandar|inviar|chiam|contatt|disturb|messagg|sms|telefon)",
        "non (?:mi|ci)(?: \\S+)? (?:scriv|mand|invi|chiam|contatt|disturb|telefon)\\S*(?: \\S+){0,2} (?:piu|mai)",
        "non (?:scriv|mand|invi|chiam|contatt|disturb|telefon)\\S*(?:mi|ci)(?: \\S+){0,2} (?:piu|mai)",
        "non (?:voglio|desidero|vogliamo)(?: piu)?(?: ricevere| essere| che| avere)~ ?(?:messagg|sms|chiam|mail|piu|contatt|nulla|niente|scriv)",
        "(?:basta|niente piu)(?: \\S+)? (?:messagg|sms|chiamat|mail|telefonat)",
        "(?:cancell|rimuov|togli|elimin)\\S*(?: \\S+)?(?: il mio numero| i miei dati| dalla (?:vostra |sua )?lista|temi|mi)",
        "(?:disiscriv)\\S*",
        "(?:lasciatemi|lasciami|mi lasci\\S*)(?: \\S+)? in pace",
        "(?:revoco|ritiro)(?: \\S+)? consenso",
    ),
    "nl": (
        "(?:stop|hou|houd)(?: \\S+){0,2} (?:met|op)(?: met)?(?: \\S+){0,2} (?:sms|bericht|bellen|appen|mail|stur|schrij|contact|lastig)",
        "(?:stuur|schrijf|bel|app|mail|contacteer|sms|benader)(?: mij| me| ons)?(?: \\S+)? (?:niet|geen|nooit)(?: \\S+){0,3} ?(?:meer|berichten|sms)",
        "(?:wil|wens|hoef)(?: \\S+){0,2} (?:geen|niet|niets|nooit)~ (?:bericht|sms|telefoon|mail|gebeld|benaderd|horen|reclame)",
        "geen (?:berichten|sms|sms jes|telefoontjes|mails|reclame)(?: \\S+)? meer",
        "(?:verwijder|haal|schrap|wis)(?: \\S+){0,2} (?:mijn (?:nummer|gegevens|telefoonnummer)|mij|me)(?: \\S+){0,3} ?(?:lijst|bestand|uit)?",
        "(?:schrijf|meld)(?: \\S+)? (?:mij|me) (?:uit|af)",
        "(?:laat|laten)(?: \\S+)? (?:mij|me|ons)(?: \\S+)? met rust",
        "trek(?: \\S+){0,2} toestemming(?: \\S+)? in",
    ),
    "sv": (
        "(?:sluta|slut)(?: \\S+)? (?:skicka|skriv|ring|sms|kontakt|stor|mejl|messa|med (?:sms|meddel|samtal))",
        "(?:skicka|skriv|ring|kontakta|sms a|smsa|mejla|stor)(?: \\S+)? (?:inte|inga|aldrig)(?: \\S+){0,4} ?(?:mig|mer|igen|fler|oss)",
        "vill(?: \\S+)? (?:inte|aldrig)(?: langre)?(?: ha| fa| bli| hora)~ ?(?:sms|meddel|samtal|mejl|kontakt|mer|ringd|er)",
        "inga (?:fler|mer) (?:sms|meddel|samtal|mejl)",
        "(?:ta bort|radera|stryk)(?: \\S+)?(?: mig| mitt (?:nummer|mobilnummer|telefonnummer)| mina uppgifter)",
        "(?:avregistrera|avprenumerera)(?: \\S+)? mig",
        "lamna (?:mig|oss) i fred",
        "(?:aterkallar|drar tillbaka)(?: \\S+)? samtycke",
    ),
    "cs": (
        "(?:prestante|prestan|nechte|nechtel)(?: \\S+)? (?:mi |me |nas )?(?:psat|posilat|volat|kontaktovat|obtezovat|otravovat|spamovat)",
        "(?:nepiste|nepis mi|neposilejte|neposilej|nevolejte|nevolej|nekontaktujte|neobtezujte)(?: \\S+){0,3} ?(?:mi|me|nam|mne|uz|vice)?",
        "(?:nechci|neprej\\S+|nepreju si)(?: \\S+){0,2} (?:dostavat|zpravy|sms|abyste|byt kontakt|vase)",
        "(?:zadne|uz zadne) (?:dalsi )?(?:sms|zpravy|telefonaty|maily)",
        "(?:smazte|vymazte|odstrante|vyradte|odhlaste)(?: \\S+)?(?: me| moje cislo| muj telefon| mi cislo)",
        "(?:dejte|nechte)(?: \\S+)? (?:mi |me )?(?:pokoj|na pokoji|byt)",
        "(?:odvolavam|beru zpet)(?: \\S+)? souhlas",
    ),
    "tr": (
        "(?:mesaj|sms|mail|e posta|reklam)(?: \\S+){0,2} (?:atmay\\S*|gondermey\\S*|yollamay\\S*|atma|gonderme|yollama|istemiyorum)",
        "(?:yazmayi|aramayi|mesaj atmayi|gondermeyi)(?: \\S+)? (?:birak|kes|durdur)",
        "(?:beni|bana|bizi)(?: \\S+){0,2} (?:aramay\\S*|yazmay\\S*|arama|yazma|rahatsiz etmey\\S*|rahatsiz etme)",
        "(?:aramayin|yazmayin|mesaj atmayin)(?: artik| bir daha)?(?: beni| bana| bizi)?",
        "(?:numarami|beni)(?: \\S+){0,3} (?:silin|sil|cikarin|cikar|kaldirin|kaldir)",
        "(?:beni )?rahat birak",
        "(?:iznimi|onayimi|rizami)(?: \\S+)? (?:geri|iptal)",
    ),
    "ru": (
        "(?:перестаньте|прекратите|хватит|перестань|хорош)(?: \\S+)? (?:мне |меня |нам )?(?:писать|слать|присылать|звонить|спам|беспокоить|отправлять|рассылать|рассылк)",
        "не (?:пишите|пиши|звоните|звони|присылайте|присылай|шлите|шли|беспокойте|отправляйте)(?: \\S+){0,2} (?:мне|больше|меня|нам|сюда)",
        "(?:больше )?(?:мне |меня )?(?:больше )?не (?:пишите|звоните|присылайте|шлите|беспокойте)(?: мне| больше| сюда)?",
        "не (?:хочу|желаю|хотим)(?: \\S+)? (?:получать|сообщен|смс|чтобы вы|звонк|слышать|вас)",
        "(?:удалите|уберите|исключите|вычеркните)(?: \\S+)?(?: меня| мой номер| мои данные)",
        "(?:отпишите|отписать)(?: \\S+)? меня",
        "оставьте (?:меня|нас) в покое",
        "(?:отзываю|отозвать)(?: \\S+)? согласие",
    ),
}
# What turns one of these phrases into something else when it follows at once.
_GOES_ON = (
    "(?:back|before|after|until|at (?:work|night|home)|during|between|tomorrow|today|on (?:mon|tue|wed|thu|fri|sat|sun|week)|"
    "auf (?:der|die)? ?arbeit|vor \\d|nach \\d|avant|apres|antes|despues|depois|przed|po \\d|prima|dopo|voor \\d|na \\d|fore|efter|pred|до \\d|после)"
)
# And when it stands right before.
_GOES_BEFORE = "(?:don t|do not|dont|never|won t|wouldn t|can t|cannot|didn t|did not|doesn t|not|why|pourquoi|por que|perche|warum|dlaczego|waarom|varfor|proc|почему|neden|nie|ne|no|nao|non|niet|inte|не)"

_PATTERN = re2.compile(
    " (?:"
    + "|".join(each for phrases in PHRASES.values() for each in phrases).replace("~", "(?: \\S+){0,3}")
    + ")"
)
_AFTER = re2.compile(f"\\S* {_GOES_ON}\\b")
_BEFORE = re2.compile(f" {_GOES_BEFORE}$")


def found(text: str) -> str | None:
    """Return the words, folded, by which a text reads like a wish to be left alone; None = it does not."""
    said = folding.fold(text[:MAX_CHARACTERS])
    for match in _PATTERN.finditer(said):
        words = match.group()
        end = match.start() + len(words.rstrip())
        if _AFTER.match(said[end:]) or _BEFORE.search(said[: match.start()]):
            continue
        return str(words).strip()
    return None


def look(tx: Tx, context: Context, arrival: Arrival) -> None:
    """Suggest it where a message that a person wrote reads so."""
    message = arrival.message
    if message.automatic or arrival.problem is not None or message.sender is None:
        return
    text = message.visible_text or message.text
    if not context.consent.suggest or found(text) is None:  # most messages: nothing is asked of the store
        return
    row = tx.one(_SETTLED, id=arrival.received.id)
    ticket_id, message_id = row if row is not None else (None, None)
    if message_id is not None:
        suggest(
            tx,
            context,
            message.sender,
            text,
            medium=message.kind,
            ticket_id=ticket_id,
            message_id=message_id,
        )


def suggest(
    tx: Tx,
    context: Context,
    identity: Identity,
    text: str,
    *,
    medium: str,
    ticket_id: int | None,
    message_id: int,
) -> bool:
    """Note the suggestion, once for each message; false when there is none. text: what they said, in whatever way."""
    if not context.consent.suggest or found(text) is None or opt_outs.is_noted(tx, message_id):
        return False
    if opt_outs.holding(tx, (identity,), medium) is not None:
        return False
    days = context.consent.decide_days
    due_at = due(tx.now, days)
    said = " ".join(text.split())[:SAID_CHARACTERS]
    opt_out_id = opt_outs.write(
        tx, identity, "suggested", how=HOW, said=said, message_id=message_id, due_at=due_at
    )
    events.record(
        tx,
        "opt_out_suggested",
        ticket_id=ticket_id,
        customer_id=opt_outs.customer_of(tx, identity),
        actor="customer",
        suggestion=str(opt_out_id),
        value=identity.value,
        medium=medium,
        message=str(message_id),
        due_at=instants.rfc3339_from_us(due_at),
    )
    return True


def due(now_us: int, weekdays: int) -> int:
    """Return the same time of day so many weekdays later, microseconds UTC. Friday and one day are Monday."""
    at = instants.datetime_from_us(now_us)
    while weekdays:
        at += timedelta(days=1)
        weekdays -= at.weekday() <= _FRIDAY
    return instants.us_from_datetime(at)
