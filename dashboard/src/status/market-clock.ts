import type { Bar, MarketEvent } from "../socket/records.ts";
import type { Action } from "../store/actions.ts";

/** An event time this far from its arrival is a recording's. */
const replayGapMs = 600_000;

export type Session = "unknown" | "pre" | "regular" | "post" | "closed" | "continuous";

/** The time on the market, which is not the wall clock's during a replay. */
export interface MarketClock {
  /** Newest event time seen, ms; NaN before the first. */
  time: number;
  replay: boolean;
  session: Session;
  /** Event time at which the session was last told, ms. */
  sessionTime: number;
}

export const initialMarketClock: MarketClock = {
  time: Number.NaN,
  replay: false,
  session: "unknown",
  sessionTime: Number.NEGATIVE_INFINITY,
};

const sessions: readonly string[] = ["pre", "regular", "post", "closed", "continuous"];

function told(state: MarketClock, session: string, time: number): MarketClock {
  if (!sessions.includes(session) || time < state.sessionTime) return state;
  return { ...state, session: session as Session, sessionTime: time };
}

function fromBars(state: MarketClock, bars: readonly Bar[]): MarketClock {
  return bars
    .filter((bar) => bar.interval === "1m")
    .reduce((clock, bar) => told(clock, bar.session, bar.start_ms), state);
}

const eventSessions: Readonly<Record<string, Session>> = {
  session_open: "regular",
  session_close: "closed",
};

function fromEvents(state: MarketClock, events: readonly MarketEvent[]): MarketClock {
  return events.reduce(
    (clock, { type, ts_event_ms }) => told(clock, eventSessions[type] ?? "", ts_event_ms),
    state,
  );
}

/** `arrivedAt` gives, for a record, when it reached the platform or this page. */
function moved(
  state: MarketClock,
  times: readonly { event: number; arrival: number }[],
): MarketClock {
  const newest = times.reduce((one, other) => (other.event > one.event ? other : one), {
    event: Number.NEGATIVE_INFINITY,
    arrival: 0,
  });
  if (newest.event < state.time || newest.event === Number.NEGATIVE_INFINITY) return state;
  return {
    ...state,
    time: newest.event,
    replay: Math.abs(newest.arrival - newest.event) > replayGapMs,
  };
}

export function marketClockReducer(state: MarketClock, action: Action): MarketClock {
  switch (action.type) {
    case "marketLoaded":
      // The newest trade may be from before a weekend: when the platform got it tells a recording.
      return moved(
        initialMarketClock,
        action.records.map((tick) => ({ event: tick.ts_event_ms, arrival: tick.ts_ingest_ms })),
      );
    case "ticks":
      return moved(
        state,
        action.records.map((tick) => ({ event: tick.ts_event_ms, arrival: action.at })),
      );
    case "barsLoaded":
    case "bars":
      return fromBars(state, action.records);
    case "marketEvents":
      return fromEvents(state, action.records);
    default:
      return state;
  }
}

/** Whether records are to be expected; yes while nothing says otherwise. */
export function isOpen(clock: MarketClock): boolean {
  return clock.session !== "closed";
}
