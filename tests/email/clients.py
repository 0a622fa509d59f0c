"""How mail programs write quotations, headers of older mails, footers and forwarded mails, by language.

The author quoted is always Support <support@example.net>, the moment the 2nd of November 2026 at ten.
"""

A = "Support <support@example.net>"

ANSWERS = {
    "en": "Thank you, the blue one please.\n\nCan you send it on Monday?\n\nKind regards\nAnna",
    "pl": "Dziękuję, poproszę niebieską.\n\nCzy można wysłać w poniedziałek?\n\nPozdrawiam\nAnna",
    "el": "Ευχαριστώ, την μπλε παρακαλώ.\n\nΜπορείτε να τη στείλετε τη Δευτέρα;\n\nΜε εκτίμηση\nΆννα",
    "pt": "Obrigada, a azul por favor.\n\nPodem enviar na segunda?\n\nCumprimentos\nAna",
    "es": "Gracias, la azul por favor.\n\n¿Pueden enviarla el lunes?\n\nUn saludo\nAna",
    "de": "Danke, die blaue bitte.\n\nGeht es am Montag?\n\nMit freundlichen Grüßen\nAnna",
    "fr": "Merci, la bleue s'il vous plaît.\n\nPouvez-vous l'envoyer lundi ?\n\nCordialement\nAnne",
    "it": "Grazie, quella blu per favore.\n\nPotete spedirla lunedì?\n\nCordiali saluti\nAnna",
    "nl": "Bedankt, de blauwe graag.\n\nKan het maandag?\n\nMet vriendelijke groet\nAnna",
    "cs": "Děkuji, prosím tu modrou.\n\nMůžete ji poslat v pondělí?\n\nS pozdravem\nAnna",
    "sv": "Tack, den blå tack.\n\nKan ni skicka den på måndag?\n\nVänliga hälsningar\nAnna",
    "ru": "Спасибо, синюю, пожалуйста.\n\nМожно отправить в понедельник?\n\nС уважением\nАнна",
    "tr": "Teşekkürler, mavi olan lütfen.\n\nPazartesi gönderebilir misiniz?\n\nSaygılarımla\nAnna",
    "uk": "Дякую, синю, будь ласка.\n\nМожна надіслати в понеділок?\n\nЗ повагою\nАнна",
    "ja": "ありがとうございます。青いものをお願いします。\n\n月曜日に送れますか？\n\nよろしくお願いします\nアンナ",
    "da": "Tak, den blå tak.\n\nKan I sende den mandag?\n\nVenlig hilsen\nAnna",
    "no": "Takk, den blå takk.\n\nKan dere sende den mandag?\n\nVennlig hilsen\nAnna",
    "fi": "Kiitos, sininen kiitos.\n\nVoitteko lähettää sen maanantaina?\n\nYstävällisin terveisin\nAnna",
    "hu": "Köszönöm, a kéket kérem.\n\nEl tudják küldeni hétfőn?\n\nÜdvözlettel\nAnna",
    "ro": "Mulțumesc, cea albastră.\n\nO puteți trimite luni?\n\nCu stimă\nAna",
    "sk": "Ďakujem, tú modrú prosím.\n\nMôžete ju poslať v pondelok?\n\nS pozdravom\nAnna",
    "bg": "Благодаря, синята моля.\n\nМоже ли в понеделник?\n\nПоздрави\nАнна",
    "zh": "谢谢，请给我蓝色的。\n\n星期一能寄出吗？\n\n安娜",
    "ko": "감사합니다. 파란색으로 부탁드립니다.\n\n월요일에 보내주실 수 있나요?\n\n안나",
}

# Lines above quoted lines.
ATTRIBUTIONS = {
    "en": [
        f"On Mon, Nov 2, 2026 at 10:00 AM {A} wrote:", "On 11/2/26 10:00 AM, Support wrote:", f"On Nov 2, 2026, at 10:00 AM, {A} wrote:",
        f"On Monday, November 2nd, 2026 at 10:00 AM, {A} wrote:", f"On Monday, November 2, 2026 at 10:00:00 AM GMT+1, {A} wrote:",
        'At 2026-11-02 10:00:00, "Support" <support@example.net> wrote:', "On 2 November 2026 at 10:00:00, Support (support@example.net) wrote:",
        f"On 2 Nov 2026, 10:00 +0100, {A}, wrote:", "Nov 2, 2026, 10:00 by support@example.net:", f"{A} wrote on 02/11/2026 10:00:00:",
        "On Mon, Nov 02, 2026 at 10:00:00AM +0100, Support wrote:", f"Quoting {A}:", f"{A} writes:", f"* {A} [2026-11-02 10:00]:",
        "On Mon, Nov 2, 2026 at 10:00 AM Support of the Very Long Company Name\n<support@example.net> wrote:",
        "On Mon, Nov 2, 2026 at 10:00 AM Support of the Very Long Company Name <\nsupport@example.net> wrote:",
        "On Mon, 02 Nov 2026 10:00:00 +0100\nSupport <support@example.net> wrote:",
        "On Mon, Nov 2, 2026 at 10:00 AM <support@example.net<mailto:support@example.net>> wrote:",
        f"*On Mon, Nov 2, 2026 at 10:00 AM {A} wrote:*",
    ],
    "pl": [
        f"pon., 2 lis 2026 o 10:00 {A} napisał(a):", "W dniu 02.11.2026 o 10:00, Support pisze:", f"Dnia 2 listopada 2026 10:00 {A} napisał(a):",
        f"Wiadomość napisana przez {A} w dniu 2 lis 2026, o godz. 10:00:", f"W dniu 2026-11-02 10:00:00 użytkownik {A} napisał:",
        "W dniu pon., 2 lis 2026 o 10:00 Support z Bardzo Długą Nazwą Firmy Handlowej\n<support@example.net> napisał(a):",
        "W dniu 2026-11-02 10:00, Support napisał(a):",
    ],
    "el": [
        f"Στις Δευ, 2 Νοε 2026 στις 10:00 π.μ., ο χρήστης {A} έγραψε:", "Στις 2/11/26 10:00, ο/η Support έγραψε:",
        f"Στις 2 Νοε 2026, στις 10:00, ο χρήστης {A} έγραψε:",
    ],
    "pt": [
        f"Em seg., 2 de nov. de 2026 às 10:00, {A} escreveu:", f"{A} escreveu (segunda, 2/11/2026 à(s) 10:00):",
        f"{A} escreveu\n(segunda, 2/11/2026 à(s) 10:00):", "Às 10:00 de 02/11/2026, Support escreveu:", f"No dia 2 de nov. de 2026, às 10:00, {A} escreveu:",
        f"Citando {A}:",
    ],
    "es": [
        "El lun, 2 nov 2026 a las 10:00, Support (<support@example.net>) escribió:", "El 2/11/26 a las 10:00, Support escribió:",
        f"El 2 nov 2026, a las 10:00, {A} escribió:", f"El lunes, 2 de noviembre de 2026, 10:00:00 CET, {A} escribió:",
    ],
    "de": [
        f"Am Mo., 2. Nov. 2026 um 10:00 Uhr schrieb {A}:", "Am 02.11.26 um 10:00 schrieb Support:", f"Am 02.11.2026 um 10:00 schrieb {A}:",
        f"Am 2. November 2026 10:00:00 MEZ schrieb {A}:", f"{A} hat am 02.11.2026 10:00 geschrieben:", "2. Nov. 2026, 10:00 von support@example.net:",
        f"Am Montag, 2. November 2026 um 10:00:00 MEZ hat {A} Folgendes geschrieben:", f"Zitat von {A}:", "Am 2026-11-02 10:00, schrieb Support:",
    ],
    "fr": [
        f"Le lun. 2 nov. 2026 à 10:00, {A} a écrit :", "Le 02/11/2026 à 10:00, Support a écrit :", f"Le 2 nov. 2026 à 10:00, {A} a écrit :",
        f"Le lundi 2 novembre 2026 à 10:00:00 UTC+1, {A} a écrit :",
    ],
    "it": [
        f"Il giorno lun 2 nov 2026 alle ore 10:00 {A} ha scritto:", "Il 02/11/2026 10:00, Support ha scritto:",
        f"Il giorno 2 nov 2026, alle ore 10:00, {A} ha scritto:", f"Il 02/11/2026 10:00 CET {A} ha scritto:",
    ],
    "nl": [
        f"Op ma 2 nov 2026 om 10:00 schreef {A}:", "Op 2-11-2026 om 10:00 schreef Support:", f"Op 2 nov 2026, om 10:00 heeft {A} het volgende geschreven:",
    ],
    "cs": [
        f"po 2. 11. 2026 v 10:00 odesílatel {A} napsal:", "Dne 02. 11. 26 v 10:00 Support napsal(a):", f"2. 11. 2026 v 10:00, {A}:",
    ],
    "sv": [
        f"Den mån 2 nov. 2026 kl 10:00 skrev {A}:", "Den 2026-11-02 kl. 10:00, skrev Support:", f"2 nov. 2026 kl. 10:00 skrev {A}:",
    ],
    "ru": [
        f"пн, 2 нояб. 2026 г. в 10:00, {A}:", "02.11.2026 10:00, Support пишет:", f"2 нояб. 2026 г., в 10:00, {A} написал(а):",
        f"Понедельник, 2 ноября 2026, 10:00 +03:00 от {A}:", '02.11.2026, 10:00, "Support" <support@example.net>:',
    ],
    "tr": [
        f"{A}, 2 Kas 2026 Pzt, 10:00 tarihinde şunu yazdı:", f"{A}, 2 Kas 2026 Pzt, 10:00 tarihinde\nşunu yazdı:",
        "2.11.2026 10:00 tarihinde Support yazdı:", f"{A} şunları yazdı (2 Kas 2026 10:00):",
    ],
    "uk": [f"пн, 2 лист. 2026 р. о 10:00 {A} пише:", "02.11.26 10:00, Support пише:", f"2 лист. 2026 р. о 10:00 {A} написав(-ла):"],
    "ja": [
        f"2026年11月2日(月) 10:00 {A}:", f"2026/11/02 10:00、{A}のメール:", f"2026年11月2日 10:00、{A}のメール：", "On 2026/11/02 10:00, Support wrote:",
        "Support さんは書きました (2026/11/02 10:00):",
    ],
    "da": [f"Den man. 2. nov. 2026 kl. 10.00 skrev {A}:", "Den 02.11.2026 kl. 10.00 skrev Support:"],
    "no": [f"man. 2. nov. 2026 kl. 10:00 skrev {A}:"],
    "fi": ["ma 2. marrask. 2026 klo 10.00 Support (support@example.net) kirjoitti:", f"{A} kirjoitti 2.11.2026 kello 10.00:"],
    "hu": [f"{A} ezt írta (időpont: 2026. nov. 2., H, 10:00):", f"{A} ezt írta\n(időpont: 2026. nov. 2., H, 10:00):"],
    "ro": [f"În lun., 2 nov. 2026 la 10:00, {A} a scris:"],
    "sk": [f"po 2. 11. 2026 o 10:00 {A} napísal(a):"],
    "bg": [f"На пн, 2.11.2026 г. в 10:00 {A} написа:"],
    "zh": [f"{A} 于2026年11月2日周一 10:00写道：", '在 2026-11-02 10:00:00，"Support" <support@example.net> 写道：'],
    "he": ["\u202bבתאריך יום ב׳, 2 בנוב׳ 2026 ב-10:00 מאת \u202aSupport\u202c\u200f <\u202asupport@example.net\u202c\u200f>:\u202c"],
    "ar": [
        f"في الاثنين، 2 نوفمبر 2026 في 10:00 ص تمت كتابة ما يلي بواسطة {A}:",
        f"في ٢ نوفمبر ٢٠٢٦ في ١٠:٠٠ كتب {A}:",
    ],
    "vi": [f"Vào Th 2, 2 thg 11, 2026 vào lúc 10:00 {A} đã viết:"],
    "th": [f"ในวันที่ จ. 2 พ.ย. 2026 เวลา 10:00 น. {A} เขียนว่า:"],
    "id": [f"Pada tanggal Sen, 2 Nov 2026 pukul 10.00 {A} menulis:"],
    "hi": [f"सोम, 2 नव॰ 2026 को 10:00 पूर्वाह्न पर {A} ने लिखा:"],
    "hr": [f"pon, 2. stu 2026. u 10:00 {A} napisao je:", "Dana 2. 11. 2026. u 10:00 Support je napisao:"],
    "sl": [f"V V pon., 2. nov. 2026 ob 10:00 je oseba {A} napisala:"],
    "lt": [f"2026-11-02, pr, 10:00 {A} rašė:"],
    "lv": [f"pirmd., 2026. g. 2. nov., plkst. 10:00 — lietotājs {A} rakstīja:"],
    "et": [f"Kuupäev E, 2. november 2026 kell 10:00 kirjutas {A}:"],
    "ca": [f"Missatge de {A} del dia dl., 2 de nov. 2026 a les 10:00:"],
    "eu": [f"{A} igorleak hau idatzi du (2026 aza. 2, al. (10:00)):"],
    "sr": [f"пон, 2. нов 2026. у 10:00 {A} је написао/ла:"],
    "ko": [f"2026년 11월 2일 (월) 오전 10:00, {A}님이 작성:"],
}  # fmt: skip

# From, sent, to, subject above an older mail, with the moment as it is written there.
HEADS = {
    "en": ("From", "Sent", "To", "Subject", "Monday, November 2, 2026 10:00 AM"),
    "pl": ("Od", "Wysłano", "Do", "Temat", "poniedziałek, 2 listopada 2026 10:00"),
    "el": ("Από", "Στάλθηκε", "Προς", "Θέμα", "Δευτέρα, 2 Νοεμβρίου 2026 10:00 πμ"),
    "pt": ("De", "Enviado", "Para", "Assunto", "2 de novembro de 2026 10:00"),
    "es": ("De", "Enviado el", "Para", "Asunto", "lunes, 2 de noviembre de 2026 10:00"),
    "de": ("Von", "Gesendet", "An", "Betreff", "Montag, 2. November 2026 10:00"),
    "fr": ("De ", "Envoyé ", "À ", "Objet ", "lundi 2 novembre 2026 10:00"),
    "it": ("Da", "Inviato", "A", "Oggetto", "lunedì 2 novembre 2026 10:00"),
    "nl": ("Van", "Verzonden", "Aan", "Onderwerp", "maandag 2 november 2026 10:00"),
    "cs": ("Od", "Odesláno", "Komu", "Předmět", "pondělí 2. listopadu 2026 10:00"),
    "sv": ("Från", "Skickat", "Till", "Ämne", "den 2 november 2026 10:00"),
    "ru": ("От", "Отправлено", "Кому", "Тема", "2 ноября 2026 г. 10:00"),
    "tr": ("Kimden", "Gönderme Tarihi", "Kime", "Konu", "2 Kasım 2026 Pazartesi 10:00"),
    "uk": ("Від", "Надіслано", "Кому", "Тема", "2 листопада 2026 р. 10:00"),
    "ja": ("差出人", "送信日時", "宛先", "件名", "2026年11月2日 10:00"),
    "da": ("Fra", "Sendt", "Til", "Emne", "2. november 2026 10:00"),
    "no": ("Fra", "Sendt", "Til", "Emne", "mandag 2. november 2026 10:00"),
    "fi": ("Lähettäjä", "Lähetetty", "Vastaanottaja", "Aihe", "maanantai 2. marraskuuta 2026 10.00"),
    "hu": ("Feladó", "Elküldve", "Címzett", "Tárgy", "2026. november 2., hétfő 10:00"),
    "ro": ("De la", "Trimis", "Către", "Subiect", "luni, 2 noiembrie 2026 10:00"),
    "sk": ("Od", "Odoslané", "Komu", "Predmet", "pondelok 2. novembra 2026 10:00"),
    "bg": ("От", "Изпратено", "До", "Относно", "2 ноември 2026 г. 10:00"),
    "zh": ("发件人", "发送时间", "收件人", "主题", "2026年11月2日 10:00"),
    "ko": ("보낸 사람", "보낸 날짜", "받는 사람", "제목", "2026년 11월 2일 월요일 오전 10:00"),
    "nobody's": ("Qwx", "Plo", "Zut", "Mup", "2026-11-02 10:00"),
}

SEPARATORS = {
    "en": "-----Original Message-----", "de": "-------- Ursprüngliche Nachricht --------", "fr": "-------- Message d'origine --------",
    "es": "-------- Mensaje original --------", "pt": "-------- Mensagem original --------", "it": "-------- Messaggio originale --------",
    "pl": "-------- Oryginalna wiadomość --------", "cs": "---------- Původní e-mail ----------", "nl": "-------- Oorspronkelijk bericht --------",
    "sv": "-------- Originalmeddelande --------", "ru": "-------- Исходное сообщение --------", "tr": "-------- Orijinal mesaj --------",
    "uk": "--- Оригінальне повідомлення ---", "el": "-------- Αρχικό μήνυμα --------", "ja": "-------- 元のメッセージ --------",
    "zh": "------------------ 原始邮件 ------------------", "da": "-------- Oprindelig meddelelse --------",
}  # fmt: skip

FOOTERS = {
    "en": [
        "Sent from my iPhone", "Sent from my Galaxy", "Sent from Outlook for Android<https://example.net/x>", "Get Outlook for iOS<https://example.net/x>",
        "Sent from Mail for Windows 10", "Sent from Yahoo Mail on Android", "Sent from my BlackBerry® wireless device", "Sent with Proton Mail secure email.",
        "Sent via the Samsung Galaxy S21, an AT&T 5G smartphone", "Sent from my Pixel 9", "Yahoo Mail: Search, Organize, Conquer",
        "Sent from Samsung Mobile", "Sent from Mailbox for iPhone", "Sent from my mobile device.", "Sent from my HTC smartphone!",
        "Virus-free. www.avast.com",
    ],
    "pl": ["Wysłane z iPhone'a", "Wysłane z mojego telefonu Galaxy", "Pobierz program Outlook dla systemu iOS", "Wysłane z aplikacji Poczta dla systemu Windows"],
    "el": ["Στάλθηκε από το iPhone μου", "Λήψη του Outlook για iOS<https://example.net/x>", "Στάλθηκε από το κινητό μου Samsung"],
    "pt": ["Enviado do meu iPhone", "Enviado a partir do meu smartphone Samsung Galaxy.", "Obter o Outlook para iOS<https://example.net/x>"],
    "es": ["Enviado desde mi iPhone", "Enviado desde mi móvil", "Obtener Outlook para Android<https://example.net/x>", "Enviado desde Correo para Windows"],
    "de": ["Von meinem iPhone gesendet", "Von meinem Samsung Galaxy Smartphone gesendet.", "Gesendet von Mail für Windows", "Gesendet mit der GMX Mail App",
           "Diese Nachricht wurde von meinem Android-Gerät mit K-9 Mail gesendet.", "Outlook für iOS beziehen<https://example.net/x>"],
    "fr": ["Envoyé de mon iPhone", "Envoyé depuis mon appareil Galaxy", "Télécharger Outlook pour iOS<https://example.net/x>", "Provenance : Courrier pour Windows"],
    "it": ["Inviato da iPhone", "Inviato dal mio Galaxy", "Scarica Outlook per iOS<https://example.net/x>", "Inviato da Posta per Windows"],
    "nl": ["Verstuurd vanaf mijn iPhone", "Verzonden vanuit Mail voor Windows", "Outlook voor iOS downloaden<https://example.net/x>"],
    "cs": ["Odesláno z iPhonu", "Odesláno z mobilu", "Získat Outlook pro iOS<https://example.net/x>", "Odesláno z Pošty pro Windows"],
    "sv": ["Skickat från min iPhone", "Skaffa Outlook för iOS<https://example.net/x>", "Skickades från E-post för Windows"],
    "ru": ["Отправлено с iPhone", "Отправлено из мобильной Почты Mail.ru", "Получить Outlook для iOS<https://example.net/x>", "Отправлено с моего телефона"],
    "tr": ["iPhone'umdan gönderildi", "Galaxy cihazımdan gönderildi", "iOS için Outlook'u edinin<https://example.net/x>"],
    "uk": ["Надіслано з iPhone", "Отримати Outlook для iOS<https://example.net/x>", "Надіслано з мого телефону Samsung"],
    "ja": ["iPhoneから送信", "私のiPhoneから送信", "iOS 版 Outlook を入手<https://example.net/x>", "Windows 版のメールから送信"],
    "da": ["Sendt fra min iPhone"],
    "fi": ["Lähetetty iPhonesta"],
    "hu": ["iPhone-ról küldve", "Elküldve az iPhone-omról"],
    "ro": ["Trimis de pe iPhone-ul meu"],
    "sk": ["Odoslané z iPhonu"],
    "bg": ["Изпратено от моя iPhone"],
    "zh": ["发自我的iPhone"],
    "ko": ["나의 iPhone에서 보냄"],
}  # fmt: skip

FORWARDS = {
    "en": ["---------- Forwarded message ---------", "Begin forwarded message:", "-------- Forwarded Message --------"],
    "de": ["Anfang der weitergeleiteten Nachricht:", "-------- Weitergeleitete Nachricht --------"],
    "fr": ["Début du message transféré :", "-------- Message transféré --------", "---------- Message transféré ---------"],
    "es": ["Inicio del mensaje reenviado:", "-------- Mensaje reenviado --------"],
    "pt": ["Início da mensagem reencaminhada:", "-------- Mensagem encaminhada --------"],
    "it": ["Inizio messaggio inoltrato:", "-------- Messaggio Inoltrato --------"],
    "pl": ["Początek przekazywanej wiadomości:", "-------- Wiadomość przekazana dalej --------"],
    "nl": ["Begin doorgestuurd bericht:", "-------- Doorgestuurd bericht --------"],
    "cs": ["Začátek přeposílané zprávy:", "-------- Přeposlaná zpráva --------"],
    "sv": ["Vidarebefordrat brev:", "-------- Vidarebefordrat meddelande --------"],
    "ru": ["Начало переадресованного сообщения:", "-------- Пересылаемое сообщение --------", "-------- Перенаправленное сообщение --------"],
    "uk": ["-------- Перенаправлене повідомлення --------", "---------- Переслане повідомлення ----------"],
    "tr": ["-------- İletilmiş Mesaj --------", "-------- Yönlendirilmiş İleti --------", "İleti başlangıcı:"],
    "el": ["-------- Προωθημένο μήνυμα --------", "Αρχή προωθημένου μηνύματος:"],
    "ja": ["-------- 転送メッセージ --------", "転送されたメッセージ:"],
    "fi": ["-------- Välitetty viesti --------"],
    "hu": ["-------- Továbbított üzenet --------"],
    "zh": ["-------- 转发的邮件 --------"],
}  # fmt: skip


def head(language: str, *, style: str = "plain", has_address: bool = True) -> str:
    """The header fields above an older mail. style: plain, bold (as text), quoted."""
    from_, sent, to, subject, moment = HEADS[language]
    author = A if has_address else "Support"
    fields = [(from_, author), (sent, moment), (to, "Anna Example"), (subject, "Re: lamp")]
    if style == "bold":
        return "\n".join(f"*{name}:* {value}" for name, value in fields)
    prefix = "> " if style == "quoted" else ""
    return "\n".join(f"{prefix}{name}: {value}" for name, value in fields)


# Paragraphs that a company's server puts below every mail.
DISCLAIMERS = {
    "en": "This message and its attachments are confidential and meant for the addressee alone. If it has reached you by mistake, please tell the sender and delete it at once.",
    "pl": "Niniejsza wiadomość wraz z załącznikami jest poufna i przeznaczona wyłącznie dla adresata. Jeżeli otrzymali ją Państwo omyłkowo, prosimy powiadomić nadawcę i ją usunąć.",
    "el": "Το παρόν μήνυμα και τα συνημμένα του είναι εμπιστευτικά και προορίζονται μόνο για τον παραλήπτη. Εάν το λάβατε εκ παραδρομής, παρακαλούμε ενημερώστε τον αποστολέα και διαγράψτε το.",
    "pt": "Esta mensagem e os seus anexos são confidenciais e destinam-se apenas ao destinatário. Se a recebeu por engano, por favor avise o remetente e elimine-a de imediato.",
    "es": "Este mensaje y sus adjuntos son confidenciales y van dirigidos solo a su destinatario. Si lo ha recibido por error, avise por favor al remitente y bórrelo de inmediato.",
    "de": "Diese Nachricht und ihre Anhänge sind vertraulich und nur für den genannten Empfänger bestimmt. Haben Sie sie irrtümlich erhalten, so unterrichten Sie bitte den Absender und löschen sie.",
    "fr": "Ce message et ses pièces jointes sont confidentiels et réservés à leur destinataire. Si vous l'avez reçu par erreur, merci d'en avertir l'expéditeur et de le supprimer.",
    "it": "Questo messaggio e i suoi allegati sono riservati e destinati al solo destinatario. Se lo avete ricevuto per errore, siete pregati di avvisare il mittente e di cancellarlo.",
    "nl": "Dit bericht en de bijlagen zijn vertrouwelijk en alleen bestemd voor de geadresseerde. Heeft u het ten onrechte ontvangen, waarschuw dan de afzender en verwijder het.",
    "cs": "Tato zpráva a její přílohy jsou důvěrné a určené jen adresátovi. Pokud jste ji obdrželi omylem, upozorněte prosím odesílatele a zprávu bez odkladu smažte ze své schránky.",
    "sv": "Detta meddelande och dess bilagor är konfidentiella och endast avsedda för mottagaren. Har du fått det av misstag ber vi dig att meddela avsändaren och radera det.",
    "ru": "Это сообщение и вложения к нему конфиденциальны и предназначены только получателю. Если вы получили его по ошибке, сообщите об этом отправителю и удалите его.",
    "tr": "Bu mesaj ve ekleri gizlidir ve yalnızca alıcısı içindir. Size yanlışlıkla ulaştıysa lütfen göndereni bilgilendirin ve mesajı hemen silin, hiçbir kopyasını saklamayın.",
    "uk": "Це повідомлення та вкладення є конфіденційними та призначені лише одержувачу. Якщо ви отримали його помилково, повідомте про це відправника та видаліть його.",
    "ja": "このメールおよび添付ファイルは機密情報を含み、宛先の方のみを対象としています。誤って受信された場合は、送信者にご連絡のうえ、直ちに削除してください。",
    "da": "Denne meddelelse og dens bilag er fortrolige og kun til modtageren. Har du modtaget den ved en fejl, bedes du give afsenderen besked og slette den uden at gemme en kopi.",
    "fi": "Tämä viesti liitteineen on luottamuksellinen ja tarkoitettu vain vastaanottajalle. Jos olet saanut sen erehdyksessä, ilmoita siitä lähettäjälle ja poista viesti heti.",
    "hu": "Ez az üzenet és mellékletei bizalmasak, és kizárólag a címzettnek szólnak. Ha tévedésből kapta meg, kérjük, értesítse a feladót, és haladéktalanul törölje az üzenetet.",
    "ro": "Acest mesaj și anexele sale sunt confidențiale și adresate numai destinatarului. Dacă l-ați primit din greșeală, vă rugăm să anunțați expeditorul și să îl ștergeți.",
    "bg": "Това съобщение и приложенията му са поверителни и предназначени само за получателя. Ако сте го получили по погрешка, моля уведомете подателя и го изтрийте незабавно.",
    "zh": "本邮件及其附件为保密信息，仅供指定收件人使用。如果您误收了本邮件，请立即通知发件人并将其删除，不得复制或转发。",
    "ko": "이 메일과 첨부 파일은 기밀이며 지정된 수신자만을 위한 것입니다. 잘못 받으셨다면 보낸 사람에게 알리고 즉시 삭제해 주십시오.",
}

PLEAS = {
    "en": "Please think of the environment before you print this mail.",
    "de": "Bitte denken Sie an die Umwelt, bevor Sie diese E-Mail ausdrucken.",
    "pl": "Zanim wydrukujesz tę wiadomość, pomyśl o środowisku.",
    "es": "Piense en el medio ambiente antes de imprimir este mensaje.",
    "pt": "Pense no meio ambiente antes de imprimir esta mensagem.",
    "fr": "Pensez à l'environnement avant d'imprimer ce message.",
    "it": "Pensate all'ambiente prima di stampare questo messaggio.",
    "nl": "Denk aan het milieu voordat u deze e-mail afdrukt.",
    "cs": "Než tuto zprávu vytisknete, myslete na životní prostředí.",
    "sv": "Tänk på miljön innan du skriver ut detta mail.",
    "ru": "Подумайте об окружающей среде, прежде чем распечатать это письмо.",
    "el": "Σκεφτείτε το περιβάλλον πριν εκτυπώσετε αυτό το μήνυμα.",
    "tr": "Bu e-postayı yazdırmadan önce çevreyi düşünün.",
    "uk": "Подумайте про довкілля, перш ніж роздрукувати цей лист.",
}
