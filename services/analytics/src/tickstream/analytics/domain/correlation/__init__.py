"""How one-minute returns move together."""
