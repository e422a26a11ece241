import type { Chart, ScaleOptionsByType } from "chart.js";

import { formatPercent, formatPrice, formatVolume } from "../../ui/format.ts";
import type { Picture } from "../picture.ts";
import { roundBelow, roundValues } from "../price-axis.ts";
import type { Study } from "../studies.ts";

import type { Scene } from "./scene.ts";

type LinearOptions = { [Key in keyof ScaleOptionsByType<"linear">]?: unknown };

interface Range {
  min: number;
  max: number;
  ticks: object[];
  chart: Chart;
}

const axisWidth = 68;
const pixelsPerPrice = 48;
const labelRoom = 9;
/** Room above and below the prices, above the volumes; as a part of their range. */
const priceAir = 0.06;
const volumeAir = 0.2;
const studyAir = 0.1;
const weights = { price: 7, volume: 1.6, study: 1.8 };

/** The studies with a pane of their own, each once, in order. */
export function ownPanes({ lines }: Picture): Study[] {
  const found = new Map(
    lines.filter(({ study }) => !study.overlay).map(({ study }) => [study.id, study]),
  );
  return [...found.values()];
}

/** What the panes of a picture are; with others the axes have to be made anew. */
export function panesKey(picture: Picture): string {
  return [picture.volume ? "volume" : "", ...ownPanes(picture).map(({ id }) => id)].join();
}

/** The part of the height that the price pane takes, about. */
function priceShare(picture: Picture): number {
  const others = (picture.volume ? weights.volume : 0) + ownPanes(picture).length * weights.study;
  return (weights.price / (weights.price + others)) * 0.94;
}

/** The axes of a scene: panes are stacked axes of one chart, so that they share their time axis. */
export function axesOf(scene: Scene): Record<string, LinearOptions> {
  const own = ownPanes(scene.picture).map((study) => [study.id, studyAxis(scene, study)] as const);
  return {
    x: timeAxis(scene),
    price: priceAxis(scene),
    ...(scene.picture.volume ? { volume: volumeAxis(scene) } : {}),
    ...Object.fromEntries(own),
  };
}

function timeAxis(scene: Scene): LinearOptions {
  const { colours } = scene;
  return {
    type: "linear",
    grid: { color: colours.grid, tickLength: 0, offset: false },
    border: { color: colours.grid },
    afterBuildTicks: (axis: { ticks: object[] }) => {
      axis.ticks = scene.ticks.map(({ index }) => ({ value: index }));
    },
    ticks: {
      color: colours.muted,
      autoSkip: false,
      maxRotation: 0,
      padding: 6,
      callback: (value: number) => scene.ticks.find(({ index }) => index === value)?.label ?? "",
    },
  };
}

/** An axis at the right, one of the stacked panes. */
function pane({ colours }: Scene, weight: number, ticks: object): LinearOptions {
  return {
    type: "linear",
    position: "right",
    stack: "panes",
    stackWeight: weight,
    grid: { color: colours.grid, tickLength: 0 },
    border: { color: colours.grid },
    ticks: { color: colours.muted, padding: 6, maxRotation: 0, ...ticks },
    afterFit: (axis: { width: number }) => {
      axis.width = axisWidth;
    },
  };
}

function priceAxis(scene: Scene): LinearOptions {
  const callback = (value: number): string => {
    const { base, digits } = scene.picture;
    return base === null ? formatPrice(value, digits) : formatPercent(value / 100);
  };
  return {
    ...pane(scene, weights.price, { callback }),
    bounds: "data",
    afterDataLimits: (axis: Range) => {
      const air = (axis.max - axis.min || Math.abs(axis.max) * 0.01 || 1) * priceAir;
      axis.min -= air;
      axis.max += air;
    },
    afterBuildTicks: (axis: Range) => {
      // The axis itself has no height yet. A label at its very edge would be cut.
      const height = axis.chart.height * priceShare(scene.picture);
      const edge = ((axis.max - axis.min) * labelRoom) / height;
      const most = Math.floor(height / pixelsPerPrice);
      const values = roundValues(axis.min + edge, axis.max - edge, most);
      axis.ticks = values.map((value) => ({ value }));
    },
  };
}

function volumeAxis(scene: Scene): LinearOptions {
  return {
    ...pane(scene, weights.volume, { callback: formatVolume }),
    beginAtZero: true,
    bounds: "data",
    afterDataLimits: (axis: Range) => {
      axis.max *= 1 + volumeAir;
    },
    afterBuildTicks: (axis: Range) => {
      axis.ticks = [{ value: roundBelow(axis.max * 0.8) }];
    },
  };
}

function studyAxis(scene: Scene, study: Study): LinearOptions {
  const callback = (value: number): string =>
    study.levels.includes(value) ? formatPrice(value, 0) : formatStudy(value, study);
  const [min, max] = study.range ?? [];
  return {
    ...pane(scene, weights.study, { callback }),
    bounds: "data",
    ...(study.range === null ? {} : { min, max }),
    afterDataLimits: (axis: Range) => {
      if (study.range !== null) return;
      const air = (axis.max - axis.min || Math.abs(axis.max) * 0.01 || 1) * studyAir;
      axis.min -= air;
      axis.max += air;
    },
    afterBuildTicks: (axis: Range) => {
      const within = study.levels.filter((level) => level > axis.min && level < axis.max);
      const values = within.length > 0 ? within : roundValues(axis.min, axis.max, 2).slice(0, 2);
      axis.ticks = values.map((value) => ({ value }));
    },
  };
}

/** A study's value: within a fixed range to a tenth, else with as many digits as its size lets it be read. */
export function formatStudy(value: number, { range }: Pick<Study, "range">): string {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (range !== null) return formatPrice(value, 1);
  if (size >= 10_000) return formatVolume(value);
  return formatPrice(value, size >= 100 ? 1 : size >= 1 || size === 0 ? 2 : size >= 0.01 ? 3 : 5);
}
