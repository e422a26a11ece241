import type { Chart, Plugin, Scale } from "chart.js";

import { formatPrice } from "../../ui/format.ts";
import type { ChartColours } from "../adapter.ts";
import type { Picture } from "../picture.ts";

/** What the plugins need to know of what is drawn; the adapter keeps it up to date. */
export interface Scene {
  picture: Picture;
  colours: ChartColours;
  /** Index of the bar that starts a day, for the lines between days. */
  dayStarts: readonly number[];
  pointer: { x: number; y: number } | null;
}

const labelHeight = 18;

function line(chart: Chart, colour: string, dash: number[], points: number[]): void {
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = points;
  const { ctx } = chart;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.setLineDash(dash);
  ctx.lineWidth = 1;
  ctx.beginPath();
  ctx.moveTo(Math.round(x1) + 0.5, Math.round(y1) + 0.5);
  ctx.lineTo(Math.round(x2) + 0.5, Math.round(y2) + 0.5);
  ctx.stroke();
  ctx.restore();
}

/** A filled label on the axis at the right, as wide as the axis. */
function axisLabel(
  chart: Chart,
  axis: Scale,
  y: number,
  text: string,
  fill: string,
  ink: string,
): void {
  const { ctx } = chart;
  const top = Math.min(axis.bottom - labelHeight, Math.max(axis.top, y - labelHeight / 2));
  ctx.save();
  ctx.fillStyle = fill;
  ctx.fillRect(axis.left, top, axis.width, labelHeight);
  ctx.fillStyle = ink;
  ctx.textBaseline = "middle";
  ctx.fillText(text, axis.left + 6, top + labelHeight / 2 + 1);
  ctx.restore();
}

/** A line at each new day, below the candles. */
export function dayLines(scene: Scene): Plugin {
  return {
    id: "dayLines",
    beforeDatasetsDraw(chart) {
      const x = chart.scales.x;
      if (x === undefined) return;
      const { top, bottom } = chart.chartArea;
      for (const index of scene.dayStarts) {
        const at = x.getPixelForValue(index - 0.5);
        line(chart, scene.colours.muted, [2, 3], [at, top, at, bottom]);
      }
    },
  };
}

/** The last price: a dotted line across, its label on the right axis. */
export function lastPrice(scene: Scene): Plugin {
  return {
    id: "lastPrice",
    afterDatasetsDraw(chart) {
      const axis = chart.scales.price;
      const { last, price, digits } = scene.picture;
      if (axis === undefined || last === undefined) return;
      const y = axis.getPixelForValue(price);
      const { up, down, panel } = scene.colours;
      const colour = price >= last.open ? up : down;
      if (y >= axis.top && y <= axis.bottom)
        line(chart, colour, [1, 3], [chart.chartArea.left, y, axis.left, y]);
      axisLabel(chart, axis, y, formatPrice(price, digits), colour, panel);
    },
  };
}

/** Lines through the pointer, the price at its height on the axis. */
export function crosshair(scene: Scene): Plugin {
  return {
    id: "crosshair",
    afterDraw(chart) {
      const { pointer, colours, picture } = scene;
      const x = chart.scales.x;
      const price = chart.scales.price;
      if (pointer === null || x === undefined || price === undefined) return;
      const { left, right, top, bottom } = chart.chartArea;
      const middle = x.getPixelForValue(Math.round(x.getValueForPixel(pointer.x) ?? 0));
      line(chart, colours.muted, [3, 3], [middle, top, middle, bottom]);
      line(chart, colours.muted, [3, 3], [left, pointer.y, right, pointer.y]);
      if (pointer.y > price.bottom) return;
      const value = price.getValueForPixel(pointer.y) ?? Number.NaN;
      const text = formatPrice(value, picture.digits);
      axisLabel(chart, price, pointer.y, text, colours.muted, colours.panel);
    },
  };
}
