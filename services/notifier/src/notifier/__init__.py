"""Owns the mails: what was told to whom, once under one Message-ID."""
