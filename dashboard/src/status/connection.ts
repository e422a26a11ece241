import type { ServerError } from "../socket/protocol.ts";
import type { Action } from "../store/actions.ts";

import { closingWords, disconnectWords, errorWords, statusWords } from "./words.ts";

/** After so many ms without a record, while the session is open, what is shown is stale. */
export const staleAfterMs = 5_000;

/** What the server announced is shown so long, unless the connection goes first. */
export const noticeForMs = 30_000;

export interface Connection {
  phase: "connecting" | "live" | "reconnecting" | "refused";
  /** When the last record came, and the time of the last look at the clock; ms of the browser's clock. */
  lastRecordAt: number;
  now: number;
  retryAt: number;
  error: ServerError | null;
  /** What the user should know besides: why it went, or what the server announced. */
  notice: string;
  noticeAt: number;
  everConnected: boolean;
}

export const initialConnection: Connection = {
  phase: "connecting",
  lastRecordAt: 0,
  now: 0,
  retryAt: 0,
  error: null,
  notice: "",
  noticeAt: 0,
  everConnected: false,
};

function heard(state: Connection, at: number, records: number): Connection {
  return records === 0 ? state : { ...state, lastRecordAt: at, now: Math.max(state.now, at) };
}

export function connectionReducer(state: Connection, action: Action): Connection {
  switch (action.type) {
    case "connecting":
      return state.phase === "reconnecting"
        ? { ...state, now: action.at, retryAt: action.at }
        : { ...state, phase: "connecting", now: action.at, error: null };
    case "connected":
      return {
        ...initialConnection,
        phase: "live",
        everConnected: true,
        lastRecordAt: action.at,
        now: action.at,
      };
    case "disconnected": {
      const { at, reason, retryAt } = action;
      // A `closing` just before it has said why.
      const notice = state.phase === "live" && state.error !== null ? state.notice : "";
      return {
        ...state,
        phase: "reconnecting",
        now: at,
        retryAt,
        notice: notice || disconnectWords(reason),
      };
    }
    case "refused":
      return {
        ...state,
        phase: "refused",
        now: action.at,
        error: action.error,
        notice: errorWords(action.error),
      };
    case "closing": {
      const error = { code: action.code, message: "" };
      const notice = closingWords(action.code);
      return { ...state, now: action.at, error, notice, noticeAt: action.at };
    }
    case "serverStatus":
      return {
        ...state,
        now: action.at,
        notice: statusWords(action.status),
        noticeAt: action.at,
      };
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

export type ShownState = "connecting" | "live" | "stale" | "reconnecting" | "refused";

/** What to show: a live connection that has gone quiet while the session is open is stale. */
export function shownState(connection: Connection, sessionOpen: boolean): ShownState {
  if (connection.phase !== "live") return connection.phase;
  return sessionOpen && ageOf(connection) >= staleAfterMs ? "stale" : "live";
}

/** Ms since the last record. */
export function ageOf(connection: Connection): number {
  return connection.now - connection.lastRecordAt;
}

/** Whole seconds to the next try. */
export function countdown(connection: Connection): number {
  return Math.max(0, Math.ceil((connection.retryAt - connection.now) / 1000));
}
