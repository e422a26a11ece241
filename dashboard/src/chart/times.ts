import type { Bar, Interval } from "../socket/records.ts";
import { formatDate, formatMinute, formatTime, isoDate } from "../ui/format.ts";

/** A time that names a bar: its middle for days, so that the day is the exchange's own in every zone. */
export function namingTime({ start_ms, end_ms }: Bar, interval: Interval): number {
  return interval === "1d" ? (start_ms + end_ms) / 2 : start_ms;
}

/** When a bar began, as short as its interval allows. */
export function shortTime(bar: Bar, interval: Interval, zone: string): string {
  const time = namingTime(bar, interval);
  if (interval === "1d") return formatDate(time, zone);
  return interval === "1s" ? formatTime(time, zone) : formatMinute(time, zone);
}

/** When a bar began, with its day. */
export function longTime(bar: Bar, interval: Interval, zone: string): string {
  const time = namingTime(bar, interval);
  const day = formatDate(time, zone);
  return interval === "1d" ? day : `${day} ${formatTime(time, zone)}`;
}

/** The same for a table's column: as wide in each row, and in every language in order. */
export function columnTime(bar: Bar, interval: Interval, zone: string): string {
  const time = namingTime(bar, interval);
  const day = isoDate(time, zone);
  return interval === "1d" ? day : `${day} ${formatTime(time, zone)}`;
}
