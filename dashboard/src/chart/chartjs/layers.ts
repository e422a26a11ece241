import type { Bar } from "../../socket/records.ts";
import { type ChartColours, dashOf } from "../adapter.ts";
import type { Place } from "../decimate.ts";
import { type Line, onScale, type Picture } from "../picture.ts";

import type { Frame, Layer } from "./layer.ts";

/** A layer and the axis that it is measured by. */
export interface Placed {
  yAxisID: string;
  layer: Layer;
}

const widest = 15;
const bodyWidth = ({ place }: Frame): number =>
  Math.max(1, Math.min(widest, Math.floor(place * 0.7)));

function rangeOf(values: Iterable<number>): { min: number; max: number } {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { min, max };
}

/** A bar as it is drawn: at its place, its prices on the axis' scale. */
interface Shape {
  x: number;
  open: number;
  high: number;
  low: number;
  close: number;
}

function shapesOf(
  picture: Picture,
  shift: number,
): Record<"rising" | "falling" | "quiet", Shape[]> {
  const shapes = { rising: [] as Shape[], falling: [] as Shape[], quiet: [] as Shape[] };
  picture.points.forEach(({ bar }, index) => {
    const [open, high, low, close] = [bar.open, bar.high, bar.low, bar.close].map((price) =>
      onScale(picture, price),
    ) as [number, number, number, number];
    shapes[manner(bar)].push({ x: index + shift, open, high, low, close });
  });
  return shapes;
}

function manner(bar: Bar): "rising" | "falling" | "quiet" {
  if (bar.activity !== "traded" && bar.volume === 0) return "quiet";
  return bar.close >= bar.open ? "rising" : "falling";
}

/** One path for all candles of a colour. A bar without a trade is a thin dash. */
function candles(frame: Frame, shapes: readonly Shape[], colour: string): void {
  const { ctx, x, y } = frame;
  const width = bodyWidth(frame);
  ctx.fillStyle = colour;
  ctx.beginPath();
  for (const { x: at, open, high, low, close } of shapes) {
    const middle = Math.round(x(at));
    const highest = y(high);
    const top = Math.round(y(Math.max(open, close)));
    const bottom = Math.round(y(Math.min(open, close)));
    ctx.rect(middle - 0.5, highest, 1, y(low) - highest);
    ctx.rect(middle - width / 2, top, width, Math.max(1, bottom - top));
  }
  ctx.fill();
}

/** A line from low to high, the open as a notch to the left, the close to the right. */
function ohlcBars(frame: Frame, shapes: readonly Shape[], colour: string): void {
  const { ctx, x, y } = frame;
  const notch = Math.max(1, Math.floor(bodyWidth(frame) / 2));
  ctx.fillStyle = colour;
  ctx.beginPath();
  for (const { x: at, open, high, low, close } of shapes) {
    const middle = Math.round(x(at));
    const highest = y(high);
    ctx.rect(middle - 0.75, highest, 1.5, Math.max(1, y(low) - highest));
    ctx.rect(middle - notch, Math.round(y(open)) - 0.75, notch, 1.5);
    ctx.rect(middle, Math.round(y(close)) - 0.75, notch, 1.5);
  }
  ctx.fill();
}

function trace(frame: Frame, path: readonly Place[], shift: number): void {
  const { ctx, x, y } = frame;
  ctx.beginPath();
  let drawing = false;
  for (const place of path) {
    if (Number.isNaN(place.y)) {
      drawing = false;
      continue;
    }
    if (drawing) ctx.lineTo(x(place.x + shift), y(place.y));
    else ctx.moveTo(x(place.x + shift), y(place.y));
    drawing = true;
  }
}

/** How a line looks. */
interface Pen {
  colour: string;
  width: number;
  dash: readonly number[];
}

function lineLayer(path: readonly Place[], shift: number, { colour, width, dash }: Pen): Layer {
  return {
    ...rangeOf(path.map(({ y }) => y)),
    draw(frame) {
      const { ctx } = frame;
      ctx.strokeStyle = colour;
      ctx.lineWidth = width;
      ctx.lineJoin = "round";
      ctx.setLineDash([...dash]);
      trace(frame, path, shift);
      ctx.stroke();
    },
  };
}

function histogramLayer(
  values: readonly number[],
  shift: number,
  colours: readonly [string, string],
): Layer {
  const { min, max } = rangeOf(values);
  return {
    min: Math.min(0, min),
    max: Math.max(0, max),
    draw(frame) {
      const { ctx, x, y } = frame;
      const width = bodyWidth(frame);
      const zero = y(0);
      values.forEach((value, index) => {
        if (Number.isNaN(value)) return;
        ctx.fillStyle = colours[value >= 0 ? 0 : 1];
        const top = y(value);
        ctx.fillRect(
          Math.round(x(index + shift)) - width / 2,
          Math.min(top, zero),
          width,
          Math.abs(zero - top),
        );
      });
    },
  };
}

/** The space between two lines. */
function bandLayer(
  above: Line,
  below: Line,
  picture: Picture,
  shift: number,
  colour: string,
): Layer {
  const scaled = (path: readonly Place[]): Place[] =>
    path.filter(({ y }) => Number.isFinite(y)).map(({ x, y }) => ({ x, y: onScale(picture, y) }));
  const top = scaled(above.path);
  const bottom = scaled(below.path).reverse();
  return {
    ...rangeOf([...top, ...bottom].map(({ y }) => y)),
    draw(frame) {
      frame.ctx.fillStyle = colour;
      trace(frame, [...top, ...bottom], shift);
      frame.ctx.fill();
    },
  };
}

/** The bars themselves, in the way that the user chose. */
function priceLayer(picture: Picture, colours: ChartColours, shift: number): Layer {
  const shapes = shapesOf(picture, shift);
  const quiet = (frame: Frame): void => {
    candles(frame, shapes.quiet, colours.muted);
  };
  if (picture.kind === "line") {
    const path = picture.closes.map(({ x, y }) => ({ x, y: onScale(picture, y) }));
    const line = lineLayer(path, shift, { colour: colours.text, width: 1.5, dash: [] });
    return {
      ...line,
      draw(frame) {
        line.draw(frame);
        quiet(frame);
      },
    };
  }
  const draw = picture.kind === "bars" ? ohlcBars : candles;
  const all = [...shapes.rising, ...shapes.falling, ...shapes.quiet];
  return {
    min: rangeOf(all.map(({ low }) => low)).min,
    max: rangeOf(all.map(({ high }) => high)).max,
    draw(frame) {
      draw(frame, shapes.rising, colours.up);
      draw(frame, shapes.falling, colours.down);
      quiet(frame);
    },
  };
}

function volumeLayer({ points }: Picture, colours: ChartColours, shift: number): Layer {
  return {
    min: 0,
    max: rangeOf(points.map(({ bar }) => bar.volume)).max,
    draw(frame) {
      const { ctx, x, y, bottom } = frame;
      const width = bodyWidth(frame);
      for (const rising of [true, false]) {
        ctx.fillStyle = rising ? colours.upSoft : colours.downSoft;
        ctx.beginPath();
        points.forEach(({ bar }, index) => {
          if (bar.close >= bar.open !== rising || bar.volume === 0) return;
          const top = y(bar.volume);
          ctx.rect(Math.round(x(index + shift)) - width / 2, top, width, bottom - top);
        });
        ctx.fill();
      }
    },
  };
}

/** The axis of a study's values: that of the prices, or one of its own. */
const axisOf = ({ study }: Line): string => (study.overlay ? "price" : study.id);

function studyLayer(line: Line, picture: Picture, colours: ChartColours, shift: number): Layer {
  if (line.output.histogram)
    return histogramLayer(line.values, shift, [colours.upSoft, colours.downSoft]);
  const colour = colours.lines[line.colour % colours.lines.length] ?? colours.text;
  const path = line.study.overlay
    ? line.path.map(({ x, y }) => ({ x, y: onScale(picture, y) }))
    : line.path;
  const dash = dashOf(line.colour, line.output.label);
  return lineLayer(path, shift, { colour, width: 1.25, dash });
}

function bandsOf(picture: Picture, colours: ChartColours, shift: number): Placed[] {
  const above = picture.lines.filter(({ output }) => output.label === "upper");
  return above.flatMap((one) => {
    const below = picture.lines.find(
      ({ study, output }) => study.id === one.study.id && output.label === "lower",
    );
    if (below === undefined) return [];
    return [
      { yAxisID: axisOf(one), layer: bandLayer(one, below, picture, shift, colours.bandFill) },
    ];
  });
}

/** Everything in a picture, those drawn first at the end. */
export function layersOf(picture: Picture, colours: ChartColours, shift: number): Placed[] {
  const { comparison, lines } = picture;
  const overlay = lines.filter(({ study }) => study.overlay);
  const own = lines.filter(({ study }) => !study.overlay);
  const place = (line: Line): Placed => ({
    yAxisID: axisOf(line),
    layer: studyLayer(line, picture, colours, shift),
  });
  const rival: Placed[] =
    comparison === null
      ? []
      : [
          {
            yAxisID: "price",
            layer: lineLayer(comparison.path, shift, {
              colour: colours.rival,
              width: 1.75,
              dash: [5, 2],
            }),
          },
        ];
  return [
    ...rival,
    ...overlay.map(place),
    { yAxisID: "price", layer: priceLayer(picture, colours, shift) },
    ...(picture.volume ? [{ yAxisID: "volume", layer: volumeLayer(picture, colours, shift) }] : []),
    // Lines lie over the histogram of their pane.
    ...own.filter(({ output }) => !output.histogram).map(place),
    ...own.filter(({ output }) => output.histogram).map(place),
    ...bandsOf(picture, colours, shift),
  ];
}
