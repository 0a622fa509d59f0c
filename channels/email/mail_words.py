"""The few words that mail programs write into mails, by language: names of header fields, "wrote", "sent from", "original".

Structure decides first; a word is asked where a form, a list or a sentence of the customer's could look the same. A language
that is missing here costs certainty, never text: what is not recognised stays visible.
"""

import re

import re2

# Names of header fields as mail programs write them above a quotation -> what the field is.
_FROM = """
    from von de da van od fra från lähettäjä από feladó от від kimden gönderen nuo no saatja expéditeur remitente mittente remetente nadawca
    odesílatel odosielateľ pošiljatelj pošiljatelj absender afzender avsändare afsender avsender отправитель відправник подател expeditor sender
    αποστολέας šalje dari từ จาก oд از 发件人 寄件者 寄件人 差出人 送信者 发信人 보낸사람 보낸이 מאת من Ó|de la|от кого|від кого|보낸 사람|người gửi|mail from
"""
_SENT = """
    date datum fecha data dato päivämäärä päiväys päivä ημερομηνία tarih dátum дата sent gesendet envoyé enviado enviada inviato wysłano wysłane
    verzonden skickat sendt lähetetty odesláno odoslané στάλθηκε εστάλη elküldve küldve trimis gönderilen gönderildi gönderim отправлено надіслано
    відправлено изпратено poslano poslato nosūtīts išsiųsta saadetud dikirim đã gửi ngày วันที่ ส่ง 发送时间 发送日期 日期 送信日時 送信日 日時 日付 寄件日期 傳送時間
    날짜 보낸날짜 תאריך נשלח التاريخ تاريخ|data wysłania|enviada el|enviado el|enviada em|enviado em|date d'envoi|gönderme tarihi|gönderilme tarihi|
    보낸 날짜|تم الإرسال|дата отправки|sent at|sent on|data di invio|fecha de envío|data de envio|изпратено на|w dniu
"""
_TO = """
    to an à a para aan do komu till til vastaanottaja προς címzett кому до kime alıcı kam kam kellele pentru către za prima k 收件人 宛先 받는사람
    אל إلى kepada đến ถึง pour destinataire destinatario destinatário empfänger adresat ontvanger mottagare modtager mottaker получатель adresář
    παραλήπτης kom|받는 사람|người nhận
"""
_SUBJECT = """
    subject betreff objet asunto assunto oggetto onderwerp temat předmět predmet ämne emne aihe θέμα tárgy тема konu subiect tema относно teema
    temats 主题 主旨 件名 題名 제목 נושא الموضوع sujet rubrik thema subjek zadeva naslov titel tytuł betr темa|chủ đề|เรื่อง
"""


def _labels() -> dict[str, str]:
    found: dict[str, str] = {}
    for kind, written in (("to", _TO), ("subject", _SUBJECT), ("sent", _SENT), ("from", _FROM)):
        single, *several = written.split("|")
        for label in (*single.split(), *(" ".join(each.split()) for each in several)):
            found[label.lower()] = kind
    return found


LABELS = _labels()

# Third person, as in "Anna wrote": "I wrote" is the customer speaking.
WROTE = re.compile(
    r"(?i)(?<!\w)(?:wrote|writes|has written|sent|schrieb|geschrieben|a écrit|écrivait|escribió|ha escrito|escreveu|ha scritto|scrisse|schreef|skrev|"
    r"kirjoitti|napisał|napisała|napisane|napisana|napisano|napisał\(a\)|pisze|napsal|napsala|napsal\(a\)|píše|napísal|napísala|napísal\(a\)|ezt írta|írta|"
    r"a scris|написал|написала|написал\(а\)|пишет|писал|писали|написав|написала|написав\(-ла\)|пише|написа|έγραψε|έγραψαν|yazdı|yazmış|şunları yazdı|"
    r"rašė|parašė|rakstīja|kirjutas|je napisao|je napisala|je napisal|је написао|scríobh|kiteb|menulis|đã viết|viết|เขียนว่า|כתב|כתבה|כתב/ה|כתב|كتب|كتبت|نوشت)(?!\w)"
    r"|写道|寫道|写到|書きました|のメール|からのメール|작성|님이 씀|より:",
)
FIRST_PERSON = re.compile(
    r"(?i)(?<!\w)(?:(?-i:I(?= [a-z'])|vi|ja|io|yo|eu|me|my)|we|ich|wir|j'ai|nous|jag|jeg|ik|wij|minä|я|ми|мы|já|én|our|your|mir|mich|uns|mnie|мне|меня|мені)(?![\w@])"
)

# "Original message": what stands between the dashes above a quotation.
ORIGINAL = re.compile(
    r"(?i)original|originál|oryginaln|ursprüngl|ursprung|oorspronkelijk|d'origine|précédent|исходн|оригінал|оригинал|вихідне|початков|orijinal|özgün|"
    r"původní|pôvodn|eredeti|alkuperäi|opprinnelig|oprindelig|izvorn|αρχικό|πρωτότυπ|пôvodn|первоначальн|pirminis|sākotnēj|algne|"
    r"元の|原始|原文|原邮件|원본|ההודעה המקורית|الرسالة الأصلية|reply above|write above|above this line|oberhalb dieser|over denne linje",
)
FORWARD = re.compile(
    r"(?i)^(?:begin |start of |start |anfang der |début du |inizio |inicio del |inicio de la |início da |początek |začátek |alku |начало |початок |αρχή )?"
    r"(?:forwarded (?:message|by|mail|e-?mail)|fwd message|weitergeleitete[nr]? (?:nachricht|e-?mail|mail)|message (?:transféré|réexpédié|transmis)|"
    r"(?:mensaje|correo) reenviado|mensagem (?:encaminhada|reencaminhada)|messaggio inoltrato|(?:wiadomość|wiadomości) (?:przekazana|przekazanej|przesłana dalej)|"
    r"(?:przekazan|przekazywan|przesłan)(?:a|ej|ą|ego) (?:dalej )?wiadomoś|doorgestuurd bericht|vidarebefordrat (?:meddelande|brev|mejl)|vidaresendt|"
    r"videresendt (?:melding|meddelelse|besked|e-post)|προωθημέν(?:ο|ου) (?:μήνυμα|μηνύματος)|(?:přeposlan|přeposílan|předávan)(?:á|é|ého) zpráv|"
    r"preposlaná správa|továbbított (?:üzenet|levél)|mesaj (?:redirecționat|retransmis|înaintat)|пересылаем(?:ое|ого) (?:сообщени|письм)|"
    r"перенаправленн(?:ое|ого) сообщени|переадресованн(?:ое|ого) сообщени|пересланн(?:ое|ого) (?:сообщени|письм)|переслан(?:е|ого) (?:повідомлення|лист)|"
    r"перенаправлене повідомлення|листа, що пересилається|препратено (?:съобщение|писмо)|(?:iletilen|iletilmiş|yönlendirilen|yönlendirilmiş) (?:ileti|mesaj|e-?posta)|"
    r"ileti başlangıcı|välitetty viesti|välitetyn viestin|edasisaadetud|persiųst|pārsūtīt|proslijeđena poruka|prosleđena poruka|posredovano sporočilo|"
    r"転送(?:され)?(?:た)?メッセージ|転送メール|転送されたメール|转发的?邮件|轉寄的?郵件|轉寄者|전달된 메(?:시지|일)|הודעה שהועברה|رسالة معاد توجيهها|pesan terusan|tin nhắn được chuyển)",
)
# Prefixes of subjects. A reply's wins: "Re: Fwd:" answers.
FORWARD_PREFIX = re.compile(
    r"(?i)^\s*(?:\[fwd: |(?:fwd?|wg|tr|rv|enc|pd|doorst|vb|vl|vs|ilt|i̇lt|πρθ|пер|переслано|továbbítva|redirecționat|předáno|fs|转发|轉寄|전달|転送|הועבר|إعادة توجيه|i)\s?[:：])",
)
REPLY_PREFIX = re.compile(
    r"(?i)^\s*(?:re|aw|antw|antwort|odp|sv|vá|rif|απ|ynt|yan|res|ref|bls|atb|r|рe|ответ|на|відп|回复|答复|回覆|답장|返信)\s?(?:\[\d+\]|\(\d+\))?\s?[:：]"
)

SENT_STEM = (
    r"sent|gesendet|gesandt|verschickt|versendet|geschrieben|envoyé|envoyée|provenance|enviado|enviada|enviado|inviato|inviata|verzonden|verstuurd|gestuurd|"
    r"wysłane|wysłano|wysłana|wysłany|wiadomość wysłana|odesláno|odesláno|odosl?ané|poslané|posláno|poslano|poslato|poslana|skickat|skickades|skickad|sendt|lähetetty|отправлено|"
    r"написано|послано|надіслано|відправлено|изпратено|στάλθηκε|εστάλη|απεστάλη|trimis|elküldve|küldve|gönderildi|gönderilmiştir|yollandı|išsiųsta|nosūtīts|"
    r"saadetud|dikirim|đã gửi|送信|发送|发自|發自|傳送|寄出|보냄|נשלח|أُرسلت|أرسلت|أرسل|ส่งจาก"
)
GET_STEM = (
    r"get|download|try|beziehen|holen|laden|herunterladen|télécharger|téléchargez|obtenir|obtenez|obtener|obtén|descargar|obter|obtenha|baixar|scarica|"
    r"ottieni|downloaden|hämta|skaffa|hent|få|hanki|pobierz|uzyskaj|získat|získejte|získať|stáhnout|beszerzése|letöltése|obțineți|descărcați|получить|"
    r"скачать|скачайте|отримати|завантажте|завантажити|edinin|indirin|alın|λήψη|αποκτήστε|入手|获取|取得|다운로드|받기"
)
_DEVICES = (
    r"iphon|ipad|ipod|apple watch|android|samsung|galaxy|huawei|honor|xiaomi|redmi|poco|oneplus|oppo|realme|motorola|nokia|htc|lg |sony|xperia|pixel|"
    r"blackberry|windows phone|windows mobile|fairphone|ios|windows|macos|mobilgerät|mobiltelefon|smartphone|smartfon|smarttelefon|mobile device|mobile phone|"
    r"my mobile|my phone|my tablet|my cell|my handset|my android|handheld|handy|tablet|móvil|celular|cellulare|telemóvel|teléfono|telefono|téléphone|telefonu|"
    r"telefonum|mobilu|mobilen|mobilní|komórk|telefoon|телефон|смартфон|мобильн|мобільн|κινητό|携帯|スマートフォン|手机|手機|휴대폰|나의"
)
_PROGRAMS = (
    r"outlook|yahoo|gmail|proton ?mail|gmx|web\.de|t-online|mail\.ru|почт|icloud|thunderbird|spark|tutanota|tuta|nine\b|k-9|bluemail|aqua mail|mailbird|"
    r"airmail|sparrow|polymail|superhuman|missive|mimestream|canary mail|unibox|em client|fairemail|mailspring|roundcube|zimbra|zoho|newton|acompli|mailbox for|boxer|edison|hotmail|windows mail|mail for|mail für|posteo|"
    r"libero ?mail|onet|interia|wp\.pl|poczta|seznam|freemail|orange mail|sfr mail|posta per|courrier pour|correo para|e-post för|meil|メール|邮箱|邮件|myMail|my\.com|samsung mail"
)
_SCANNERS = r"avast|avg\b|kaspersky|norton|mcafee|bitdefender|avira|eset|mailscanner|virenfrei|virus-free|virusfree|sin virus|libre de virus|sans virus|bez wirusów"


def _by_first_letter(alternatives: str) -> str:
    """The same alternatives of a pattern, grouped so that at a letter only those are tried that begin with it."""
    grouped: dict[str, list[str]] = {}
    for each in alternatives.split("|"):
        grouped.setdefault(each[0], []).append(each[1:])
    return "|".join(f"{letter}(?:{'|'.join(rests)})" for letter, rests in grouped.items())


PRODUCT = re.compile(rf"(?i)(?<![a-z])(?:{_by_first_letter(f'{_DEVICES}|{_PROGRAMS}')})")
PROGRAM = re.compile(rf"(?i)(?<![a-z])(?:{_by_first_letter(_PROGRAMS)})")
SCANNER = re.compile(rf"(?i)(?<![a-z])(?:{_by_first_letter(_SCANNERS)})")


class _Words:
    """Words asked of a paragraph of up to 4 000 characters, where the standard engine would take 50 ns for each of them.

    RE2's i is dotted, the standard engine's every i. A lone surrogate is no word.
    """

    def __init__(self, words: str) -> None:
        self._pattern = re2.compile("(?i)" + words.replace("ı", "i").replace("i", "[iıİ]"))

    def is_in(self, text: str) -> bool:
        return self._pattern.search(text.encode("utf-8", "replace")) is not None


# Two different things must be said, so that a customer who writes "please keep this confidential" is not cut.
CONFIDENTIAL = _Words(
    r"confidenti|privileged|vertraulich|confidencia|riservat|confidenzial|poufn|vertrouwelijk|εμπιστευτικ|απόρρητ|luottamuksel|fortrolig|"
    r"konfidentiell|konfidenci|důvěrn|dôvern|bizalmas|confidențial|поверител|конфиденц|конфіденц|gizli|povjerljiv|poverljiv|zaupn|confidenci|"
    r"sekretess|taushets|機密|秘密|保密|기밀|סודי|سري",
)
STRANGER = _Words(
    r"intended (?:recipient|only|solely|for|exclusively)|addressee|received (?:this|it).{0,40}error|by mistake|empfänger|adressat|irrtümlich|destinata|"
    r"destinat[aá]ri|par erreur|por error|por engano|per errore|adresat|omyłkow|geadresseerde|ontvanger|ten onrechte|παραλήπτη|αποδέκτη|εκ παραδρομής|"
    r"vastaanottaj|modtager|mottaker|mottagare|příjemc|adresát|příjemců|címzett|destinatar|получател|адресат|одержувач|отримувач|alıcı|muhatab|"
    r"primatelj|primalac|prejemnik|誤って|宛先|受信者|收件人|수신자|נמען|المرسل إليه",
)
_ENVIRONMENT = (
    r"environment|umwelt|środowisk|environnement|medio ?ambiente|meio ambiente|ambiente|milieu|miljø|miljö|životní prostředí|ympäristö|περιβάλλον|"
    r"окружающ|природ|довкілл|çevre|környezet|mediul|planet"
)
_PRINTING = r"print|drucken|ausdruck|imprim|stamp|afdruk|wydruk|drukow|tisk|vytisk|skriva ut|skriver ut|utskrift|tulost|εκτυπ|распечат|роздрук|друку|yazdır|nyomtat"
PRINT_PLEA = re.compile(
    rf"(?is)(?=.*(?:{_by_first_letter(_ENVIRONMENT)}))(?=.*(?:{_by_first_letter(_PRINTING)}))"
)
