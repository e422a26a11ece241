"""`tickstream tail`: follow a topic in the terminal, or in a pipe."""
