"""What is said to STOP, START and HELP, in the customer's language: one text of one segment, where the letters allow it.

A desk says it in its own words with the reply templates `consent_stop`, `consent_start` and `consent_help`, which may
name {{ organization }}.
"""

from typing import Literal

from channels import markup
from intake.model import Context
from intake.replies import TemplateProblem

Word = Literal["stop", "start", "help"]
MAX_CHARACTERS = 320
_FALLBACK = "en"

_TEXTS: dict[str, dict[Word, str]] = {
    "en": {
        "stop": "You will get no more messages from us. Write START if you change your mind.",
        "start": "You get our messages again. Write STOP to end them.",
        "help": "Write here what it is about, and we answer. STOP ends our messages.",
    },
    "de": {
        "stop": "Sie bekommen keine Nachrichten mehr von uns. Mit START beginnen Sie wieder.",
        "start": "Sie bekommen unsere Nachrichten wieder. STOP beendet sie.",
        "help": "Schreiben Sie hier, worum es geht, und wir antworten. STOP beendet unsere Nachrichten.",
    },
    "fr": {
        "stop": "Vous ne recevrez plus de messages de notre part. START pour les recevoir à nouveau.",
        "start": "Vous recevez à nouveau nos messages. STOP pour les arrêter.",
        "help": "Écrivez ici de quoi il s'agit et nous répondons. STOP pour ne plus rien recevoir.",
    },
    "es": {
        "stop": "Ya no recibirá mensajes nuestros. Escriba START si cambia de idea.",
        "start": "Vuelve a recibir nuestros mensajes. Escriba STOP para dejar de recibirlos.",
        "help": "Escriba aquí de qué se trata y le respondemos. STOP para no recibir nada más.",
    },
    "pl": {
        "stop": "Nie będziemy już do Ciebie pisać. Wyślij START, jeśli zmienisz zdanie.",
        "start": "Znowu możemy do Ciebie pisać. STOP to zakończy.",
        "help": "Napisz tutaj, w czym rzecz, a odpowiemy. STOP: nie będziemy więcej pisać.",
    },
    "pt": {
        "stop": "Não receberá mais mensagens nossas. Escreva START se mudar de ideia.",
        "start": "Volta a receber as nossas mensagens. Escreva STOP para as terminar.",
        "help": "Escreva aqui do que se trata e respondemos. STOP para não receber mais nada.",
    },
    "it": {
        "stop": "Non riceverà più nostri messaggi. Scriva START se cambia idea.",
        "start": "Riceve di nuovo i nostri messaggi. Scriva STOP per interromperli.",
        "help": "Scriva qui di che cosa si tratta e le rispondiamo. STOP per non ricevere altro.",
    },
    "nl": {
        "stop": "U krijgt geen berichten meer van ons. Stuur START als u zich bedenkt.",
        "start": "U krijgt onze berichten weer. Stuur STOP om ze te beëindigen.",
        "help": "Schrijf hier waar het om gaat, dan antwoorden wij. STOP beëindigt onze berichten.",
    },
    "sv": {
        "stop": "Du får inga fler meddelanden från oss. Skriv START om du ändrar dig.",
        "start": "Du får våra meddelanden igen. Skriv STOP för att avsluta.",
        "help": "Skriv här vad det gäller så svarar vi. STOP avslutar våra meddelanden.",
    },
    "cs": {
        "stop": "Už Vám nebudeme psát. Pokud si to rozmyslíte, pošlete START.",
        "start": "Opět Vám můžeme psát. STOP to ukončí.",
        "help": "Napište sem, o co jde, a odpovíme. STOP: nebudeme Vám psát.",
    },
    "tr": {
        "stop": "Bizden artık mesaj almayacaksınız. Fikriniz değişirse START yazın.",
        "start": "Mesajlarımızı yeniden alıyorsunuz. Bitirmek için STOP yazın.",
        "help": "Konuyu buraya yazın, yanıtlayalım. STOP yazarsanız mesaj göndermeyiz.",
    },
    "ru": {
        "stop": "Мы больше не будем Вам писать. Если передумаете, отправьте START.",
        "start": "Мы снова можем Вам писать. STOP: не писать больше.",
        "help": "Напишите, в чём дело, и мы ответим. STOP: не писать больше.",
    },
    "uk": {
        "stop": "Ми більше не писатимемо Вам. Якщо передумаєте, надішліть START.",
        "start": "Ми знову можемо Вам писати. STOP: не писати більше.",
        "help": "Напишіть, у чому справа, і ми відповімо. STOP: не писати більше.",
    },
}
LANGUAGES = frozenset(_TEXTS)


def text(context: Context, word: Word, language: str | None) -> str:
    """Return what is answered to a word, the desk's own template before ours; who we are stands before both."""
    name = f"consent_{word}"
    values = {"organization": context.organization}
    try:
        rendered = context.replies.render(name, language, values)
    except TemplateProblem:
        rendered = None
    if rendered is not None:
        return " ".join(markup.plain(rendered.text).split())[:MAX_CHARACTERS]
    plain = _TEXTS.get((language or "").partition("-")[0], _TEXTS[_FALLBACK])[word]
    return f"{context.organization}: {plain}" if context.organization else plain
