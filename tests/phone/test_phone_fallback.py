"""The files for a second host say what Twilio understands, and never ask for themselves again."""

from pathlib import Path

import pytest

from channels.twilio import fallback
from channels.twilio.phone import says, voices
from channels.twilio.simulator import grammar
from intake import cli
from tests.rows import every_row

LANGUAGES = tuple(says.built_in())


def written(languages: tuple[str, ...] = LANGUAGES, **more: object) -> dict[str, str]:
    return fallback.files(fallback.spoken(languages, **more), longest_s=180)  # type: ignore[arg-type]


def read(text: str, place: grammar.Place = "voice") -> grammar.Element:
    return grammar.read(text.encode(), place=place)


@every_row("language", LANGUAGES)
def test_every_language_has_a_voicemail_by_twilios_grammar(language: str) -> None:
    files = written((language,))
    voicemail, goodbye = read(files["voice.xml"]), read(files["goodbye.xml"])
    assert [each.name for each in voicemail.children] == ["Say", "Record", "Hangup"]
    assert voicemail.children[0].get("language") == voices.VOICES[language].tag
    assert [each.name for each in goodbye.children] == ["Say", "Hangup"]


def test_several_languages_are_said_one_after_the_other() -> None:
    tags = [each.get("language") for each in read(written()["voice.xml"]).children if each.name == "Say"]
    assert tags == [voices.VOICES[language].tag for language in LANGUAGES]


def test_the_recording_leads_to_a_file_that_is_there_and_is_got() -> None:
    """Without `action` Twilio asks for voice.xml again, and the caller is asked for a message for ever."""
    files = written()
    [record] = [each for each in read(files["voice.xml"]).children if each.name == "Record"]
    assert record.get("action") in files
    assert record.get("method") == "GET"
    assert record.seconds("maxLength", 0) == 180


def test_a_text_gets_an_empty_answer() -> None:
    assert read(written()["sms.xml"], "messaging").children == []


def test_an_accounts_own_words_are_said_and_cannot_break_out() -> None:
    own = {"leave_message": {"en": 'Say it & we <call> "back".'}}
    [say, *_] = read(written(("en",), sentences=own)["voice.xml"]).children
    assert say.text.endswith('Say it & we <call> "back".')


def test_an_unknown_language_is_said_in_english() -> None:
    assert read(written(("xx",))["voice.xml"]).children[0].get("language") == "en-US"


def test_the_command_writes_the_files_and_tells_where_to_put_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "intake.yaml"
    config.write_text(
        "channels:\n  texts: {kind: twilio.sms, account_sid: AC" + "0" * 32 + ", auth_token: secret-token}\n"
    )
    folder = tmp_path / "new" / "fallback"
    assert cli.main(["twilio", "fallback", str(folder), "-c", str(config)]) == 0
    assert {each.name for each in folder.iterdir()} == {"voice.xml", "goodbye.xml", "sms.xml", "README.txt"}
    assert str(folder / "voice.xml") in capsys.readouterr().out
    texts = "".join(each.read_text(encoding="utf-8") for each in folder.iterdir())
    assert "fallback_url" in texts
    assert "secret-token" not in texts
