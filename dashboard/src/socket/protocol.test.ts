import { describe, expect, it } from "vitest";

import { backoff } from "./backoff.ts";
import { clockOffset } from "./clock.ts";
import {
  readAnswer,
  readClosing,
  readError,
  readFrame,
  readReasons,
  readStatus,
  readSubscribed,
} from "./protocol.ts";

describe("answers", () => {
  it("carry their fields or the server's error", () => {
    const read = (fields: Record<string, unknown>): unknown => fields.ts_ms;
    expect(readAnswer({ ok: true, ts_ms: 5 }, read)).toEqual({ ok: true, value: 5 });
    const error = { code: "rate_limited", message: "slow down" };
    expect(readAnswer({ ok: false, error }, read)).toEqual({ ok: false, error });
  });

  it("that make no sense are an internal error", () => {
    const failed = { ok: false, error: { code: "internal", message: "" } };
    expect(readAnswer(undefined, () => 1)).toEqual(failed);
    expect(readError("boom")).toEqual(failed.error);
  });

  it("to a subscription tell what was refused", () => {
    const rejected = [{ symbol: "NONE", code: "unknown_symbol" }];
    expect(
      readSubscribed({ subscription: 7, symbols: ["SPY", 3], rejected, snapshot: [] }),
    ).toMatchObject({
      subscription: "7",
      symbols: ["SPY"],
      rejected: [{ code: "unknown_symbol", message: "" }],
      snapshot: [],
      recovered: false,
    });
    expect(readSubscribed({ recovered: true, resume: "here" })).toMatchObject({
      recovered: true,
      resume: "here",
    });
  });
});

describe("frames and closings", () => {
  it("count what was lost, never below zero", () => {
    expect(readFrame({ data: [1], resume: "x", lost: 3 })).toEqual({
      data: [1],
      lost: 3,
      resume: "x",
    });
    expect(readFrame({ data: [], lost: -1 })).toEqual({ data: [], lost: 0 });
    expect(readFrame(null)).toEqual({ data: undefined, lost: 0 });
  });

  it("tell a slower pace from the full one, and from what isn't about pace", () => {
    const status = { code: "slow_consumer", message: "" };
    expect(readStatus({ ...status, rate_hz: 10 })).toEqual({ ...status, rateHz: 10 });
    expect(readStatus({ ...status, rate_hz: null })).toEqual({ ...status, rateHz: null });
    expect(readStatus(status)).toEqual(status);
  });

  it("tell when a server that goes wants to be asked again", () => {
    const status = { code: "shutting_down", message: "" };
    expect(readStatus({ ...status, reconnect_after_ms: 800 })).toEqual({ ...status, afterMs: 800 });
    expect(
      readClosing({ code: "shutting_down", reconnect: true, reconnect_after_ms: 800 }),
    ).toEqual({ code: "shutting_down", reconnect: true, afterMs: 800 });
  });

  it("name the parts of the server that aren't ready", () => {
    expect(readReasons({ status: "not ready", reasons: { kafka: "doesn't answer" } })).toEqual([
      "kafka",
    ]);
    expect(readReasons("nonsense")).toEqual([]);
  });

  it("say whether and when to come back", () => {
    expect(readClosing({ code: "auth_expired", reconnect: false })).toEqual({
      code: "auth_expired",
      reconnect: false,
    });
    expect(readClosing({ code: "shutting_down", reconnect: 1500 })).toEqual({
      code: "shutting_down",
      reconnect: true,
      afterMs: 1500,
    });
    expect(readClosing({})).toEqual({ code: "internal", reconnect: true });
  });
});

describe("backing off", () => {
  it("doubles, up to ten seconds", () => {
    const longest = [0, 1, 2, 3, 10, 1000].map((attempt) => backoff(attempt, 1));
    expect(longest).toEqual([500, 1000, 2000, 4000, 10_000, 10_000]);
  });

  it("spreads over the upper half", () => {
    expect(backoff(2, 0)).toBe(1000);
    expect(backoff(2, 0.5)).toBe(1500);
  });
});

describe("the server's clock", () => {
  it("is taken from the quickest answer", () => {
    const slow = { askedAt: 0, answeredAt: 1000, serverTime: 9_000 };
    const quick = { askedAt: 2000, answeredAt: 2010, serverTime: 7_005 };
    expect(clockOffset([slow, quick])).toEqual({ offsetMs: 5000, roundTripMs: 10 });
  });

  it("is ours when the difference is within what can't be known", () => {
    const sample = { askedAt: 0, answeredAt: 100, serverTime: 90 };
    expect(clockOffset([sample])).toEqual({ offsetMs: 0, roundTripMs: 100 });
  });

  it("is ours while nothing is known", () => {
    expect(clockOffset([])).toEqual({ offsetMs: 0, roundTripMs: Number.NaN });
  });
});
