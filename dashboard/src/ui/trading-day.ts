import { isoDate } from "./format.ts";
import { exchangeZone } from "./time-zone.ts";

const hour = 3_600_000;
let lastHour = Number.NaN;
let lastDay = "";

/** The trading day, as `2013-10-08`, in which a time lies. Remembers the last hour: records come in order. */
export function tradingDay(ms: number): string {
  const inHour = Math.floor(ms / hour);
  if (inHour !== lastHour) {
    lastHour = inHour;
    lastDay = isoDate(ms, exchangeZone);
  }
  return lastDay;
}
