import { changeOf, isCutOff, type Row, type Watchlist } from "./reducer.ts";

export const sortKeys = ["symbol", "price", "change", "percent", "range", "volume"] as const;
export type SortKey = (typeof sortKeys)[number];

export interface Sort {
  by: SortKey;
  descending: boolean;
}

export const bySymbol: Sort = { by: "symbol", descending: false };

/** What of the market is shown: all of it, what rises, what falls, or what isn't traded now. */
export const kinds = ["all", "up", "down", "idle"] as const;
export type Kind = (typeof kinds)[number];

/** Which symbols are wanted, and in which order. */
export interface Wanted {
  sort: Sort;
  kind: Kind;
  /** Part of the name. */
  text: string;
  /** The symbols of the list that is shown; null: every symbol. */
  members: readonly string[] | null;
  pinned: readonly string[];
}

/** The order after a column was chosen: names from the first on, figures from the highest; once more the other way. */
export function sortAfter(sort: Sort, by: SortKey): Sort {
  if (sort.by === by) return { by, descending: !sort.descending };
  return { by, descending: by !== "symbol" };
}

/** The width of the day's range, as a fraction of the day's open. */
function rangeOf({ day }: Row): number {
  return day.open === 0 ? Number.NaN : (day.high - day.low) / day.open;
}

function figureOf(row: Row, by: Exclude<SortKey, "symbol">): number {
  switch (by) {
    case "price":
      return row.price;
    case "change":
      return changeOf(row).change;
    case "percent":
      return changeOf(row).fraction;
    case "range":
      return rangeOf(row);
    case "volume":
      return row.day.volume ?? Number.NaN;
  }
}

function isOfKind(watchlist: Watchlist, row: Row, kind: Kind): boolean {
  if (kind === "all") return true;
  if (kind === "idle") return row.activity !== "traded" || isCutOff(watchlist, row);
  const { change } = changeOf(row);
  return kind === "up" ? change > 0 : change < 0;
}

/** The symbols that are wanted, in order: pinned ones first, those without the figure last, equals by name. */
export function ordered(watchlist: Watchlist, wanted: Wanted): readonly string[] {
  const { sort, kind, members } = wanted;
  const text = wanted.text.trim().toUpperCase();
  const listed = members === null ? null : new Set(members);
  const pinned = new Set(wanted.pinned);
  const found = watchlist.symbols.filter((symbol) => {
    const row = watchlist.rows[symbol];
    if (row === undefined || !symbol.toUpperCase().includes(text)) return false;
    return (listed?.has(symbol) ?? true) && isOfKind(watchlist, row, kind);
  });
  const sign = sort.descending ? -1 : 1;
  const figures = new Map<string, number>();
  if (sort.by !== "symbol")
    for (const symbol of found) {
      const row = watchlist.rows[symbol];
      if (row !== undefined) figures.set(symbol, figureOf(row, sort.by));
    }
  const compare = (one: string, other: string): number => {
    const first = figures.get(one) ?? 0;
    const second = figures.get(other) ?? 0;
    const lacks = Number(Number.isNaN(first)) - Number(Number.isNaN(second));
    const byName = one < other ? -1 : one > other ? 1 : 0;
    if (sort.by === "symbol") return byName * sign;
    return lacks || (first - second) * sign || byName;
  };
  const byPin = (symbol: string): number => (pinned.has(symbol) ? 0 : 1);
  return found.sort((one, other) => byPin(one) - byPin(other) || compare(one, other));
}

/** The symbol of these that is traded most now: in the last hour, else in its day, else most recently. */
export function mostActive(watchlist: Watchlist, symbols: readonly string[]): string | null {
  const rows = symbols.flatMap((symbol) => watchlist.rows[symbol] ?? []);
  const lately = ({ spark }: Row): number => spark.reduce((sum, { trades }) => sum + trades, 0);
  const ranked = rows
    .map((row) => ({ row, trades: lately(row) }))
    .sort(
      (one, other) =>
        other.trades - one.trades ||
        other.row.day.trades - one.row.day.trades ||
        other.row.time - one.row.time,
    );
  return ranked[0]?.row.symbol ?? null;
}
