import { intervals } from "../socket/records.ts";
import { kinds } from "../chart/setup.ts";
import type { ChartKind, Tab, UserAction } from "../store/actions.ts";
import type { State } from "../store/state.ts";
import { neighbour } from "../watchlist/market.ts";

import { words as page } from "./words.ts";

const words = page.shortcuts;
const zoomStep = 1.25;
const panStep = 10;

/** What the page's keys do, for its help. */
export const shortcuts: readonly [string, string][] = [
  ["/", words.filter],
  ["↑ ↓", words.symbols],
  ["1 – 6", words.timeframes],
  ["+ −", words.zoom],
  ["← →", words.pan],
  ["0", words.now],
  ["n", words.toNow],
  ["f", words.showAll],
  ["k", words.kind],
  ["i", words.studies],
  ["c", words.compare],
  ["e", words.save],
  ["p", words.pause],
  ["a", words.alert],
  ["t", words.table],
  ["m", words.market],
  ["y", words.analytics],
  ["*", words.pin],
  ["s", words.system],
  ["g", words.tour],
  ["?", words.help],
];

/** The next way to draw the bars. */
function kindAfter(kind: ChartKind): ChartKind {
  return kinds[(kinds.indexOf(kind) + 1) % kinds.length] ?? kind;
}

/** To a view; from it, back to the chart. */
export function viewOrBack({ preferences }: State, tab: Tab): Tab {
  return preferences.tab === tab ? "chart" : tab;
}

/** The action that a key stands for, if any. */
export function actionOf(key: string, state: State): UserAction | undefined {
  const interval = intervals[Number(key) - 1];
  if (interval !== undefined) return { type: "timeframe", interval };
  switch (key) {
    case "ArrowUp":
    case "ArrowDown": {
      const symbol = neighbour(state.market, state.chart.symbol, key === "ArrowUp" ? -1 : 1);
      return symbol === null ? undefined : { type: "select", symbol };
    }
    case "ArrowLeft":
      return { type: "pan", bars: panStep };
    case "ArrowRight":
      return { type: "pan", bars: -panStep };
    case "+":
    case "=":
      return { type: "zoom", factor: 1 / zoomStep, anchor: 1 };
    case "-":
      return { type: "zoom", factor: zoomStep, anchor: 1 };
    case "0":
      return { type: "fit" };
    case "f":
      return { type: "showAll" };
    case "n":
      return { type: "toNow" };
    case "k":
      return { type: "chartKind", kind: kindAfter(state.chart.kind) };
    case "s":
      return { type: "tab", tab: viewOrBack(state, "system") };
    case "m":
      return { type: "tab", tab: viewOrBack(state, "market") };
    case "y":
      return { type: "tab", tab: viewOrBack(state, "analytics") };
    case "*":
      return state.chart.symbol === null ? undefined : { type: "pin", symbol: state.chart.symbol };
    case "p":
      return { type: "pause", paused: !state.pace.paused };
    case "t":
      return { type: "toggleTable" };
    default:
      return undefined;
  }
}
