import { cleanName, type List, listNamed, mostSymbols } from "./lists.ts";
import type { Market } from "./market.ts";
import { shownList } from "./market.ts";
import { bySymbol, type Sort, sortKeys } from "./order.ts";
import { asSymbol } from "./symbols.ts";

const separator = "*";

/** What a URL's query says of the market: `sort=-percent`, `list=Banks*BAC*C*JPM`. */
export interface MarketLink {
  sort: Sort | null;
  list: List | null;
}

export function readMarketLink(search: string): MarketLink {
  const query = new URLSearchParams(search);
  return { sort: readSort(query.get("sort")), list: readList(query.get("list")) };
}

function readSort(text: string | null): Sort | null {
  const descending = text?.startsWith("-") ?? false;
  const by = sortKeys.find((key) => key === text?.slice(descending ? 1 : 0));
  return by === undefined ? null : { by, descending };
}

function readList(text: string | null): List | null {
  const [name = "", ...members] = (text ?? "").split(separator, 1 + mostSymbols);
  const symbols = members.map(asSymbol).filter((symbol) => symbol !== null);
  return cleanName(name) === "" ? null : { name: cleanName(name), symbols: [...new Set(symbols)] };
}

/** `search` with the sort and the shown list in it, so that whoever opens it sees the same; the rest is kept. */
export function writeMarketLink(search: string, market: Market): string {
  const query = new URLSearchParams(search);
  const { sort } = market;
  const usual = sort.by === bySymbol.by && sort.descending === bySymbol.descending;
  const list = shownList(market);
  if (usual) query.delete("sort");
  else query.set("sort", `${sort.descending ? "-" : ""}${sort.by}`);
  if (list === undefined) query.delete("list");
  else query.set("list", [list.name, ...list.symbols].join(separator));
  return `?${query.toString()}`;
}

/** The market as a link says: a list of the user's own is chosen, another one is shown without being kept. */
export function marketOf(market: Market, { sort, list }: MarketLink): Market {
  const sorted = sort === null ? market : { ...market, sort };
  if (list === null) return sorted;
  const own = listNamed(market.lists, list.name);
  if (own !== undefined && (list.symbols.length === 0 || sameMembers(own, list)))
    return { ...sorted, chosen: own.name };
  return list.symbols.length === 0 ? sorted : { ...sorted, shared: list };
}

function sameMembers(one: List, other: List): boolean {
  const members = new Set(one.symbols);
  return (
    members.size === other.symbols.length && other.symbols.every((symbol) => members.has(symbol))
  );
}
