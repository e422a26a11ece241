import type { Chart, Plugin } from "chart.js";

import type { AlertEvent } from "../../socket/records.ts";
import { formatAge } from "../../ui/format.ts";
import { onScale } from "../picture.ts";
import { words } from "../words.ts";

import type { Scene } from "./scene.ts";
import { hatch, line } from "./strokes.ts";

/** The left edge of a place, pixels. */
function edgeOf(chart: Chart, scene: Scene, index: number): number {
  return chart.scales.x?.getPixelForValue(index + scene.shift - 0.5) ?? 0;
}

/** A word where there is room for it. */
function word(
  chart: Chart,
  text: string,
  colour: string,
  box: { x: number; y: number; width: number },
): void {
  const { ctx } = chart;
  if (ctx.measureText(text).width + 8 > box.width) return;
  ctx.save();
  ctx.fillStyle = colour;
  ctx.textBaseline = "bottom";
  ctx.fillText(text, box.x + 4, box.y);
  ctx.restore();
}

/** Of a trouble that is too narrow for its name. */
const signs = { feed_down: "⚠", halted: "‖" } as const;

/** What lies behind the bars: sessions out of hours shaded, a feed that was down hatched, a halt filled between two walls. */
export function shading(scene: Scene): Plugin {
  return {
    id: "shading",
    beforeDatasetsDraw(chart) {
      const price = chart.scales.price;
      if (price === undefined) return;
      const { ctx } = chart;
      const { top, bottom } = chart.chartArea;
      const { colours } = scene;
      for (const { from, to, kind } of scene.picture.regions) {
        const x = edgeOf(chart, scene, from);
        const width = edgeOf(chart, scene, to) - x;
        const box = { x, y: top, width, height: bottom - top };
        ctx.save();
        ctx.fillStyle = kind === "pre" || kind === "post" ? colours.shade : colours.trouble;
        ctx.fillRect(box.x, box.y, box.width, box.height);
        ctx.restore();
        if (kind === "feed_down") hatch(ctx, colours.trouble, box);
        if (kind === "halted")
          for (const at of [x, x + width]) line(chart, colours.warn, [], [at, top, at, bottom]);
        const trouble = kind === "feed_down" || kind === "halted";
        const at = { x, y: trouble ? price.bottom - 16 : price.bottom - 3, width };
        const fits = chart.ctx.measureText(words.regions[kind]).width + 8 <= width;
        const text = trouble && !fits ? signs[kind] : words.regions[kind];
        word(chart, text, trouble ? colours.warn : colours.muted, at);
      }
    },
  };
}

/** Missing bars: a break in the row, with the time that is missing. */
export function gaps(scene: Scene): Plugin {
  return {
    id: "gaps",
    beforeDatasetsDraw(chart) {
      const price = chart.scales.price;
      if (price === undefined) return;
      const { warn } = scene.colours;
      let free = Number.NEGATIVE_INFINITY;
      for (const { index, ms } of scene.picture.gaps) {
        const x = edgeOf(chart, scene, index);
        line(chart, warn, [2, 6], [x, price.top, x, price.bottom]);
        const text = words.gapShort(formatAge(ms));
        const width = chart.ctx.measureText(text).width + 12;
        if (x < free || x + width > chart.chartArea.right) continue;
        word(chart, text, warn, { x, y: price.top + 30, width });
        free = x + width;
      }
    },
  };
}

/** A hollow diamond under each bar that was revised after its close. */
export function revisions(scene: Scene): Plugin {
  return {
    id: "revisions",
    afterDatasetsDraw(chart) {
      const { x, price } = chart.scales;
      if (x === undefined || price === undefined) return;
      const { ctx } = chart;
      const { picture, shift, colours } = scene;
      ctx.save();
      ctx.strokeStyle = colours.accent;
      ctx.lineWidth = 1.25;
      ctx.beginPath();
      picture.points.forEach(({ bar }, index) => {
        if (bar.revision === 0) return;
        const at = x.getPixelForValue(index + shift);
        const below = price.getPixelForValue(onScale(picture, bar.low)) + 9;
        const y = Math.min(price.bottom - 5, below);
        ctx.moveTo(at, y - 4);
        ctx.lineTo(at + 4, y);
        ctx.lineTo(at, y + 4);
        ctx.lineTo(at - 4, y);
        ctx.closePath();
      });
      ctx.stroke();
      ctx.restore();
    },
  };
}

const shapes = { pending: "◔", firing: "▲", resolved: "✓", unknown: "?" } as const;
const rank: readonly AlertEvent["state"][] = ["firing", "unknown", "pending", "resolved"];

/** A flag above each bar in which alerts spoke: its shape tells the state, as in the list of alerts. */
export function alertFlags(scene: Scene): Plugin {
  return {
    id: "alertFlags",
    afterDatasetsDraw(chart) {
      const { x, price } = chart.scales;
      if (x === undefined || price === undefined) return;
      const { ctx } = chart;
      const { colours, picture, shift } = scene;
      ctx.save();
      ctx.textAlign = "center";
      ctx.textBaseline = "middle";
      for (const { index, events } of picture.alerts) {
        const worst = rank.find((state) => events.some((event) => event.state === state));
        const critical = events.some(({ severity }) => severity === "critical");
        const at = x.getPixelForValue(index + shift);
        const bar = picture.points[index]?.bar;
        const colour = critical ? colours.critical : colours.warn;
        line(chart, colour, [1, 3], [at, price.top + 17, at, flagFoot(scene, chart, bar?.high)]);
        ctx.fillStyle = colour;
        ctx.fillRect(at - 8, price.top + 1, 16, 16);
        ctx.fillStyle = colours.panel;
        ctx.fillText(
          events.length > 1 ? String(events.length) : shapes[worst ?? "unknown"],
          at,
          price.top + 9.5,
        );
      }
      ctx.restore();
    },
  };
}

function flagFoot(scene: Scene, chart: Chart, high: number | undefined): number {
  const price = chart.scales.price;
  if (price === undefined || high === undefined) return 0;
  return Math.max(price.top + 17, price.getPixelForValue(onScale(scene.picture, high)) - 2);
}
