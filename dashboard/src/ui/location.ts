import { type Interval, intervals } from "../socket/records.ts";

export interface Place {
  symbol: string | null;
  interval: Interval | null;
  /** Whether the system is shown in the place of the market. */
  system: boolean;
}

/** The symbol and timeframe that a URL's query names. */
export function readPlace(search: string): Place {
  const query = new URLSearchParams(search);
  const symbol = query.get("symbol")?.trim().toUpperCase() ?? "";
  const wanted = query.get("interval");
  return {
    symbol: /^[\w.\-/:^=]{1,32}$/.test(symbol) ? symbol : null,
    interval: intervals.find((interval) => interval === wanted) ?? null,
    system: query.get("view") === "system",
  };
}

/** `search` with the place in it, whatever else it says kept. */
export function writePlace(search: string, place: Place): string {
  const query = new URLSearchParams(search);
  if (place.symbol !== null) query.set("symbol", place.symbol);
  if (place.interval !== null) query.set("interval", place.interval);
  if (place.system) query.set("view", "system");
  else query.delete("view");
  return `?${query.toString()}`;
}
