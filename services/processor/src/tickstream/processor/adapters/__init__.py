"""The processor's ways to the outside."""
