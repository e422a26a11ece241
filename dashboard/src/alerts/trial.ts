import type { Bar, IndicatorSet } from "../socket/records.ts";

/** What the service takes to try a rule on: bars, and what was computed for them, by columns. */

const mostBars = 2_000;
const mostBytes = 240_000;
const numbers = ["start_ms", "end_ms", "open", "high", "low", "close", "volume", "trades"] as const;
const names = ["activity", "session"] as const;

export type Columns = Readonly<Record<string, unknown>> & { start_ms: readonly number[] };

/** The newest of the closed bars, as many as the service takes at once.
 *
 * @param rule whose indicators go with them, where they are known
 */
export function columnsOf(
  bars: readonly Bar[],
  indicators: readonly IndicatorSet[],
  rule: object,
): Columns {
  const asked = new Set(JSON.stringify(rule).match(/[A-Za-z_]\w*/g));
  const closed = bars.filter(({ state }) => state === "closed");
  for (let count = Math.min(closed.length, mostBars); ; count = Math.floor(count * 0.8)) {
    const columns = columnsOfAll(closed.slice(closed.length - count), indicators, asked);
    if (JSON.stringify(columns).length <= mostBytes) return columns;
  }
}

function columnsOfAll(
  bars: readonly Bar[],
  sets: readonly IndicatorSet[],
  asked: ReadonlySet<string>,
): Columns {
  const values = new Map(sets.map((one) => [one.start_ms, one.values]));
  const known = new Set(sets.flatMap((one) => Object.keys(one.values)));
  const computed = [...known]
    .filter((name) => asked.has(name))
    .map((name) => [name, bars.map((bar) => values.get(bar.start_ms)?.[name] ?? null)] as const);
  // What not every bar says, the service knows by its calendar.
  const said = names.filter((name) => bars.every((bar) => bar[name] !== ""));
  return {
    ...Object.fromEntries(
      [...numbers, ...said].map((name) => [name, bars.map((bar) => bar[name])]),
    ),
    start_ms: bars.map((bar) => bar.start_ms),
    // Without a trade there is no mean of their prices.
    vwap: bars.map(({ vwap, close }) => (vwap > 0 ? vwap : close)),
    indicators: Object.fromEntries(computed),
  };
}
