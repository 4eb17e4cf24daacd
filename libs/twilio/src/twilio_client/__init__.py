"""The Twilio REST client: sends a text, and says after an error what may be done next."""

from twilio_client.client import TwilioClient
from twilio_client.codes import CODES, Advice, Code, Kind, look_up
from twilio_client.errors import InDoubt, NotSent, Refused, TwilioError, Unanswered
from twilio_client.messages import ListedMessage, SendRequest, Sent

__all__ = [
    "CODES",
    "Advice",
    "Code",
    "InDoubt",
    "Kind",
    "ListedMessage",
    "NotSent",
    "Refused",
    "SendRequest",
    "Sent",
    "TwilioClient",
    "TwilioError",
    "Unanswered",
    "look_up",
]
