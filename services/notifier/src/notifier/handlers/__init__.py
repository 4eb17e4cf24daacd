"""What the notifier does with an event: it notes what is to be told, and sends nothing itself."""
