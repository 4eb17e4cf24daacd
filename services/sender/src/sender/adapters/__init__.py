"""The sender's outside: SQL, Redis, Twilio, Kafka."""
