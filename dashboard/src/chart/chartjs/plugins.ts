import type { Chart, Plugin, Scale } from "chart.js";

import { formatPercent, formatPrice, formatVolume } from "../../ui/format.ts";
import { onScale, type Picture } from "../picture.ts";
import { longTime } from "../times.ts";
import { volumeId } from "../studies.ts";

import { formatStudy, ownPanes } from "./axes.ts";
import type { Scene } from "./scene.ts";
import { axisLabel, line, timeLabel } from "./strokes.ts";

/** A line at each new day, below the candles. */
export function dayLines(scene: Scene): Plugin {
  return {
    id: "dayLines",
    beforeDatasetsDraw(chart) {
      const x = chart.scales.x;
      if (x === undefined) return;
      const { top, bottom } = chart.chartArea;
      for (const { index, major } of scene.ticks) {
        if (!major) continue;
        const at = x.getPixelForValue(index - 0.5);
        line(chart, scene.colours.muted, [2, 3], [at, top, at, bottom]);
      }
    },
  };
}

const valueOn = ({ base, digits }: Picture, value: number): string =>
  base === null ? formatPrice(value, digits) : formatPercent(value / 100);

/** The last price: a dotted line across, its label on the right axis. */
export function lastPrice(scene: Scene): Plugin {
  return {
    id: "lastPrice",
    afterDatasetsDraw(chart) {
      const axis = chart.scales.price;
      const { picture } = scene;
      const { last, price, comparison } = picture;
      if (axis === undefined || last === undefined) return;
      const { up, down, panel, rival } = scene.colours;
      const other = picture.live ? comparison?.percents.at(-1) : undefined;
      if (other !== undefined && Number.isFinite(other)) {
        const text = formatPercent(other / 100);
        axisLabel(chart, axis, axis.getPixelForValue(other), text, { fill: rival, text: panel });
      }
      const value = onScale(picture, price);
      const y = axis.getPixelForValue(value);
      const colour = price >= last.open ? up : down;
      if (y >= axis.top && y <= axis.bottom)
        line(chart, colour, [1, 3], [chart.chartArea.left, y, axis.left, y]);
      axisLabel(chart, axis, y, valueOn(picture, value), { fill: colour, text: panel });
    },
  };
}

/** The value at a height of one of the panes. */
function valueAt(axis: Scale, y: number, picture: Picture): string {
  const value = axis.getValueForPixel(y) ?? Number.NaN;
  if (axis.id === "price") return valueOn(picture, value);
  const study = ownPanes(picture).find(({ id }) => id === axis.id);
  return axis.id === volumeId || study === undefined
    ? formatVolume(value)
    : formatStudy(value, study);
}

/** Lines through the pointer, the value at its height and the time at its place on the axes. */
export function crosshair(scene: Scene): Plugin {
  return {
    id: "crosshair",
    afterDraw(chart) {
      const { pointer, colours, picture } = scene;
      const x = chart.scales.x;
      if (pointer === null || x === undefined) return;
      const { left, right, top, bottom } = chart.chartArea;
      const ink = { fill: colours.muted, text: colours.panel };
      const place = Math.round(x.getValueForPixel(pointer.x) ?? 0);
      const middle = x.getPixelForValue(place);
      line(chart, colours.muted, [3, 3], [middle, top, middle, bottom]);
      const point = picture.points[place - scene.shift];
      const { interval, zone } = picture;
      if (point !== undefined) timeLabel(chart, middle, longTime(point.bar, interval, zone), ink);
      const { y } = pointer;
      if (y === null || y < top || y > bottom) return;
      line(chart, colours.muted, [3, 3], [left, y, right, y]);
      const axis = Object.values(chart.scales).find(
        (scale) => scale.id !== "x" && y >= scale.top && y <= scale.bottom,
      );
      if (axis !== undefined) axisLabel(chart, axis, y, valueAt(axis, y, picture), ink);
    },
  };
}

/** The name of each pane in its corner, its levels as dotted lines. */
export function paneNames(scene: Scene): Plugin {
  return {
    id: "paneNames",
    beforeDatasetsDraw(chart) {
      const { colours, picture } = scene;
      for (const { id, levels } of ownPanes(picture)) {
        const axis = chart.scales[id];
        if (axis === undefined) continue;
        for (const level of levels) {
          if (level < axis.min || level > axis.max) continue;
          const y = axis.getPixelForValue(level);
          line(chart, colours.muted, [1, 4], [chart.chartArea.left, y, chart.chartArea.right, y]);
        }
      }
    },
    afterDatasetsDraw(chart) {
      const { picture, colours } = scene;
      for (const { id, label } of ownPanes(picture)) name(chart, id, label, colours.muted);
    },
  };
}

function name(chart: Chart, pane: string, text: string, colour: string): void {
  const axis = chart.scales[pane];
  if (axis === undefined) return;
  const { ctx, chartArea } = chart;
  ctx.save();
  ctx.fillStyle = colour;
  ctx.textBaseline = "top";
  ctx.fillText(text, chartArea.left + 8, axis.top + 4);
  ctx.restore();
}
