import { h, setAttributes, setChildren, setText } from "../ui/dom.ts";
import { formatDate, formatPrice, formatTime, formatVolume, zoneName } from "../ui/format.ts";

import type { Picture, Point } from "./picture.ts";

const longest = 100;
const titles = ["Start", "Open", "High", "Low", "Close", "Volume", "VWAP", "RSI", "State"];

function cellsOf({ bar, vwap, rsi }: Point, { interval, digits, zone }: Picture): string[] {
  const middle = (bar.start_ms + bar.end_ms) / 2;
  const start =
    interval === "1d"
      ? formatDate(middle, zone)
      : `${formatDate(bar.start_ms, zone)} ${formatTime(bar.start_ms, zone)}`;
  const price = (value: number): string => formatPrice(value, digits);
  const state = bar.state === "partial" ? "forming" : bar.activity === "traded" ? "" : bar.activity;
  return [
    start,
    ...[bar.open, bar.high, bar.low, bar.close].map(price),
    formatVolume(bar.volume),
    price(vwap),
    Number.isFinite(rsi) ? rsi.toFixed(1) : "–",
    state.replace("_", " "),
  ];
}

/** The bars in view as a table, newest first: the same data for those who can't or won't read the chart. */
export function tableView(): { element: HTMLElement; paint: (picture: Picture) => void } {
  const caption = h("caption");
  const head = h("tr", {}, ...titles.map((title) => h("th", { scope: "col" }, title)));
  const body = h("tbody");
  const table = h("table", { class: "bars-table" }, caption, h("thead", {}, head), body);
  const element = h(
    "div",
    { class: "scroller", tabindex: 0, "data-own-keys": true, role: "region", "aria-label": "Bars" },
    table,
  );
  const rows: HTMLElement[] = [];
  return {
    element,
    paint(picture) {
      setText(
        caption,
        `${picture.symbol}, ${picture.interval} bars, times in ${zoneName(picture.zone)}`,
      );
      const points = picture.points.slice(-longest).reverse();
      points.forEach((point, index) => {
        const row = (rows[index] ??= h(
          "tr",
          {},
          ...titles.map(() => h("td", { class: "number" })),
        ));
        setAttributes(row, { "data-state": point.bar.state });
        cellsOf(point, picture).forEach((text, column) => {
          const cell = row.children[column];
          if (cell !== undefined) setText(cell, text);
        });
      });
      setChildren(body, rows.slice(0, points.length));
    },
  };
}
