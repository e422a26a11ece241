import { h, setAttributes, setChildren, setText, svg } from "../ui/dom.ts";
import { formatPercent, formatPrice, formatVolume, zoneName } from "../ui/format.ts";

import { dashOf, lineColours } from "./adapter.ts";
import { formatStudy } from "./chartjs/axes.ts";
import { notesOf } from "./notes.ts";
import type { Line, Picture } from "./picture.ts";
import { shortTime } from "./times.ts";
import { words } from "./words.ts";

const names = ["O", "H", "L", "C", "V"] as const;

/** What a line's value is called in the legend, the table and the CSV's head. */
export function lineName({ study, output }: Line): string {
  if (output.label === "") return study.label;
  return `${study.label} ${words.outputs[output.label] ?? output.label.toUpperCase()}`;
}

/** A line's value at a point, as it is read. */
export function lineText(line: Line, index: number, digits: number): string {
  const value = line.values[index] ?? Number.NaN;
  if (!Number.isFinite(value)) return "–";
  return line.study.overlay ? formatPrice(value, digits) : formatStudy(value, line.study);
}

/** A short piece of the line itself: its colour and its dash. */
function swatch(className: string, dash: readonly number[]): SVGElement {
  const line = svg("line", { x1: 0, y1: 4, x2: 18, y2: 4, "stroke-dasharray": dash.join(" ") });
  return svg(
    "svg",
    { class: `swatch ${className}`, viewBox: "0 0 18 8", "aria-hidden": "true" },
    line,
  );
}

interface Figure {
  element: HTMLElement;
  value: HTMLElement;
}

function figure(name: string, key: string, mark?: SVGElement): Figure {
  const value = h("dd", { class: "number" });
  const label = h("dt", {}, ...(mark === undefined ? [] : [mark]), name);
  return { value, element: h("div", { "data-name": key }, label, value) };
}

/** The values of one point: that under the crosshair, else the newest in view. */
export function legendView(): {
  element: HTMLElement;
  paint: (picture: Picture, index: number | null) => void;
} {
  const time = h("span", { class: "number legend-time" });
  const own = names.map((name) => figure(name, name));
  const list = h("dl", { "data-testid": "legend" });
  const notes = h("span", { class: "legend-notes", "data-testid": "legend-notes" });
  const element = h("div", { class: "legend" }, time, list, notes);
  const figures = new Map<string, Figure>();
  let shown = "";

  /** The figures for what is drawn now, one for each study; made anew only when that is something else. */
  const arrange = ({ lines, comparison }: Picture): void => {
    const key = [
      comparison?.symbol ?? "",
      ...lines.map((line) => `${line.output.name} ${line.colour}`),
    ].join();
    if (key === shown && list.childElementCount > 0) return;
    shown = key;
    figures.clear();
    if (comparison !== null)
      figures.set("rival", figure(comparison.symbol, "rival", swatch("rival", [5, 2])));
    for (const { study, output, colour } of lines) {
      if (figures.has(study.id)) continue;
      const mark = swatch(`line-${(colour % lineColours) + 1}`, dashOf(colour, output.label));
      figures.set(study.id, figure(study.label, study.id, mark));
    }
    setChildren(
      list,
      [...own, ...figures.values()].map((one) => one.element),
    );
  };

  return {
    element,
    paint(picture, hovered) {
      const index = hovered ?? picture.points.length - 1;
      const point = picture.points[index];
      element.hidden = point === undefined;
      if (point === undefined) return;
      arrange(picture);
      const { bar } = point;
      const { digits, comparison, interval } = picture;
      const zone = interval === "1d" ? "" : ` ${zoneName(picture.zone)}`;
      setText(time, shortTime(bar, interval, picture.zone) + zone);
      setAttributes(element, {
        "data-trend": bar.close >= bar.open ? "up" : "down",
        "data-activity": bar.activity,
      });
      const prices = [bar.open, bar.high, bar.low, bar.close].map((price) =>
        formatPrice(price, digits),
      );
      [...prices, formatVolume(bar.volume)].forEach((text, place) => {
        const value = own[place]?.value;
        if (value !== undefined) setText(value, text);
      });
      for (const [study, { value }] of figures) {
        const outputs = picture.lines.filter((line) => line.study.id === study);
        if (outputs.length > 0)
          setText(value, outputs.map((line) => lineText(line, index, digits)).join("  "));
      }
      const rival = figures.get("rival")?.value;
      if (comparison !== null && rival !== undefined)
        setText(rival, formatPercent((comparison.percents[index] ?? Number.NaN) / 100));
      setText(notes, notesOf(picture, index).join(" · "));
    },
  };
}
