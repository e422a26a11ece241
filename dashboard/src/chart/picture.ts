import type { Bar, IndicatorSet, Interval } from "../socket/records.ts";
import type { Study } from "../store/actions.ts";
import { priceDigits } from "../ui/format.ts";

import type { ChartState } from "./reducer.ts";
import { lowerBound } from "./series.ts";
import { visibleRange } from "./viewport.ts";

/** A bar with what the studies say about it; NaN where they have nothing to say. */
export interface Point {
  bar: Bar;
  vwap: number;
  upper: number;
  lower: number;
  rsi: number;
}

/** All that a chart library needs to draw one view. */
export interface Picture {
  symbol: string;
  interval: Interval;
  /** The zone in which its times are shown. */
  zone: string;
  points: readonly Point[];
  /** How many places for bars the width is divided into; the newest bar takes the last. */
  slots: number;
  studies: Readonly<Record<Study, boolean>>;
  /** The newest bar of the series, in view or not. */
  last: Bar | undefined;
  /** The newest price: that of the last trade, which bars follow about once a second. */
  price: number;
  digits: number;
}

/** A short series is not drawn as a few fat candles. */
const fewestSlots = 40;

function point(bar: Bar, set: IndicatorSet | undefined): Point {
  const value = (name: string): number => set?.values[name] ?? Number.NaN;
  return {
    bar,
    vwap: value("vwap"),
    upper: value("bbands_20_2_upper"),
    lower: value("bbands_20_2_lower"),
    rsi: value("rsi_14"),
  };
}

/** A study without a value yet gets no pane. */
function shownStudies({ studies, indicators }: ChartState): Picture["studies"] {
  const hasRsi = indicators.at(-1)?.values.rsi_14 !== undefined;
  return { ...studies, rsi: studies.rsi && hasRsi };
}

/**
 * The visible part of the chart, each bar with the indicators of the same start.
 *
 * @param zone in which its times are shown
 * @param price of the last trade, when it is known
 */
export function pictureOf(chart: ChartState, zone: string, price?: number): Picture {
  const { from, to } = visibleRange(chart.viewport, chart.bars.length);
  const bars = chart.bars.slice(from, to);
  let place = lowerBound(chart.indicators, bars[0]?.start_ms ?? 0);
  const points = bars.map((bar) => {
    while ((chart.indicators[place]?.start_ms ?? Number.POSITIVE_INFINITY) < bar.start_ms)
      place += 1;
    const set = chart.indicators[place];
    return point(bar, set?.start_ms === bar.start_ms ? set : undefined);
  });
  const last = chart.bars.at(-1);
  return {
    symbol: chart.symbol ?? "",
    interval: chart.interval,
    zone,
    points,
    slots: Math.max(points.length, Math.min(fewestSlots, chart.viewport.bars)),
    studies: shownStudies(chart),
    last,
    price: price ?? last?.close ?? Number.NaN,
    digits: priceDigits(last?.close ?? 1),
  };
}
