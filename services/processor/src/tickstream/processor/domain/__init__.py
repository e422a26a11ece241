"""The rules of bars and indicators, without I/O, clock or logging."""
