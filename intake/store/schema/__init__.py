"""The tables, once for both engines; everybody names them `schema.X`, wherever in here they are written.

A column is BigInteger, Text or LargeBinary and nothing else: instants are microseconds UTC (`…_at`), booleans 0/1
(`is_…`), structures JSON text. Statements run on the driver's own connection, so SQLAlchemy's type processors and
Python-side defaults do not run and must not be relied on.

Every table with personal text names its customer, so that erasure can find it. Ids come from `Tx.new_id()` (time
ordered, so that new rows stand at the end of each table's tree, whatever the table's size); `journal` and `events`
count for themselves, because their order of commit means something.
"""

from intake.store.schema.access import credentials, invitations, recovery_codes, web_sessions
from intake.store.schema.bookkeeping import blobs, counters, cursors, writes
from intake.store.schema.chat import feeds, session_lines
from intake.store.schema.columns import metadata, tell_postgresql
from intake.store.schema.deadlines import alarms, clocks, dailies, promises, timers
from intake.store.schema.desk import agent_choices, whereabouts
from intake.store.schema.drafts import drafts
from intake.store.schema.incoming import journal, journal_keys, ledger
from intake.store.schema.oncall import feed_links, oncall_changes, oncall_turns, pages
from intake.store.schema.outgoing import digest_boxes, digest_items, digests, outbox
from intake.store.schema.people import agent_load, agent_state, away_moves, customers, identities
from intake.store.schema.phone import calls, fetches, holds, incidents, opt_outs, sessions, summonses
from intake.store.schema.push import push_browsers
from intake.store.schema.rules import active_rules, armaments, list_values, publications, rulebooks
from intake.store.schema.search import is_of_metadata
from intake.store.schema.tickets import decisions, events, messages, participants, tickets
from intake.store.schema.visitors import agreements, session_aliases, visitors

__all__ = [
    "active_rules",
    "agent_choices",
    "agent_load",
    "agent_state",
    "agreements",
    "alarms",
    "armaments",
    "away_moves",
    "blobs",
    "calls",
    "clocks",
    "counters",
    "credentials",
    "cursors",
    "customers",
    "dailies",
    "decisions",
    "digest_boxes",
    "digest_items",
    "digests",
    "drafts",
    "events",
    "feed_links",
    "feeds",
    "fetches",
    "holds",
    "identities",
    "incidents",
    "invitations",
    "is_of_metadata",
    "journal",
    "journal_keys",
    "ledger",
    "list_values",
    "messages",
    "metadata",
    "oncall_changes",
    "oncall_turns",
    "opt_outs",
    "outbox",
    "pages",
    "participants",
    "promises",
    "publications",
    "push_browsers",
    "recovery_codes",
    "rulebooks",
    "session_aliases",
    "session_lines",
    "sessions",
    "summonses",
    "tell_postgresql",
    "tickets",
    "timers",
    "visitors",
    "web_sessions",
    "whereabouts",
    "writes",
]
