import type { Interval } from "../socket/records.ts";
import { formatDay, formatMinute, formatTime, zoneClock } from "../ui/format.ts";

export interface AxisTick {
  /** Index of the bar at which the tick stands. */
  index: number;
  label: string;
  /** A new day, or for daily bars a new year. */
  major: boolean;
}

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const steps = [
  ...[1, 5, 10, 15, 30].map((count) => count * second),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * minute),
  ...[1, 2, 4, 12].map((count) => count * hour),
  ...[1, 2, 7, 14, 28, 91, 182, 364].map((count) => count * day),
];

const hoursRemembered = 10_000;
const knownOffsets = new Map<string, number>();

/** The zone's clock less UTC, ms. It changes a few times a year at most, and always at a full hour. */
export function zoneOffset(ms: number, zone: string): number {
  const inHour = Math.floor(ms / hour);
  const key = `${zone} ${inHour}`;
  let offset = knownOffsets.get(key);
  if (offset === undefined) {
    if (knownOffsets.size >= hoursRemembered) knownOffsets.clear();
    offset = zoneClock(inHour * hour, zone) - inHour * hour;
    knownOffsets.set(key, offset);
  }
  return offset;
}

export const lengths: Readonly<Record<Interval, number>> = {
  "1s": second,
  "1m": minute,
  "5m": 5 * minute,
  "15m": 15 * minute,
  "1h": hour,
  "1d": day,
};

/** Those that stand at least `apart` bars behind the one before; a major one goes before others. */
function thinned(ticks: readonly AxisTick[], apart: number): AxisTick[] {
  const kept: AxisTick[] = [];
  for (const tick of ticks) {
    const last = kept.at(-1);
    if (last !== undefined && tick.index - last.index < apart) {
      if (!tick.major || last.major) continue;
      kept.pop();
    }
    kept.push(tick);
  }
  return kept;
}

function boundaries(local: readonly number[], step: number): number[] {
  const found: number[] = [];
  for (let index = 1; index < local.length; index += 1) {
    const slot = Math.floor((local[index] ?? 0) / step);
    if (slot !== Math.floor((local[index - 1] ?? 0) / step)) found.push(index);
  }
  return found;
}

/**
 * Where the time axis has its ticks: at round times of the zone's clock, at most `most` of them. Bars stand side by
 * side, so that a night takes no room.
 *
 * @param times one time within each bar, ascending, ms
 * @param apart how many bars there are between two of them, at least
 */
export function timeTicks(
  times: readonly number[],
  interval: Interval,
  zone: string,
  most: number,
  apart = 1,
): AxisTick[] {
  const local = times.map((time) => time + zoneOffset(time, zone));
  const allowed = steps.filter((step) => step >= lengths[interval]);
  const step = allowed.find((candidate) => boundaries(local, candidate).length <= most);
  if (step === undefined) return [];
  const ticks = boundaries(local, step).map((index) => {
    const time = times[index] ?? 0;
    const before = times[index - 1] ?? 0;
    const newDay = formatDay(time, zone) !== formatDay(before, zone);
    if (interval === "1d") {
      const newYear = new Date(time).getUTCFullYear() !== new Date(before).getUTCFullYear();
      return { index, label: formatDay(time, zone), major: newYear };
    }
    if (newDay) return { index, label: formatDay(time, zone), major: true };
    const label = step < minute ? formatTime(time, zone) : formatMinute(time, zone);
    return { index, label, major: false };
  });
  return thinned(ticks, apart);
}
