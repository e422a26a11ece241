/** Numbers and times as text, in the way of the page's locale; zones are given. */

import { locale, spoken } from "./language.ts";

const minus = "−";

/** Digits after the point: two for what costs a unit or more, enough to see a move in what costs less. */
export function priceDigits(price: number): number {
  const size = Math.abs(price);
  if (size >= 1 || size === 0) return 2;
  return size >= 0.01 ? 4 : 6;
}

const fixedFormats = new Map<number, Intl.NumberFormat>();

function fixed(value: number, digits: number): string {
  let format = fixedFormats.get(digits);
  if (format === undefined) {
    format = new Intl.NumberFormat(locale, {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    });
    fixedFormats.set(digits, format);
  }
  return format.format(value).replace("-", minus);
}

export function formatNumber(value: number, digits: number): string {
  return Number.isFinite(value) ? fixed(value, digits) : "–";
}

/** `1234.5` as `1,234.50`; `digits` keeps a column of one symbol in line. */
export function formatPrice(price: number, digits = priceDigits(price)): string {
  return formatNumber(price, digits);
}

/** With its sign always, so that direction is never told by colour alone. */
export function formatChange(change: number, digits = 2): string {
  if (!Number.isFinite(change)) return "–";
  const text = fixed(Math.abs(change), digits);
  if (!/[1-9]/.test(text)) return text;
  return (change > 0 ? "+" : minus) + text;
}

export function formatPercent(fraction: number): string {
  return Number.isFinite(fraction) ? formatChange(fraction * 100) + percent : "–";
}

const { percent, units } = spoken<{ percent: string; units: readonly [number, string][] }>({
  en: {
    percent: "%",
    units: [
      [1e12, "T"],
      [1e9, "B"],
      [1e6, "M"],
      [1e3, "K"],
    ],
  },
  de: {
    percent: "\u00a0%",
    units: [
      [1e12, "\u202fBio"],
      [1e9, "\u202fMrd"],
      [1e6, "\u202fMio"],
      [1e3, "\u202fTsd"],
    ],
  },
});

/** `1234567` as `1.23M`: at most four digits. */
export function formatVolume(volume: number): string {
  if (!Number.isFinite(volume)) return "–";
  const size = Math.abs(volume);
  for (const [unit, name] of units) {
    // A thousand of the unit below, once rounded, is one of this.
    if (size < unit * 0.9995) continue;
    const scaled = volume / unit;
    const digits = Math.abs(scaled) >= 99.95 ? 0 : Math.abs(scaled) >= 9.995 ? 1 : 2;
    return fixed(scaled, digits) + name;
  }
  return fixed(volume, Number.isInteger(volume) || size >= 100 ? 0 : 2);
}

export function formatCount(count: number): string {
  return Number.isFinite(count) ? fixed(Math.round(count), 0) : "–";
}

/** A latency of `ms` milliseconds. */
export function formatLatency(ms: number): string {
  if (!Number.isFinite(ms)) return "–";
  if (ms < 1) return "<1 ms";
  return ms < 10_000 ? `${fixed(Math.round(ms), 0)} ms` : `${fixed(ms / 1000, 1)} s`;
}

/** `0.123` as `12%`. */
export function formatShare(share: number, digits = 0): string {
  return Number.isFinite(share) ? fixed(share * 100, digits) + percent : "–";
}

/** In units of 1,000,000 bytes. */
export function formatMegabytes(bytes: number): string {
  return Number.isFinite(bytes) ? `${fixed(bytes / 1e6, 0)} MB` : "–";
}

/** How old something is: `4 s`, `3 min`, `2 h`. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h`;
}

interface ZonedParts {
  year: string;
  month: string;
  day: string;
  hour: string;
  minute: string;
  second: string;
}

const zoneFormats = new Map<string, Intl.DateTimeFormat>();

function zonedParts(ms: number, zone: string): ZonedParts {
  let format = zoneFormats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
    zoneFormats.set(zone, format);
  }
  const parts = format.formatToParts(ms).map(({ type, value }) => [type, value] as const);
  return Object.fromEntries(parts) as unknown as ZonedParts;
}

/** What the clock of `zone` shows at `ms`, as if it were UTC; ms. */
export function zoneClock(ms: number, zone: string): number {
  const { year, month, day, hour, minute, second } = zonedParts(ms, zone);
  const shown = [year, month, day, hour, minute, second].map(Number);
  const [years = 0, months = 1, days = 1, hours = 0, minutes = 0, seconds = 0] = shown;
  return Date.UTC(years, months - 1, days, hours, minutes, seconds) + (((ms % 1000) + 1000) % 1000);
}

/** `2013-10-08` where the clock of `zone` shows it; the same in every language. */
export function isoDate(ms: number, zone: string): string {
  const { year, month, day } = zonedParts(ms, zone);
  return `${year}-${month}-${day}`;
}

const dayFormats = new Map<string, Intl.DateTimeFormat>();

function dayFormat(zone: string, withYear: boolean): Intl.DateTimeFormat {
  const key = `${zone} ${withYear}`;
  let format = dayFormats.get(key);
  if (format === undefined) {
    const year = withYear ? ({ year: "numeric" } as const) : {};
    format = new Intl.DateTimeFormat(locale, {
      timeZone: zone,
      month: "short",
      day: "numeric",
      ...year,
    });
    dayFormats.set(key, format);
  }
  return format;
}

/** `Oct 8, 2013` where the clock of `zone` shows it. */
export function formatDate(ms: number, zone: string): string {
  return dayFormat(zone, true).format(ms);
}

/** `10:42:01` where the clock of `zone` shows it. */
export function formatTime(ms: number, zone: string): string {
  const { hour, minute, second } = zonedParts(ms, zone);
  return `${hour}:${minute}:${second}`;
}

export function formatMinute(ms: number, zone: string): string {
  const { hour, minute } = zonedParts(ms, zone);
  return `${hour}:${minute}`;
}

/** `Oct 8`, for the axis of days. */
export function formatDay(ms: number, zone: string): string {
  return dayFormat(zone, false).format(ms);
}

/** `Oct 8, 2013 10:42:01 ET`. */
export function formatMoment(ms: number, zone: string): string {
  return `${formatDate(ms, zone)} ${formatTime(ms, zone)} ${zoneName(zone)}`;
}

/** What people call the zone: `ET` for New York, else the last part of its name. */
export function zoneName(zone: string): string {
  if (zone === "America/New_York") return "ET";
  return zone.split("/").at(-1)?.replaceAll("_", " ") ?? zone;
}
