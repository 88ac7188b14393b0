"""Start a Prefect server, a worker and MLflow's pages on this machine, and schedule the flows: make up."""

from __future__ import annotations

import socket
from argparse import ArgumentParser
from pathlib import Path

from leadscore.addresses import hide_secrets
from leadscore.cli.rendering import exit_with_words
from leadscore.errors import UserError
from services import FOLDER
from stack import HOST, start_stack, stop_stack


def main() -> None:
    """Start all of them, or none."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default="leadscore.toml", help="the settings file")
    parser.add_argument("--prefect-port", type=int, default=4200)
    parser.add_argument("--mlflow-port", type=int, default=5000)
    options = parser.parse_args()
    with exit_with_words():
        FOLDER.mkdir(parents=True, exist_ok=True)
        for pid_file in FOLDER.glob("*.pid"):
            raise UserError(f"the {pid_file.stem} was started already; `make down` stops it")
        for port in (options.prefect_port, options.mlflow_port):
            _check_free(port)
        try:
            addresses = start_stack(**vars(options))
        except BaseException:
            stop_stack()
            raise
    for name, address in addresses.items():
        print(f"{name}: {hide_secrets(address)}")
    print("`make down` stops them")


def _check_free(port: int) -> None:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((HOST, port))
        except OSError as e:
            cure = "name others with --prefect-port and --mlflow-port"
            raise UserError(f"port {port} is in use; {cure}") from e


if __name__ == "__main__":
    main()
