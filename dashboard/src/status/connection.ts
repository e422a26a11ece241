import type { Channel, ServerError, ServerStatus } from "../socket/protocol.ts";
import type { Action } from "../store/actions.ts";

import {
  closingWords,
  disconnectWords,
  errorWords,
  freshStartWords,
  statusWords,
} from "./words.ts";

/**
 * After so many ms without a sign of life what is shown is stale. With the beat and the painting it looks so within
 * five seconds.
 */
export const staleAfterMs = 4_000;
/** After so many ms without a record, while the session is open, the market is quiet. */
export const quietAfterMs = 5_000;
/** What the server announced is shown so long, unless the connection goes first. */
export const noticeForMs = 30_000;

/** Times are ms of the browser's clock. */
export interface Connection {
  phase: "connecting" | "catchingUp" | "live" | "reconnecting" | "refused";
  /** When the last record came, and the time of the last look at the clock. */
  recordAt: number;
  now: number;
  /** Up to when what is shown is known to be what there is; 0 while nothing is shown. */
  freshAt: number;
  retryAt: number;
  /** Whether the device itself says that it has no network. */
  offline: boolean;
  error: ServerError | null;
  /** Another key is asked for; stays while a given one is tried. */
  keyWanted: boolean;
  /** Since when the server has been cut off from the market, as it says itself. */
  feedDownSince: number | null;
  /** To how many frames a second the server has slowed this connection down; null: not at all. */
  rateHz: number | null;
  /** By how many ms records are late at the server itself; null: they aren't. */
  lagMs: number | null;
  /** What the server won't give, and why. */
  unavailable: Readonly<Partial<Record<Channel, ServerError>>>;
  /** The parts of the page that couldn't be drawn. */
  broken: readonly string[];
  /** What the user should know besides: why it went, or what the server announced. */
  notice: string;
  noticeAt: number;
}

export const initialConnection: Connection = {
  phase: "connecting",
  recordAt: 0,
  now: 0,
  freshAt: 0,
  retryAt: 0,
  offline: false,
  error: null,
  keyWanted: false,
  feedDownSince: null,
  rateHz: null,
  lagMs: null,
  unavailable: {},
  broken: [],
  notice: "",
  noticeAt: 0,
};

function heard(state: Connection, at: number, records = 0): Connection {
  const now = Math.max(state.now, at);
  const fresh = state.phase === "live" && state.feedDownSince === null;
  const freshAt = fresh ? Math.max(state.freshAt, at) : state.freshAt;
  return { ...state, now, freshAt, recordAt: records === 0 ? state.recordAt : at };
}

function connected(state: Connection, at: number): Connection {
  const { broken, offline, freshAt } = state;
  return {
    ...initialConnection,
    phase: "catchingUp",
    broken,
    offline,
    freshAt,
    recordAt: at,
    now: at,
  };
}

function announced(state: Connection, at: number, status: ServerStatus): Connection {
  if (status.code === "feed_down")
    return { ...state, now: at, feedDownSince: state.feedDownSince ?? at };
  const next = heard(state, at);
  const told = { notice: statusWords(status), noticeAt: at };
  if (status.code === "feed_up") return heard({ ...next, ...told, feedDownSince: null }, at);
  if (status.code === "lagging") return { ...next, lagMs: status.lagMs ?? 0 };
  if (status.code === "caught_up") return { ...next, ...told, lagMs: null };
  if (status.rateHz === undefined) return { ...next, ...told };
  // A rate is shown for as long as it holds.
  if (status.rateHz !== null) return { ...next, rateHz: status.rateHz };
  return { ...next, ...told, rateHz: null };
}

function caughtUp(state: Connection, at: number, anew: number): Connection {
  const notice = anew > 0 ? freshStartWords : "";
  const live: Connection = { ...state, phase: "live", notice, noticeAt: at };
  return { ...heard(live, at), freshAt: state.feedDownSince === null ? at : state.freshAt || at };
}

function disconnected(state: Connection, action: Action & { type: "disconnected" }): Connection {
  const { at, reason, retryAt, error } = action;
  // A `closing` just before it has said why.
  const said = state.phase !== "reconnecting" && state.error !== null ? state.notice : "";
  const notice = said || (error === undefined ? disconnectWords(reason) : errorWords(error));
  return { ...state, phase: "reconnecting", now: at, retryAt, notice, error: null };
}

const keyCodes: readonly string[] = ["unauthorized", "auth_expired", "forbidden"];

export function connectionReducer(state: Connection, action: Action): Connection {
  switch (action.type) {
    case "connecting":
      return state.phase === "reconnecting"
        ? { ...state, now: action.at, retryAt: action.at }
        : { ...state, phase: "connecting", now: action.at, error: null };
    case "connected":
      return connected(state, action.at);
    case "caughtUp":
      return caughtUp(state, action.at, action.anew);
    case "disconnected":
      return disconnected(state, action);
    case "refused": {
      const { at, error, keyGiven } = action;
      const notice = errorWords(error, keyGiven);
      const keyWanted = keyCodes.includes(error.code);
      return { ...state, phase: "refused", now: at, error, notice, keyWanted };
    }
    case "closing": {
      const error = { code: action.code, message: "" };
      const notice = closingWords(action.code);
      return { ...state, now: action.at, error, notice, noticeAt: action.at };
    }
    case "serverStatus":
      return announced(state, action.at, action.status);
    case "readiness": {
      const cut = action.missing.length > 0;
      const next = { ...state, feedDownSince: cut ? (state.feedDownSince ?? action.at) : null };
      return heard(next, action.at);
    }
    case "unavailable":
      return { ...state, unavailable: { ...state.unavailable, [action.channel]: action.error } };
    case "offline":
      return { ...state, now: action.at, offline: action.offline };
    case "paintFailed":
      return { ...state, broken: [...new Set([...state.broken, action.part])] };
    case "heard":
    case "marketLoaded":
    case "barsLoaded":
    case "alertsLoaded":
      return heard(state, action.at);
    case "ticks":
    case "bars":
    case "indicators":
    case "alerts":
    case "marketEvents":
      return heard(state, action.at, action.records.length);
    case "beat": {
      const over = state.phase === "live" && action.at - state.noticeAt >= noticeForMs;
      return { ...state, now: action.at, notice: over ? "" : state.notice };
    }
    default:
      return state;
  }
}

export type ShownState =
  "connecting" | "catching-up" | "live" | "quiet" | "stale" | "reconnecting" | "refused";

/** What to show: a silent server is stale, a silent market only quiet, and that only while its session is open. */
export function shownState(connection: Connection, sessionOpen: boolean): ShownState {
  const { phase, now, recordAt, feedDownSince } = connection;
  if (phase === "catchingUp") return connection.freshAt === 0 ? "connecting" : "catching-up";
  if (phase !== "live") return phase;
  if (feedDownSince !== null || isStale(connection)) return "stale";
  return sessionOpen && now - recordAt >= quietAfterMs ? "quiet" : "live";
}

/** How old what is shown is, in ms; 0 while nothing is shown. */
export function ageOf({ freshAt, now }: Connection): number {
  return freshAt === 0 ? 0 : Math.max(0, now - freshAt);
}

/** Whether what is shown may be other than what there is, for longer than a moment. */
export function isStale(connection: Connection): boolean {
  return ageOf(connection) >= staleAfterMs;
}

/** Ms since the last record. */
export function quietFor({ now, recordAt }: Connection): number {
  return now - recordAt;
}

/** Whole seconds to the next try. */
export function countdown(connection: Connection): number {
  return Math.max(0, Math.ceil((connection.retryAt - connection.now) / 1000));
}
