const firstMs = 500;
const longestMs = 10_000;

/** How long to wait before try number `attempt` (from 0): doubling, up to ten seconds, spread by `random` in [0, 1). */
export function backoff(attempt: number, random: number): number {
  const ceiling = Math.min(longestMs, firstMs * 2 ** Math.min(attempt, 16));
  return Math.round(ceiling * (0.5 + random / 2));
}
