import { ageOf, isStale } from "../status/connection.ts";
import { isOpen } from "../status/market-clock.ts";
import type { State } from "../store/state.ts";

import { isCutOff, type Row } from "./reducer.ts";

/**
 * How old what a row shows is, in ms; null while it is what there is.
 *
 * A symbol that nobody trades is only quiet: it is the way to it that makes a price old.
 */
export function rowAge(row: Row, state: State): number | null {
  const { connection, marketClock, metrics, watchlist } = state;
  if (isStale(connection) || connection.feedDownSince !== null) return ageOf(connection);
  if (!isOpen(marketClock) || !isCutOff(watchlist, row)) return null;
  return Math.max(0, connection.now + metrics.offsetMs - row.ingest);
}
