import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import type * as formats from "./format.ts";
import {
  formatAge,
  formatChange,
  formatCount,
  formatDate,
  formatDay,
  formatLatency,
  formatMinute,
  formatPercent,
  formatPrice,
  formatTime,
  formatVolume,
  isoDate,
  priceDigits,
  zoneClock,
  zoneName,
} from "./format.ts";

const newYork = "America/New_York";

describe("prices", () => {
  it.each([
    [165.48, "165.48"],
    [1234.5, "1,234.50"],
    [0.5, "0.5000"],
    [0.000123, "0.000123"],
    [0, "0.00"],
    [-37.63, "−37.63"],
    [Number.NaN, "–"],
  ])("shows %f as %s", (price, text) => {
    expect(formatPrice(price)).toBe(text);
  });

  it("keeps a symbol's digits when told them", () => {
    expect(formatPrice(0.9, priceDigits(12))).toBe("0.90");
  });
});

describe("changes", () => {
  it.each([
    [0.31, "+0.31"],
    [-0.31, "−0.31"],
    [0, "0.00"],
    [-0.0001, "0.00"],
    [1234.5, "+1,234.50"],
    [Number.POSITIVE_INFINITY, "–"],
  ])("shows %f as %s", (change, text) => {
    expect(formatChange(change)).toBe(text);
  });

  it("shows a fraction as percent", () => {
    expect(formatPercent(0.0019)).toBe("+0.19%");
    expect(formatPercent(-0.25)).toBe("−25.00%");
    expect(formatPercent(Number.NaN)).toBe("–");
  });
});

describe("volumes", () => {
  it.each([
    [0, "0"],
    [950, "950"],
    [0.25, "0.25"],
    [1000, "1.00K"],
    [12_345, "12.3K"],
    [123_456, "123K"],
    [999_950, "1.00M"],
    [1_234_567, "1.23M"],
    [9_996_000_000, "10.0B"],
  ])("shows %f as %s", (volume, text) => {
    expect(formatVolume(volume)).toBe(text);
  });
});

describe("counts, latencies and ages", () => {
  it("groups thousands", () => {
    expect(formatCount(4812.4)).toBe("4,812");
  });

  it.each([
    [0.4, "<1 ms"],
    [12.4, "12 ms"],
    [7818, "7,818 ms"],
    [16_000, "16.0 s"],
    [Number.NaN, "–"],
  ])("shows %f ms as %s", (ms, text) => {
    expect(formatLatency(ms)).toBe(text);
  });

  it.each([
    [-5, "0 s"],
    [5_900, "5 s"],
    [61_000, "1 min"],
    [7_300_000, "2 h"],
  ])("shows an age of %d ms as %s", (ms, text) => {
    expect(formatAge(ms)).toBe(text);
  });
});

describe("times", () => {
  const opening = Date.UTC(2013, 9, 8, 13, 30, 5);

  it("are those of the zone", () => {
    expect(isoDate(opening, newYork)).toBe("2013-10-08");
    expect(formatDate(opening, newYork)).toBe("Oct 8, 2013");
    expect(formatTime(opening, newYork)).toBe("09:30:05");
    expect(formatMinute(opening, newYork)).toBe("09:30");
    expect(formatDay(opening, newYork)).toBe("Oct 8");
    expect(formatTime(opening, "UTC")).toBe("13:30:05");
  });

  it("follow daylight saving", () => {
    expect(formatTime(Date.UTC(2013, 11, 2, 14, 30), newYork)).toBe("09:30:00");
  });

  it("are what the zone's clock shows", () => {
    expect(zoneClock(opening + 250, newYork)).toBe(Date.UTC(2013, 9, 8, 9, 30, 5, 250));
  });

  it("show midnight as 00", () => {
    expect(formatTime(Date.UTC(2024, 0, 1), "UTC")).toBe("00:00:00");
  });

  it("name their zone", () => {
    expect(zoneName(newYork)).toBe("ET");
    expect(zoneName("UTC")).toBe("UTC");
    expect(zoneName("Asia/Ho_Chi_Minh")).toBe("Ho Chi Minh");
  });
});

describe("in German", () => {
  let german: typeof formats;

  beforeAll(async () => {
    vi.stubGlobal("navigator", { languages: ["fr", "de", "en"] });
    vi.resetModules();
    german = await import("./format.ts");
  });
  afterAll(() => {
    vi.unstubAllGlobals();
    vi.resetModules();
  });

  it("numbers have the signs and the units of the locale", () => {
    expect(german.formatPrice(1234.5)).toBe("1.234,50");
    expect(german.formatChange(-0.0001)).toBe("0,00");
    expect(german.formatPercent(0.0019)).toBe("+0,19\u00a0%");
    expect(german.formatVolume(1_234_567)).toBe("1,23\u202fMio");
  });

  it("days have their names", () => {
    const opening = Date.UTC(2013, 9, 8, 13, 30, 5);
    expect(german.formatDate(opening, newYork)).toBe("8. Okt. 2013");
    expect(german.formatDay(opening, newYork)).toBe("8. Okt.");
    expect(german.formatTime(opening, newYork)).toBe("09:30:05");
    expect(german.isoDate(opening, newYork)).toBe("2013-10-08");
  });
});
