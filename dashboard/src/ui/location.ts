import { type Interval, intervals } from "../socket/records.ts";
import type { Tab } from "../store/actions.ts";
import { asSymbol } from "../watchlist/symbols.ts";

const views: readonly Tab[] = ["market", "chart", "analytics", "alerts", "system"];

export interface Place {
  symbol: string | null;
  interval: Interval | null;
  view: Tab | null;
}

/** The symbol, timeframe and view that a URL's query names. */
export function readPlace(search: string): Place {
  const query = new URLSearchParams(search);
  const wanted = query.get("interval");
  return {
    symbol: asSymbol(query.get("symbol") ?? ""),
    interval: intervals.find((interval) => interval === wanted) ?? null,
    view: views.find((view) => view === query.get("view")) ?? null,
  };
}

/** `search` with the place in it, whatever else it says kept. */
export function writePlace(search: string, place: Place): string {
  const query = new URLSearchParams(search);
  if (place.symbol !== null) query.set("symbol", place.symbol);
  if (place.interval !== null) query.set("interval", place.interval);
  if (place.view === null || place.view === "chart") query.delete("view");
  else query.set("view", place.view);
  return `?${query.toString()}`;
}
