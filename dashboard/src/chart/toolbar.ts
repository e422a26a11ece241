import { intervals } from "../socket/records.ts";
import type { AppStore, State } from "../store/state.ts";
import { button, h, setAttributes, setText, svg } from "../ui/dom.ts";

import { kinds } from "./setup.ts";
import { words } from "./words.ts";

export interface View {
  element: HTMLElement;
  paint: (state: State) => void;
}

/** What the toolbar opens. */
export interface ToolbarActions {
  openStudies: () => void;
  openCompare: () => void;
  openSave: () => void;
}

function timeframes(store: AppStore): View {
  const buttons = intervals.map((interval, index) =>
    button(
      interval,
      { "data-testid": `timeframe-${interval}`, "aria-keyshortcuts": String(index + 1) },
      () => {
        store.dispatch({ type: "timeframe", interval });
      },
    ),
  );
  const attributes = { class: "segments", role: "group", "aria-label": words.timeframe };
  return {
    element: h("div", attributes, ...buttons),
    paint({ chart }) {
      buttons.forEach((item, index) => {
        setAttributes(item, { "aria-pressed": String(intervals[index] === chart.interval) });
      });
    },
  };
}

const pictures = {
  candles: "M4 1v14M2 4h4v7H2zM12 2v12M10 5h4v6h-4z",
  bars: "M5 2v12M2 5h3M5 11h3M12 3v10M9 6h3M12 10h3",
  line: "M1 12l4-5 4 3 6-8",
} as const;

function kindSwitch(store: AppStore): View {
  const buttons = kinds.map((kind) => {
    const attributes = {
      class: "kind",
      "data-testid": `kind-${kind}`,
      "aria-label": words.kinds[kind],
      title: words.kinds[kind],
    };
    const item = button("", attributes, () => {
      store.dispatch({ type: "chartKind", kind });
    });
    const drawing = svg("path", { d: pictures[kind] });
    item.append(svg("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, drawing));
    return item;
  });
  const attributes = { class: "segments kinds", role: "group", "aria-label": words.kind };
  return {
    element: h("div", attributes, ...buttons),
    paint({ chart }) {
      buttons.forEach((item, index) => {
        setAttributes(item, { "aria-pressed": String(kinds[index] === chart.kind) });
      });
    },
  };
}

function tools(store: AppStore, actions: ToolbarActions): View {
  const opens = { "aria-haspopup": "dialog" };
  const studies = button("", { "data-testid": "studies-open", ...opens }, actions.openStudies);
  const compare = button(
    words.compare,
    { "data-testid": "compare-open", ...opens },
    actions.openCompare,
  );
  const table = button(words.table, { "data-testid": "table-toggle" }, () => {
    store.dispatch({ type: "toggleTable" });
  });
  const save = button(words.save, { "data-testid": "save-open", ...opens }, actions.openSave);
  const attributes = { class: "toggles", role: "group", "aria-label": words.shown };
  return {
    element: h("div", attributes, studies, compare, table, save),
    paint({ chart }) {
      setText(studies, words.studies(chart.studies.length));
      const other = chart.rival?.symbol;
      setText(compare, other === undefined ? words.compare : `⇄ ${other}`);
      setAttributes(compare, {
        "data-on": other !== undefined,
        "aria-label": other === undefined ? words.compare : words.comparedWith(other),
      });
      setAttributes(table, { "aria-pressed": String(chart.table) });
    },
  };
}

/** The chart's switches, from left to right. */
export function toolbar(store: AppStore, actions: ToolbarActions): View[] {
  return [timeframes(store), kindSwitch(store), tools(store, actions)];
}

const zoomStep = 1.4;

/** The buttons over the chart: nearer, further, everything, now. */
export function navigation(store: AppStore): View {
  const tool = (name: string, label: string, text: string, act: () => void): HTMLElement =>
    button(text, { "data-testid": `chart-${name}`, "aria-label": label, title: label }, act);
  const out = tool("zoom-out", words.zoomOut, "−", () => {
    store.dispatch({ type: "zoom", factor: zoomStep, anchor: 1 });
  });
  const closer = tool("zoom-in", words.zoomIn, "+", () => {
    store.dispatch({ type: "zoom", factor: 1 / zoomStep, anchor: 1 });
  });
  const all = tool("show-all", words.showAll, "↔", () => {
    store.dispatch({ type: "showAll" });
  });
  const now = tool("to-now", words.toNow, `${words.now} »`, () => {
    store.dispatch({ type: "toNow" });
  });
  now.classList.add("to-now");
  return {
    element: h("div", { class: "chart-navigation" }, out, closer, all, now),
    paint({ chart }) {
      now.hidden = chart.viewport.behind === 0;
    },
  };
}
