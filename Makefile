# Everything needs only Python 3.11+ (PYTHON=python3.12 make … chooses one). The first call sets up .venv.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PINS := requirements/extras.txt requirements/dev.txt

# Scores how mail is understood: make mail MAIL=folder-of-mails-and-what-is-expected (see bench/mail.py).
MAIL ?= mail

# Python keeps what it compiled, and pytest the asserts it rewrote in hundreds of files, whatever this shell says.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test test-all collect check bench mail torture format docs pins clean

run: $(STAMP)
	$(BIN)/intake run

# Who has done their half takes over what is left of the other's: tests take from a millisecond to a minute.
PARALLEL := -n auto --maxprocesses 4 --dist worksteal

test: $(STAMP)
	$(BIN)/pytest $(PARALLEL) -m "not slow and not postgres" $(PYTEST_OPTIONS)

test-all: test
	$(BIN)/pytest $(PARALLEL) -m "(slow or postgres) and not alone" $(PYTEST_OPTIONS)
	$(BIN)/pytest -m alone $(PYTEST_OPTIONS)

# Once, before many processes do it side by side: pytest keeps what it makes of the tests' asserts.
collect: $(STAMP)
	$(BIN)/pytest --collect-only -qq

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/intake check --strict

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(STAMP)
	$(BIN)/python -m intake.reference docs/rules.md

bench: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.txt
	$(BIN)/python -m bench

mail: $(STAMP)
	$(BIN)/python -m bench.mail $(MAIL) $(MAIL_OPTIONS)

torture: $(STAMP)
	$(BIN)/python -m tests.store.power_cut --cuts 5000
	$(BIN)/python -m tests.routing.garbage --count 100000
	$(BIN)/python -m tests.domain.assignment_days --days 10000
	$(BIN)/python -m tests.routing.zone_walk
	$(BIN)/python -m tests.email.fuzz --count 10000000
	$(BIN)/python -m tests.email.silence
	$(BIN)/python -m tests.torture.kills --kills 1000 --acks 200000
	$(BIN)/python -m tests.imap.torture --mails 20000 --changes 50
	$(BIN)/python -m tests.torture.escalations --escalations 20000 --kills 200
	$(BIN)/python -m tests.phone.test_phone_machine_walk
	$(BIN)/python -m tests.phone.calls_torture --callers 50 --agents 10 --rounds 40 --kills 1
	$(BIN)/python -m tests.torture.clock_jumps --timers 2000 --jumps 50
	$(BIN)/python -m tests.web.chat_torture --pages 500 --lines 200 --cut 5 --restarts 2
	$(BIN)/python -m tests.web.reply_race --rounds 1000
	$(BIN)/python -m tests.web.xss --texts 5000
	$(BIN)/python -m tests.phone.deliveries --count 100000

$(STAMP): $(PINS) pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "intake needs Python 3.11 or newer: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes $(PINS:%=-r %)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	touch $@

# Pins every dependency with hashes, a week after its release at the earliest. Needs uv.
pins:
	sh requirements/pin

clean:
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
