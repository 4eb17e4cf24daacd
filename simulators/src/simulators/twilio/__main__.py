"""Runs the simulated Twilio: `python -m simulators.twilio --state DIR`."""

import argparse

from simulators.shared import add_server_arguments, serve
from simulators.twilio import outcomes
from simulators.twilio.app import TwilioSimulator
from simulators.twilio.settings import Settings

_EXAMPLE_ACCOUNT = "AC" + "0" * 31 + "1:simulated-token"


def main() -> None:
    """Read the flags and serve until a signal."""
    flags = _flags()
    accounts = dict(account.split(":", 1) for account in flags.account or [_EXAMPLE_ACCOUNT])
    settings = Settings(
        answer_ms=flags.answer_ms,
        sent_after_ms=flags.sent_after_ms,
        final_after_ms=flags.final_after_ms,
        list_lag_seconds=flags.list_lag_seconds,
        failing_chance=flags.failing_chance,
        special_endings=not flags.no_special_endings,
        inbound_url=flags.inbound_url,
    )
    simulator = TwilioSimulator(
        state=flags.state,
        accounts=accounts,
        settings=settings,
        seed=flags.seed,
        callbacks_in_flight=flags.callbacks_in_flight,
    )
    serve(simulator, host=flags.host, port=flags.port, port_file=flags.port_file)


def _flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m simulators.twilio",
        description="A simulated Twilio.",
        epilog=outcomes.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_server_arguments(parser)
    parser.add_argument(
        "--account",
        action="append",
        metavar="SID:TOKEN",
        help=f"an account and its auth token, repeatable ({_EXAMPLE_ACCOUNT})",
    )
    parser.add_argument("--inbound-url", default="", help="gets the texts from people")
    parser.add_argument("--answer-ms", type=float, default=0.0, help="how long a POST takes")
    parser.add_argument("--sent-after-ms", type=float, default=200.0)
    parser.add_argument("--final-after-ms", type=float, default=500.0, help="after sent")
    parser.add_argument("--list-lag-seconds", type=float, default=0.0)
    parser.add_argument("--failing-chance", type=float, default=0.0, help="undelivered, 30003")
    parser.add_argument(
        "--no-special-endings", action="store_true", help="numbers decide nothing: for load tests"
    )
    parser.add_argument("--callbacks-in-flight", type=int, default=64)
    return parser.parse_args()


if __name__ == "__main__":
    main()
