"""Figures across symbols; no I/O, no clock."""
