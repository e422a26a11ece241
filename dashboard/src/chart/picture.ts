import type { Bar, IndicatorSet, Interval } from "../socket/records.ts";
import type { ChartKind } from "../store/actions.ts";
import { priceDigits } from "../ui/format.ts";

import { baseOf, closesAt, percentFrom } from "./compare.ts";
import { type Bucket, buckets, joined, pathOf, type Place } from "./decimate.ts";
import { type Gap, gapsOf } from "./gaps.ts";
import { type AlertMark, alertMarksOf, type Region, regionsOf } from "./marks.ts";
import type { ChartState } from "./reducer.ts";
import { lowerBound } from "./series.ts";
import { namesOf, type Output, type Study, studiesOf, volumeId } from "./studies.ts";
import { lengths } from "./time-axis.ts";
import { visibleRange } from "./viewport.ts";

/** A place on the time axis: a bar, or several as one where there are more bars than places. */
export interface Point {
  bar: Bar;
  /** How many bars it stands for. */
  count: number;
}

/** One output of a study. */
export interface Line {
  study: Study;
  output: Output;
  /** Which of the colours for lines it has. */
  colour: number;
  /** Its value for each point; NaN where it has none. */
  values: readonly number[];
  path: readonly Place[];
}

/** The other symbol of a comparison. */
export interface Comparison {
  symbol: string;
  /** Its change since the first bar that both have, %, at each point. */
  percents: readonly number[];
  path: readonly Place[];
}

/** All that a chart library needs to draw one view. */
export interface Picture {
  symbol: string;
  interval: Interval;
  kind: ChartKind;
  /** The zone in which times are shown. */
  zone: string;
  /** The bars in view, as they are. */
  bars: readonly Bar[];
  points: readonly Point[];
  /** How many places for bars the width is divided into; the newest bar takes the last. */
  slots: number;
  volume: boolean;
  lines: readonly Line[];
  /** The closes, for a chart that is a line. */
  closes: readonly Place[];
  comparison: Comparison | null;
  /** The price that is 0 % where two symbols are compared; null: prices are shown as they are. */
  base: number | null;
  regions: readonly Region[];
  gaps: readonly Gap[];
  alerts: readonly AlertMark[];
  /** The newest bar of the series, in view or not. */
  last: Bar | undefined;
  /** The newest price: that of the last trade, which bars follow about once a second. */
  price: number;
  digits: number;
  /** Whether the newest bar is in view. */
  live: boolean;
}

/** A short series is not drawn as a few fat candles. */
const fewestSlots = 40;
/** Narrower than this a candle says nothing. */
const pixelsPerPlace = 2;
const fewestPlaces = 60;

/** The indicators of each bar's start. */
function setsOf(
  bars: readonly Bar[],
  indicators: readonly IndicatorSet[],
): (IndicatorSet | undefined)[] {
  let place = lowerBound(indicators, bars[0]?.start_ms ?? 0);
  return bars.map((bar) => {
    while ((indicators[place]?.start_ms ?? Number.POSITIVE_INFINITY) < bar.start_ms) place += 1;
    const set = indicators[place];
    return set?.start_ms === bar.start_ms ? set : undefined;
  });
}

/** The studies there are for a chart, in the order they are shown in. */
function shownStudies({ studies, indicators }: ChartState): Study[] {
  const found = new Map(studiesOf(namesOf(indicators.at(-1))).map((study) => [study.id, study]));
  return studies.flatMap((id) => found.get(id) ?? []);
}

const lastIn = (values: readonly number[], { from, to }: Bucket): number => {
  for (let index = to - 1; index > from; index -= 1)
    if (!Number.isNaN(values[index] ?? Number.NaN)) return values[index] ?? Number.NaN;
  return values[from] ?? Number.NaN;
};

function linesOf(
  chart: ChartState,
  bars: readonly Bar[],
  groups: readonly Bucket[],
): readonly Line[] {
  const studies = shownStudies(chart);
  if (studies.length === 0) return [];
  const sets = setsOf(bars, chart.indicators);
  return studies.flatMap((study) => {
    // A study keeps its colour while others come and go before it.
    const colour = chart.studies.filter((id) => id !== volumeId).indexOf(study.id);
    return study.outputs.flatMap((output) => {
      const values = sets.map((set) => set?.values[output.name] ?? Number.NaN);
      // A study without a value yet gets no pane.
      if (chart.indicators.at(-1)?.values[output.name] === undefined && values.every(Number.isNaN))
        return [];
      const ends = groups.map((group) => lastIn(values, group));
      return [{ study, output, colour, values: ends, path: pathOf(values, groups) }];
    });
  });
}

function comparisonOf(
  { rival }: ChartState,
  bars: readonly Bar[],
  groups: readonly Bucket[],
): { comparison: Comparison | null; base: number | null } {
  if (rival === null) return { comparison: null, base: null };
  const closes = closesAt(
    bars.map(({ start_ms }) => start_ms),
    rival.bars,
  );
  // Both count from the same bar on: the first that both have.
  const first = Math.max(
    0,
    closes.findIndex((close) => Number.isFinite(close)),
  );
  const base = baseOf(bars.slice(first).map(({ close }) => close));
  const theirs = baseOf(closes);
  const percents = closes.map((close) => percentFrom(theirs, close));
  return {
    base,
    comparison: {
      symbol: rival.symbol,
      percents: groups.map((group) => lastIn(percents, group)),
      path: pathOf(percents, groups),
    },
  };
}

/** The line of closes, broken where bars are missing. */
function closesOf(
  { kind }: ChartState,
  bars: readonly Bar[],
  groups: readonly Bucket[],
  gaps: readonly Gap[],
): readonly Place[] {
  if (kind !== "line") return [];
  const path = pathOf(
    bars.map(({ close }) => close),
    groups,
  );
  if (groups.length < bars.length) return path;
  const broken = new Set(gaps.map(({ index }) => index));
  return path.flatMap((place, index) =>
    broken.has(index) ? [{ x: place.x - 0.5, y: Number.NaN }, place] : [place],
  );
}

/**
 * The visible part of the chart, each bar with the indicators of the same start.
 *
 * @param zone in which times are shown
 * @param price of the last trade, when it is known
 */
export function pictureOf(chart: ChartState, zone: string, price?: number): Picture {
  const { from, to } = visibleRange(chart.viewport, chart.bars.length);
  const bars = chart.bars.slice(from, to);
  const most = Math.max(fewestPlaces, Math.floor(chart.width / pixelsPerPlace));
  const groups = buckets(bars, lengths[chart.interval], most);
  const points = groups.flatMap((group) => {
    const bar = joined(bars.slice(group.from, group.to));
    return bar === undefined ? [] : [{ bar, count: group.to - group.from }];
  });
  const placed = points.map(({ bar }) => bar);
  const gaps = gapsOf(placed, chart.bars, chart.interval);
  const last = chart.bars.at(-1);
  const own = chart.alerts.filter(({ symbol }) => symbol === chart.symbol);
  return {
    symbol: chart.symbol ?? "",
    interval: chart.interval,
    kind: chart.kind,
    zone,
    bars,
    points,
    slots: Math.max(points.length, Math.min(fewestSlots, chart.viewport.bars)),
    volume: chart.studies.includes(volumeId),
    lines: linesOf(chart, bars, groups),
    closes: closesOf(chart, bars, groups, gaps),
    ...comparisonOf(chart, bars, groups),
    regions: regionsOf(placed, chart.interval),
    gaps,
    alerts: alertMarksOf(placed, own),
    last,
    price: price ?? last?.close ?? Number.NaN,
    digits: priceDigits(last?.close ?? 1),
    live: chart.viewport.behind === 0,
  };
}

/** Where a price stands on the price axis: itself, or in percent where two symbols are compared. */
export function onScale({ base }: Pick<Picture, "base">, price: number): number {
  return base === null ? price : percentFrom(base, price);
}
