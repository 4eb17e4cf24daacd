"""One function a command or an event; what it needs is handed in."""
