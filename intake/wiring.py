"""Builds the parts of an intake from its settings: the same for the daemon and for a command beside it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import select

from channels import loading
from intake import dispatch, instants, parsing, rule_files, rulebooks, written_down
from intake.backlog import BacklogReader
from intake.dispatch import Dispatcher
from intake.journal import Journal
from intake.keys import Keys
from intake.model import Account, Context
from intake.parsing import Parsing, Reader
from intake.rulebooks import Loaded
from intake.sessions import Sessions
from intake.settings import Settings
from intake.store import blobs, opening, schema
from intake.store.durable import make_folder
from intake.store.engine import Store, StoreError
from intake.store.statements import Statement
from intake.transcribing import Told, Transcribing
from intake.views import Views

KEYS_FILE = "keys.json"

_ANY_MESSAGE = Statement(select(schema.journal.c.id).limit(1))


class Wired(msgspec.Struct, frozen=True, eq=False):
    """An intake's parts, not yet running. channels: account -> the channel's object; digest: of the rules."""

    settings: Settings
    store: Store
    keys: Keys
    context: Context
    digest: str
    channels: Mapping[str, Any]
    journal: Journal
    parser: Parsing
    backlog: BacklogReader

    @property
    def blob_folder(self) -> Path:
        return blob_folder(self.settings)

    def dispatcher(self, **options: Any) -> Dispatcher:
        """Make what settles the journal. options: as dispatch.Dispatcher."""
        options.setdefault("context", lambda: self.context)
        return dispatch.Dispatcher(self.store, self.journal, self.parser, folder=self.blob_folder, **options)

    def sessions(self, context: Callable[[], Context]) -> Sessions:
        """Make what takes the turns of calls. context: the rules in force."""
        return Sessions(
            self.store,
            self.keys,
            journal=self.journal,
            views=Views(context),
            folder=self.blob_folder,
            caller=self.parser.caller,
        )

    def transcribing(self, told: Told) -> Transcribing:
        """Make what writes voicemails down, for the accounts that want it so."""
        channels, calls = self.settings.channels.items(), self.settings.calls
        wanted = {
            name: each.kind
            for name, each in channels
            if getattr(each.options, "transcription", "") == "local"
        }
        return Transcribing(
            self.store,
            self.journal,
            kinds=wanted,
            command=calls.transcribe,
            limit_s=calls.transcribe_within_s,
            folder=self.blob_folder,
            told=told,
        )


def blob_folder(settings: Settings) -> Path:
    return settings.folder / blobs.FOLDER


def wire(settings: Settings, *, clock: instants.Clock = instants.now) -> Wired:
    """Read the rules, open the store and build the parts.

    Raises: ConfigError for the rules, StoreError for the store; nothing is left open then.
    """
    sources = rule_files.read(settings.rules, settings.replies)
    loaded = rulebooks.compiled(sources)
    modules = {name: loading.module_for(each.kind) for name, each in settings.channels.items()}
    channels = {name: modules[name].Channel(name, each.options) for name, each in settings.channels.items()}
    readers = {
        name: Reader(modules[name], each.options, getattr(channels[name], "examine", None))
        for name, each in settings.channels.items()
    }
    readers[written_down.NAME] = Reader(written_down, written_down.Options())
    make_folder(blob_folder(settings))
    store = opening.open_store(settings.store, settings.folder, clock=clock)
    try:
        keys = _keys(settings.folder / KEYS_FILE, store)
        loaded = rulebooks.in_force(store, sources, loaded, rules_path=settings.rules)
        _keep(store, loaded)
    except BaseException:
        store.close()
        raise
    return Wired(
        settings,
        store,
        keys,
        _context(settings, keys, loaded, channels),
        loaded.digest,
        channels,
        Journal(
            store, keys, folder=blob_folder(settings), min_free_disk_bytes=settings.limits.min_free_disk_bytes
        ),
        parsing.Parsing(readers),
        BacklogReader(store=settings.store, folder=settings.folder, readers=readers),
    )


def _keep(store: Store, loaded: Loaded) -> None:
    store.write_now(lambda tx: rulebooks.keep(tx, loaded))


def _keys(path: Path, store: Store) -> Keys:
    """Load the keys; new ones only beside a new store: others would know no message again and no reference.

    Raises: StoreError when the store has messages and the keys are gone.
    """
    if not path.exists() and store.read_now(lambda tx: tx.one(_ANY_MESSAGE)) is not None:
        raise StoreError(
            f"{path} is missing, but the store has messages signed with it: put it back from a backup",
            is_final=True,
        )
    return Keys.load_or_create(path)


def _context(settings: Settings, keys: Keys, loaded: Loaded, channels: Mapping[str, Any]) -> Context:
    return Context(
        rulebook=loaded.rulebook,
        armaments=loaded.armaments,
        accounts={name: _account(settings, name, channels[name]) for name in settings.channels},
        keys=keys,
        replies=loaded.replies,
        organization=settings.name,
        public_url=settings.http.public_url,
        limits=settings.limits,
        notices=settings.notices,
        answers=settings.answers,
        oncall=settings.oncall,
        calls=settings.calls,
        consent=settings.consent,
        phone=settings.phone,
    )


def accounts(settings: Settings) -> dict[str, Account]:
    """Return the accounts as they are configured, for who reads the store beside the daemon and needs no rules."""
    kinds = {name: each.kind for name, each in settings.channels.items()}
    return {name: _account(settings, name, loading.module_for(kind).Channel) for name, kind in kinds.items()}


def _account(settings: Settings, name: str, channel: Any) -> Account:
    kind, options = settings.channels[name].kind, settings.channels[name].options
    return Account(
        name=name,
        kind=kind,
        medium=loading.module_for(kind).MEDIUM,
        addresses=tuple(dict.fromkeys(each.lower() for each in getattr(options, "addresses", ()))),
        delimiter=getattr(options, "delimiter", "+"),
        can_deliver=hasattr(channel, "deliver") or getattr(channel, "is_fed", False),
        languages=getattr(options, "consent_languages", ()),
        countries=getattr(options, "countries", ()),
        templates=getattr(options, "templates", ()),
        price=getattr(getattr(options, "sending", None), "price", ""),
        spoken=getattr(options, "languages", ()),
        agents_language=getattr(options, "agents_language", ""),
        closed_text=getattr(options, "closed_text", ""),
        leaving=getattr(options, "leaving", None),
        origins=getattr(options, "origins", ()),
        quick_replies=frozenset(getattr(options, "quick_replies", ())),
    )
