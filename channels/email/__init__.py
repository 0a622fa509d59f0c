"""Email: receiving, understanding and sending mail."""
