import type { Chart, Scale } from "chart.js";

const labelHeight = 18;

/** A straight line between whole pixels. */
export function line(chart: Chart, colour: string, dash: number[], points: number[]): void {
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

/** The filling of a label, and the colour of its text. */
export interface Ink {
  fill: string;
  text: string;
}

/** A filled label on the axis at the right, as wide as the axis. */
export function axisLabel(chart: Chart, axis: Scale, y: number, text: string, ink: Ink): void {
  const { ctx } = chart;
  const top = Math.min(axis.bottom - labelHeight, Math.max(axis.top, y - labelHeight / 2));
  ctx.save();
  ctx.fillStyle = ink.fill;
  ctx.fillRect(axis.left, top, axis.width, labelHeight);
  ctx.fillStyle = ink.text;
  ctx.textBaseline = "middle";
  ctx.fillText(text, axis.left + 6, top + labelHeight / 2 + 1);
  ctx.restore();
}

/** A filled label below the panes, its middle at `x`. */
export function timeLabel(chart: Chart, x: number, text: string, ink: Ink): void {
  const { ctx, chartArea } = chart;
  ctx.save();
  const width = ctx.measureText(text).width + 12;
  const left = Math.min(chartArea.right - width, Math.max(chartArea.left, x - width / 2));
  ctx.fillStyle = ink.fill;
  ctx.fillRect(left, chartArea.bottom + 1, width, labelHeight);
  ctx.fillStyle = ink.text;
  ctx.textBaseline = "middle";
  ctx.fillText(text, left + 6, chartArea.bottom + 1 + labelHeight / 2);
  ctx.restore();
}

/** Slanting lines over a part of the canvas. */
export function hatch(
  ctx: CanvasRenderingContext2D,
  colour: string,
  box: { x: number; y: number; width: number; height: number },
): void {
  const { x, y, width, height } = box;
  ctx.save();
  ctx.beginPath();
  ctx.rect(x, y, width, height);
  ctx.clip();
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1;
  ctx.beginPath();
  for (let at = x - height; at < x + width; at += 8) {
    ctx.moveTo(at, y + height);
    ctx.lineTo(at + height, y);
  }
  ctx.stroke();
  ctx.restore();
}
