"""How unusual a minute is beside those before it, and what makes it so."""
