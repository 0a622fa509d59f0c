"""Plays Twilio on this machine: its REST API, its callers and its texts, for tests, `intake simulate` and `intake demo`."""
