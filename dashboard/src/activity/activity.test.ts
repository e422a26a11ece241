import { describe, expect, it } from "vitest";

import type { MarketEvent } from "../socket/records.ts";
import type { Action } from "../store/actions.ts";

import { csvOf } from "./csv.ts";
import type { EntryFilter } from "./filter.ts";
import { activityLimit, activityReducer, emptyActivity, shownEntries } from "./reducer.ts";
import { eventWords } from "./words.ts";

const event = (type: string, time = 1, fields: Partial<MarketEvent> = {}): MarketEvent => ({
  type,
  symbol: null,
  source: null,
  ts_event_ms: time,
  detail: {},
  ...fields,
});
const events = (...records: MarketEvent[]): Action => ({
  type: "marketEvents",
  at: 99,
  records,
  lost: 0,
});
const lostAt = (at: number): Action => ({
  type: "disconnected",
  at,
  reason: "transport close",
  retryAt: at + 500,
});
const after = (...actions: Action[]) => actions.reduce(activityReducer, emptyActivity);
const texts = (...actions: Action[]) => after(...actions).entries.map(({ text }) => text);

describe("the activity log", () => {
  it("is newest first and dates what happens on the market by its event time", () => {
    const state = after(events(event("session_open", 5), event("halt", 6, { symbol: "SPY" })));
    expect(state.entries).toMatchObject([
      { text: "Trading halted", symbol: "SPY", time: 6, kind: "market" },
      { text: "Session opened", time: 5 },
    ]);
  });

  it("does not list again what a new snapshot repeats", () => {
    expect(texts(events(event("halt")), events(event("halt"), event("resume", 2)))).toEqual([
      "Trading resumed",
      "Trading halted",
    ]);
  });

  it("says in plain words what the server and the connection do", () => {
    expect(
      texts(
        { type: "connected", at: 1 },
        { type: "serverStatus", at: 2, status: { code: "slow_consumer", message: "" } },
        { type: "closing", at: 3, code: "shutting_down" },
        lostAt(4),
        { type: "refused", at: 5, error: { code: "unauthorized", message: "" }, keyGiven: false },
      ),
    ).toEqual([
      "The server asks for an API key",
      "The connection was lost",
      "The server closed the connection: the server is shutting down",
      "This connection can't keep up; the server will end it if that goes on",
      "Connected",
    ]);
  });

  it("says once that the connection is lost, however often a try fails", () => {
    expect(texts(lostAt(1), lostAt(2), lostAt(3))).toEqual(["The connection was lost"]);
  });

  it("says whether coming back left a gap, and nothing of the first time", () => {
    const caughtUp = (resumed: number, anew: number): Action => ({
      type: "caughtUp",
      at: 1,
      resumed,
      anew,
    });
    expect(texts(caughtUp(0, 0))).toEqual([]);
    expect(texts(caughtUp(7, 0))).toEqual(["Caught up: nothing was missed"]);
    expect(texts(caughtUp(6, 1))).toEqual([
      "Everything was loaded anew: too much had been missed to go on",
    ]);
  });

  it("says once what both the server and its health tell", () => {
    const status = { code: "feed_down", message: "Kafka doesn't answer" };
    expect(
      texts(
        { type: "serverStatus", at: 1, status },
        { type: "readiness", at: 2, missing: ["kafka"] },
        { type: "readiness", at: 3, missing: [] },
      ),
    ).toEqual([
      "The market's data is back; nothing was missed",
      "The server is cut off from the market's data",
    ]);
  });

  it("says that the page, its painting or its network stood still", () => {
    expect(
      texts(
        { type: "offline", at: 1, offline: true },
        { type: "offline", at: 2, offline: false },
        { type: "slept", at: 3, ms: 90_000 },
        { type: "paintStalled", at: 4, ms: 2_100 },
        { type: "paintFailed", at: 5, part: "chart" },
        {
          type: "unavailable",
          at: 6,
          channel: "alerts",
          error: { code: "forbidden", message: "" },
        },
      ),
    ).toEqual([
      "No alerts: this API key may not see that",
      "A part of this page can't be drawn: chart",
      "The screen stood still for 2 s",
      "This page stood still for 1 min",
      "This device is online again",
      "This device is offline",
    ]);
  });

  it("is bounded", () => {
    const many = Array.from({ length: activityLimit + 20 }, (_, index) => event("gap", index));
    const state = after(events(...many));
    expect(state.entries).toHaveLength(activityLimit);
    expect(new Set(state.entries.map(({ id }) => id)).size).toBe(activityLimit);
  });

  it.each<[Partial<EntryFilter>, number]>([
    [{}, 3],
    [{ kind: "connection" }, 1],
    [{ kind: "market", text: " spy " }, 1],
    [{ kind: "connection", text: "halt" }, 0],
    [{ symbol: "AIG" }, 1],
    [{ symbol: "AIG", text: "spy" }, 0],
    [{ period: "5m" }, 1],
    [{ period: "1h" }, 3],
  ])("filtered by %j has %d entries", (filter, count) => {
    const state = after(
      events(event("halt", 1, { symbol: "SPY" }), event("halt", 2, { symbol: "AIG" })),
      { type: "connected", at: 200_000 },
      { type: "activityFilter", filter },
    );
    expect(shownEntries(state, 400_000)).toHaveLength(count);
  });

  it("is exported as it is shown, formulas defused", () => {
    const state = after(
      events(event("=1+1", 5, { symbol: "SPY" }), event("gap", 6, { source: 'a"b', detail: {} })),
    );
    expect(csvOf(state.entries)).toBe(
      "time,kind,symbol,text\r\n" +
        '1970-01-01T00:00:00.006Z,market,,"Gap in the feed (a""b)"\r\n' +
        "1970-01-01T00:00:00.005Z,market,SPY,'=1+1\r\n",
    );
  });
});

describe("market events", () => {
  it("come with their source and details", () => {
    expect(eventWords(event("gap", 1, { source: "feed", detail: { missing: "3" } }))).toBe(
      "Gap in the feed (feed, missing 3)",
    );
  });

  it("without words of ours keep their own name", () => {
    expect(eventWords(event("auction_start"))).toBe("auction start");
  });
});
