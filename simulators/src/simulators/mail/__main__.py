"""Runs the simulated mail server: `python -m simulators.mail --state DIR`."""

from argparse import ArgumentParser

from simulators.mail.app import MailSimulator
from simulators.shared import add_server_arguments, serve


def main() -> None:
    """Serve until told to stop; `--port` is the page's, `--smtp-port` takes the mails."""
    parser = ArgumentParser(prog="python -m simulators.mail", description=__doc__)
    add_server_arguments(parser)
    parser.add_argument("--smtp-port", type=int, default=0, help="0 takes a free one")
    wanted = parser.parse_args()
    simulator = MailSimulator(
        state=wanted.state, host=wanted.host, smtp_port=wanted.smtp_port, seed=wanted.seed
    )
    serve(simulator.app(), host=wanted.host, port=wanted.port, port_file=wanted.port_file)


if __name__ == "__main__":
    main()
