"""What the consent service does with what it is told."""

from consent.handlers.commands import decide_reviews, follow_staff, import_opt_outs
from consent.handlers.telling import take_refusals, take_texts

__all__ = ["decide_reviews", "follow_staff", "import_opt_outs", "take_refusals", "take_texts"]
