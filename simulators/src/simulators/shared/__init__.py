"""What every simulator needs: a durable record, faults on demand, a server."""

from simulators.shared.asgi import (
    JSON,
    App,
    Message,
    Receive,
    Scope,
    Send,
    answer,
    answer_json,
    drop,
    half_an_answer,
    header,
    read_body,
    run_lifespan,
    until_hung_up,
)
from simulators.shared.faults import BadRuleError, Faults, Rule, answer_faults
from simulators.shared.record import Record
from simulators.shared.server import add_server_arguments, running, serve

__all__ = [
    "JSON",
    "App",
    "BadRuleError",
    "Faults",
    "Message",
    "Receive",
    "Record",
    "Rule",
    "Scope",
    "Send",
    "add_server_arguments",
    "answer",
    "answer_faults",
    "answer_json",
    "drop",
    "half_an_answer",
    "header",
    "read_body",
    "run_lifespan",
    "running",
    "serve",
    "until_hung_up",
]
