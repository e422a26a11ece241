import { emptyAnalytics } from "../analytics/reducer.ts";
import { emptyActivity } from "../activity/reducer.ts";
import { type Alerts, alertsReducer, emptyAlerts } from "../alerts/reducer.ts";
import { emptyChart } from "../chart/reducer.ts";
import { type Connection, connectionReducer, initialConnection } from "../status/connection.ts";
import { initialMarketClock } from "../status/market-clock.ts";
import { emptyMetrics, type Metrics } from "../status/metrics.ts";
import { emptySystem, sampled, type System, systemReducer } from "../system/reducer.ts";
import { defaultPreferences, type Preferences, preferencesReducer } from "../ui/preferences.ts";
import { tourReducer } from "../tour/reducer.ts";
import { emptyMarket, type Market, marketReducer } from "../watchlist/market.ts";
import { emptyWatchlist } from "../watchlist/reducer.ts";

import type { Action } from "./actions.ts";
import { initialPace, type Moving, type Pace, paced } from "./pace.ts";
import type { Store } from "./store.ts";

/** What is shown. What moves by itself may be behind what there is: see the pace. */
export interface State extends Moving {
  pace: Pace;
  /** How the user looks at the watchlist. */
  market: Market;
  alerts: Alerts;
  connection: Connection;
  system: System;
  preferences: Preferences;
  /** The step of the tour that is shown; null: none. */
  tour: number | null;
}

export type AppStore = Store<State, Action>;

export const initialState: State = {
  pace: initialPace,
  watchlist: emptyWatchlist,
  market: emptyMarket,
  chart: emptyChart,
  alerts: emptyAlerts,
  activity: emptyActivity,
  analytics: emptyAnalytics,
  connection: initialConnection,
  marketClock: initialMarketClock,
  metrics: emptyMetrics,
  system: emptySystem,
  preferences: defaultPreferences,
  tour: null,
};

export function rootReducer(state: State, action: Action): State {
  const { frequency } = state.preferences;
  const { present, ...moving } = paced(state, state.pace, frequency, action);
  return {
    ...moving,
    market: marketReducer(state.market, action, state.watchlist.symbols, moving.watchlist),
    alerts: alertsReducer(state.alerts, action),
    connection: connectionReducer(state.connection, action),
    system: systemAfter(state.system, present.metrics, action),
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
