import type { Picture } from "./picture.ts";

/** Called with what the user does on the chart. */
export interface ChartEvents {
  /** The index of the point under the pointer, null when it has left. */
  hover: (index: number | null) => void;
}

/** What the page needs of a chart library. */
export interface ChartAdapter {
  draw(picture: Picture): void;
  /** Takes up changed colours. */
  restyle(): void;
  /** Width in pixels that one bar takes. */
  barWidth(): number;
  destroy(): void;
}

/** The colours of the page, as its style sheet has them. */
export interface ChartColours {
  up: string;
  down: string;
  upSoft: string;
  downSoft: string;
  text: string;
  muted: string;
  grid: string;
  panel: string;
  vwap: string;
  band: string;
  bandFill: string;
  rsi: string;
}

const properties: Readonly<Record<keyof ChartColours, string>> = {
  up: "--up",
  down: "--down",
  upSoft: "--up-soft",
  downSoft: "--down-soft",
  text: "--text",
  muted: "--muted",
  grid: "--grid",
  panel: "--panel",
  vwap: "--vwap",
  band: "--band",
  bandFill: "--band-fill",
  rsi: "--rsi",
};

export function readColours(element: Element): ChartColours {
  const style = getComputedStyle(element);
  const entries = Object.entries(properties).map(([name, property]) => [
    name,
    style.getPropertyValue(property).trim(),
  ]);
  return Object.fromEntries(entries) as ChartColours;
}
