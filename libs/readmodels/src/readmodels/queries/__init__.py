"""Questions to the read models; each is about one organisation and sees nothing of another.

Each takes a connection of `Reader.read()`, so that several see one picture.
"""

from readmodels.queries.figures import (
    campaign_names,
    change_marker,
    charges,
    incomplete,
    queued,
    usage,
)
from readmodels.queries.members import (
    activities,
    activities_held,
    opt_out,
    opt_outs,
    review,
    reviews,
)
from readmodels.queries.messages import ledger_of, message, messages, unknown_messages
from readmodels.queries.runs import (
    counts_of,
    kind_of,
    left_out_of,
    run,
    run_errors,
    run_hours,
    run_progress,
    runs_of,
    skipped,
)

__all__ = [
    "activities",
    "activities_held",
    "campaign_names",
    "change_marker",
    "charges",
    "counts_of",
    "incomplete",
    "kind_of",
    "ledger_of",
    "left_out_of",
    "message",
    "messages",
    "opt_out",
    "opt_outs",
    "queued",
    "review",
    "reviews",
    "run",
    "run_errors",
    "run_hours",
    "run_progress",
    "runs_of",
    "skipped",
    "unknown_messages",
    "usage",
]
