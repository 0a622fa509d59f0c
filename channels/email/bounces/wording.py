"""What servers say about a delivery, as patterns: in the languages that servers are set to, English before all.

Words only weigh in where no field and no code tells: whether a text reports a failure, whether the server keeps trying.
The long lists go through RE2: each is a hundred phrases, of which every mail's subject is asked (2 µs instead of 70).
"""

import re

import re2

# A whole phrase each: one that a person would hardly write as the first thing of a mail or as its subject.
_FAILED = (
    # English
    r"\bundeliver(?:ed|able|y)\b", r"\bnon[- ]?deliver(?:y|able)\b", r"\bfailure notice\b", r"\breturned mail\b",
    r"\breturn(?:ed|ing)?\b[^\n]{0,30}\bto sender\b",
    r"\b(?:delivery|mail|message|e-?mail)\b[^\n]{0,40}\b(?:fail(?:ed|ure|s)?|problem|error|rejected|refused|bounced|blocked)\b",
    r"\b(?:fail(?:ed|ure)|error|problem)s?\b[^\n]{0,30}\b(?:deliver\w*|mail|message|recipients?)\b",
    r"\b(?:not|n't|cannot|unable to|never|impossible to)\b[^\n]{0,40}\bdeliver(?:ed|y|able)?\b",
    r"\bdelivery status\b", r"\bdelivery (?:notification|report|notice|delayed|incomplete|has been suspended)\b",
    r"\b(?:mail|message|delivery)\b[^\n]{0,20}\b(?:has been |was |is )?delayed\b", r"\bdelayed (?:mail|message|delivery)\b",
    r"\bnot (?:yet )?(?:been )?(?:delivered|accepted|received|reach(?:ed)?)\b", r"\bdid not reach\b",
    r"\bcould ?n[o']t (?:be )?(?:deliver|send|sent|complete|process)", r"\bwarning: (?:message|mail|could not)\b",
    r"\bmail (?:system|server) (?:error|problem)\b", r"\bunsent message\b", r"\bno such (?:user|recipient|address|mailbox)\b",
    r"\b(?:user|recipient|address|mailbox|account)\b[^\n]{0,20}\b(?:unknown|not (?:be )?found|does ?n[o']t exist|invalid|disabled)\b",
    r"\bunknown (?:user|recipient|address|mailbox|local part)\b", r"\binvalid (?:user|recipient|address|receiver|mailbox)\b",
    r"\bfailed (?:recipients?|address(?:es)?)\b", r"\bnot accepting mail\b", r"\bdid not (?:exactly )?match\b",
    r"\bmailbox[^\n]{0,20}\b(?:full|unavailable)\b", r"\b(?:over|exceed\w*)[^\n]{0,20}\bquota\b", r"\bquota exceeded\b",
    r"\bthe following (?:recipients?|address(?:es)?|users?)\b", r"\bundelivered\b", r"\bgave up\b", r"\bpostponed\b",
    r"\bdelivery (?:warning|delay)\b", r"\binvalid[^\n]{0,20}\b(?:userid|user|recipient|receiver)", r"\bencountered delivery\b",
    # German, Dutch, Scandinavian, Finnish
    r"unzustellbar", r"nicht (?:zugestellt|zustellbar|ausgeliefert|übermittelt|erreicht)", r"zustell(?:ung|fehler)",
    r"onbestelbaar", r"niet (?:bezorgd|afgeleverd|bestelbaar|worden (?:bezorgd|afgeleverd))", r"aflever(?:en|ing)[^\n]{0,20}mislukt",
    r"(?:inte|ej|ikke)[^\n]{0,20}lever(?:eras|erats|eret|et|es|t)\b", r"ulever(?:et|t)\b", r"olevererbar", r"leveransfel",
    r"toimitus[^\n]{0,20}epäonnistui", r"ei voitu toimittaa", r"toimittamatta",
    # French, Spanish, Portuguese, Italian, Romanian
    r"non (?:remis|distribu|d[ée]livr)", r"(?:n'a|n'ont) pas (?:pu |p\xfb )?(?:[êe]tre |[ée]t[ée] )?(?:remis|d[ée]livr|distribu|achemin|envoy)",
    r"[ée]chec (?:de |du |d')?[^\n]{0,20}(?:remise|distribution|envoi|livraison|transmission)",
    r"no se (?:ha |han )?(?:pudo|puede|podido|pudieron)?[^\n]{0,20}entreg", r"no (?:ha sido )?entregad", r"no entregable", r"(?:error|fallo) (?:de|en la|en el) (?:entrega|env[íi]o)",
    r"correo devuelto", r"mensaje[^\n]{0,20}(?:devuelto|rechazado)",
    r"n[ãa]o (?:p[ôo]de |foi |foram |[ée] )?(?:ser )?(?:poss[íi]vel )?entreg", r"falha na entrega", r"erro (?:de|na) entrega", r"mensagem[^\n]{0,20}devolvid",
    r"mancat[ao] (?:consegna|recapito)", r"non (?:[èe] stat[oa] )?(?:recapitabil|consegnat|recapitat)", r"impossibile (?:consegnare|recapitare|inviare)",
    r"errore (?:di|nella) consegna", r"nu a (?:putut fi|fost) livrat",
    # Polish, Czech, Slovak, Hungarian, Turkish, Greek
    r"niedostarcz", r"niedor[ęe]cz", r"nie (?:zosta[łl][ao]? |mo[żz]na |mog[łl][ao]? )?(?:by[ćc] )?(?:dostarcz|dor[ęe]cz)", r"b[łl][ąa]d dor[ęe]cz", r"niepowodzeni\S+ dostarcz",
    r"nedoru[čc]", r"(?:neby\S+|nepoda[řr]ilo)[^\n]{0,20}doru[čc]", r"nelze doru[čc]it", r"k[ée]zbes[íi]thetetlen", r"nem (?:volt )?k[ée]zbes[íi]t", r"sikertelen k[ée]zbes",
    r"(?:teslim|iletil|g[öo]nderil)\S*[^\n]{0,10}(?:edilemedi|emedi|ilemedi)", r"iletilemedi", r"gönderilemedi",
    r"αδυναμία παράδοσης", r"αποτυχία παράδοσης", r"δεν (?:παραδόθηκε|ήταν δυνατή)",
    # Russian, Ukrainian, Bulgarian
    r"не(?:\s|-)?(?:может быть |было |была |могло быть )?доставлен", r"не уда(?:лось|[её]тся) (?:доставить|отправить)", r"ошибк\S+ доставки", r"невозможно доставить",
    r"недостав(?:лен|к)", r"не (?:може бути |було |вдалося )?доставл", r"не може да бъде доставен",
    # Japanese, Chinese, Korean
    r"配[信送達]不能", r"配[信送達]でき(?:ません|ない|なかった)", r"(?:送信|お届け|届ける(?:こと)?)[がは]?でき(?:ません|ない)", r"エラーメール", r"届けられません", r"送信(?:に)?失敗", r"未配[信達]",
    r"退信", r"[投发發][递遞送](?:失[败敗])", r"(?:未|無法|无法|不能)[^\n]{0,6}(?:送达|送達|投递|投遞|传递|傳遞|发送|發送|传送|傳送)", r"退回[^\n]{0,4}[邮郵信]",
    r"반송", r"(?:배달|전달|전송)[^\n]{0,6}(?:실패|못했|없습니다|불가)",
)  # fmt: skip
FAILED_PATTERN = "(?i)" + "|".join(_FAILED)
FAILED = re2.compile(FAILED_PATTERN)

# The server has not given up. "Try again later" alone is what the other side said, maybe for the last time.
_KEEPS_TRYING = (
    r"\bwill (?:be )?(?:automatically )?(?:retr(?:y|ied)|re-?attempt|continue|keep)\b", r"\bwill try (?:again|to (?:re)?deliver)\b", r"\bwill be (?:re-?)?attempted\b",
    r"\b(?:attempts?|retries) (?:to deliver[^.]{0,40} )?will (?:be made|continue)\b", r"\bcontinue trying\b",
    r"\bstill (?:be )?(?:try|attempt|being|in the queue|queued|undelivered)", r"\bnot yet been\b", r"\bwarning (?:message )?only\b", r"\b(?:only|just) a warning\b",
    r"\bthis is a warning\b", r"\b(?:has been|was|is|been|being) delayed\b", r"\bdelayed (?:mail|message|delivery)\b", r"\b(?:mail|message|delivery) (?:was )?delayed\b",
    r"\b(?:do|need) not (?:need to )?(?:re-?send|resubmit)\b", r"\bqueued for (?:retry|later|further)", r"\btransient (?:non-fatal )?(?:error|failure)s?\b",
    r"\bhas been (?:suspended|postponed)\b", r"\bdelivery incomplete\b", r"\btemporary problem delivering\b", r"\bdeferred for\b", r"\bno action is required\b",
    r"verz[öo]gert", r"weiter(?:hin|e)? (?:zuzustellen|versucht|zustellversuche)", r"erneut versuch", r"zustellversuche werden",
    r"vertraagd", r"opnieuw (?:te )?prober", r"blijven prober", r"f[öo]rdr[öo]j", r"f[öo]rsena", r"forsinke", r"viivästy",
    r"retard[ée]", r"nouvelles? tentatives?", r"r[ée]essayer", r"sera r[ée]essay", r"retrasad", r"demorad", r"se (?:seguir[áa]|volver[áa] a|continuar[áa]) ", r"reintent",
    r"atrasad", r"adiad[ao]", r"continuar[áa] (?:a )?tentando", r"novas tentativas", r"ritardat", r"(?:nuovi|ulteriori) tentativi", r"continuer[àa] a (?:provare|tentare)",
    r"op[óo][źz]ni", r"ponown\S+ pr[óo]b", r"pr[óo]by[^.]{0,30}(?:b[ęe]d[ąa]|kontynu)", r"ponawia", r"zpo[žz]d", r"dal[šs][íi] pokus", r"k[ée]sleltet",
    r"задерж", r"повторн\S+ попыт", r"попытки[^.]{0,40}(?:продолж|будут)", r"затрим", r"καθυστ[εέ]ρ", r"gecik",
    r"遅[延れ]", r"再(?:送|配信|試行|度送信)", r"延[迟遲]", r"重[试試]", r"[继繼][续續]尝?[试試]", r"지연",
)  # fmt: skip
KEEPS_TRYING = re2.compile("(?i)" + "|".join(_KEEPS_TRYING))
_GIVEN_UP = (
    r"\bpermanent(?:ly)?\b(?! failure of this)", r"\bgiv(?:en|ing) up\b", r"\bgave up\b", r"\bunrecoverable\b", r"(?<!non-)\bfatal errors?\b", r"\bwill not (?:be )?(?:retr|try|attempt)",
    r"\b(?:not|n't) (?:going to |be )?(?:try again|retried|trying)", r"\bno further attempts\b", r"\btoo long\b", r"\btoo many (?:attempts|retries)\b", r"\bexpired\b", r"\bhas been (?:returned|removed from the queue)\b",
    r"endg[üu]ltig", r"aufgegeben", r"d[ée]finitif", r"permanente", r"definitiv", r"trwał", r"окончательн", r"恒久", r"永久",
)  # fmt: skip
GIVEN_UP = re.compile("(?i)" + "|".join(_GIVEN_UP))

# Whom to ask is not who failed.
HELP = re.compile(
    r"(?i)\b(?:contact|assistance|questions?|further (?:help|information)|for (?:more )?(?:help|info)|help desk|write to|(?:please|pls)\b[^\n]{0,40}\b(?:forward|e-?mail|send|reply|call|include)|"
    r"send (?:mail|e-?mail|a message|this|your)|reply to|wenden|kontakt\w*|contact\w+|questions|ayuda|obr[aá]ť?te|skontaktuj|обрат(?:итесь|иться)|свяжитесь|administrador de|e-?mail us|in care of|c/o)\b"
    r"|お問い合わせ|連絡|联系|聯繫|咨询",
)

# What stands before the address of somebody who wrote rather than of somebody who was written to.
WRITER = re.compile(
    r"(?i)(?:\b(?:from|sender|envelope[- ]from|absender|exp[ée]diteur|remitente|remetente|mittente|afzender|nadawca|отправитель)\b\s*(?:[:=：]\s*)?|"
    r"\b(?:reply[- ]?to|return[- ]path|errors[- ]to|message[- ]?id|in-reply-to|references|von|od|de|da|van|fra|från|od[ea]s[íi]latel|от|subject|betreff|asunto|objet|cc|bcc|helo|ehlo|by|with|id|x-[a-z-]{1,40})\b\s*[:=：]\s*|"
    r"\b(?:message|msg|mail) ?(?=<)|(?:差出人|送信者|发件人|發件人|寄件者)\s*(?:[:：]\s*)?)(?:[\"'<\[(]+\s*)?$"
)

# What stands before the address that failed.
RECIPIENT = re.compile(
    r"(?i)(?:\baddressed to\s*(?::\s*)?[\"'<\[(]*$|\bdeliver(?:ed|y)?\b[^@\n.]{0,60}\bto\s*(?::\s*)?[\"'<\[(]*$)|(?:\b(?:recipients?|receivers?|addressees?|address(?:es)?|user(?:name| name|s|[- ]?id)?|mailbox|account|destination|failed|undeliverable|intended for|empf[äa]nger\w*|adresse|destinat[aá]ri\w+|destinataires?|direcci[óo]n|"
    r"geadresseerde|ontvanger|adresat\w*|odbiorc\w*|adres\w*|p[řr][íi]jemce|mottagare|modtager|c[íi]mzett|al[ıi]c[ıi]|παραλήπτ\w+|получател\w+|адрес\w*|одержувач\w*)\b|宛先|受信者|送信先|あて先|收件人|收信人|收件地址|수신자|받는 ?사람)"
    r"[^@:：=\n]{0,40}[:：=]\s*(?:[\"'<\[(]+\s*)?(?:smtp:|rfc822\s*;\s*<?)?$"
)

# "To:" of a summary: everybody the mail went to, of whom some may have got it.
TO = re.compile(
    r"(?i)(?:^|[>|*])\s*(?:to|an|à|para|per|a|do|dla|aan|till|til|komu|кому|至|收件者)\s*[:：]\s*(?:[\"'<\[(]+\s*)?$"
)

# A whole line that says: from here on the mail that came back.
RETURNED = re2.compile(
    r"(?im)^[ \t>*#=_+~|.-]{0,80}(?:"
    r"(?:here is |this is |below (?:this line |the next line )?is )?(?:a )?copy of (?:the|your) (?:original |returned )?(?:message|mail)[^\n]{0,60}|"
    r"[^\n]{0,20}\b(?:below|following|next)[^\n]{0,20}\bline\b[^\n]{0,12}\bis a copy of[^\n]{0,40}|"
    r"(?:the |your |start of |begin(?:ning)? of )?(?:original|returned|unsent|rejected|undelivered|undeliverable|old|failed|forwarded|bounced)[ -](?:message|mail|e-?mail)s?(?: (?:headers?|text|body|contents?|details|source|header and body))?"
    r"(?: (?:is |are )?(?:follows?|attached|included|below|enclosed|as follows)(?: below| here)?)?|"
    r"(?:the )?(?:message|mail|e-?mail) ?(?:headers?|text|body|contents?|data)(?: and (?:\w+ )?(?:body|\d+ lines))?(?: (?:follows?|below|removed|suppressed|is as follows))?|"
    r"(?:the )?headers?(?: and [^\n]{0,30})? of (?:the|your|this) [^\n]{0,30}(?:message|mail)[^\n]{0,30}|(?:message |mail |original )?headers?(?: follow(?:s|ing)?)?|"
    r"(?:the |your )?(?:message|mail|text)[^\n]{0,30}\bfollows?|"
    r"here is your (?:returned )?(?:mail|message)|(?:content|text) of your (?:message|mail)|"
    r"(?:urspr[üu]ngliche|original)[ -]?nachricht|message d'origine|mensaje original|mensagem original|messaggio originale|oorspronkelijk bericht|oryginalna wiadomo[śs][ćc]|исходное сообщение|p[ůu]vodn[íi] zpr[áa]va|元のメッセージ|原メール|原始邮件|原始郵件"
    r")[ \t:.=_*#+~|-]{0,80}$"
)

# A server speaks of your mail, a person of his own.
YOURS = re.compile(
    r"(?i)\b(?:your|ihre?|eure?|votre|vos|su|tu|sua|seu|vostro|uw|je|twoj\w*|ваш\w*|va[šs]\w*|din|ditt|deres)\s+(?:\w+\s+)?(?:message|mail|e-?mail|nachricht|courriel|mensaje|correo|mensagem|messaggio|bericht|wiadomo\w+|сообщен\w+|письм\w+|zpr[áa]v\w+|meddelande)"
)
MINE = re.compile(
    r"(?i)\b(?:my|our|i (?:sent|tried|wrote|got|get|receive|cannot|can't)|meine?|mon|mes|mi|mis|meus?|minha|mio|mia|mijn|mo(?:ja|je|jej|ją|im)|мо[йёяеи]\w*|min|mitt)\b"
)
