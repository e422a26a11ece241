import { readLists, readMembers } from "./lists.ts";
import { emptyMarket, layouts, type Market, mostPinned } from "./market.ts";
import { type Sort, sortKeys } from "./order.ts";
import { asSymbol } from "./symbols.ts";

/** What of the market's view is kept between visits. */
export type Kept = Pick<Market, "layout" | "sort" | "lists" | "chosen" | "pinned" | "opened">;

export function serializeMarket(market: Market): string {
  const { layout, sort, lists, chosen, pinned, opened } = market;
  return JSON.stringify({ layout, sort, lists, chosen, pinned, opened } satisfies Kept);
}

/** Reads what `serializeMarket` wrote; whatever isn't as expected is left at its default. */
export function deserializeMarket(text: string | null): Kept {
  const kept = parse(text);
  const lists = readLists(kept.lists);
  const opened = typeof kept.opened === "string" ? asSymbol(kept.opened) : null;
  return {
    layout: layouts.find((layout) => layout === kept.layout) ?? emptyMarket.layout,
    sort: readSort(kept.sort),
    lists,
    chosen: lists.find(({ name }) => name === kept.chosen)?.name ?? null,
    pinned: readMembers(kept.pinned).slice(0, mostPinned),
    opened,
  };
}

/** Whether two states would be kept as the same. */
export function isKeptAlike(one: Market, other: Market): boolean {
  const names = ["layout", "sort", "lists", "chosen", "pinned", "opened"] as const;
  return names.every((name) => one[name] === other[name]);
}

function readSort(value: unknown): Sort {
  const { by, descending } = fieldsOf(value);
  const key = sortKeys.find((name) => name === by);
  return key === undefined ? emptyMarket.sort : { by: key, descending: descending === true };
}

function parse(text: string | null): Record<string, unknown> {
  try {
    return fieldsOf(JSON.parse(text ?? "{}"));
  } catch {
    return {};
  }
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
