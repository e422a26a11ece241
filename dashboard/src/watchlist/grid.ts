import type { AppStore, State } from "../store/state.ts";
import { button, h, setAttributes, setChildren } from "../ui/dom.ts";

import { neighbour } from "./market.ts";
import { type SortKey, sortKeys } from "./order.ts";
import { isCutOff, type Row } from "./reducer.ts";
import { type RowView, rowView, type Shown } from "./row.ts";
import { rowAge } from "./staleness.ts";
import { columnsIn, scrollFor, type Sight, windowOf } from "./window.ts";
import { words } from "./words.ts";

/** Lines as beside the chart, lines over the whole width, or cards. */
export type Shape = "compact" | "table" | "cards";

const narrowestCard = 240;

/** The titles, each a button that sorts. */
function titlesView(sort: (by: SortKey) => void): {
  element: HTMLElement;
  paint: (state: State) => void;
} {
  const titles = sortKeys.map((by) => ({
    by,
    cell: h(
      "div",
      { role: "columnheader", class: `cell title-${by}` },
      button(words.columns[by], { class: "title", "data-testid": `sort-${by}` }, () => {
        sort(by);
      }),
    ),
  }));
  const trend = h("div", { role: "columnheader", class: "cell title-trend" }, words.lastHour);
  const row = h(
    "div",
    { role: "row", class: "titles", "aria-rowindex": 1 },
    ...titles.map(({ cell }) => cell),
    trend,
  );
  return {
    element: h("div", { role: "rowgroup", class: "head" }, row),
    paint({ market: { sort: shown } }) {
      const way = shown.descending ? "descending" : "ascending";
      for (const { by, cell } of titles)
        setAttributes(cell, { "aria-sort": by === shown.by ? way : false });
    },
  };
}

/** How many places a key moves in the list. */
function stepOf(key: string, { columns, height, line }: Sight, count: number): number | undefined {
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

/** The symbols as a grid of which only what is in sight is in the document. */
export function gridView(store: AppStore): {
  element: HTMLElement;
  paint: (state: State, shape: Shape) => void;
} {
  const titles = titlesView((by) => {
    store.dispatch({ type: "marketColumn", by });
  });
  const body = h("div", { role: "rowgroup", class: "rows" });
  const grid = h(
    "div",
    { role: "grid", class: "grid", "aria-labelledby": "watchlist-title" },
    titles.element,
    body,
  );
  const element = h("div", { class: "scroller market-scroller" }, grid);
  const views = new Map<string, RowView>();
  const sight: Sight = { top: 0, height: 0, line: 0, columns: 1 };
  let shape: Shape = "compact";
  let selected: string | null = null;

  const open = (symbol: string): void => {
    store.dispatch({ type: "select", symbol });
    store.dispatch({ type: "tab", tab: "chart" });
  };
  const viewOf = (symbol: string): RowView => {
    const view =
      views.get(symbol) ??
      rowView(
        symbol,
        () => {
          open(symbol);
        },
        () => {
          store.dispatch({ type: "pin", symbol });
        },
      );
    views.set(symbol, view);
    return view;
  };

  const measure = (): void => {
    const count = store.get().market.order.length;
    const columns = shape === "cards" ? columnsIn(body.clientWidth, narrowestCard) : 1;
    const lines = Math.ceil(count / columns);
    body.style.setProperty("--columns", String(columns));
    body.style.setProperty("--lines", String(lines));
    sight.columns = columns;
    sight.height = element.clientHeight - titles.element.offsetHeight;
    sight.line = lines === 0 ? 0 : body.offsetHeight / lines;
    sight.top = element.scrollTop;
  };

  const shownOf = (state: State, row: Row, place: number, reached: string | null): Shown => {
    const { watchlist, market } = state;
    const age = rowAge(row, state);
    return {
      row,
      activity: isCutOff(watchlist, row) ? "feed_down" : row.activity,
      ageSeconds: age === null ? null : Math.floor(age / 1000),
      place,
      columns: sight.columns,
      selected: row.symbol === state.chart.symbol,
      reached: row.symbol === reached,
      pinned: market.pinned.includes(row.symbol),
    };
  };

  /** The places that are in the document: those in sight, the one that Tab reaches, the one that has the focus. */
  const placesOf = (order: readonly string[], reached: string | null): readonly number[] => {
    const [first, last] = windowOf(sight, order.length);
    const places = new Set(Array.from({ length: last - first }, (_, index) => first + index));
    const focused = document.activeElement?.closest<HTMLElement>(".row")?.dataset.symbol;
    for (const symbol of [reached, focused]) {
      const place = symbol === null || symbol === undefined ? -1 : order.indexOf(symbol);
      if (place >= 0) places.add(place);
    }
    return [...places].sort((one, other) => one - other);
  };

  const paintRows = (state: State): void => {
    const { market, watchlist, chart } = state;
    const { order } = market;
    const own = chart.symbol !== null && order.includes(chart.symbol);
    const reached = own ? chart.symbol : (order[0] ?? null);
    const shown = placesOf(order, reached).flatMap((place) => {
      const row = watchlist.rows[order[place] ?? ""];
      if (row === undefined) return [];
      const view = viewOf(row.symbol);
      view.update(shownOf(state, row, place, reached));
      return [{ symbol: row.symbol, element: view.element }];
    });
    const kept = new Set(shown.map(({ symbol }) => symbol));
    for (const symbol of views.keys()) if (!kept.has(symbol)) views.delete(symbol);
    const focused = document.activeElement;
    setChildren(
      body,
      shown.map(({ element: row }) => row),
    );
    // A row that changes its place in the document loses the focus.
    if (focused instanceof HTMLElement && focused !== document.activeElement)
      if (body.contains(focused)) focused.focus({ preventScroll: true });
  };

  /** Brings the selected row into sight; the focus goes with it when it is in the list. */
  const follow = (state: State): void => {
    const { symbol } = state.chart;
    if (symbol === selected) return;
    const begins = selected === null && shape !== "compact";
    selected = symbol;
    // The whole market is looked at from its beginning, whatever is charted.
    if (begins) return;
    const place = symbol === null ? -1 : state.market.order.indexOf(symbol);
    if (place < 0) return;
    const top = scrollFor(sight, place);
    if (top !== sight.top) element.scrollTop = sight.top = top;
    if (!body.contains(document.activeElement)) return;
    paintRows(state);
    views.get(symbol ?? "")?.element.focus({ preventScroll: true });
  };

  element.addEventListener("scroll", () => {
    sight.top = element.scrollTop;
    paintRows(store.get());
  });
  new ResizeObserver(() => {
    measure();
    paintRows(store.get());
  }).observe(element);
  const hold = (held: boolean) => (): void => {
    store.dispatch({ type: "marketHeld", held });
  };
  body.addEventListener("pointerenter", hold(true));
  body.addEventListener("pointerleave", hold(false));
  body.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { target, key } = event;
    if (!(target instanceof Element)) return;
    const symbol = target.closest<HTMLElement>(".row")?.dataset.symbol;
    if (symbol === undefined) return;
    const { market } = store.get();
    const step = stepOf(key, sight, market.order.length);
    if (step !== undefined) {
      const to = neighbour(market, symbol, step);
      if (to !== null) store.dispatch({ type: "select", symbol: to });
    } else if (key === "Enter" && target.closest("button") === null) open(symbol);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  let painted: State | undefined;
  return {
    element,
    paint(state, wanted) {
      const { market, watchlist, chart, connection } = state;
      const turned = wanted !== shape;
      shape = wanted;
      setAttributes(element, { "data-shape": shape });
      setAttributes(grid, { "aria-rowcount": market.order.length + 1 });
      if (turned || painted?.market.order !== market.order) measure();
      if (painted?.market !== market) titles.paint(state);
      if (turned) selected = null;
      const same = painted?.watchlist === watchlist && painted.market === market;
      // The ages of old rows go on by themselves, with the clock.
      if (same && painted?.chart.symbol === chart.symbol && painted.connection === connection)
        if (!turned) return;
      painted = state;
      paintRows(state);
      follow(state);
    },
  };
}
