import { errorWords } from "../status/words.ts";
import type { AppStore, State } from "../store/state.ts";
import { awaited, button, h, panel, placeholder, setAttributes, setText } from "../ui/dom.ts";
import { everything, type Turn } from "../ui/turns.ts";

import { gridView, type Shape } from "./grid.ts";
import { listsDialog } from "./lists-dialog.ts";
import { shownList } from "./market.ts";
import { toolsView } from "./tools.ts";
import { words } from "./words.ts";

/** Below so many px lines don't fit into one row of a table. */
const narrowestTable = 768;

/** In which shape the symbols are shown, in a panel of `width` px. */
export function shapeOf({ preferences, market }: State, width: number): Shape {
  if (preferences.tab !== "market") return "compact";
  if (market.layout === "cards") return "cards";
  return width < narrowestTable ? "compact" : "table";
}

/** What stands in the place of the symbols while there is none to show. */
function restOf(state: State, store: AppStore, retry: () => void, edit: () => void): HTMLElement {
  const { connection, watchlist, market } = state;
  const refused = connection.unavailable.ticks;
  const again = (): HTMLElement => button(words.tryNow, {}, retry);
  if (refused !== undefined) return placeholder(words.noPrices(errorWords(refused)), again());
  if (!watchlist.loaded) {
    const away = connection.phase === "reconnecting";
    const rest = awaited(connection.phase, words.prices, 8);
    if (away) rest.append(again());
    return rest;
  }
  if (watchlist.symbols.length === 0) return placeholder(words.noTrade);
  const list = shownList(market);
  if (market.text === "" && market.kind === "all" && list !== undefined)
    return placeholder(words.emptyList(list.name), button(words.editLists, {}, edit));
  const reset = (): void => {
    store.dispatch({ type: "marketReset" });
  };
  return placeholder(words.noMatch, button(words.showAll, {}, reset));
}

/** What the place of the symbols depends on while there is none. */
function restKey({ connection, watchlist, market }: State): string {
  const { phase, unavailable } = connection;
  const { loaded, symbols } = watchlist;
  const { text, kind } = market;
  const parts = [phase, unavailable.ticks?.code, loaded, symbols.length, text === "", kind];
  return [...parts, shownList(market)?.name].join(" ");
}

/** The symbols: beside the chart, or over the whole page. */
export function watchlistView(
  store: AppStore,
  retry: () => void,
): {
  element: HTMLElement;
  dialog: HTMLDialogElement;
  filter: HTMLInputElement;
  paint: (state: State, turn: Turn) => void;
} {
  const lists = listsDialog(store);
  const tools = toolsView(store, lists.open);
  const grid = gridView(store);
  const rest = h("div", { class: "rest" });
  const element = panel("watchlist", words.watchlist, tools.elements, grid.element, rest);
  const title = element.querySelector("h2");
  let width = 0;
  new ResizeObserver(([entry]) => {
    width = entry?.contentRect.width ?? width;
    paint(store.get(), everything);
  }).observe(element);

  let restFor = "";
  const paintRest = (state: State): void => {
    const key = state.market.order.length > 0 ? "" : restKey(state);
    if (key === restFor) return;
    restFor = key;
    rest.replaceChildren(...(key === "" ? [] : [restOf(state, store, retry, lists.open)]));
    grid.element.hidden = key !== "";
  };
  const paint = (state: State, turn: Turn): void => {
    const shape = shapeOf(state, width);
    const whole = state.preferences.tab === "market";
    setAttributes(element, { "data-shape": shape, "data-whole": whole });
    if (title !== null) setText(title, whole ? words.market : words.watchlist);
    tools.paint(state);
    paintRest(state);
    grid.paint(state, shape, turn);
    lists.paint(state);
  };
  return { element, dialog: lists.element, filter: tools.filter, paint };
}
