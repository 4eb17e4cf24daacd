"""Runs the simulated iMIS: `python -m simulators.imis --state DIR`."""

from argparse import ArgumentParser, ArgumentTypeError

from simulators.imis.app import ImisSimulator
from simulators.imis.settings import STAFF, Settings
from simulators.shared import add_server_arguments, serve


def _user(text: str) -> tuple[str, str]:
    name, colon, password = text.partition(":")
    if not (name and colon and password):
        raise ArgumentTypeError("a user is name:password")
    return name, password


def main() -> None:
    """Serve until told to stop."""
    parser = ArgumentParser(prog="python -m simulators.imis", description=__doc__)
    add_server_arguments(parser)
    parser.add_argument("--profile", choices=("ems", "2017"), default="ems")
    parser.add_argument("--recipients", type=int, default=1000, help="rows of the demo query")
    parser.add_argument("--prefix", default="", help="the site's path, /Asi.Scheduler_demo")
    parser.add_argument("--user", type=_user, action="append", default=[], help="name:password")
    parser.add_argument("--token-ttl", type=int, default=1199, help="seconds")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds for each request")
    wanted = parser.parse_args()
    settings = Settings(
        profile=wanted.profile,
        prefix=wanted.prefix.rstrip("/"),
        recipients=wanted.recipients,
        seed=wanted.seed,
        users=STAFF | dict(wanted.user),
        token_ttl_seconds=wanted.token_ttl,
        latency_seconds=wanted.latency,
    )
    site = ImisSimulator(settings, state=wanted.state)
    serve(site, host=wanted.host, port=wanted.port, port_file=wanted.port_file)


if __name__ == "__main__":
    main()
