import type { EntryFilter } from "../activity/filter.ts";
import type { AlertFilter } from "../alerts/filter.ts";
import type { Kinds } from "../alerts/parameters.ts";
import type { Alert, AlertPage, Rule } from "../alerts/records.ts";
import type { Silence } from "../alerts/silences.ts";
import type { Interval } from "../socket/records.ts";
import type {
  AlertEvent,
  Bar,
  Figure,
  IndicatorSet,
  MarketEvent,
  Tick,
} from "../socket/records.ts";
import type { Reports } from "../system/figures.ts";
import type { ZoneChoice } from "../ui/time-zone.ts";
import type { MarketAction } from "../watchlist/market.ts";
import type { Channel, ServerError, ServerStatus } from "../socket/protocol.ts";

/** What came over the socket. `at` is the browser's clock in ms; `lost` counts records the server left out. */
export type DataAction =
  | { type: "marketLoaded"; at: number; symbols: string[]; records: Tick[] }
  | { type: "ticks"; at: number; records: Tick[]; lost: number }
  | { type: "barsLoaded"; at: number; records: Bar[] }
  | { type: "bars"; at: number; records: Bar[]; lost: number }
  | { type: "indicators"; at: number; records: IndicatorSet[]; lost: number }
  | { type: "alertsLoaded"; at: number; records: AlertEvent[] }
  | { type: "alerts"; at: number; records: AlertEvent[]; lost: number }
  | { type: "marketEvents"; at: number; records: MarketEvent[]; lost: number }
  /** These scopes' figures are followed from now on, no others'; these are there; these can't be had. */
  | { type: "analyticsFollowed"; scopes: readonly string[] }
  | { type: "analyticsLoaded"; scopes: readonly string[]; records: Figure[] }
  | { type: "analyticsFailed"; scopes: readonly string[]; error: ServerError }
  | { type: "analytics"; at: number; records: Figure[] }
  /** The groups of symbols that have figures. */
  | { type: "groups"; names: readonly string[] }
  | { type: "chartLoading"; symbol: string; interval: Interval }
  | { type: "chartLoaded"; symbol: string; interval: Interval; bars: Bar[] }
  | { type: "studiesLoaded"; symbol: string; interval: Interval; indicators: IndicatorSet[] }
  | { type: "chartFailed"; symbol: string; interval: Interval; error: ServerError }
  /** Older bars of a series in the chart were asked for, came (`more`: there are still older ones), or didn't. */
  | { type: "olderAsked"; symbol: string; interval: Interval }
  | {
      type: "olderLoaded";
      symbol: string;
      interval: Interval;
      bars: Bar[];
      indicators: IndicatorSet[];
      more: boolean;
    }
  | { type: "olderFailed"; symbol: string; interval: Interval; error: ServerError };

/** What happened to the connection. */
export type ConnectionAction =
  | { type: "connecting"; at: number }
  | { type: "connected"; at: number }
  /** Everything that is followed is live; so many subscriptions went on where they were, and so many began anew. */
  | { type: "caughtUp"; at: number; resumed: number; anew: number }
  | { type: "disconnected"; at: number; reason: string; retryAt: number; error?: ServerError }
  | { type: "refused"; at: number; error: ServerError; keyGiven: boolean }
  | { type: "closing"; at: number; code: string }
  | { type: "serverStatus"; at: number; status: ServerStatus }
  /** The server won't give the records of a channel. */
  | { type: "unavailable"; at: number; channel: Channel; error: ServerError }
  /** The parts of the server that can't do their work now. */
  | { type: "readiness"; at: number; missing: string[] }
  /** A sign of life of the server, whatever it was. */
  | { type: "heard"; at: number }
  | { type: "offline"; at: number; offline: boolean }
  | { type: "clock"; offsetMs: number; roundTripMs: number }
  /** The page stood still for so long: the machine slept, or the browser froze it. */
  | { type: "slept"; at: number; ms: number }
  /** Painting stood still for so long, or a part of the page can't be drawn. */
  | { type: "paintStalled"; at: number; ms: number }
  | { type: "paintFailed"; at: number; part: string }
  | { type: "beat"; at: number };

/** What the services said of themselves. */
export type SystemAction =
  { type: "figures"; reports: Reports } | { type: "figuresFailed"; error: ServerError };

/** What the alerting service answered. `next` is undefined where it says nothing of the pages that follow. */
export type AlertingAction =
  | { type: "alertsKept"; alerts: readonly Alert[]; next: string | null | undefined }
  | { type: "alertsFailed"; error: ServerError }
  | { type: "access"; mayWrite: boolean }
  | { type: "rulesLoaded"; rules: readonly Rule[] }
  | { type: "kindsLoaded"; kinds: Kinds }
  | { type: "silencesLoaded"; silences: readonly Silence[] };

export type Theme = "system" | "dark" | "light";
export type Palette = "green-red" | "blue-orange";
export type ChartKind = "candles" | "bars" | "line";
/** How often what is shown follows what there is. */
export type Frequency = "live" | "1s" | "5s";
export type Tab = "market" | "chart" | "analytics" | "alerts" | "system";
export type ActivityFilter = "all" | "market" | "server" | "connection";

/** What the user did. */
export type UserAction =
  /** `byItself` when the page chose, not the user. */
  | { type: "select"; symbol: string; byItself?: true }
  | { type: "timeframe"; interval: Interval }
  | { type: "toggleStudy"; study: string }
  | { type: "chartKind"; kind: ChartKind }
  /** Shows another symbol beside the chart's, null none. */
  | { type: "compare"; symbol: string | null }
  | { type: "toggleTable" }
  | { type: "chartWidth"; width: number }
  | { type: "zoom"; factor: number; anchor: number }
  | { type: "pan"; bars: number }
  /** The newest bars at their usual width; all bars there are; the newest at the present width. */
  | { type: "fit" }
  | { type: "showAll" }
  | { type: "toNow" }
  | { type: "alertFilter"; filter: Partial<AlertFilter> }
  | { type: "alertPage"; page: AlertPage }
  | { type: "notify"; on: boolean }
  | { type: "sound"; on: boolean }
  | { type: "activityFilter"; filter: Partial<EntryFilter> }
  | { type: "theme"; theme: Theme }
  | { type: "palette"; palette: Palette }
  | { type: "zone"; zone: ZoneChoice }
  | { type: "frequency"; frequency: Frequency }
  | { type: "pause"; paused: boolean }
  | { type: "tab"; tab: Tab }
  /** To a step of the tour; null ends it. */
  | { type: "tour"; step: number | null }
  | MarketAction;

export type Action = DataAction | ConnectionAction | SystemAction | AlertingAction | UserAction;
