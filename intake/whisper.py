"""Writes a recording down with faster-whisper, on this machine: for `calls.transcribe`, where no other program is at hand.

    python -m intake.whisper FILE --model FOLDER [--language pl]

FOLDER holds a converted model; nothing is fetched, so that no voice and no word leaves the house. It prints what
intake.transcribing reads: {"text": …, "language": "pl", "confidence": 0.87}. Needs `pip install 'intaked[whisper]'`.
Source: README of SYSTRAN/faster-whisper (WhisperModel, transcribe, Segment, TranscriptionInfo), checked 2026-11.
"""

import argparse
import importlib
import json
import math
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

BEAM = 5
DONE, FAILED, WRONG_INPUT = 0, 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Write one recording down; the exit code."""
    arguments = _arguments(argv)
    for path, what in ((arguments.file, "recording"), (arguments.model, "model")):
        if not Path(path).exists():
            return _complain(f"there is no {what} {path}", WRONG_INPUT)
    os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        engine = importlib.import_module("faster_whisper")
    except ImportError:
        return _complain("faster-whisper is not installed: pip install 'intaked[whisper]'", FAILED)
    try:
        said = written_down(engine, arguments.file, model=arguments.model, language=arguments.language)
    except (RuntimeError, ValueError, OSError) as error:
        return _complain(f"{arguments.file} cannot be written down: {error}", FAILED)
    sys.stdout.write(f"{json.dumps(said, ensure_ascii=False)}\n")
    return DONE


def written_down(engine: Any, file: str, *, model: str, language: str | None) -> dict[str, Any]:
    """Return what was said in a file. engine: the module faster_whisper; language: None = it is heard from the voice."""
    loaded = engine.WhisperModel(model, device="cpu", compute_type="int8", local_files_only=True)
    pieces, heard = loaded.transcribe(file, language=language, beam_size=BEAM, vad_filter=True)
    segments = list(pieces)  # it works while it is asked
    return {
        "text": " ".join(each.text.strip() for each in segments),
        "language": heard.language,
        "confidence": confidence(segments),
    }


def confidence(segments: Iterable[Any]) -> float | None:
    """Return how sure it is, 0 to 1: the mean probability of a word, each piece by its length; None = nothing was said."""
    weighed = [(max(each.end - each.start, 0.0), each.avg_logprob) for each in segments]
    total_s = sum(seconds for seconds, _ in weighed)
    if not total_s:
        return None
    return round(math.exp(sum(seconds * sure for seconds, sure in weighed) / total_s), 3)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="intake.whisper", description="Writes a recording down, on this machine."
    )
    parser.add_argument("file", metavar="FILE")
    parser.add_argument(
        "--model", required=True, metavar="FOLDER", help="of a model converted for CTranslate2"
    )
    parser.add_argument("--language", metavar="LANGUAGE", help="like pl; default: heard from the voice")
    return parser.parse_args(argv)


def _complain(sentence: str, code: int) -> int:
    sys.stderr.write(f"{sentence}\n")
    return code


if __name__ == "__main__":
    raise SystemExit(main())
