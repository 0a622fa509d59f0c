"""State and wiring: journal, tickets, customers, outbox, timers, web, command line, daemon."""
