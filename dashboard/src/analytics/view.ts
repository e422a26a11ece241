import { errorWords } from "../status/words.ts";
import type { AppStore, State } from "../store/state.ts";
import {
  awaited,
  button,
  h,
  panel,
  placeholder,
  setAttributes,
  setChildren,
  setText,
} from "../ui/dom.ts";
import { formatDay, formatMinute, zoneName } from "../ui/format.ts";
import { zoneOf } from "../ui/time-zone.ts";

import type { Card, Source } from "./card.ts";
import { groupCards, marketCards } from "./market.ts";
import { type Analytics, marketScope, newestMinute } from "./reducer.ts";
import { cardsView } from "./render.ts";
import { symbolCards } from "./symbol.ts";
import { words } from "./words.ts";

interface Part {
  element: HTMLElement;
  paint: (state: State) => void;
}

const skeletonRows = 8;

/** Why there are no figures of a scope; null when there are, "" while they may come at any moment. */
function whyNone(analytics: Analytics, name: string | null, nothing: string): string | null {
  if (name === null) return words.noSymbol;
  const scope = analytics.scopes[name];
  if (scope?.phase === "failed" && scope.error !== null)
    return words.failed(errorWords(scope.error));
  if (scope?.phase !== "ready") return "";
  return Object.keys(scope.figures).length === 0 ? nothing : null;
}

/** The minute that a scope's figures are of. */
function minuteOf({ scopes }: Analytics, name: string | null, zone: string): string {
  const scope = name === null ? undefined : scopes[name];
  if (scope === undefined) return "";
  const newest = newestMinute({ scopes: { one: scope }, groups: [] });
  if (Number.isNaN(newest)) return "";
  return words.minute(formatDay(newest, zone), formatMinute(newest, zone), zoneName(zone));
}

/** A panel of one scope's cards, or of why there are none. */
function figuresPanel(
  name: string,
  title: string,
  tools: readonly Node[],
  open: (symbol: string) => void,
  cardsOf: (source: Source, state: State) => readonly Card[],
): {
  element: HTMLElement;
  paint: (state: State, scope: string | null, nothing: string) => void;
} {
  const minute = h("span", { class: "count number", "data-testid": `${name}-minute` });
  const cards = cardsView(open);
  const rest = h("div", { class: "rest" });
  const element = panel(name, title, [minute, ...tools], cards.element, rest);
  let restFor = "";
  return {
    element,
    paint(state, scope, nothing) {
      const { analytics, connection, preferences } = state;
      const zone = zoneOf(preferences.zone);
      const why = whyNone(analytics, scope, nothing);
      setText(minute, minuteOf(analytics, scope, zone));
      setAttributes(element, { "data-phase": why === null ? "ready" : "empty" });
      cards.element.hidden = why !== null;
      const key = why === null ? "" : `${why} ${connection.phase}`;
      if (key !== restFor) {
        restFor = key;
        rest.replaceChildren(
          ...(why === null
            ? []
            : [
                why === ""
                  ? awaited(connection.phase, words.region, skeletonRows)
                  : placeholder(why),
              ]),
        );
      }
      if (why !== null || scope === null) return;
      const figures = analytics.scopes[scope]?.figures ?? {};
      cards.update(cardsOf({ figures, newest: newestMinute(analytics), zone }, state));
    },
  };
}

/** The choice of the symbol, which is the chart's. */
function symbolChoice(store: AppStore): Part {
  const element = h("select", { "aria-label": words.choose, "data-testid": "analytics-symbol" });
  element.addEventListener("change", () => {
    store.dispatch({ type: "select", symbol: element.value });
  });
  let known: readonly string[] = [];
  return {
    element,
    paint({ watchlist, chart }) {
      const chosen = chart.symbol === null ? [] : [chart.symbol];
      const wanted = [...new Set([...watchlist.symbols, ...chosen])];
      if (wanted.join("\n") !== known.join("\n")) {
        known = wanted;
        setChildren(
          element,
          wanted.map((symbol) => h("option", { value: symbol }, symbol)),
        );
      }
      if (chart.symbol !== null && element.value !== chart.symbol) element.value = chart.symbol;
      element.hidden = wanted.length === 0;
    },
  };
}

/** Writes out what each figure means, or leaves it to the pointer. */
function explainButton(element: () => HTMLElement): HTMLElement {
  const control = button(
    words.explain,
    { class: "toggle", "aria-pressed": "false", "data-testid": "explain" },
    () => {
      const explained = !element().hasAttribute("data-explained");
      setAttributes(element(), { "data-explained": explained });
      setAttributes(control, { "aria-pressed": String(explained) });
    },
  );
  return control;
}

/** What the platform works out of the market and of the chosen symbol, in the place of all other views. */
export function analyticsView(store: AppStore): Part {
  const open = (symbol: string): void => {
    store.dispatch({ type: "select", symbol });
    store.dispatch({ type: "tab", tab: "chart" });
  };
  const choice = symbolChoice(store);
  const toChart = button(words.openChart, { "data-testid": "analytics-chart" }, () => {
    store.dispatch({ type: "tab", tab: "chart" });
  });
  const explain = explainButton(() => element);
  const market = figuresPanel(
    "market-figures",
    words.market,
    [explain],
    open,
    (source, { analytics }) => [
      ...marketCards(source),
      ...groupCards(analytics, source.newest, source.zone),
    ],
  );
  const tools = [choice.element, toChart];
  const symbol = figuresPanel("symbol-figures", words.symbol, tools, open, symbolCards);
  const element = h(
    "div",
    {
      class: "analytics",
      "data-testid": "analytics",
      tabindex: 0,
      role: "region",
      "aria-label": words.region,
    },
    market.element,
    symbol.element,
  );
  let painted: readonly unknown[] = [];
  return {
    element,
    paint(state) {
      const { preferences, analytics, chart, watchlist, connection } = state;
      if (preferences.tab !== "analytics") return;
      const shown = [
        analytics,
        chart.symbol,
        watchlist.symbols,
        preferences.zone,
        connection.phase,
      ];
      if (shown.every((one, place) => one === painted[place])) return;
      painted = shown;
      choice.paint(state);
      market.paint(state, marketScope, words.noFigures);
      symbol.paint(state, chart.symbol, words.noSymbolFigures(chart.symbol ?? ""));
      setAttributes(toChart, { disabled: chart.symbol === null });
    },
  };
}
