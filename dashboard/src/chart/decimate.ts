import type { Activity, Bar } from "../socket/records.ts";

/** One place on the time axis: a bar, or several neighbours where there are more bars than places. */
export interface Bucket {
  /** Indices of its bars, [from, to). */
  from: number;
  to: number;
}

/**
 * Groups ordered bars so that there are at most `most` groups. Groups begin at times that are the same however the view is
 * moved, and their length doubles from one step to the next, so that nothing flickers.
 *
 * @param length of the bars' interval, ms
 */
export function buckets(
  bars: readonly { start_ms: number }[],
  length: number,
  most: number,
): Bucket[] {
  let size = 1;
  let found = bars.map((_, index) => ({ from: index, to: index + 1 }));
  while (found.length > Math.max(1, most)) {
    size *= 2;
    found = grouped(bars, size * length);
  }
  return found;
}

function grouped(bars: readonly { start_ms: number }[], length: number): Bucket[] {
  const found: Bucket[] = [];
  let key = Number.NaN;
  bars.forEach(({ start_ms }, index) => {
    const own = Math.floor(start_ms / length);
    const last = found.at(-1);
    if (own === key && last !== undefined) last.to = index + 1;
    else found.push({ from: index, to: index + 1 });
    key = own;
  });
  return found;
}

const worst: readonly Activity[] = ["feed_down", "halted", "traded", "quiet"];

/** Several neighbours as one bar: nothing that stood out in one of them is lost. */
export function joined(bars: readonly Bar[]): Bar | undefined {
  const [first] = bars;
  const last = bars.at(-1);
  if (first === undefined || last === undefined || bars.length === 1) return first;
  let { high, low, volume, trades, revision } = first;
  let turnover = first.volume === 0 ? 0 : first.vwap * first.volume;
  for (const bar of bars.slice(1)) {
    high = Math.max(high, bar.high);
    low = Math.min(low, bar.low);
    volume += bar.volume;
    trades += bar.trades;
    revision = Math.max(revision, bar.revision);
    if (bar.volume !== 0) turnover += bar.vwap * bar.volume;
  }
  return {
    ...first,
    ...{ high, low, volume, trades, revision },
    end_ms: last.end_ms,
    close: last.close,
    vwap: volume === 0 ? last.close : turnover / volume,
    state: last.state,
    activity: worst.find((one) => bars.some(({ activity }) => activity === one)) ?? last.activity,
  };
}

export interface Place {
  x: number;
  y: number;
}

/**
 * A line through `values`, drawn with at most four corners a bucket: its first, lowest, highest and last value (M4; Jugel
 * et al., 2014), so that it covers the same pixels as the whole line. NaN breaks it.
 */
export function pathOf(values: readonly number[], groups: readonly Bucket[]): Place[] {
  return groups.flatMap(({ from, to }, x) => {
    if (to - from === 1) return [{ x, y: values[from] ?? Number.NaN }];
    return corners(values, from, to).map((index) => ({
      x: x - 0.5 + (index - from + 0.5) / (to - from),
      y: values[index] ?? Number.NaN,
    }));
  });
}

function corners(values: readonly number[], from: number, to: number): number[] {
  let first = -1;
  let last = -1;
  let lowest = -1;
  let highest = -1;
  for (let index = from; index < to; index += 1) {
    const value = values[index] ?? Number.NaN;
    if (Number.isNaN(value)) continue;
    if (first < 0) first = lowest = highest = index;
    last = index;
    if (value < (values[lowest] ?? value)) lowest = index;
    if (value > (values[highest] ?? value)) highest = index;
  }
  if (first < 0) return [from];
  return [...new Set([first, lowest, highest, last])].sort((one, other) => one - other);
}
