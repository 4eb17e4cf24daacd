"""A Twilio that stands at the HTTP boundary: takes texts, calls back, fails on demand."""
