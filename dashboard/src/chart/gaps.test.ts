import { describe, expect, it } from "vitest";

import type { Bar, Interval } from "../socket/records.ts";

import { gapsOf } from "./gaps.ts";
import { bar } from "./made.ts";

const hour = 3_600_000;

/** Bars of an hour that begin at given times, UTC. */
const hourly = (starts: readonly string[], fields: Partial<Bar> = {}): Bar[] =>
  starts.map((start) => {
    const start_ms = Date.parse(start);
    return bar(0, { interval: "1h", start_ms, end_ms: start_ms + hour, ...fields });
  });

/** Bars of an hour on each of some days, for hours of the day. */
const days = (dates: readonly string[], hours: readonly number[]): Bar[] =>
  hourly(dates.flatMap((date) => hours.map((at) => `${date}T${String(at).padStart(2, "0")}:00Z`)));

const shown = (bars: readonly Bar[], interval: Interval = "1h"): [string, number][] =>
  gapsOf(bars, bars, interval).map(({ index, ms }) => [
    new Date(bars[index]?.start_ms ?? 0).toISOString().slice(0, 13),
    ms / hour,
  ]);

const week = ["2024-01-08", "2024-01-09", "2024-01-10", "2024-01-11", "2024-01-12"];
const without = (bars: readonly Bar[], ...starts: string[]): Bar[] =>
  bars.filter(({ start_ms }) => !starts.includes(new Date(start_ms).toISOString().slice(0, 13)));

describe("a gap", () => {
  it("is where bars of an open session are missing", () => {
    const bars = days(week, [9, 10, 11, 12, 13, 14]);
    expect(shown(without(bars, "2024-01-10T11", "2024-01-10T12"))).toEqual([["2024-01-10T13", 2]]);
  });

  it("is told by a single other day, too", () => {
    const bars = days(["2024-01-12", "2024-01-15"], [9, 10, 11, 12]);
    expect(shown(without(bars, "2024-01-15T10"))).toEqual([["2024-01-15T11", 1]]);
  });

  it("is between two sessions of a day, when neither reaches the other as on other days", () => {
    const bars = days(week, [8, 9, 10, 11]).map((one) => ({
      ...one,
      session: new Date(one.start_ms).getUTCHours() < 10 ? "pre" : "regular",
    }));
    expect(shown(without(bars, "2024-01-09T09", "2024-01-09T10"))).toEqual([["2024-01-09T11", 2]]);
  });

  it("is no lunch break, night, weekend or pause of an hour a day", () => {
    const lunch = days(week, [0, 1, 4, 5]);
    expect(shown(lunch)).toEqual([]);
    expect(shown(without(lunch, "2024-01-10T01"))).toEqual([]);
    const mostOfTheDay = [...Array(22).keys(), 23];
    expect(shown(days([...week, "2024-01-15"], mostOfTheDay))).toEqual([]);
    const allWeek = days([...week, "2024-01-15"], [...Array(24).keys()]);
    expect(shown(allWeek)).toEqual([]);
  });

  it("is no pause that begins an hour later in UTC since the exchange's clocks were changed", () => {
    const winter = days(["2024-03-07", "2024-03-08"], [19, 20, 21, 23]);
    const summer = days(["2024-03-11", "2024-03-12"], [18, 19, 20, 22]);
    expect(shown([...winter, ...summer])).toEqual([]);
  });

  it("is nowhere as long as nothing tells when the market is open", () => {
    expect(shown(hourly(["2024-01-08T09:00Z", "2024-01-08T12:00Z"]))).toEqual([]);
    const closed = days(week, [9, 10, 11]).map((one) => ({ ...one, session: "closed" }));
    expect(shown(without(closed, "2024-01-09T10"))).toEqual([]);
  });

  it("is wherever a market that never closes has no bar, however long", () => {
    const starts = ["2024-01-05T09:00Z", "2024-01-05T11:00Z", "2024-01-07T12:00Z"];
    expect(shown(hourly(starts, { session: "continuous" }))).toEqual([
      ["2024-01-05T11", 1],
      ["2024-01-07T12", 48],
    ]);
  });

  it("is no moment without a trade, for which there are no bars of a second", () => {
    const second = (start: number, session: string): Bar =>
      bar(0, { interval: "1s", start_ms: start * 1000, end_ms: start * 1000 + 1000, session });
    const seconds = (session: string): Bar[] => [0, 30, 120].map((at) => second(at, session));
    const ofSeconds = (bars: Bar[]) => gapsOf(bars, bars, "1s");
    expect(ofSeconds(seconds("continuous"))).toEqual([{ index: 2, ms: 89_000 }]);
    expect(ofSeconds(seconds("regular"))).toEqual([]);
  });

  it("is not told of days", () => {
    const starts = ["2024-01-05T00:00Z", "2024-02-05T00:00Z"];
    expect(shown(hourly(starts, { session: "continuous" }), "1d")).toEqual([]);
  });

  it("is found between bars in view by what is known of the others", () => {
    const all = without(days(week, [9, 10, 11, 12]), "2024-01-12T10");
    expect(gapsOf(all.slice(-3), all, "1h")).toEqual([{ index: 1, ms: hour }]);
  });
});
