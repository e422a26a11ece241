import type { Interval } from "../socket/records.ts";
import type { AlertEvent, Bar, IndicatorSet, MarketEvent, Tick } from "../socket/records.ts";
import type { ServerError } from "../socket/protocol.ts";

/** What came over the socket. `at` is the browser's clock in ms; `lost` counts records the server left out. */
export type DataAction =
  | { type: "marketLoaded"; at: number; symbols: string[]; records: Tick[] }
  | { type: "ticks"; at: number; records: Tick[]; lost: number }
  | { type: "bars"; at: number; records: Bar[]; lost: number }
  | { type: "indicators"; at: number; records: IndicatorSet[]; lost: number }
  | { type: "alertsLoaded"; at: number; records: AlertEvent[] }
  | { type: "alerts"; at: number; records: AlertEvent[]; lost: number }
  | { type: "marketEvents"; at: number; records: MarketEvent[]; lost: number }
  | { type: "chartLoading"; symbol: string; interval: Interval }
  | {
      type: "chartLoaded";
      symbol: string;
      interval: Interval;
      bars: Bar[];
      indicators: IndicatorSet[];
    }
  | { type: "chartFailed"; symbol: string; interval: Interval; error: ServerError };

/** What happened to the connection. */
export type ConnectionAction =
  | { type: "connecting"; at: number }
  | { type: "connected"; at: number }
  | { type: "disconnected"; at: number; reason: string; retryAt: number }
  | { type: "refused"; at: number; error: ServerError }
  | { type: "closing"; at: number; code: string }
  | { type: "serverStatus"; at: number; status: ServerError }
  | { type: "clock"; offsetMs: number; roundTripMs: number }
  | { type: "beat"; at: number };

export type Theme = "system" | "dark" | "light";
export type Palette = "green-red" | "blue-orange";
export type Study = "vwap" | "bands" | "volume" | "rsi";
export type Tab = "market" | "chart" | "alerts";
export type ActivityFilter = "all" | "market" | "server" | "connection";

/** What the user did. */
export type UserAction =
  | { type: "select"; symbol: string }
  | { type: "timeframe"; interval: Interval }
  | { type: "toggleStudy"; study: Study }
  | { type: "toggleTable" }
  | { type: "chartWidth"; width: number }
  | { type: "zoom"; factor: number; anchor: number }
  | { type: "pan"; bars: number }
  | { type: "fit" }
  | { type: "watchlistFilter"; text: string }
  | { type: "activityFilter"; kind: ActivityFilter; text: string }
  | { type: "theme"; theme: Theme }
  | { type: "palette"; palette: Palette }
  | { type: "tab"; tab: Tab };

export type Action = DataAction | ConnectionAction | UserAction;
