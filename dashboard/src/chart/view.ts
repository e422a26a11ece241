import { errorWords } from "../status/words.ts";
import { type Interval, intervals } from "../socket/records.ts";
import type { Study } from "../store/actions.ts";
import type { AppStore, State } from "../store/state.ts";
import { zoneOf } from "../ui/time-zone.ts";
import { awaited, button, h, placeholder, setAttributes, setText } from "../ui/dom.ts";
import { formatAge, formatChange, formatPercent, formatPrice, priceDigits } from "../ui/format.ts";
import { changeOf } from "../watchlist/reducer.ts";
import { rowAge } from "../watchlist/staleness.ts";

import type { ChartAdapter } from "./adapter.ts";
import { ChartJsAdapter } from "./chartjs/adapter.ts";
import { listenForGestures } from "./gestures.ts";
import { legendView } from "./legend.ts";
import { type Picture, pictureOf } from "./picture.ts";
import { tableView } from "./table.ts";

const studyNames: readonly [Study, string][] = [
  ["vwap", "VWAP"],
  ["bands", "Bands"],
  ["volume", "Volume"],
  ["rsi", "RSI"],
];

interface View {
  element: HTMLElement;
  paint: (state: State) => void;
}

/** Symbol, price and change of what the chart shows. */
function headline(): View {
  const symbol = h("span", { class: "headline-symbol" });
  const price = h("span", { class: "headline-price number" });
  const change = h("span", { class: "headline-change number" });
  const old = h("span", { class: "headline-age number", "data-testid": "headline-age" });
  const element = h("h2", { class: "headline", id: "chart-title" }, symbol, price, change, old);
  return {
    element,
    paint(state) {
      const { chart, watchlist } = state;
      const row = watchlist.rows[chart.symbol ?? ""];
      const age = row === undefined ? null : rowAge(row, state);
      setText(old, age === null ? "" : `◷ ${formatAge(age)} old`);
      setText(symbol, chart.symbol ?? "");
      setText(price, row === undefined ? "" : formatPrice(row.price));
      if (row === undefined) {
        setText(change, "");
        return;
      }
      const moved = changeOf(row);
      const shape = moved.change > 0 ? "▲" : moved.change < 0 ? "▼" : "■";
      const trend = moved.change > 0 ? "up" : moved.change < 0 ? "down" : "flat";
      setAttributes(element, { "data-trend": trend });
      const amount = formatChange(moved.change, priceDigits(row.price));
      setText(change, `${shape} ${amount}  ${formatPercent(moved.fraction)}`);
    },
  };
}

function timeframes(store: AppStore): View {
  const buttons = intervals.map((interval: Interval, index) =>
    button(
      interval,
      { "data-testid": `timeframe-${interval}`, "aria-keyshortcuts": String(index + 1) },
      () => {
        store.dispatch({ type: "timeframe", interval });
      },
    ),
  );
  const element = h(
    "div",
    { class: "segments", role: "group", "aria-label": "Timeframe" },
    ...buttons,
  );
  return {
    element,
    paint({ chart }) {
      buttons.forEach((item, index) => {
        setAttributes(item, { "aria-pressed": String(intervals[index] === chart.interval) });
      });
    },
  };
}

function toggles(store: AppStore): View {
  const studies = studyNames.map(([study, label]) => ({
    study,
    item: button(label, { class: "toggle" }, () => {
      store.dispatch({ type: "toggleStudy", study });
    }),
  }));
  const table = button("Table", { class: "toggle", "data-testid": "table-toggle" }, () => {
    store.dispatch({ type: "toggleTable" });
  });
  const items = studies.map(({ item }) => item);
  const element = h(
    "div",
    { class: "toggles", role: "group", "aria-label": "Shown" },
    ...items,
    table,
  );
  return {
    element,
    paint({ chart }) {
      for (const { study, item } of studies)
        setAttributes(item, { "aria-pressed": String(chart.studies[study]) });
      setAttributes(table, { "aria-pressed": String(chart.table) });
    },
  };
}

/** What stands in the chart's place while there is nothing to draw. */
function restOf(state: State, actions: ChartActions): HTMLElement | undefined {
  const { chart, watchlist } = state;
  if (chart.bars.length > 0) return undefined;
  if (chart.phase === "failed" && chart.error !== null) {
    const other = watchlist.symbols[0];
    const words = `${errorWords(chart.error)}.`;
    if (chart.error.code !== "unknown_symbol" || other === undefined)
      return placeholder(words, button("Try again", {}, actions.reload));
    const open = (): void => {
      actions.select(other);
    };
    return placeholder(words, button(`Show ${other}`, {}, open));
  }
  if (chart.phase === "ready")
    return placeholder(
      `No ${chart.interval} bar of ${chart.symbol ?? ""} yet. The first is on its way.`,
    );
  const { phase } = state.connection;
  if (phase === "reconnecting" || phase === "refused") return awaited(phase, "The chart", 0);
  return h("div", { class: "chart-skeleton", role: "img", "aria-label": "Loading the chart" });
}

export interface ChartActions {
  reload: () => void;
  select: (symbol: string) => void;
}

function describe(picture: Picture): string {
  const { symbol, interval, price, digits } = picture;
  if (Number.isNaN(price)) return `${symbol}, ${interval} chart`;
  return `${symbol}, ${interval} candles, ${picture.points.length} in view, last ${formatPrice(price, digits)}. The Table button shows them as a table.`;
}

/** The chart's panel. The library behind it is reached through the adapter only. */
export function chartView(store: AppStore, actions: ChartActions): View & { restyle: () => void } {
  const canvas = h("canvas", { role: "img" });
  const rest = h("div", { class: "rest" });
  const legend = legendView();
  const table = tableView();
  const stage = h("div", { class: "stage", tabindex: 0, "aria-label": "Chart" }, canvas);
  const tools = [headline(), timeframes(store), toggles(store)];
  const header = h("div", { class: "panel-header" }, ...tools.map(({ element }) => element));
  const body = h("div", { class: "chart-body" }, stage, table.element, rest);
  const element = h(
    "section",
    { class: "panel chart", "data-testid": "chart", "aria-labelledby": "chart-title" },
    header,
    legend.element,
    body,
  );

  let picture: Picture | undefined;
  let hovered: number | null = null;
  const paintLegend = (): void => {
    if (picture === undefined) return;
    const point = hovered === null ? picture.points.at(-1) : picture.points[hovered];
    legend.paint(picture, point);
  };
  const adapter: ChartAdapter = new ChartJsAdapter(canvas, {
    hover(index) {
      hovered = index;
      paintLegend();
    },
  });
  let carried = 0;
  listenForGestures(stage, {
    drag(pixels) {
      carried += pixels / adapter.barWidth();
      const bars = Math.trunc(carried);
      carried -= bars;
      if (bars !== 0) store.dispatch({ type: "pan", bars });
    },
    zoom(factor, anchor) {
      store.dispatch({ type: "zoom", factor, anchor });
    },
  });

  new ResizeObserver(([entry]) => {
    const width = entry?.contentRect.width ?? 0;
    if (width > 0) store.dispatch({ type: "chartWidth", width });
  }).observe(body);

  let painted: State["chart"] | undefined;
  let paintedZone = "";
  let paintedPrice: number | undefined;
  let restFor = "";
  const paintChart = (state: State): void => {
    const { chart, watchlist } = state;
    const price = watchlist.rows[chart.symbol ?? ""]?.price;
    const zone = zoneOf(state.preferences.zone);
    if (chart === painted && price === paintedPrice && zone === paintedZone) return;
    paintedPrice = price;
    paintedZone = zone;
    picture = pictureOf(chart, zone, price);
    const empty = chart.bars.length === 0;
    stage.hidden = empty || chart.table;
    table.element.hidden = empty || !chart.table;
    setAttributes(element, {
      "data-symbol": chart.symbol ?? "",
      "data-interval": chart.interval,
      "data-bars": chart.bars.length,
      "data-visible": picture.points.length,
      "data-phase": chart.phase,
    });
    if (!stage.hidden) adapter.draw(picture);
    if (!table.element.hidden) table.paint(picture);
    if (painted?.symbol !== chart.symbol || painted.interval !== chart.interval) hovered = null;
    if (painted?.phase !== chart.phase) setAttributes(canvas, { "aria-label": describe(picture) });
    painted = chart;
    paintLegend();
  };
  return {
    element,
    paint(state) {
      for (const tool of tools) tool.paint(state);
      paintChart(state);
      const { chart, watchlist } = state;
      const kind = `${state.connection.phase} ${chart.phase} ${chart.interval} ${chart.bars.length > 0} ${chart.symbol ?? ""} ${watchlist.symbols[0] ?? ""}`;
      if (kind === restFor) return;
      restFor = kind;
      const shown = restOf(state, actions);
      rest.replaceChildren(...(shown === undefined ? [] : [shown]));
    },
    restyle() {
      adapter.restyle();
    },
  };
}
