"""What a person can put right: told in one sentence, without a traceback."""


class UserError(Exception):
    """Something outside this program is wrong; the message says what, and what to do about it."""
