"""An iMIS and a Twilio that stand at the HTTP boundary."""
