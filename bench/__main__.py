"""`python -m bench`: measures the daemon beside its neighbours and writes bench/RESULTS.md."""

import argparse
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from bench import backtest, chat, cost, desk, latency, phone, results, rules, speed, timers, understanding

_PARTS = {
    "speed": speed.run,
    "latency": latency.run,
    "cost": cost.run,
    "rules": rules.run,
    "understanding": understanding.run,
    "backtest": backtest.run,
    "timers": timers.run,
    "phone": phone.run,
    "desk": desk.run,
    "chat": chat.run,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--only",
        default=",".join(_PARTS),
        help="parts with commas: speed, latency, cost, rules, understanding, backtest, timers, phone, chat, desk",
    )
    parser.add_argument(
        "--quick", action="store_true", help="one short round of everything: a look, not a result"
    )
    options = parser.parse_args()
    parts = options.only.split(",")
    if unknown := [part for part in parts if part not in _PARTS]:
        sys.exit(f"bench: there is no part {unknown[0]!r}; there are {', '.join(_PARTS)}")
    folder = Path(tempfile.mkdtemp(prefix="intake-bench-"))
    folder.chmod(0o755)  # Postfix's own user looks into it
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that every server is ended
    kept = results.Results()
    try:
        for part in parts:
            print(part, flush=True)
            _PARTS[part](kept, folder, is_quick=options.quick)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("written: bench/RESULTS.md")


if __name__ == "__main__":
    main()
