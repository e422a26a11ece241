import type { Bar, IndicatorSet, Interval } from "../socket/records.ts";
import type { ServerError } from "../socket/protocol.ts";
import type { Action, Study } from "../store/actions.ts";

import { lowerBound, merge } from "./series.ts";
import { grow, homeView, pan, type Viewport, zoom } from "./viewport.ts";

export interface ChartState {
  symbol: string | null;
  interval: Interval;
  phase: "waiting" | "loading" | "ready" | "failed";
  error: ServerError | null;
  bars: readonly Bar[];
  indicators: readonly IndicatorSet[];
  viewport: Viewport;
  /** The view that `fit` and another series begin with. */
  home: Viewport;
  studies: Readonly<Record<Study, boolean>>;
  table: boolean;
}

export const emptyChart: ChartState = {
  symbol: null,
  interval: "1m",
  phase: "waiting",
  error: null,
  bars: [],
  indicators: [],
  viewport: homeView(840),
  home: homeView(840),
  studies: { vwap: true, bands: true, volume: true, rsi: true },
  table: false,
};

interface Key {
  symbol: string | null;
  interval: string;
}

const same = (one: Key, other: Key): boolean =>
  one.symbol === other.symbol && one.interval === other.interval;

function withBars(state: ChartState, records: readonly Bar[]): ChartState {
  const own = records.filter((bar) => same(bar, state));
  if (state.phase !== "ready" || own.length === 0) return state;
  const newest = state.bars.at(-1)?.start_ms ?? Number.NEGATIVE_INFINITY;
  const bars = merge(state.bars, own);
  const added = bars.length - lowerBound(bars, newest + 1);
  return { ...state, bars, viewport: grow(state.viewport, added, bars.length) };
}

function withIndicators(state: ChartState, records: readonly IndicatorSet[]): ChartState {
  const own = records.filter((set) => same(set, state));
  if (own.length === 0) return state;
  return { ...state, indicators: merge(state.indicators, own) };
}

/** Another series: nothing of the one before may stay on screen. */
function turnedTo(
  state: ChartState,
  key: Partial<Pick<ChartState, "symbol" | "interval">>,
): ChartState {
  const next = { ...state, ...key };
  if (same(next, state)) return state;
  const fresh = { bars: [], indicators: [], viewport: state.home, error: null };
  return { ...next, ...fresh, phase: next.symbol === null ? "waiting" : "loading" };
}

function loaded(state: ChartState, bars: readonly Bar[]): ChartState {
  const series = merge([], bars);
  return {
    ...state,
    phase: "ready",
    error: null,
    bars: series,
    viewport: pan(state.viewport, 0, series.length),
  };
}

export function chartReducer(state: ChartState, action: Action): ChartState {
  switch (action.type) {
    case "select":
      return turnedTo(state, { symbol: action.symbol });
    case "timeframe":
      return turnedTo(state, { interval: action.interval });
    // The series on screen stays there while it is loaded anew.
    case "chartLoading":
      return same(state, action) ? { ...state, phase: "loading", error: null } : state;
    case "chartLoaded":
      return same(state, action) ? loaded(state, action.bars) : state;
    case "studiesLoaded":
      return same(state, action) ? { ...state, indicators: merge([], action.indicators) } : state;
    case "chartFailed":
      return same(state, action) ? { ...state, phase: "failed", error: action.error } : state;
    case "bars":
      return withBars(state, action.records);
    case "indicators":
      return withIndicators(state, action.records);
    case "toggleStudy": {
      const studies = { ...state.studies, [action.study]: !state.studies[action.study] };
      return { ...state, studies };
    }
    case "toggleTable":
      return { ...state, table: !state.table };
    case "chartWidth": {
      const home = homeView(action.width);
      const untouched = state.viewport.behind === 0 && state.viewport.bars === state.home.bars;
      return { ...state, home, viewport: untouched ? home : state.viewport };
    }
    case "zoom": {
      const { factor, anchor } = action;
      return { ...state, viewport: zoom(state.viewport, factor, anchor, state.bars.length) };
    }
    case "pan":
      return { ...state, viewport: pan(state.viewport, action.bars, state.bars.length) };
    case "fit":
      return { ...state, viewport: state.home };
    default:
      return state;
  }
}
