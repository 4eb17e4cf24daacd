"""The only part that faces the internet: Twilio's webhooks."""
