import type { Action } from "../store/actions.ts";

import {
  freeName,
  type List,
  type Lists,
  listNamed,
  withList,
  withName,
  withoutList,
  withoutSymbol,
  withSymbols,
} from "./lists.ts";
import { bySymbol, type Kind, mostActive, ordered, type Sort, sortAfter } from "./order.ts";
import type { Watchlist } from "./reducer.ts";

export const layouts = ["table", "cards"] as const;
export type Layout = (typeof layouts)[number];

export const mostPinned = 100;
/** Rows change places at most so often, ms: a list that is always moving can't be read. */
const settleMs = 2_000;

/** How the user looks at the market: which symbols, in which order, in which shape. */
export interface Market {
  layout: Layout;
  sort: Sort;
  kind: Kind;
  text: string;
  lists: Lists;
  /** The name of the list that is shown; null: every symbol. */
  chosen: string | null;
  /** A list that came with a link; shown in place of the chosen one until another is chosen. */
  shared: List | null;
  pinned: readonly string[];
  /** The symbol that the user opened last. */
  opened: string | null;
  /** The symbols that are shown, in order. */
  order: readonly string[];
  orderedAt: number;
  /** The pointer is over the list: nothing moves below it. */
  held: boolean;
}

export const emptyMarket: Market = {
  layout: "table",
  sort: bySymbol,
  kind: "all",
  text: "",
  lists: [],
  chosen: null,
  shared: null,
  pinned: [],
  opened: null,
  order: [],
  orderedAt: 0,
  held: false,
};

/** What the user did to the way the market is shown. */
export type MarketAction =
  | { type: "marketText"; text: string }
  | { type: "marketKind"; kind: Kind }
  | { type: "marketSort"; sort: Sort }
  | { type: "marketColumn"; by: Sort["by"] }
  | { type: "marketLayout"; layout: Layout }
  | { type: "marketHeld"; held: boolean }
  | { type: "marketReset" }
  | { type: "pin"; symbol: string }
  | { type: "listChosen"; name: string | null }
  | { type: "listMade"; name: string; symbols: readonly string[] }
  | { type: "listRenamed"; name: string; to: string }
  | { type: "listDeleted"; name: string }
  | { type: "listAdded"; name: string; symbols: readonly string[] }
  | { type: "listRemoved"; name: string; symbol: string }
  | { type: "sharedKept" }
  | { type: "marketRecalled"; lists: Lists; pinned: readonly string[] };

/** The list that is shown; undefined: every symbol. */
export function shownList({ shared, lists, chosen }: Market): List | undefined {
  return shared ?? listNamed(lists, chosen);
}

function pinnedAfter(pinned: readonly string[], symbol: string): readonly string[] {
  if (pinned.includes(symbol)) return pinned.filter((one) => one !== symbol);
  return [...pinned, symbol].slice(-mostPinned);
}

function afterMaking(state: Market, name: string, symbols: readonly string[]): Market {
  const lists = withList(state.lists, name, symbols);
  if (lists === state.lists) return state;
  return { ...state, lists, chosen: lists.at(-1)?.name ?? null, shared: null };
}

function afterRenaming(state: Market, name: string, to: string): Market {
  const lists = withName(state.lists, name, to);
  if (lists === state.lists) return state;
  const place = state.lists.findIndex((list) => list.name === name);
  const chosen = state.chosen === name ? (lists[place]?.name ?? null) : state.chosen;
  return { ...state, lists, chosen };
}

/** What an action makes of the user's choices, the order left as it is. */
function chosenAfter(state: Market, action: Action): Market {
  switch (action.type) {
    case "marketText":
      return { ...state, text: action.text };
    case "marketKind":
      return { ...state, kind: action.kind };
    case "marketSort":
      return { ...state, sort: action.sort };
    case "marketColumn":
      return { ...state, sort: sortAfter(state.sort, action.by) };
    case "marketLayout":
      return { ...state, layout: action.layout };
    case "marketHeld":
      return { ...state, held: action.held };
    case "marketReset":
      return { ...state, text: "", kind: "all" };
    case "pin":
      return { ...state, pinned: pinnedAfter(state.pinned, action.symbol) };
    case "select":
      return action.byItself === true ? state : { ...state, opened: action.symbol };
    case "marketRecalled":
      return { ...state, lists: action.lists, pinned: action.pinned };
    default:
      return listsAfter(state, action);
  }
}

function listsAfter(state: Market, action: Action): Market {
  switch (action.type) {
    case "listChosen":
      return { ...state, chosen: action.name, shared: null };
    case "listMade":
      return afterMaking(state, action.name, action.symbols);
    case "listRenamed":
      return afterRenaming(state, action.name, action.to);
    case "listDeleted": {
      const chosen = state.chosen === action.name ? null : state.chosen;
      return { ...state, lists: withoutList(state.lists, action.name), chosen };
    }
    case "listAdded":
      return { ...state, lists: withSymbols(state.lists, action.name, action.symbols) };
    case "listRemoved":
      return { ...state, lists: withoutSymbol(state.lists, action.name, action.symbol) };
    case "sharedKept": {
      if (state.shared === null) return state;
      const { name, symbols } = state.shared;
      return afterMaking(state, freeName(state.lists, name), symbols);
    }
    default:
      return state;
  }
}

const sameOrder = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((symbol, place) => symbol === other[place]);

function arranged(state: Market, watchlist: Watchlist, at: number): Market {
  const { sort, kind, text, pinned } = state;
  const members = shownList(state)?.symbols ?? null;
  const order = ordered(watchlist, { sort, kind, text, members, pinned });
  const kept = sameOrder(order, state.order) ? state.order : order;
  return { ...state, order: kept, orderedAt: at };
}

/**
 * The market as the user wants it. What the user does, and a symbol that comes or goes, is followed at once; places
 * that only follow from figures are looked at now and then, and not while the pointer is among them.
 *
 * @param before the symbols before the action
 * @param watchlist the figures after it
 */
export function marketReducer(
  state: Market,
  action: Action,
  before: Watchlist["symbols"],
  watchlist: Watchlist,
): Market {
  const next = chosenAfter(state, action);
  const chose = next !== state && action.type !== "select" && action.type !== "marketHeld";
  const filled = action.type === "barsLoaded" || action.type === "caughtUp";
  if (chose || filled || watchlist.symbols !== before)
    return arranged(next, watchlist, state.orderedAt);
  if (action.type !== "beat" || next.held) return next;
  const moves = next.sort.by !== "symbol" || next.kind !== "all";
  const due = action.at - next.orderedAt >= settleMs;
  return moves && due ? arranged(next, watchlist, action.at) : next;
}

/** The shown symbol `step` places away from `symbol`, stopping at the ends. */
export function neighbour({ order }: Market, symbol: string | null, step: number): string | null {
  const from = symbol === null ? -1 : order.indexOf(symbol);
  const to = from < 0 ? 0 : Math.min(order.length - 1, Math.max(0, from + step));
  return order[to] ?? null;
}

/** What to open when nobody has said it: what the user opened last, else what is traded most; null: not known yet. */
export function openingSymbol(market: Market, watchlist: Watchlist): string | null {
  if (!watchlist.settled) return null;
  const { opened, order } = market;
  if (opened !== null && opened in watchlist.rows) return opened;
  return mostActive(watchlist, order.length > 0 ? order : watchlist.symbols);
}
