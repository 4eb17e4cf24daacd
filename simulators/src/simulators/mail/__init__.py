"""A mail server that keeps what it takes, with a page to read it; nothing leaves this machine."""
