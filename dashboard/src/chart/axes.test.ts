import { describe, expect, it } from "vitest";

import { roundBelow, roundValues } from "./price-axis.ts";
import { timeTicks } from "./time-axis.ts";
import { grow, homeView, pan, visibleRange, zoom } from "./viewport.ts";

const newYork = "America/New_York";
const minute = 60_000;
const day = 86_400_000;
const opening = Date.UTC(2013, 9, 8, 13, 30);
const times = (count: number, step: number, from = opening): number[] =>
  Array.from({ length: count }, (_, index) => from + index * step);

describe("the time axis", () => {
  it("stands at round times of the zone", () => {
    const ticks = timeTicks(times(120, minute), "1m", newYork, 5);
    expect(ticks.map(({ label }) => label)).toEqual(["10:00", "10:30", "11:00"]);
    expect(ticks[0]?.index).toBe(30);
  });

  it("shows seconds where they matter", () => {
    const ticks = timeTicks(times(40, 1000, opening + 500), "1s", newYork, 4);
    expect(ticks.map(({ label }) => label)).toEqual(["09:30:10", "09:30:20", "09:30:30"]);
  });

  it("names the day where a new one begins, with no room for the night", () => {
    const twoDays = [...times(10, 30 * minute), ...times(10, 30 * minute, opening + day)];
    const major = timeTicks(twoDays, "15m", newYork, 6).filter((tick) => tick.major);
    expect(major).toEqual([{ index: 10, label: "Oct 9", major: true }]);
  });

  it("counts daily bars by days and marks the new year", () => {
    const winter = times(20, day, Date.UTC(2013, 11, 22, 17));
    const ticks = timeTicks(winter, "1d", newYork, 30);
    expect(ticks.find(({ label }) => label === "Jan 1")).toMatchObject({ major: true });
    expect(ticks).toHaveLength(19);
  });

  it("keeps labels apart where there are few bars, and a new day's goes first", () => {
    const few = timeTicks(times(3, minute), "1m", newYork, 9, 2);
    expect(few.map(({ label }) => label)).toEqual(["09:31"]);
    const overnight = timeTicks([...times(2, minute), opening + day], "1m", newYork, 9, 2);
    expect(overnight.map(({ label }) => label)).toEqual(["Oct 9"]);
  });

  it("never has more ticks than there is room for", () => {
    for (const most of [2, 3, 5, 9]) {
      expect(timeTicks(times(500, minute), "1m", newYork, most).length).toBeLessThanOrEqual(most);
    }
  });
});

describe("the price axis", () => {
  it("has round values within its range", () => {
    expect(roundValues(163.9, 166.1, 5)).toEqual([164, 164.5, 165, 165.5, 166]);
    expect(roundValues(0.1, 0.35, 5)).toEqual([0.15, 0.2, 0.25, 0.3]);
  });

  it("has none for an empty range", () => {
    expect(roundValues(5, 5, 5)).toEqual([]);
    expect(roundValues(Number.NaN, 5, 5)).toEqual([]);
    expect(roundValues(1, 2, 0)).toEqual([]);
  });

  it("finds the round value below", () => {
    expect([7400, 2100, 0.3, 0, -4].map(roundBelow)).toEqual([5000, 2000, 0.2, 0, 0]);
  });
});

describe("the viewport", () => {
  it("follows the newest bar until it is moved", () => {
    expect(visibleRange(homeView(700), 500)).toEqual({ from: 400, to: 500 });
    expect(visibleRange(homeView(700), 20)).toEqual({ from: 0, to: 20 });
  });

  it("cannot be moved beyond its series", () => {
    expect(pan({ bars: 100, behind: 0 }, 1000, 300)).toEqual({ bars: 100, behind: 200 });
    expect(pan({ bars: 100, behind: 10 }, -50, 300)).toEqual({ bars: 100, behind: 0 });
  });

  it("zooms around its anchor", () => {
    expect(zoom({ bars: 100, behind: 50 }, 0.5, 1, 500)).toEqual({ bars: 50, behind: 50 });
    expect(zoom({ bars: 100, behind: 50 }, 0.5, 0, 500)).toEqual({ bars: 50, behind: 100 });
  });

  it("zooms neither too close nor beyond what there is", () => {
    expect(zoom({ bars: 20, behind: 0 }, 0.1, 1, 500).bars).toBe(15);
    expect(zoom({ bars: 400, behind: 0 }, 5, 1, 500).bars).toBe(500);
  });

  it("holds its place in the past while the series grows", () => {
    expect(grow({ bars: 100, behind: 5 }, 2, 300)).toEqual({ bars: 100, behind: 7 });
    expect(grow({ bars: 100, behind: 0 }, 2, 300)).toEqual({ bars: 100, behind: 0 });
  });
});
