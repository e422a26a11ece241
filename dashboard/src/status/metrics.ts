import type { Tick } from "../socket/records.ts";
import type { Action } from "../store/actions.ts";

const windowMs = 1_000;
const windowsKept = 10;
const latenciesPerWindow = 500;
/** A latency beyond this says that the two clocks don't belong together, not that the record was slow. */
const plausibleMs = 3_600_000;

interface Window {
  from: number;
  ticks: number;
  latencies: readonly number[];
}

/** How fast and how complete the stream is: rates over the last ten seconds, counts since the page was opened. */
export interface Metrics {
  /** Server's clock less the browser's, ms. */
  offsetMs: number;
  roundTripMs: number;
  windows: readonly Window[];
  ticksPerSecond: number;
  medianMs: number;
  p99Ms: number;
  lost: number;
  /** How often the connection went, came back without a gap, and came back to begin anew. */
  drops: number;
  resumes: number;
  freshStarts: number;
  /** How often the page or its painting stood still. */
  stalls: number;
  /** What comes first after a reconnect is what was missed: it says nothing of the rate and the latency. */
  catchingUp: boolean;
  connected: boolean;
}

export const emptyMetrics: Metrics = {
  offsetMs: 0,
  roundTripMs: Number.NaN,
  windows: [],
  ticksPerSecond: Number.NaN,
  medianMs: Number.NaN,
  p99Ms: Number.NaN,
  lost: 0,
  drops: 0,
  resumes: 0,
  freshStarts: 0,
  stalls: 0,
  catchingUp: false,
  connected: false,
};

/** The value below which `share` of `sorted` lies (nearest rank); NaN for nothing. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

function latencies(ticks: readonly Tick[], at: number, offsetMs: number): number[] {
  return ticks
    .map((tick) => Math.max(0, at + offsetMs - tick.ts_ingest_ms))
    .filter((latency) => latency < plausibleMs);
}

function measured(state: Metrics, at: number, ticks: readonly Tick[], lost: number): Metrics {
  if (state.catchingUp) return { ...state, catchingUp: false };
  const current = state.windows.at(-1) ?? { from: at, ticks: 0, latencies: [] };
  const updated = {
    from: current.from,
    ticks: current.ticks + ticks.length + lost,
    latencies: [...current.latencies, ...latencies(ticks, at, state.offsetMs)].slice(
      0,
      latenciesPerWindow,
    ),
  };
  return { ...state, windows: [...state.windows.slice(0, -1), updated] };
}

/** Closes the current window once it is a second old and sums up the kept ones. */
function rolled(state: Metrics, at: number): Metrics {
  const current = state.windows.at(-1);
  if (current === undefined) return { ...state, windows: [{ from: at, ticks: 0, latencies: [] }] };
  if (at - current.from < windowMs) return state;
  const sorted = state.windows
    .flatMap((window) => window.latencies)
    .sort((one, other) => one - other);
  const ticks = state.windows.reduce((sum, window) => sum + window.ticks, 0);
  const seconds = (at - (state.windows[0]?.from ?? at)) / 1000;
  const next = { from: at, ticks: 0, latencies: [] };
  return {
    ...state,
    windows: [...state.windows, next].slice(-windowsKept),
    ticksPerSecond: ticks / seconds,
    medianMs: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
  };
}

export function metricsReducer(state: Metrics, action: Action): Metrics {
  switch (action.type) {
    case "clock":
      return { ...state, offsetMs: action.offsetMs, roundTripMs: action.roundTripMs };
    case "ticks":
      return measured(state, action.at, action.records, action.lost);
    // Ticks and bars are asked for conflated, so what is left out there is not lost.
    case "indicators":
    case "alerts":
    case "marketEvents":
      return action.lost === 0 ? state : { ...state, lost: state.lost + action.lost };
    case "connected": {
      const { windows, ticksPerSecond, medianMs, p99Ms } = emptyMetrics;
      const catchingUp = state.drops > 0;
      return { ...state, windows, ticksPerSecond, medianMs, p99Ms, catchingUp, connected: true };
    }
    case "caughtUp": {
      const { resumed, anew } = action;
      const gapless = resumed > 0 && anew === 0;
      return {
        ...state,
        resumes: state.resumes + (gapless ? 1 : 0),
        freshStarts: state.freshStarts + (anew > 0 ? 1 : 0),
      };
    }
    case "refused":
    case "disconnected": {
      const drops = state.drops + (state.connected ? 1 : 0);
      return { ...state, connected: false, drops };
    }
    case "slept":
    case "paintStalled":
      return { ...state, stalls: state.stalls + 1 };
    case "beat":
      return rolled(state, action.at);
    default:
      return state;
  }
}
