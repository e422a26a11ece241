"""Bars and indicators made once more from the log, beside the live instance or in its place."""
