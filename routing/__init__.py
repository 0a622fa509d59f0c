"""Decisions, no I/O: rules, calendars, SLA clocks, ladders, assignment. Pure functions on frozen values."""
