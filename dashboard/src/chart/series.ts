/** Bars or indicator sets of one symbol and interval, ordered by start, each start once. */

export interface Windowed {
  start_ms: number;
  state: "partial" | "closed";
  revision: number;
}

/** What a chart keeps at most: a regular session's seconds, and more than a year's trading hours. */
export const seriesLimit = 30_000;
/** From so many records on, two ordered lists are merged in one pass. */
const manyRecords = 16;

/** A closed window beats a forming one, a later revision beats an earlier one, and the newer of equals wins. */
function supersedes(next: Windowed, shown: Windowed): boolean {
  const rank = (item: Windowed): number => (item.state === "closed" ? item.revision : -1);
  return rank(next) >= rank(shown);
}

/** Index of the first item that starts at or after `start`. */
export function lowerBound(series: readonly { start_ms: number }[], start: number): number {
  let low = 0;
  let high = series.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((series[middle]?.start_ms ?? Number.POSITIVE_INFINITY) < start) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** `series` with `records` merged in by start: in place where the start is known, the oldest dropped beyond the limit. */
export function merge<T extends Windowed>(
  series: readonly T[],
  records: readonly T[],
  limit = seriesLimit,
): readonly T[] {
  if (records.length === 0) return series;
  const merged = records.length < manyRecords ? placed(series, records) : zipped(series, records);
  return merged.length > limit ? merged.slice(-limit) : merged;
}

/** A few records, each put where it belongs. */
function placed<T extends Windowed>(series: readonly T[], records: readonly T[]): T[] {
  const merged = [...series];
  for (const record of records) {
    const index = lowerBound(merged, record.start_ms);
    const shown = merged[index];
    if (shown?.start_ms !== record.start_ms) merged.splice(index, 0, record);
    else if (supersedes(record, shown)) merged[index] = record;
  }
  return merged;
}

/** Many records at once: all of them ordered, then each start's best. */
function zipped<T extends Windowed>(series: readonly T[], records: readonly T[]): T[] {
  const merged: T[] = [];
  // The sort is stable and good at runs: of one start, what was shown comes first, then in order of arrival.
  for (const item of [...series, ...records].sort((a, b) => a.start_ms - b.start_ms)) {
    const shown = merged.at(-1);
    if (shown?.start_ms !== item.start_ms) merged.push(item);
    else if (supersedes(item, shown)) merged[merged.length - 1] = item;
  }
  return merged;
}
