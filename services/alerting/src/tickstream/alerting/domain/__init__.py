"""Rules, what they remember, and the life of each alert; no I/O, no clock."""
