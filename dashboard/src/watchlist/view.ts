import {
  awaited,
  h,
  panel,
  placeholder,
  setAttributes,
  setChildren,
  setText,
  svg,
} from "../ui/dom.ts";
import {
  formatAge,
  formatChange,
  formatPercent,
  formatPrice,
  formatVolume,
  priceDigits,
} from "../ui/format.ts";
import type { AppStore, State } from "../store/state.ts";

import { changeOf, isCutOff, type Row, shownSymbols } from "./reducer.ts";
import { sparkPath } from "./sparkline.ts";
import { rowAge } from "./staleness.ts";

const sparkWidth = 64;
const sparkHeight = 20;

interface RowView {
  element: HTMLElement;
  /** `age` of what the row shows, ms, when that is old. */
  update(row: Row, activity: Row["activity"], age: number | null, selected: boolean): void;
}

const activityWords: Readonly<Record<Row["activity"], string>> = {
  traded: "",
  quiet: "quiet",
  halted: "halted",
  feed_down: "feed down",
};

function trendOf(change: number): "up" | "down" | "flat" {
  if (change === 0 || Number.isNaN(change)) return "flat";
  return change > 0 ? "up" : "down";
}

const shapes = { up: "▲", down: "▼", flat: "■" } as const;
const trendWords = { up: "up", down: "down", flat: "unchanged" } as const;

function flash(cell: HTMLElement, direction: Row["direction"]): void {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches || direction === 0) return;
  const from = direction > 0 ? "var(--up-flash)" : "var(--down-flash)";
  cell.animate([{ backgroundColor: from }, { backgroundColor: "transparent" }], {
    duration: 300,
    easing: "ease-out",
  });
}

function volumeWords({ day }: Row): string {
  return day.volume === null ? "" : `vol ${formatVolume(day.volume)}`;
}

function rowView(symbol: string, select: () => void): RowView {
  const shape = h("span", { class: "shape", "aria-hidden": "true" });
  const trend = h("span", { class: "visually-hidden" });
  const mark = h("span", { class: "activity-mark" });
  const volume = h("span", { class: "volume" });
  const line = svg("polyline", { fill: "none", "vector-effect": "non-scaling-stroke" });
  const spark = svg(
    "svg",
    {
      class: "spark",
      viewBox: `0 -1 ${sparkWidth} ${sparkHeight + 2}`,
      width: sparkWidth,
      height: sparkHeight,
      "aria-hidden": "true",
    },
    line,
  );
  const price = h("span", { class: "number price", "data-testid": `price-${symbol}` });
  const change = h("span", { class: "number change" });
  const percent = h("span", { class: "number percent" });
  const name = h("span", { class: "symbol" }, symbol);
  const cells = [
    h("td", { role: "gridcell" }, h("span", { class: "name-line" }, name, mark), volume),
    h("td", { role: "gridcell", class: "spark-cell" }, spark),
    h("td", { role: "gridcell" }, price, h("span", { class: "trend-line" }, shape, trend, change)),
    h("td", { role: "gridcell" }, percent),
  ];
  const element = h("tr", { "data-testid": `card-${symbol}`, "data-symbol": symbol }, ...cells);
  element.addEventListener("click", select);
  element.addEventListener("keydown", (event) => {
    if (event.key === "Enter") select();
  });
  let changes = 0;
  return {
    element,
    update(row, activity, age, selected) {
      const digits = priceDigits(row.price);
      const moved = changeOf(row);
      const direction = trendOf(moved.change);
      setAttributes(element, {
        "aria-selected": String(selected),
        tabindex: selected ? 0 : -1,
        "data-trend": direction,
        "data-activity": activity,
        "data-stale": age !== null,
      });
      setText(price, formatPrice(row.price, digits));
      setAttributes(price, { "data-value": row.price });
      setText(shape, shapes[direction]);
      setText(trend, trendWords[direction]);
      setText(change, formatChange(moved.change, digits));
      setText(percent, formatPercent(moved.fraction));
      setText(mark, activityWords[activity]);
      setText(volume, age === null ? volumeWords(row) : `${formatAge(age)} old`);
      const closes = [...row.spark.map(({ close }) => close), row.price];
      setAttributes(line, { points: sparkPath(closes, sparkWidth, sparkHeight) });
      if (row.changes !== changes && changes > 0) flash(price, row.direction);
      changes = row.changes;
    },
  };
}

/** Differs when an age that is shown does: ages go by seconds. */
function agesOf(state: State): string {
  const { rows } = state.watchlist;
  const old = Object.values(rows).some((row) => rowAge(row, state) !== null);
  return old ? String(Math.floor(state.connection.now / 1000)) : "";
}

/** The table of symbols. Returns its element and how to paint a state. */
export function watchlistView(store: AppStore): {
  element: HTMLElement;
  filter: HTMLInputElement;
  paint: (state: State) => void;
} {
  const filter = h("input", {
    type: "search",
    placeholder: "Filter  /",
    "aria-label": "Filter symbols",
    autocomplete: "off",
    spellcheck: "false",
  });
  filter.addEventListener("input", () => {
    store.dispatch({ type: "watchlistFilter", text: filter.value });
  });
  const titles = ["Symbol", "Last hour", "Last", "Change"].map((title) =>
    h("th", { scope: "col" }, title),
  );
  const body = h("tbody");
  const table = h(
    "table",
    { role: "grid", "aria-labelledby": "watchlist-title" },
    h("thead", {}, h("tr", {}, ...titles)),
    body,
  );
  const rest = h("div", { class: "rest" });
  const scroller = h("div", { class: "scroller" }, table, rest);
  const element = panel("watchlist", "Watchlist", [filter], scroller);
  const views = new Map<string, RowView>();

  const viewOf = (symbol: string): RowView => {
    let view = views.get(symbol);
    if (view === undefined) {
      view = rowView(symbol, () => {
        store.dispatch({ type: "select", symbol });
        store.dispatch({ type: "tab", tab: "chart" });
      });
      views.set(symbol, view);
    }
    return view;
  };

  const paintRest = ({ connection, watchlist }: State, shown: number): void => {
    table.hidden = shown === 0;
    if (shown > 0) rest.replaceChildren();
    else if (!watchlist.loaded) rest.replaceChildren(awaited(connection.phase, "Prices", 8));
    else if (watchlist.symbols.length > 0)
      rest.replaceChildren(placeholder("No symbol matches the filter."));
    else rest.replaceChildren(placeholder("No trade yet. Symbols appear with their first one."));
  };

  /** Brings the selected row into view; the focus goes with it when it is in the list. */
  const show = (symbol: string | null): void => {
    const row = views.get(symbol ?? "")?.element;
    row?.scrollIntoView({ block: "nearest" });
    if (body.contains(document.activeElement)) row?.focus();
  };

  let painted: State | undefined;
  let paintedAges = "";
  return {
    element,
    filter,
    paint(state) {
      const { watchlist, chart, connection } = state;
      const ages = agesOf(state);
      const same = painted?.watchlist === watchlist && painted.chart.symbol === chart.symbol;
      if (same && painted?.connection.phase === connection.phase && ages === paintedAges) return;
      paintedAges = ages;
      const shown = shownSymbols(watchlist);
      for (const symbol of views.keys()) if (!(symbol in watchlist.rows)) views.delete(symbol);
      for (const symbol of shown) {
        const row = watchlist.rows[symbol];
        if (row === undefined) continue;
        const activity = isCutOff(watchlist, row) ? "feed_down" : row.activity;
        viewOf(symbol).update(row, activity, rowAge(row, state), symbol === chart.symbol);
      }
      setChildren(
        body,
        shown.map((symbol) => viewOf(symbol).element),
      );
      paintRest(state, shown.length);
      if (painted?.chart.symbol !== chart.symbol) show(chart.symbol);
      painted = state;
    },
  };
}
