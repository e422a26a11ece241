import { h, setAttributes, setText } from "../ui/dom.ts";
import {
  formatDate,
  formatMinute,
  formatPrice,
  formatTime,
  formatVolume,
  zoneName,
} from "../ui/format.ts";

import type { Picture, Point } from "./picture.ts";

const names = ["O", "H", "L", "C", "V", "VWAP", "BB", "RSI"] as const;
type Name = (typeof names)[number];

function timeOf({ bar }: Point, { interval, zone }: Picture): string {
  const middle = (bar.start_ms + bar.end_ms) / 2;
  if (interval === "1d") return formatDate(middle, zone);
  const format = interval === "1s" ? formatTime : formatMinute;
  return `${format(bar.start_ms, zone)} ${zoneName(zone)}`;
}

function valuesOf(point: Point, { digits, studies }: Picture): Record<Name, string> {
  const { bar, vwap, upper, lower, rsi } = point;
  const price = (value: number): string => formatPrice(value, digits);
  const study = (shown: boolean, value: number, text: string): string =>
    shown && Number.isFinite(value) ? text : "";
  return {
    O: price(bar.open),
    H: price(bar.high),
    L: price(bar.low),
    C: price(bar.close),
    V: formatVolume(bar.volume),
    VWAP: study(studies.vwap, vwap, price(vwap)),
    BB: study(studies.bands, upper, `${price(lower)} – ${price(upper)}`),
    RSI: study(studies.rsi, rsi, rsi.toFixed(1)),
  };
}

/** The values of one bar: that under the pointer, else the newest. */
export function legendView(): {
  element: HTMLElement;
  paint: (picture: Picture, point: Point | undefined) => void;
} {
  const time = h("span", { class: "number legend-time" });
  const figures = names.map((name) => {
    const value = h("dd", { class: "number" });
    return { name, value, element: h("div", { "data-name": name }, h("dt", {}, name), value) };
  });
  const list = h("dl", {}, ...figures.map(({ element }) => element));
  const element = h("div", { class: "legend" }, time, list);
  return {
    element,
    paint(picture, point) {
      element.hidden = point === undefined;
      if (point === undefined) return;
      const { bar } = point;
      const values = valuesOf(point, picture);
      setText(time, timeOf(point, picture));
      setAttributes(element, {
        "data-trend": bar.close >= bar.open ? "up" : "down",
        "data-activity": bar.activity,
      });
      for (const { name, value, element: figure } of figures) {
        setText(value, values[name]);
        figure.hidden = values[name] === "";
      }
    },
  };
}
