import type { AlertEvent, Bar, IndicatorSet, Interval } from "../socket/records.ts";
import type { ServerError } from "../socket/protocol.ts";
import type { Action, ChartKind } from "../store/actions.ts";

import { lowerBound, merge, seriesLimit } from "./series.ts";
import { defaultStudies, toggled } from "./studies.ts";
import { grow, homeView, pan, type Viewport, visibleRange, wholeView, zoom } from "./viewport.ts";

/** Whether there are bars before the oldest: perhaps, being asked for, none, or that couldn't be told. */
export type Older = "perhaps" | "asked" | "none" | "failed";

/** The other symbol of a comparison. */
export interface Rival {
  symbol: string;
  phase: "loading" | "ready" | "failed";
  error: ServerError | null;
  bars: readonly Bar[];
  older: Older;
}

export interface ChartState {
  symbol: string | null;
  interval: Interval;
  phase: "waiting" | "loading" | "ready" | "failed";
  error: ServerError | null;
  bars: readonly Bar[];
  indicators: readonly IndicatorSet[];
  older: Older;
  rival: Rival | null;
  viewport: Viewport;
  /** The view that `fit` and another series begin with. */
  home: Viewport;
  /** Of the chart, pixels. */
  width: number;
  kind: ChartKind;
  /** What is shown beside the prices, by the studies' ids. */
  studies: readonly string[];
  table: boolean;
  /** What alerts have said, of all symbols, oldest first. */
  alerts: readonly AlertEvent[];
}

const firstWidth = 840;
const mostAlerts = 500;

export const emptyChart: ChartState = {
  symbol: null,
  interval: "1m",
  phase: "waiting",
  error: null,
  bars: [],
  indicators: [],
  older: "perhaps",
  rival: null,
  viewport: homeView(firstWidth),
  home: homeView(firstWidth),
  width: firstWidth,
  kind: "candles",
  studies: defaultStudies,
  table: false,
  alerts: [],
};

interface Key {
  symbol: string | null;
  interval: string;
}

const same = (one: Key, other: Key): boolean =>
  one.symbol === other.symbol && one.interval === other.interval;

const isRivals = ({ rival, interval }: ChartState, key: Key): boolean =>
  rival !== null && same({ symbol: rival.symbol, interval }, key);

function withBars(state: ChartState, records: readonly Bar[]): ChartState {
  const { rival } = state;
  const theirs = records.filter((bar) => isRivals(state, bar));
  const compared =
    rival?.phase === "ready" && theirs.length > 0
      ? { ...state, rival: { ...rival, bars: merge(rival.bars, theirs) } }
      : state;
  const own = records.filter((bar) => same(bar, state));
  if (state.phase !== "ready" || own.length === 0) return compared;
  const newest = state.bars.at(-1)?.start_ms ?? Number.NEGATIVE_INFINITY;
  const bars = merge(state.bars, own);
  const added = bars.length - lowerBound(bars, newest + 1);
  return { ...compared, bars, viewport: grow(state.viewport, added, bars.length) };
}

function withIndicators(state: ChartState, records: readonly IndicatorSet[]): ChartState {
  const own = records.filter((set) => same(set, state));
  if (own.length === 0) return state;
  return { ...state, indicators: merge(state.indicators, own) };
}

const newRival = (symbol: string): Rival => ({
  symbol,
  phase: "loading",
  error: null,
  bars: [],
  older: "perhaps",
});

/** Another series: nothing of the one before may stay on screen. */
function turnedTo(
  state: ChartState,
  key: Partial<Pick<ChartState, "symbol" | "interval">>,
): ChartState {
  const next = { ...state, ...key };
  if (same(next, state)) return state;
  const { rival } = state;
  const kept = rival === null || rival.symbol === next.symbol ? null : rival;
  return {
    ...next,
    bars: [],
    indicators: [],
    older: "perhaps",
    viewport: state.home,
    error: null,
    phase: next.symbol === null ? "waiting" : "loading",
    rival: kept === null || next.interval === state.interval ? kept : newRival(kept.symbol),
  };
}

function loaded(state: ChartState, bars: readonly Bar[]): ChartState {
  const series = merge([], bars);
  return {
    ...state,
    phase: "ready",
    error: null,
    bars: series,
    older: "perhaps",
    viewport: pan(state.viewport, 0, series.length),
  };
}

function compared(state: ChartState, symbol: string | null): ChartState {
  if (symbol === (state.rival?.symbol ?? null)) return state;
  return { ...state, rival: symbol === null || symbol === state.symbol ? null : newRival(symbol) };
}

function rivalAfter(state: ChartState, change: Partial<Rival>): ChartState {
  return state.rival === null ? state : { ...state, rival: { ...state.rival, ...change } };
}

type SeriesAction = Extract<
  Action,
  {
    type:
      | "chartLoading"
      | "chartLoaded"
      | "studiesLoaded"
      | "chartFailed"
      | "olderAsked"
      | "olderLoaded"
      | "olderFailed";
  }
>;

/** What became of a series: the chart's own, or that of the rival. */
function seriesReducer(state: ChartState, action: SeriesAction): ChartState {
  const own = same(state, action);
  if (!own && !isRivals(state, action)) return state;
  switch (action.type) {
    // The series on screen stays there while it is loaded anew.
    case "chartLoading": {
      const change = { phase: "loading", error: null } as const;
      return own ? { ...state, ...change } : rivalAfter(state, change);
    }
    case "chartLoaded":
      if (own) return loaded(state, action.bars);
      return rivalAfter(state, {
        phase: "ready",
        error: null,
        bars: merge([], action.bars),
        older: "perhaps",
      });
    case "studiesLoaded":
      return own ? { ...state, indicators: merge([], action.indicators) } : state;
    case "chartFailed": {
      const change = { phase: "failed", error: action.error } as const;
      return own ? { ...state, ...change } : rivalAfter(state, change);
    }
    case "olderAsked":
      return own ? { ...state, older: "asked" } : rivalAfter(state, { older: "asked" });
    case "olderFailed":
      return own ? { ...state, older: "failed" } : rivalAfter(state, { older: "failed" });
    case "olderLoaded": {
      const older = action.more && action.bars.length > 0 ? "perhaps" : "none";
      const bars = merge(own ? state.bars : (state.rival?.bars ?? []), action.bars);
      if (!own) return rivalAfter(state, { older, bars });
      return { ...state, older, bars, indicators: merge(state.indicators, action.indicators) };
    }
  }
}

/** Where the user goes; to go on towards the past is to try again. */
function moved(state: ChartState, viewport: Viewport): ChartState {
  const retried = state.older === "failed" ? { older: "perhaps" as const } : {};
  return { ...state, viewport, ...retried };
}

function withAlerts(
  state: ChartState,
  before: readonly AlertEvent[],
  records: readonly AlertEvent[],
): ChartState {
  const known = new Map(
    [...before, ...records].map((event) => [`${event.alert_id} ${event.revision}`, event]),
  );
  const alerts = [...known.values()].sort((one, other) => one.ts_event_ms - other.ts_event_ms);
  return { ...state, alerts: alerts.slice(-mostAlerts) };
}

function viewReducer(state: ChartState, action: Action): ChartState {
  const { viewport, bars } = state;
  switch (action.type) {
    case "chartWidth": {
      const home = homeView(action.width);
      const untouched = viewport.behind === 0 && viewport.bars === state.home.bars;
      return { ...state, home, width: action.width, viewport: untouched ? home : viewport };
    }
    case "zoom":
      return moved(state, zoom(viewport, action.factor, action.anchor, bars.length));
    case "pan":
      return moved(state, pan(viewport, action.bars, bars.length));
    case "fit":
      return { ...state, viewport: state.home };
    case "showAll":
      return moved(state, wholeView(bars.length));
    case "toNow":
      return { ...state, viewport: { ...viewport, behind: 0 } };
    default:
      return state;
  }
}

export function chartReducer(state: ChartState, action: Action): ChartState {
  switch (action.type) {
    case "select":
      return turnedTo(state, { symbol: action.symbol });
    case "timeframe":
      return turnedTo(state, { interval: action.interval });
    case "compare":
      return compared(state, action.symbol);
    case "chartLoading":
    case "chartLoaded":
    case "studiesLoaded":
    case "chartFailed":
    case "olderAsked":
    case "olderLoaded":
    case "olderFailed":
      return seriesReducer(state, action);
    case "bars":
      return withBars(state, action.records);
    case "indicators":
      return withIndicators(state, action.records);
    case "alertsLoaded":
      return withAlerts(state, [], action.records);
    case "alerts":
      return withAlerts(state, state.alerts, action.records);
    case "toggleStudy":
      return { ...state, studies: toggled(state.studies, action.study) };
    case "chartKind":
      return { ...state, kind: action.kind };
    case "toggleTable":
      return { ...state, table: !state.table };
    default:
      return viewReducer(state, action);
  }
}

/** Which series of the chart needs older bars for what is looked at, and from where on; undefined: none now. */
export function olderWanted(state: ChartState): { symbol: string; before: number } | undefined {
  const [first] = state.bars;
  if (state.symbol === null || state.phase !== "ready" || first === undefined) return undefined;
  const { from } = visibleRange(state.viewport, state.bars.length);
  const near = from < Math.min(state.viewport.bars, 500);
  if (near && state.older === "perhaps" && state.bars.length < seriesLimit)
    return { symbol: state.symbol, before: first.start_ms };
  const seen = state.bars[from]?.start_ms ?? first.start_ms;
  const { rival } = state;
  const theirs = rival?.bars[0];
  if (rival?.older !== "perhaps" || theirs === undefined || theirs.start_ms <= seen)
    return undefined;
  if (rival.phase !== "ready" || rival.bars.length >= seriesLimit) return undefined;
  return { symbol: rival.symbol, before: theirs.start_ms };
}
