"""When the clients of a node that ends are sent away: one after the other, so that the others can take them."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import Final

_A_SECOND: Final = 200
"""Clients that the nodes which remain take in while they serve their own; up to the limit of the time there is."""


def departures(clients: Iterable[str], most: float, chosen: Random) -> list[tuple[float, str]]:
    """In how many seconds each client is to go, earliest first: evenly, in an order left to chance.

    Args:
        clients: who is connected.
        most: seconds within which all have gone.
        chosen: gives the order.
    """
    order = list(clients)
    chosen.shuffle(order)
    step = min(1 / _A_SECOND, most / max(1, len(order)))
    return [(number * step, client) for number, client in enumerate(order, 1)]
