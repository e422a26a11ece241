import { h, setAttributes, setChildren, setText } from "../ui/dom.ts";
import { formatPercent, formatPrice, formatVolume, zoneName } from "../ui/format.ts";

import { lineName, lineText } from "./legend.ts";
import { notesOf } from "./notes.ts";
import type { Picture } from "./picture.ts";
import { columnTime } from "./times.ts";
import { words } from "./words.ts";

const longest = 200;

const titlesOf = ({ lines, comparison }: Picture): string[] => [
  words.start,
  words.open,
  words.high,
  words.low,
  words.closing,
  words.volume,
  ...(comparison === null ? [] : [comparison.symbol]),
  ...lines.map(lineName),
  words.state,
];

function cellsOf(picture: Picture, index: number): string[] {
  const { interval, digits, points, zone, comparison, lines } = picture;
  const point = points[index];
  if (point === undefined) return [];
  const { bar } = point;
  const price = (value: number): string => formatPrice(value, digits);
  return [
    columnTime(bar, interval, zone),
    ...[bar.open, bar.high, bar.low, bar.close].map(price),
    formatVolume(bar.volume),
    ...(comparison === null
      ? []
      : [formatPercent((comparison.percents[index] ?? Number.NaN) / 100)]),
    ...lines.map((line) => lineText(line, index, digits)),
    notesOf(picture, index).join(", "),
  ];
}

/** The points in view as a table, newest first: the same data for those who can't or won't read the chart. */
export function tableView(): { element: HTMLElement; paint: (picture: Picture) => void } {
  const caption = h("caption");
  const head = h("tr");
  const body = h("tbody");
  const table = h("table", { class: "bars-table" }, caption, h("thead", {}, head), body);
  const element = h(
    "div",
    {
      class: "scroller",
      tabindex: 0,
      "data-own-keys": true,
      role: "region",
      "aria-label": words.bars,
    },
    table,
  );
  let titles: string[] = [];
  let rows: HTMLElement[] = [];
  const arrange = (wanted: string[]): void => {
    if (wanted.join() === titles.join()) return;
    titles = wanted;
    rows = [];
    head.replaceChildren(...titles.map((title) => h("th", { scope: "col" }, title)));
  };
  return {
    element,
    paint(picture) {
      const { points, symbol, interval } = picture;
      arrange(titlesOf(picture));
      const count = Math.min(longest, points.length);
      const what = words.tableOf(symbol, interval, zoneName(picture.zone));
      const rest = count < points.length ? `, ${words.newestOf(count, points.length)}` : "";
      setText(caption, what + rest);
      for (let place = 0; place < count; place += 1) {
        const index = points.length - 1 - place;
        const row = (rows[place] ??= h(
          "tr",
          {},
          ...titles.map(() => h("td", { class: "number" })),
        ));
        const bar = points[index]?.bar;
        if (bar === undefined) continue;
        setAttributes(row, { "data-state": bar.state, "data-start": bar.start_ms });
        cellsOf(picture, index).forEach((text, column) => {
          const cell = row.children[column];
          if (cell !== undefined) setText(cell, text);
        });
      }
      setChildren(body, rows.slice(0, count));
    },
  };
}
