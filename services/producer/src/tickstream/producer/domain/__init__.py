"""What a producer knows without touching the world: order, identity, pace, progress, a simulated market."""
