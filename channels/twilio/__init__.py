"""What Twilio carries: texts, WhatsApp messages and calls."""
