import { type Interval, intervals } from "../socket/records.ts";

export interface Place {
  symbol: string | null;
  interval: Interval | null;
}

/** The symbol and timeframe that a URL's query names. */
export function readPlace(search: string): Place {
  const query = new URLSearchParams(search);
  const symbol = query.get("symbol")?.trim().toUpperCase() ?? "";
  const wanted = query.get("interval");
  return {
    symbol: /^[\w.\-/:^=]{1,32}$/.test(symbol) ? symbol : null,
    interval: intervals.find((interval) => interval === wanted) ?? null,
  };
}

/** `search` with the place in it, whatever else it says kept. */
export function writePlace(search: string, place: { symbol: string; interval: Interval }): string {
  const query = new URLSearchParams(search);
  query.set("symbol", place.symbol);
  query.set("interval", place.interval);
  return `?${query.toString()}`;
}
