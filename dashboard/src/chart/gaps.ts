import type { Bar, Interval } from "../socket/records.ts";
import { exchangeZone } from "../ui/time-zone.ts";

import { lowerBound } from "./series.ts";
import { lengths, zoneOffset } from "./time-axis.ts";

/** Missing bars before a place. */
export interface Gap {
  index: number;
  ms: number;
}

const day = 24 * lengths["1h"];
/** Less is a moment without a trade. */
const shortest = lengths["1m"];
/** What lasts longer is a night, a weekend or a holiday, unless the market never closes. */
const longest = 12 * lengths["1h"];
const daysAround = [-1, 1, -2, 2, -3, 3, -4, 4, -5, 5, -6, 6, -7, 7];

/** The same time on another day where the exchange is. */
function onAnotherDay(ms: number, days: number): number {
  const there = ms + days * day;
  return there + zoneOffset(ms, exchangeZone) - zoneOffset(there, exchangeZone);
}

/** Whether the market is open at a time of day: then a day around it has a bar of that time. */
function isOpenAt(start: number, series: readonly Bar[]): boolean {
  return daysAround.some((days) => {
    const there = onAnotherDay(start, days);
    const bar = series[lowerBound(series, there)];
    return bar?.start_ms === there && bar.session !== "closed" && bar.session !== "";
  });
}

function isOpenThroughout(
  from: number,
  to: number,
  length: number,
  series: readonly Bar[],
): boolean {
  for (let start = from; start < to; start += length) if (!isOpenAt(start, series)) return false;
  return true;
}

/**
 * Where bars are missing. A market that is closed has none: lunch breaks, nights, weekends and holidays are no gaps. When a
 * market is open is told by the bars themselves, for every window of a minute and longer has one then, quiet or not.
 *
 * @param bars some neighbours of `series`, or what they were joined to
 * @param series all bars that are known
 */
export function gapsOf(bars: readonly Bar[], series: readonly Bar[], interval: Interval): Gap[] {
  if (interval === "1d") return [];
  const length = lengths[interval];
  return bars.flatMap((bar, index) => {
    const before = bars[index - 1];
    if (before === undefined) return [];
    const ms = bar.start_ms - before.end_ms;
    if (ms < Math.max(shortest, length)) return [];
    const always = bar.session === "continuous" && before.session === "continuous";
    const missing =
      always || (ms < longest && isOpenThroughout(before.end_ms, bar.start_ms, length, series));
    return missing ? [{ index, ms }] : [];
  });
}
