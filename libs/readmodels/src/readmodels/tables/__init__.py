"""The read models' tables; projections alone writes them.

Every figure in them is a function of the log, whatever order and however often it is read. A row
may exist before it is complete: facts about a message come on several topics, in any order.
"""

from readmodels.tables.base import METADATA, STORE_NAME
from readmodels.tables.figures import CHARGES, FIGURES, RUN_COUNTS, RUN_ERRORS, RUN_HOURS
from readmodels.tables.log import GAPS, GENERATION, MARKERS, POSITIONS
from readmodels.tables.members import ACTIVITIES_HELD, CONSENTS, REVIEWS
from readmodels.tables.messages import ACTIVITIES, MESSAGE_HOLDS, MESSAGES
from readmodels.tables.runs import CAMPAIGNS, RUN_HOLDS, RUNS, SKIPPED

__all__ = [
    "ACTIVITIES",
    "ACTIVITIES_HELD",
    "CAMPAIGNS",
    "CHARGES",
    "CONSENTS",
    "FIGURES",
    "GAPS",
    "GENERATION",
    "MARKERS",
    "MESSAGES",
    "MESSAGE_HOLDS",
    "METADATA",
    "POSITIONS",
    "READ_MODELS",
    "REVIEWS",
    "RUNS",
    "RUN_COUNTS",
    "RUN_ERRORS",
    "RUN_HOLDS",
    "RUN_HOURS",
    "SKIPPED",
    "STORE_NAME",
]

READ_MODELS = (
    CAMPAIGNS,
    SKIPPED,
    RUNS,
    RUN_HOLDS,
    MESSAGES,
    MESSAGE_HOLDS,
    ACTIVITIES,
    *FIGURES,
    CONSENTS,
    REVIEWS,
    ACTIVITIES_HELD,
)
"""What is read by others, and compared after a rebuild."""
