import { csvText } from "../ui/csv.ts";

import type { Entry } from "./reducer.ts";

/** The entries as CSV with a header, times in ISO 8601, UTC. */
export function csvOf(entries: readonly Entry[]): string {
  const rows = entries.map(({ time, kind, symbol, text }) => [
    new Date(time).toISOString(),
    kind,
    symbol ?? "",
    text,
  ]);
  return csvText([["time", "kind", "symbol", "text"], ...rows]);
}
