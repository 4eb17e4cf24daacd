"""The notifier's database, the read models, the pages, and the mail server."""
