"""What an operator's command line asks for is done, or one sentence says why not."""

import argparse
import sqlite3
import sys
from collections.abc import Callable, Sequence

from twisted_chat.refusal import Refused
from twisted_chat.stores.unusable import Unusable


def run(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    """Do what a command line says, and give the exit status.

    Args:
        parser: what it may say; it sets `act`, which does it and returns what to tell.
        arguments: the command line.
    """
    chosen = parser.parse_args(arguments)
    act: Callable[[argparse.Namespace], str] = chosen.act
    try:
        told = act(chosen)
    except (Unusable, Refused, OSError, sqlite3.Error, ValueError) as error:
        sys.stderr.write(f"{parser.prog}: {error}\n")
        return 1
    if told:
        sys.stderr.write(told + "\n")
    return 0
