import {
  caughtUpWords,
  closingWords,
  disconnectWords,
  errorWords,
  freshStartWords,
  statusWords,
  unavailableWords,
} from "../status/words.ts";
import type { Action, ActivityFilter } from "../store/actions.ts";
import { formatAge } from "../ui/format.ts";

import { type EntryFilter, matches, noFilter } from "./filter.ts";
import { eventWords, words } from "./words.ts";

export const activityLimit = 500;

export interface Entry {
  id: number;
  kind: Exclude<ActivityFilter, "all">;
  /** Event time for what happened on the market, else the browser's clock; ms. */
  time: number;
  symbol: string | null;
  text: string;
  /** When it came here, ms of the browser's clock. */
  at: number;
}

export interface Activity {
  /** Newest first. */
  entries: readonly Entry[];
  nextId: number;
  filter: EntryFilter;
}

export const emptyActivity: Activity = { entries: [], nextId: 1, filter: noFilter };

type News = Omit<Entry, "id">;

function add(state: Activity, news: readonly News[]): Activity {
  if (news.length === 0) return state;
  const entries = news.map((item, index) => ({ ...item, id: state.nextId + index })).reverse();
  return {
    ...state,
    entries: [...entries, ...state.entries].slice(0, activityLimit),
    nextId: state.nextId + news.length,
  };
}

/** What is already listed comes again with each snapshot. */
function unlisted(state: Activity, news: readonly News[]): readonly News[] {
  const key = (item: News): string => `${item.time} ${item.symbol ?? ""} ${item.text}`;
  const listed = new Set(state.entries.filter(({ kind }) => kind === "market").map(key));
  return news.filter((item) => !listed.has(key(item)));
}

function newsOf(action: Action): News[] {
  const own = (kind: "server" | "connection", time: number, text: string): News[] => [
    { kind, time, symbol: null, text, at: time },
  ];
  switch (action.type) {
    case "marketEvents":
      return action.records.map((event) => ({
        kind: "market",
        time: event.ts_event_ms,
        symbol: event.symbol,
        text: eventWords(event),
        at: action.at,
      }));
    case "serverStatus":
      return own("server", action.at, statusWords(action.status));
    case "closing":
      return own("server", action.at, closingWords(action.code));
    case "unavailable":
      return own("server", action.at, unavailableWords(action.channel, action.error));
    case "readiness":
      return own("server", action.at, readinessWords(action.missing));
    default:
      return own("connection", "at" in action ? action.at : 0, connectionWords(action));
  }
}

function readinessWords(missing: readonly string[]): string {
  const code = missing.length > 0 ? "feed_down" : "feed_up";
  return statusWords({ code, message: "" });
}

/** What happened to this page and its connection; empty when it isn't worth a line. */
function connectionWords(action: Action): string {
  switch (action.type) {
    case "connected":
      return words.connected;
    case "caughtUp":
      if (action.anew > 0) return freshStartWords;
      return action.resumed > 0 ? caughtUpWords : "";
    case "disconnected":
      return action.error === undefined ? disconnectWords(action.reason) : errorWords(action.error);
    case "refused":
      return errorWords(action.error, action.keyGiven);
    case "offline":
      return action.offline ? words.offline : words.online;
    case "slept":
      return words.slept(formatAge(action.ms));
    case "paintStalled":
      return words.stalled(formatAge(action.ms));
    case "paintFailed":
      return words.broken(action.part);
    default:
      return "";
  }
}

/** A failed retry says what the entry before it says, as do two ways to notice the same; once is enough. */
function repeatsLast(state: Activity, news: readonly News[]): boolean {
  const [last] = state.entries;
  const [item] = news;
  return item?.kind !== "market" && item?.kind === last?.kind && item?.text === last?.text;
}

export function activityReducer(state: Activity, action: Action): Activity {
  if (action.type === "activityFilter")
    return { ...state, filter: { ...state.filter, ...action.filter } };
  const news = newsOf(action).filter(({ text }) => text !== "");
  if (repeatsLast(state, news)) return state;
  return add(state, action.type === "marketEvents" ? unlisted(state, news) : news);
}

/** @param now ms of the browser's clock */
export function shownEntries({ entries, filter }: Activity, now: number): readonly Entry[] {
  return entries.filter((entry) => matches(entry, filter, now));
}
