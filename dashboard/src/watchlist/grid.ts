import type { AppStore, State } from "../store/state.ts";
import { h, setAttributes } from "../ui/dom.ts";
import { everything, nothing, type Turn } from "../ui/turns.ts";

import { neighbour } from "./market.ts";
import { Rows, symbolAt } from "./rows.ts";
import { titlesView } from "./titles.ts";
import type { Sight } from "./window.ts";

/** Lines as beside the chart, lines over the whole width, or cards. */
export type Shape = "compact" | "table" | "cards";

/** How many places a key moves in a list of `count`. */
export function stepOf(
  key: string,
  { columns, height, line }: Sight,
  count: number,
): number | undefined {
  const page = Math.max(1, Math.floor(height / Math.max(1, line)) - 1) * columns;
  const steps: Readonly<Record<string, number>> = {
    ArrowDown: columns,
    ArrowUp: -columns,
    PageDown: page,
    PageUp: -page,
    Home: -count,
    End: count,
    ...(columns > 1 ? { ArrowRight: 1, ArrowLeft: -1 } : {}),
  };
  return steps[key];
}

/** The keys that walk through the rows, and open the one that has the focus. */
function listenForKeys(rows: Rows, store: AppStore, open: (symbol: string) => void): void {
  rows.element.addEventListener("keydown", (event) => {
    const { target, key, ctrlKey, metaKey, altKey } = event;
    if (ctrlKey || metaKey || altKey || !(target instanceof Element)) return;
    const symbol = symbolAt(target);
    if (symbol === undefined) return;
    const { market } = store.get();
    const step = stepOf(key, rows.sight, market.order.length);
    if (step !== undefined) {
      const to = neighbour(market, symbol, step);
      if (to !== null) store.dispatch({ type: "select", symbol: to });
    } else if (key === "Enter" && target.closest("button") === null) open(symbol);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}

function listenForPointer(rows: Rows, store: AppStore): void {
  const hold = (held: boolean) => (): void => {
    store.dispatch({ type: "marketHeld", held });
  };
  rows.element.addEventListener("pointerenter", hold(true));
  rows.element.addEventListener("pointerleave", hold(false));
}

/** The symbols as a grid, in any of its shapes. */
export function gridView(store: AppStore): {
  element: HTMLElement;
  paint: (state: State, shape: Shape, turn: Turn) => void;
} {
  const titles = titlesView((by) => {
    store.dispatch({ type: "marketColumn", by });
  });
  const grid = h("div", { role: "grid", class: "grid", "aria-labelledby": "watchlist-title" });
  const element = h("div", { class: "scroller market-scroller" }, grid);
  const open = (symbol: string): void => {
    store.dispatch({ type: "select", symbol });
    store.dispatch({ type: "tab", tab: "chart" });
  };
  const rows = new Rows(element, open, (symbol) => {
    store.dispatch({ type: "pin", symbol });
  });
  grid.append(titles.element, rows.element);
  listenForKeys(rows, store, open);
  listenForPointer(rows, store);

  let shape: Shape = "compact";
  let selected: string | null = null;
  element.addEventListener("scroll", () => {
    rows.scrolled();
    rows.paint(store.get(), nothing);
  });
  new ResizeObserver(() => {
    rows.measure(store.get().market.order.length, shape === "cards");
    rows.paint(store.get(), everything);
  }).observe(element);

  const follow = (state: State): void => {
    const { symbol } = state.chart;
    if (symbol === selected) return;
    // The whole market is looked at from its beginning, whatever is charted.
    const begins = selected === null && shape !== "compact";
    selected = symbol;
    if (symbol !== null && !begins) rows.reveal(state, symbol);
  };

  let painted: State | undefined;
  return {
    element,
    paint(state, wanted, turn) {
      const { market } = state;
      const turned = wanted !== shape;
      shape = wanted;
      setAttributes(element, { "data-shape": shape });
      setAttributes(grid, { "aria-rowcount": market.order.length + 1 });
      if (turned || painted?.market.order !== market.order)
        rows.measure(market.order.length, shape === "cards");
      if (turned) selected = null;
      painted = state;
      titles.paint(state);
      rows.paint(state, turn);
      follow(state);
    },
  };
}
