"""Sentences that were written before anybody looked how they do: what the phrases are worth on words they were not made for.

language: (wishes to be left alone, anything else). Many of the others say the same words about something else.
UNSEEN: of 85 wishes 53 were found (62 %), of 83 others 6 (7 %); the phrases were then made better by them. AGAIN: written
after that, when 23 of 42 were found (55 %), and 1 of 42 others (2 %). Both are known by now.
"""

UNSEEN: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "en": (
        (
            "I've told you people three times already, quit it with the messages",
            "pls stop txting this phone",
            "Take me off this thing",
            "I'd rather you didn't contact me any longer.",
            "no more pls",
            "Who is this? Wrong number, don't message again",
            "I want out of your texts",
            "Kindly refrain from sending me further messages.",
            "This is my work phone, please stop using it for this",
            "Cancel my sms alerts, I never signed up",
            "How do I get off this list",
            "I do not consent to these calls",
            "stop it. stop it now. no more of this",
            "Don't ever ring me again at this number or any other",
            "unsub",
            "please unsubscribe",
            "Could you make these reminders go away? I don't need them",
            "Stop promotions",
        ),
        (
            "The machine won't stop beeping, can you text me the manual?",
            "Please don't send the technician before noon",
            "Can I unsubscribe from the premium plan and keep the basic one?",
            "I stopped getting your texts last week, please check",
            "Do not call the old number, my new one is +48 600 100 300",
            "I don't want to wait any longer",
            "Nobody called me back",
            "The stop button on the treadmill is broken",
            "Remove the second item from my basket please",
            "My neighbour keeps calling me about your delivery",
            "Leave it at the door",
            "I want to opt out of paper invoices",
            "Don't text, call me instead",
            "No more screws in the box, please send some",
            "When do the roadworks stop?",
            "I lost my number, what is my customer id?",
        ),
    ),
    "de": (
        (
            "Jetzt reicht's mit den Nachrichten!",
            "Bitte keine SMS mehr an diese Nummer.",
            "Ich möchte nicht mehr kontaktiert werden",
            "Nehmt meine Nummer raus",
            "Rufen Sie hier nie wieder an.",
            "Bitte streichen Sie mich von der Liste",
            "Ich bin nicht Frau Huber, bitte nicht mehr schreiben",
        ),
        (
            "Die Maschine hört nicht auf zu piepen",
            "Bitte löschen Sie die doppelte Bestellung",
            "Ich habe keine SMS mit dem Code bekommen",
            "Rufen Sie bitte nicht die Filiale an, sondern mich",
            "Ich will keine Nachlieferung mehr, nur das Geld",
            "Wann hören die Bauarbeiten auf?",
            "Nicht anrufen, bitte schreiben",
        ),
    ),
    "fr": (
        (
            "Merci de ne plus m'envoyer de SMS",
            "Je ne souhaite plus être dérangé",
            "Stop à vos textos",
            "Enlevez-moi de votre liste svp",
            "Vous vous trompez de numéro, n'écrivez plus ici",
            "J'en ai assez de vos appels",
        ),
        (
            "Je n'ai plus reçu de SMS depuis lundi",
            "L'appareil ne s'arrête plus de sonner",
            "Retirez le deuxième article de ma commande",
            "Appelez-moi plutôt que d'écrire",
            "Je ne veux plus de ce modèle",
            "Ne livrez pas avant midi",
        ),
    ),
    "es": (
        (
            "Por favor no me manden más mensajes",
            "Se equivocan de número, no escriban más",
            "Quítenme de su lista",
            "Ya no quiero sus mensajes",
            "Dejen de molestar",
            "No autorizo que me llamen",
        ),
        (
            "No me llega el mensaje con el código",
            "La alarma no deja de sonar",
            "Quiten el segundo artículo del pedido",
            "No me llamen antes de las diez",
            "Ya no quiero el pedido",
            "Escríbanme mejor por correo",
        ),
    ),
    "pl": (
        (
            "Proszę już do mnie nie pisać",
            "Nie życzę sobie takich wiadomości",
            "Usuńcie mój numer z bazy",
            "Pomyłka, to nie ten numer, proszę nie wysyłać",
            "Mam dość waszych smsów",
            "Przestańcie wydzwaniać",
        ),
        (
            "Nie dostałem wiadomości z kodem",
            "Drukarka nie przestaje drukować",
            "Usuńcie drugą pozycję z zamówienia",
            "Nie dzwońcie przed dziesiątą",
            "Nie chcę już czekać na kuriera",
            "Proszę nie wysyłać paczki do paczkomatu",
        ),
    ),
    "pt": (
        (
            "Por favor não me mandem mais mensagens",
            "Número errado, não escrevam mais para cá",
            "Tirem-me da vossa lista",
            "Não quero ser contactado",
            "Chega de mensagens",
            "Parem com os SMS",
        ),
        (
            "Não recebi a mensagem com o código",
            "O alarme não para de tocar",
            "Retirem o segundo artigo da encomenda",
            "Não me liguem antes das dez",
            "Já não quero a encomenda",
            "Prefiro que me escrevam por email",
        ),
    ),
    "it": (
        (
            "Per favore non mandatemi più messaggi",
            "Avete sbagliato numero, non scrivete più",
            "Toglietemi dalla vostra lista",
            "Non voglio essere contattato",
            "Basta messaggi",
            "Smettetela di chiamarmi",
        ),
        (
            "Non ho ricevuto il messaggio con il codice",
            "L'allarme non smette di suonare",
            "Togliete il secondo articolo dall'ordine",
            "Non chiamatemi prima delle dieci",
            "Non voglio più aspettare",
            "Scrivetemi piuttosto per posta",
        ),
    ),
    "nl": (
        (
            "Graag geen sms'jes meer",
            "Verkeerd nummer, stuur hier niets meer heen",
            "Haal mij van de lijst",
            "Ik wil niet meer benaderd worden",
            "Hou op met die berichten",
            "Bel me nooit meer",
        ),
        (
            "Ik heb geen bericht met de code gekregen",
            "Het alarm houdt niet op",
            "Haal het tweede artikel uit mijn bestelling",
            "Bel me niet voor tien uur",
            "Ik wil de bestelling niet meer",
            "Stuur liever een mail",
        ),
    ),
    "sv": (
        (
            "Snälla skicka inga fler sms",
            "Fel nummer, skriv inte hit mer",
            "Ta bort mig från listan",
            "Jag vill inte bli kontaktad",
            "Sluta med era meddelanden",
            "Ring mig aldrig mer",
        ),
        (
            "Jag har inte fått något sms med koden",
            "Larmet slutar inte tjuta",
            "Ta bort den andra varan från min order",
            "Ring mig inte före tio",
            "Jag vill inte vänta längre",
            "Skriv hellre ett mejl",
        ),
    ),
    "cs": (
        (
            "Prosím už mi nic neposílejte",
            "Máte špatné číslo, nepište sem",
            "Vyřaďte mě ze seznamu",
            "Nechci být kontaktován",
            "Přestaňte s těmi zprávami",
            "Už mi nevolejte",
        ),
        (
            "Nepřišla mi zpráva s kódem",
            "Alarm nepřestává houkat",
            "Vyřaďte druhou položku z objednávky",
            "Nevolejte před desátou",
            "Nechci už čekat",
            "Napište mi raději mail",
        ),
    ),
    "tr": (
        (
            "Lütfen bana bir daha mesaj göndermeyin",
            "Yanlış numara, artık yazmayın",
            "Beni listenizden çıkarın",
            "Mesajlarınızı almak istemiyorum",
            "Beni aramayı bırakın",
            "Artık rahatsız etmeyin",
        ),
        (
            "Kod içeren mesaj gelmedi",
            "Alarm susmuyor",
            "İkinci ürünü siparişten çıkarın",
            "Saat ondan önce aramayın",
            "Artık beklemek istemiyorum",
            "E-posta ile yazın lütfen",
        ),
    ),
    "ru": (
        (
            "Пожалуйста, больше не присылайте мне сообщений",
            "Вы ошиблись номером, не пишите сюда",
            "Уберите меня из рассылки",
            "Я не хочу, чтобы со мной связывались",
            "Хватит слать смс",
            "Прекратите мне названивать",
        ),
        (
            "Мне не пришло сообщение с кодом",
            "Сигнализация не перестаёт выть",
            "Уберите второй товар из заказа",
            "Не звоните до десяти",
            "Я больше не хочу ждать",
            "Лучше напишите на почту",
        ),
    ),
}

AGAIN: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "en": (
        (
            "You keep texting me about a parcel that isn't mine, knock it off",
            "Remove this number from your contacts immediately",
            "I'm revoking permission to call me",
            "Please don't send these anymore",
            "not interested, leave me be",
            "Enough with the reminders already!!",
            "I asked you not to contact me. Do not contact me.",
            "Text me one more time and I'm calling my lawyer",
        ),
        (
            "The app keeps sending me to the login page, how do I stop that?",
            "Please don't call after 6pm, I am at work until then",
            "I never received your text with the code",
            "Can you remove the scratch from my account photo?",
            "Don't contact the landlord, contact me",
            "Stop payment on cheque 1042 please",
            "No more questions, thanks for your help!",
            "I was told not to text while the update runs",
        ),
    ),
    "de": (
        (
            "Hört endlich auf, mir zu schreiben",
            "Ich habe nie zugestimmt, SMS zu bekommen",
            "Löschen Sie meine Nummer",
            "Verschonen Sie mich mit Ihren Anrufen",
        ),
        (
            "Bitte nicht mehr liefern, ich bin im Urlaub",
            "Mir hat niemand geschrieben",
            "Schreiben Sie mich bitte mit Doppel-n",
            "Keine Anrufe kommen durch, die Leitung ist tot",
        ),
    ),
    "fr": (
        (
            "Arrêtez de me harceler avec vos pubs",
            "Effacez mon numéro de vos fichiers",
            "Je n'ai jamais demandé à recevoir ces messages",
        ),
        (
            "Je n'arrive plus à vous appeler",
            "Effacez ma dernière commande",
            "N'appelez pas le gardien, sonnez",
        ),
    ),
    "es": (
        (
            "Déjenme en paz de una vez",
            "Borren mi teléfono de su sistema",
            "Nunca pedí recibir estos avisos",
        ),
        (
            "No me han contestado el mensaje",
            "Borren la cita del martes",
            "No llamen al timbre, el bebé duerme",
        ),
    ),
    "pl": (
        (
            "Dajcie mi spokój z tymi smsami",
            "Skreślcie mnie z listy",
            "Nigdy nie zgadzałem się na te wiadomości",
        ),
        (
            "Nie mogę do was napisać przez formularz",
            "Skasujcie podwójne zamówienie",
            "Nie dzwonił do mnie kurier",
        ),
    ),
    "pt": (
        ("Deixem-me em paz", "Apaguem o meu número", "Nunca autorizei estas mensagens"),
        ("Não me responderam à mensagem", "Apaguem a segunda encomenda", "Não toquem à campainha, por favor"),
    ),
    "it": (
        ("Lasciatemi in pace", "Cancellate il mio numero", "Non ho mai chiesto questi messaggi"),
        ("Non mi avete risposto al messaggio", "Cancellate il secondo ordine", "Non suonate il campanello"),
    ),
    "nl": (
        ("Laat me met rust", "Verwijder mijn nummer", "Ik heb nooit om deze berichten gevraagd"),
        (
            "Ik heb geen antwoord op mijn bericht",
            "Verwijder de tweede bestelling",
            "Niet aanbellen, de baby slaapt",
        ),
    ),
    "sv": (
        ("Lämna mig i fred", "Radera mitt nummer", "Jag har aldrig bett om de här meddelandena"),
        ("Ni har inte svarat på mitt meddelande", "Radera den andra beställningen", "Ring inte på dörren"),
    ),
    "cs": (
        ("Nechte mě na pokoji", "Smažte moje číslo", "Nikdy jsem o tyto zprávy nežádal"),
        ("Neodpověděli jste mi na zprávu", "Smažte druhou objednávku", "Nezvoňte, dítě spí"),
    ),
    "tr": (
        ("Beni rahat bırakın", "Numaramı silin", "Bu mesajları hiç istemedim"),
        ("Mesajıma cevap vermediniz", "İkinci siparişi silin", "Zili çalmayın, bebek uyuyor"),
    ),
    "ru": (
        ("Оставьте меня в покое", "Удалите мой номер", "Я никогда не просил этих сообщений"),
        ("Вы не ответили на моё сообщение", "Удалите второй заказ", "Не звоните в дверь, ребёнок спит"),
    ),
}
