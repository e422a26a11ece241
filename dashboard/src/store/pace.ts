import { type Activity, activityReducer } from "../activity/reducer.ts";
import { type Analytics, analyticsReducer } from "../analytics/reducer.ts";
import { type ChartState, chartReducer } from "../chart/reducer.ts";
import { type MarketClock, marketClockReducer } from "../status/market-clock.ts";
import { type Metrics, metricsReducer } from "../status/metrics.ts";
import { type Watchlist, watchlistReducer } from "../watchlist/reducer.ts";

import type { Action, Frequency } from "./actions.ts";

/** What moves by itself, and so holds still when the user wants it to. */
export interface Moving {
  watchlist: Watchlist;
  chart: ChartState;
  activity: Activity;
  analytics: Analytics;
  marketClock: MarketClock;
  metrics: Metrics;
}

/** How far what is shown is behind what there is. */
export interface Pace {
  paused: boolean;
  /** What there is, while the screen holds still; null when that is what is shown. */
  ahead: Moving | null;
  /** When the screen last showed what there is, ms of the browser's clock. */
  shownAt: number;
  /** How many records have come since. */
  waiting: number;
  /** How often something was shown that didn't come by itself. */
  asked: number;
}

export const initialPace: Pace = { paused: false, ahead: null, shownAt: 0, waiting: 0, asked: 0 };

const periods: Readonly<Record<Frequency, number>> = { live: 0, "1s": 1_000, "5s": 5_000 };

/** What comes by itself. The rest is the user's doing, or the answer to it, and is shown at once. */
const news: ReadonlySet<Action["type"]> = new Set<Action["type"]>([
  "ticks",
  "bars",
  "indicators",
  "marketEvents",
  "analytics",
  "connected",
  "caughtUp",
  "disconnected",
  "refused",
  "closing",
  "serverStatus",
  "unavailable",
  "readiness",
  "offline",
  "slept",
  "paintStalled",
  "paintFailed",
]);

/** Whether the chart has the bars of a symbol already, as its own or as those it is compared with. */
function isShown({ symbol, phase, rival }: ChartState, wanted: string): boolean {
  return wanted === symbol
    ? phase === "ready"
    : wanted === rival?.symbol && rival.phase === "ready";
}

/** Whether the screen waits with an action: one that comes by itself, or a snapshot of what it shows already. */
function waits(action: Action, { watchlist, chart, analytics }: Moving): boolean {
  switch (action.type) {
    case "marketLoaded":
    case "barsLoaded":
      return watchlist.loaded;
    case "chartLoading":
    case "chartLoaded":
      return isShown(chart, action.symbol);
    case "analyticsLoaded":
      return action.scopes.every((scope) => analytics.scopes[scope]?.phase === "ready");
    default:
      return news.has(action.type);
  }
}

function recordsIn(action: Action): number {
  return "records" in action && news.has(action.type) ? action.records.length : 0;
}

function moved(state: Moving, action: Action): Moving {
  return {
    watchlist: watchlistReducer(state.watchlist, action),
    chart: chartReducer(state.chart, action),
    activity: activityReducer(state.activity, action),
    analytics: analyticsReducer(state.analytics, action),
    marketClock: marketClockReducer(state.marketClock, action),
    metrics: metricsReducer(state.metrics, action),
  };
}

/** What a screen that holds still takes up: its clock and its figures stand. */
function asked(state: Moving, action: Action): Moving {
  const { watchlist, chart, activity, analytics } = moved(state, action);
  return { ...state, watchlist, chart, activity, analytics };
}

function paceAfter(pace: Pace, action: Action): Pace {
  const asked = news.has(action.type) || action.type === "beat" ? pace.asked : pace.asked + 1;
  const paused = action.type === "pause" ? action.paused : pace.paused;
  return { ...pace, paused, asked };
}

/**
 * What is shown after an action, and what there is beside it. Nothing that comes meanwhile is lost: it is reduced as
 * ever, out of sight, so that waiting takes no more memory than going on.
 */
export function paced(
  shown: Moving,
  before: Pace,
  frequency: Frequency,
  action: Action,
): Moving & { pace: Pace; present: Moving } {
  const pace = paceAfter(before, action);
  const present = moved(pace.ahead ?? shown, action);
  const period = periods[frequency];
  const live = !pace.paused && period === 0;
  const due = !pace.paused && action.type === "beat" && action.at - pace.shownAt >= period;
  if (live || due) {
    const shownAt = action.type === "beat" ? action.at : pace.shownAt;
    return { ...present, present, pace: { ...initialPace, shownAt, asked: pace.asked } };
  }
  const still = waits(action, shown) ? shown : asked(shown, action);
  const waiting = pace.waiting + recordsIn(action);
  return { ...still, present, pace: { ...pace, ahead: present, waiting } };
}
