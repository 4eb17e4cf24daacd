"""What every simulator needs: a durable record, faults on demand, a server."""

from simulators.shared.asgi import (
    App,
    Message,
    Receive,
    Scope,
    Send,
    answer,
    answer_json,
    drop,
    header,
    read_body,
    run_lifespan,
)
from simulators.shared.faults import BadRuleError, Faults, Rule, answer_faults
from simulators.shared.record import Record
from simulators.shared.server import add_server_arguments, running, serve

__all__ = [
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
    "header",
    "read_body",
    "run_lifespan",
    "running",
    "serve",
]
