"""What the gateway needs of the outside."""

from gateway.ports.campaigns import Campaigns, Commands, Previews, Queries
from gateway.ports.desk import Answers, Desk, Keep, Outbox, Reading, Work
from gateway.ports.models import ReadModels
from gateway.ports.outside import Bell, Clock, Imis, Listening, Seal, Stops
from gateway.ports.staff import Attempts, Organizations, Sessions
from gateway.ports.uploads import Uploads

__all__ = [
    "Answers",
    "Attempts",
    "Bell",
    "Campaigns",
    "Clock",
    "Commands",
    "Desk",
    "Imis",
    "Keep",
    "Listening",
    "Organizations",
    "Outbox",
    "Previews",
    "Queries",
    "ReadModels",
    "Reading",
    "Seal",
    "Sessions",
    "Stops",
    "Uploads",
    "Work",
]
