"""What a form says in each language, where its account says nothing of its own. A language that lacks a word fails a test."""

from collections.abc import Mapping

ENGLISH = "en"
# {count}, {size}: numbers; {field}: a label. The sentence about an address says what to do, not what is wrong with it.
WORDS: dict[str, dict[str, str]] = {
    "en": {
        "title": "Write to us", "intro": "", "name": "Your name", "email": "Email address", "phone": "Phone number",
        "subject": "Subject", "message": "Your message", "files": "Files", "optional": "optional",
        "files_hint": "At most {count} files, together up to {size} MB.", "send": "Send", "again": "Write another message",
        "sent_title": "Thank you", "sent": "We have your message and will answer by email.",
        "trap": "Leave this field empty", "failed": "Your message has not been sent yet",
        "is_required": "{field}: please fill this in.", "is_email": "{field}: please write it like name@example.com.",
        "is_phone": "{field}: please write it with the country code, like +48 22 123 45 67.",
        "is_choice": "{field}: please choose one of the list.", "is_long": "{field}: please use at most {count} characters.",
        "is_ticked": "{field}: please tick this to send the message.",
        "is_many": "Please add at most {count} files.", "is_large": "The files are too large: together at most {size} MB.",
        "is_trap": "Please leave the last field empty.", "is_elsewhere": "Please send the message from this page.",
        "is_busy": "Too many messages have come from your network. Please try again in a few minutes.",
        "is_down": "This did not work just now. Please try again in a minute; your text is still here.",
        "files_again": "Please choose your files once more.",
    },
    "pl": {
        "title": "Napisz do nas", "intro": "", "name": "Imię i nazwisko", "email": "Adres e-mail", "phone": "Numer telefonu",
        "subject": "Temat", "message": "Wiadomość", "files": "Pliki", "optional": "nieobowiązkowe",
        "files_hint": "Najwyżej {count} plików, razem do {size} MB.", "send": "Wyślij", "again": "Napisz kolejną wiadomość",
        "sent_title": "Dziękujemy", "sent": "Mamy Twoją wiadomość i odpowiemy e-mailem.",
        "trap": "Zostaw to pole puste", "failed": "Wiadomość nie została jeszcze wysłana",
        "is_required": "{field}: prosimy wypełnić to pole.", "is_email": "{field}: prosimy zapisać w postaci nazwa@example.com.",
        "is_phone": "{field}: prosimy podać numer z kodem kraju, na przykład +48 22 123 45 67.",
        "is_choice": "{field}: prosimy wybrać z listy.", "is_long": "{field}: prosimy użyć najwyżej {count} znaków.",
        "is_ticked": "{field}: prosimy zaznaczyć, aby wysłać wiadomość.",
        "is_many": "Prosimy dodać najwyżej {count} plików.", "is_large": "Pliki są za duże: razem najwyżej {size} MB.",
        "is_trap": "Prosimy zostawić ostatnie pole puste.", "is_elsewhere": "Prosimy wysłać wiadomość z tej strony.",
        "is_busy": "Z Twojej sieci przyszło zbyt wiele wiadomości. Prosimy spróbować za kilka minut.",
        "is_down": "Teraz się nie udało. Prosimy spróbować za minutę; tekst pozostał na stronie.",
        "files_again": "Prosimy wybrać pliki jeszcze raz.",
    },
    "el": {
        "title": "Γράψτε μας", "intro": "", "name": "Το όνομά σας", "email": "Διεύθυνση email", "phone": "Αριθμός τηλεφώνου",
        "subject": "Θέμα", "message": "Το μήνυμά σας", "files": "Αρχεία", "optional": "προαιρετικό",
        "files_hint": "Το πολύ {count} αρχεία, συνολικά έως {size} MB.", "send": "Αποστολή", "again": "Γράψτε άλλο μήνυμα",
        "sent_title": "Ευχαριστούμε", "sent": "Λάβαμε το μήνυμά σας και θα απαντήσουμε με email.",
        "trap": "Αφήστε αυτό το πεδίο κενό", "failed": "Το μήνυμά σας δεν έχει σταλεί ακόμη",
        "is_required": "{field}: παρακαλούμε συμπληρώστε το.", "is_email": "{field}: παρακαλούμε γράψτε το όπως onoma@example.com.",
        "is_phone": "{field}: παρακαλούμε γράψτε το με τον κωδικό χώρας, όπως +30 21 0123 4567.",
        "is_choice": "{field}: παρακαλούμε επιλέξτε από τη λίστα.", "is_long": "{field}: το πολύ {count} χαρακτήρες.",
        "is_ticked": "{field}: παρακαλούμε επιλέξτε το για να σταλεί το μήνυμα.",
        "is_many": "Παρακαλούμε προσθέστε το πολύ {count} αρχεία.", "is_large": "Τα αρχεία είναι πολύ μεγάλα: συνολικά έως {size} MB.",
        "is_trap": "Παρακαλούμε αφήστε το τελευταίο πεδίο κενό.", "is_elsewhere": "Παρακαλούμε στείλτε το μήνυμα από αυτή τη σελίδα.",
        "is_busy": "Ήρθαν πάρα πολλά μηνύματα από το δίκτυό σας. Δοκιμάστε ξανά σε λίγα λεπτά.",
        "is_down": "Δεν έγινε τώρα. Δοκιμάστε ξανά σε ένα λεπτό· το κείμενό σας είναι ακόμη εδώ.",
        "files_again": "Παρακαλούμε επιλέξτε ξανά τα αρχεία σας.",
    },
    "pt": {
        "title": "Escreva-nos", "intro": "", "name": "O seu nome", "email": "Endereço de email", "phone": "Número de telefone",
        "subject": "Assunto", "message": "A sua mensagem", "files": "Ficheiros", "optional": "opcional",
        "files_hint": "No máximo {count} ficheiros, no total até {size} MB.", "send": "Enviar", "again": "Escrever outra mensagem",
        "sent_title": "Obrigado", "sent": "Recebemos a sua mensagem e respondemos por email.",
        "trap": "Deixe este campo vazio", "failed": "A sua mensagem ainda não foi enviada",
        "is_required": "{field}: preencha este campo.", "is_email": "{field}: escreva como nome@example.com.",
        "is_phone": "{field}: escreva com o indicativo do país, como +351 21 123 4567.",
        "is_choice": "{field}: escolha da lista.", "is_long": "{field}: use no máximo {count} caracteres.",
        "is_ticked": "{field}: assinale para enviar a mensagem.",
        "is_many": "Junte no máximo {count} ficheiros.", "is_large": "Os ficheiros são demasiado grandes: no total até {size} MB.",
        "is_trap": "Deixe o último campo vazio.", "is_elsewhere": "Envie a mensagem a partir desta página.",
        "is_busy": "Chegaram demasiadas mensagens da sua rede. Tente de novo dentro de alguns minutos.",
        "is_down": "Agora não foi possível. Tente de novo dentro de um minuto; o seu texto continua aqui.",
        "files_again": "Escolha os seus ficheiros outra vez.",
    },
    "es": {
        "title": "Escríbanos", "intro": "", "name": "Su nombre", "email": "Correo electrónico", "phone": "Número de teléfono",
        "subject": "Asunto", "message": "Su mensaje", "files": "Archivos", "optional": "opcional",
        "files_hint": "Como máximo {count} archivos, en total hasta {size} MB.", "send": "Enviar", "again": "Escribir otro mensaje",
        "sent_title": "Gracias", "sent": "Tenemos su mensaje y le responderemos por correo electrónico.",
        "trap": "Deje este campo vacío", "failed": "Su mensaje aún no se ha enviado",
        "is_required": "{field}: rellene este campo.", "is_email": "{field}: escríbalo como nombre@example.com.",
        "is_phone": "{field}: escríbalo con el prefijo del país, como +34 91 123 45 67.",
        "is_choice": "{field}: elija de la lista.", "is_long": "{field}: use como máximo {count} caracteres.",
        "is_ticked": "{field}: márquelo para enviar el mensaje.",
        "is_many": "Añada como máximo {count} archivos.", "is_large": "Los archivos son demasiado grandes: en total hasta {size} MB.",
        "is_trap": "Deje vacío el último campo.", "is_elsewhere": "Envíe el mensaje desde esta página.",
        "is_busy": "Han llegado demasiados mensajes de su red. Inténtelo de nuevo en unos minutos.",
        "is_down": "Ahora no ha funcionado. Inténtelo de nuevo en un minuto; su texto sigue aquí.",
        "files_again": "Elija sus archivos otra vez.",
    },
    "de": {
        "title": "Schreiben Sie uns", "intro": "", "name": "Ihr Name", "email": "E-Mail-Adresse", "phone": "Telefonnummer",
        "subject": "Betreff", "message": "Ihre Nachricht", "files": "Dateien", "optional": "freiwillig",
        "files_hint": "Höchstens {count} Dateien, zusammen bis {size} MB.", "send": "Senden", "again": "Noch eine Nachricht schreiben",
        "sent_title": "Danke", "sent": "Wir haben Ihre Nachricht und antworten per E-Mail.",
        "trap": "Dieses Feld leer lassen", "failed": "Ihre Nachricht ist noch nicht gesendet",
        "is_required": "{field}: bitte ausfüllen.", "is_email": "{field}: bitte so schreiben: name@example.com.",
        "is_phone": "{field}: bitte mit Landesvorwahl schreiben, etwa +49 30 1234567.",
        "is_choice": "{field}: bitte aus der Liste wählen.", "is_long": "{field}: bitte höchstens {count} Zeichen.",
        "is_ticked": "{field}: bitte ankreuzen, um die Nachricht zu senden.",
        "is_many": "Bitte höchstens {count} Dateien anhängen.", "is_large": "Die Dateien sind zu groß: zusammen höchstens {size} MB.",
        "is_trap": "Bitte das letzte Feld leer lassen.", "is_elsewhere": "Bitte die Nachricht von dieser Seite aus senden.",
        "is_busy": "Aus Ihrem Netz sind zu viele Nachrichten gekommen. Bitte in ein paar Minuten noch einmal versuchen.",
        "is_down": "Das ging gerade nicht. Bitte in einer Minute noch einmal versuchen; Ihr Text steht noch hier.",
        "files_again": "Bitte die Dateien noch einmal auswählen.",
    },
    "fr": {
        "title": "Écrivez-nous", "intro": "", "name": "Votre nom", "email": "Adresse e-mail", "phone": "Numéro de téléphone",
        "subject": "Objet", "message": "Votre message", "files": "Fichiers", "optional": "facultatif",
        "files_hint": "Au plus {count} fichiers, {size} Mo en tout.", "send": "Envoyer", "again": "Écrire un autre message",
        "sent_title": "Merci", "sent": "Nous avons votre message et répondrons par e-mail.",
        "trap": "Laissez ce champ vide", "failed": "Votre message n’est pas encore envoyé",
        "is_required": "{field} : à remplir.", "is_email": "{field} : à écrire comme nom@example.com.",
        "is_phone": "{field} : à écrire avec l’indicatif du pays, comme +33 1 23 45 67 89.",
        "is_choice": "{field} : à choisir dans la liste.", "is_long": "{field} : au plus {count} caractères.",
        "is_ticked": "{field} : à cocher pour envoyer le message.",
        "is_many": "Joignez au plus {count} fichiers.", "is_large": "Les fichiers sont trop grands : {size} Mo en tout au plus.",
        "is_trap": "Laissez le dernier champ vide.", "is_elsewhere": "Envoyez le message depuis cette page.",
        "is_busy": "Trop de messages sont venus de votre réseau. Réessayez dans quelques minutes.",
        "is_down": "Cela n’a pas marché. Réessayez dans une minute ; votre texte est toujours là.",
        "files_again": "Choisissez vos fichiers encore une fois.",
    },
}  # fmt: skip
LANGUAGES = tuple(WORDS)
RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur", "yi", "ps", "ckb", "dv", "ug"})


def of(language: str, own: Mapping[str, str | Mapping[str, str]]) -> dict[str, str]:
    """Return the words in a language; English where there are none. own: of the account, word -> text or language -> text."""
    words = WORDS[ENGLISH] | WORDS.get(language, {})
    return words | {name: said for name, text in own.items() if (said := in_language(text, language))}


def in_language(text: str | Mapping[str, str], language: str) -> str:
    """Return a text of an account in a language: that one, else English, else the first."""
    if isinstance(text, str):
        return text
    return text.get(language) or text.get(ENGLISH) or next(iter(text.values()), "")


def chosen(asked: str, accepted: str, languages: tuple[str, ...]) -> str:
    """Return the language to speak. asked: by the link; accepted: of the browser (Accept-Language, RFC 9110 §12.5.4)."""
    wanted = [asked, *(each for _, each in sorted(_weighed(accepted), key=lambda pair: -pair[0]))]
    known = {each.lower(): each for each in languages}
    found = (known.get(each.lower()) or known.get(each.partition("-")[0].lower()) for each in wanted)
    return next(filter(None, found), languages[0])


def _weighed(accepted: str) -> list[tuple[float, str]]:
    pairs = []
    for each in accepted[:500].split(","):
        tag, _, quality = each.partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            weight = 0.0
        pairs.append((weight, tag.strip()))
    return pairs
