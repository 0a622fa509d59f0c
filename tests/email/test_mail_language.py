from channels import language
from channels.email.message import DEFAULT_LANGUAGES
from tests.rows import every_row

SENTENCES = {
    "en": ["Where is my order?", "I cannot log in to my account.", "Please cancel my subscription today."],
    "pl": [
        "Gdzie jest moje zamówienie?",
        "Nie moge sie zalogowac na konto.",
        "Lampa przyszła uszkodzona, co teraz?",
    ],
    "el": ["Πού είναι η παραγγελία μου;", "Δεν μπορώ να συνδεθώ.", "Η λάμπα έφτασε σπασμένη."],
    "pt": [
        "Onde está a minha encomenda?",
        "Não consigo entrar na minha conta.",
        "Por favor cancelem a minha assinatura.",
    ],
    "es": ["¿Dónde está mi pedido?", "No puedo entrar en mi cuenta.", "La lámpara llegó rota, ¿y ahora?"],
    "de": ["Wo ist meine Bestellung?", "Ich kann mich nicht anmelden.", "Bitte kündigen Sie mein Abo."],
    "fr": ["Où est ma commande ?", "Je ne peux pas me connecter.", "La lampe est arrivée cassée."],
    "zh": ["你好，我的订单在哪里"],
    "ja": ["注文はどこですか"],
    "ar": ["مرحبا أين طلبي"],
    "tr": ["Siparişim nerede acaba?"],
}


@every_row(
    ("code", "sentence"),
    [(code, sentence) for code, sentences in SENTENCES.items() for sentence in sentences],
)
def test_a_short_sentence_names_its_language(code: str, sentence: str) -> None:
    assert language.detect(sentence, DEFAULT_LANGUAGES) == code


@every_row("text", ["", "ok", "12345 67890", "https://example.com/a", "a@example.com", "\ud800\udfff\x00"])
def test_what_says_too_little_has_no_language(text: str) -> None:
    assert language.detect(text, DEFAULT_LANGUAGES) is None


def test_only_the_languages_asked_for_are_answered() -> None:
    assert language.detect("Wo ist meine Bestellung?", ("en", "fr")) is None


@every_row("junk", ["\x00\x07", "\ud800", "\ufffe\uffff", "\U0010ffff", "\u202e", "\x85\u2028"])
def test_characters_that_the_library_refuses_do_not_hide_the_language(junk: str) -> None:
    assert language.detect(f"{junk}Where is my {junk} order, please?{junk}", ("en", "de")) == "en"
