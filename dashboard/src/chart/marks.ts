import type { AlertEvent, Bar, Interval } from "../socket/records.ts";

/** A stretch of the time axis, in places [from, to). */
export interface Region {
  from: number;
  to: number;
  kind: "pre" | "post" | "feed_down" | "halted";
}

/** What alerts have said in one place. */
export interface AlertMark {
  index: number;
  events: readonly AlertEvent[];
}

/** Neighbours of the same session, or of the same trouble with the feed. */
export function regionsOf(bars: readonly Bar[], interval: Interval): Region[] {
  const sessions = interval === "1d" ? [] : stretches(bars, ({ session }) => session);
  const troubles = stretches(bars, ({ activity }) => activity);
  return [...sessions, ...troubles].filter(isRegion);
}

type Stretch = Omit<Region, "kind"> & { kind: string };

const kinds: readonly string[] = ["pre", "post", "feed_down", "halted"];
const isRegion = (stretch: Stretch): stretch is Region => kinds.includes(stretch.kind);

function stretches(bars: readonly Bar[], kindOf: (bar: Bar) => string): Stretch[] {
  const found: Stretch[] = [];
  bars.forEach((bar, index) => {
    const last = found.at(-1);
    const kind = kindOf(bar);
    if (last?.kind === kind) last.to = index + 1;
    else found.push({ from: index, to: index + 1, kind });
  });
  return found;
}

/** The alerts' events by the place of the bar that they fall into. */
export function alertMarksOf(bars: readonly Bar[], events: readonly AlertEvent[]): AlertMark[] {
  const byIndex = new Map<number, AlertEvent[]>();
  for (const event of events) {
    const index = placeAt(bars, event.ts_event_ms);
    if (index !== undefined) byIndex.set(index, [...(byIndex.get(index) ?? []), event]);
  }
  return [...byIndex].map(([index, own]) => ({ index, events: own }));
}

/** The bar that a time lies in; undefined between bars. What happened just at a bar's end belongs to it. */
function placeAt(bars: readonly Bar[], ms: number): number | undefined {
  let low = 0;
  let high = bars.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((bars[middle]?.start_ms ?? Number.POSITIVE_INFINITY) <= ms) low = middle + 1;
    else high = middle;
  }
  const index = low - 1;
  const own = bars[index];
  if (own === undefined) return undefined;
  if (ms <= own.end_ms)
    return ms === own.start_ms && bars[index - 1]?.end_ms === ms ? index - 1 : index;
  return undefined;
}
