import { type Activity, activityReducer, emptyActivity } from "../activity/reducer.ts";
import { type Alerts, alertsReducer, emptyAlerts } from "../alerts/reducer.ts";
import { type ChartState, chartReducer, emptyChart } from "../chart/reducer.ts";
import { type Connection, connectionReducer, initialConnection } from "../status/connection.ts";
import {
  initialMarketClock,
  type MarketClock,
  marketClockReducer,
} from "../status/market-clock.ts";
import { emptyMetrics, type Metrics, metricsReducer } from "../status/metrics.ts";
import { emptySystem, sampled, type System, systemReducer } from "../system/reducer.ts";
import { defaultPreferences, type Preferences, preferencesReducer } from "../ui/preferences.ts";
import { tourReducer } from "../tour/reducer.ts";
import { emptyMarket, type Market, marketReducer } from "../watchlist/market.ts";
import { emptyWatchlist, type Watchlist, watchlistReducer } from "../watchlist/reducer.ts";

import type { Action } from "./actions.ts";
import type { Store } from "./store.ts";

export interface State {
  watchlist: Watchlist;
  /** How the user looks at the watchlist. */
  market: Market;
  chart: ChartState;
  alerts: Alerts;
  activity: Activity;
  connection: Connection;
  marketClock: MarketClock;
  metrics: Metrics;
  system: System;
  preferences: Preferences;
  /** The step of the tour that is shown; null: none. */
  tour: number | null;
}

export type AppStore = Store<State, Action>;

export const initialState: State = {
  watchlist: emptyWatchlist,
  market: emptyMarket,
  chart: emptyChart,
  alerts: emptyAlerts,
  activity: emptyActivity,
  connection: initialConnection,
  marketClock: initialMarketClock,
  metrics: emptyMetrics,
  system: emptySystem,
  preferences: defaultPreferences,
  tour: null,
};

export function rootReducer(state: State, action: Action): State {
  const metrics = metricsReducer(state.metrics, action);
  const watchlist = watchlistReducer(state.watchlist, action);
  return {
    watchlist,
    market: marketReducer(state.market, action, state.watchlist.symbols, watchlist),
    chart: chartReducer(state.chart, action),
    alerts: alertsReducer(state.alerts, action),
    activity: activityReducer(state.activity, action),
    connection: connectionReducer(state.connection, action),
    marketClock: marketClockReducer(state.marketClock, action),
    metrics,
    system: systemAfter(state.system, metrics, action),
    preferences: preferencesReducer(state.preferences, action),
    tour: tourReducer(state.tour, action),
  };
}

/** The system view keeps what the metrics say each second. */
function systemAfter(state: System, metrics: Metrics, action: Action): System {
  if (action.type !== "beat") return systemReducer(state, action);
  const { ticksPerSecond, medianMs, p99Ms, roundTripMs } = metrics;
  return sampled(state, action.at, { rate: ticksPerSecond, medianMs, p99Ms, roundTripMs });
}
