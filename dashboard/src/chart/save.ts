import { formatTime, zoneName } from "../ui/format.ts";

import { type ChartColours } from "./adapter.ts";
import { closesAt } from "./compare.ts";
import { csvOf, fileName } from "./csv.ts";
import type { Picture } from "./picture.ts";
import type { ChartState } from "./reducer.ts";
import { lowerBound } from "./series.ts";
import { longTime, namingTime } from "./times.ts";

const headHeight = 34;

/** What the bars in view, or all that are loaded, are as CSV. */
export function csvFor(chart: ChartState, picture: Picture, all: boolean): string {
  const bars = all ? chart.bars : picture.bars;
  const first = bars[0]?.start_ms ?? 0;
  const { rival } = chart;
  const starts = bars.map(({ start_ms }) => start_ms);
  return csvOf({
    bars,
    indicators: chart.indicators.slice(lowerBound(chart.indicators, first)),
    names: picture.lines.map(({ output }) => output.name),
    rival:
      rival === null ? undefined : { symbol: rival.symbol, closes: closesAt(starts, rival.bars) },
  });
}

/** What a file of the chart is called, without its ending. */
export function nameFor({ symbol, interval, last }: Picture): string {
  const time = last === undefined ? 0 : namingTime(last, interval);
  return fileName(symbol, interval, new Date(time).toISOString().slice(0, 10));
}

/** The chart with a head that says what it is, on a ground of its own. */
export function framed(
  image: HTMLCanvasElement,
  picture: Picture,
  legend: string,
  colours: ChartColours,
): HTMLCanvasElement {
  const scale = devicePixelRatio;
  const head = Math.round(headHeight * scale);
  const canvas = document.createElement("canvas");
  canvas.width = image.width;
  canvas.height = image.height + head;
  const ctx = canvas.getContext("2d");
  if (ctx === null) return canvas;
  ctx.fillStyle = colours.panel;
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  ctx.drawImage(image, 0, head);
  ctx.scale(scale, scale);
  ctx.fillStyle = colours.text;
  ctx.font = "600 13px sans-serif";
  ctx.fillText(`${picture.symbol} · ${picture.interval} · ${spanOf(picture)}`, 10, 15);
  ctx.fillStyle = colours.muted;
  ctx.font = "11px sans-serif";
  ctx.fillText(legend, 10, 29, canvas.width / scale - 20);
  return canvas;
}

/** From when to when the picture goes, with the zone. */
function spanOf({ points, interval, zone }: Picture): string {
  const first = points[0]?.bar;
  const last = points.at(-1)?.bar;
  if (first === undefined || last === undefined) return "";
  const from = longTime(first, interval, zone);
  if (interval === "1d") return `${from} – ${longTime(last, interval, zone)}`;
  return `${from} – ${formatTime(last.end_ms, zone)} ${zoneName(zone)}`;
}
