import type { Picture } from "./picture.ts";

/** Called with what the user does on the chart. */
export interface ChartEvents {
  /** The index of the point under the pointer, null when it has left. */
  hover: (index: number | null) => void;
}

/** What the page needs of a chart library. */
export interface ChartAdapter {
  draw(picture: Picture): void;
  /** Takes the room that there is now. */
  fit(): void;
  /** Takes up changed colours. */
  restyle(): void;
  /** Width in pixels that one place takes. */
  barWidth(): number;
  /** The price at a height of the window, pixels; null where there is none, or per cent are drawn. */
  priceAt(clientY: number): number | null;
  /** Puts the crosshair on a point, null takes it away. */
  pointAt(index: number | null): void;
  /** What is drawn, without the crosshair. */
  image(): HTMLCanvasElement;
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
  accent: string;
  warn: string;
  critical: string;
  shade: string;
  trouble: string;
  bandFill: string;
  rival: string;
  lines: readonly string[];
}

const properties = {
  up: "--up",
  down: "--down",
  upSoft: "--up-soft",
  downSoft: "--down-soft",
  text: "--text",
  muted: "--muted",
  grid: "--grid",
  panel: "--panel",
  accent: "--accent",
  warn: "--warn",
  critical: "--critical",
  shade: "--shade",
  trouble: "--warn-soft",
  bandFill: "--band-fill",
  rival: "--rival",
} as const;

/** How many colours there are for the studies' lines. */
export const lineColours = 6;

/** The dashes of the lines: two of one colour or brightness can be told apart by them. */
const dashes: readonly (readonly number[])[] = [[], [], [], [7, 3], [2, 3], [9, 3, 2, 3]];

/** The dash of a study's line: the second line of a pair is always dotted. */
export function dashOf(colour: number, output: string): readonly number[] {
  if (["middle", "signal", "d"].includes(output)) return [3, 3];
  return dashes[colour % dashes.length] ?? [];
}

export function readColours(element: Element): ChartColours {
  const style = getComputedStyle(element);
  const read = (property: string): string => style.getPropertyValue(property).trim();
  const named = Object.fromEntries(
    Object.entries(properties).map(([name, property]) => [name, read(property)]),
  ) as Record<keyof typeof properties, string>;
  const lines = Array.from({ length: lineColours }, (_, index) => read(`--line-${index + 1}`));
  return { ...named, lines };
}
