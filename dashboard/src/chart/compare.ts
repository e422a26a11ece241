import { lowerBound } from "./series.ts";

interface Closing {
  start_ms: number;
  close: number;
}

/** For each start the close of the other series at that time: of its bar of that start, else of the last before; NaN before its first. */
export function closesAt(starts: readonly number[], other: readonly Closing[]): number[] {
  let index = lowerBound(other, starts[0] ?? 0);
  return starts.map((start) => {
    while ((other[index]?.start_ms ?? Number.POSITIVE_INFINITY) <= start) index += 1;
    return other[index - 1]?.close ?? Number.NaN;
  });
}

/** From `base` to `value` in percent. */
export function percentFrom(base: number, value: number): number {
  return (value / base - 1) * 100;
}

/** The first value that something can be a percentage of; NaN where there is none. */
export function baseOf(values: readonly number[]): number {
  return values.find((value) => Number.isFinite(value) && value !== 0) ?? Number.NaN;
}
