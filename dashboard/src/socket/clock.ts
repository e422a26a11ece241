/** One question for the server's time: when it was asked and answered here, and what it said; ms. */
export interface ClockSample {
  askedAt: number;
  answeredAt: number;
  serverTime: number;
}

/** The server's clock less ours, from the sample with the shortest way: it has the least room for error. */
export function clockOffset(samples: readonly ClockSample[]): {
  offsetMs: number;
  roundTripMs: number;
} {
  const roundTrip = (sample: ClockSample): number => sample.answeredAt - sample.askedAt;
  const [best] = [...samples].sort((one, other) => roundTrip(one) - roundTrip(other));
  if (best === undefined) return { offsetMs: 0, roundTripMs: Number.NaN };
  const roundTripMs = roundTrip(best);
  const offsetMs = best.serverTime - (best.askedAt + best.answeredAt) / 2;
  // The way there may have taken all of the time or none: less than that is no difference that can be told.
  return { offsetMs: Math.abs(offsetMs) <= roundTripMs / 2 ? 0 : offsetMs, roundTripMs };
}
