import { button, h, setAttributes, setText, svg } from "../ui/dom.ts";
import {
  formatAge,
  formatChange,
  formatPercent,
  formatPrice,
  formatVolume,
  priceDigits,
} from "../ui/format.ts";

import { changeOf, type Row } from "./reducer.ts";
import { sparkArea, sparkPath } from "./sparkline.ts";
import { words } from "./words.ts";

const sparkWidth = 96;
const sparkHeight = 24;
const flashMs = 300;
/** What changes all the time is as bright as what changes now and then. */
const flashEveryMs = 1_000;
const pictureEveryMs = 1_000;

/** What a row shows besides its figures. */
export interface Shown {
  row: Row;
  activity: Row["activity"];
  /** Of what the row shows, in seconds, when that is old. */
  ageSeconds: number | null;
  /** Its place in the list. */
  place: number;
  columns: number;
  selected: boolean;
  /** Whether the Tab key reaches it. */
  reached: boolean;
  pinned: boolean;
}

export interface RowView {
  element: HTMLElement;
  /** Its place and its marks at once; its figures when they are `due`. */
  update: (shown: Shown, due: boolean) => void;
}

type Trend = "up" | "down" | "flat";
const shapes = { up: "▲", down: "▼", flat: "■" } as const;

function trendOf(change: number): Trend {
  if (change === 0 || Number.isNaN(change)) return "flat";
  return change > 0 ? "up" : "down";
}

const lessMotion = matchMedia("(prefers-reduced-motion: reduce)");

/** Flashes a cell for a change, once a second at the most. */
function flasher(cell: HTMLElement): (direction: Row["direction"]) => void {
  let flashedAt = -Infinity;
  return (direction) => {
    const now = performance.now();
    if (direction === 0 || lessMotion.matches || now - flashedAt < flashEveryMs) return;
    flashedAt = now;
    const from = direction > 0 ? "var(--up-flash)" : "var(--down-flash)";
    const frames = [{ backgroundColor: from }, { backgroundColor: "transparent" }];
    cell.animate(frames, { duration: flashMs, easing: "ease-out" });
  };
}

interface CellView {
  cell: HTMLElement;
  update: (shown: Shown) => void;
}

/** A cell that is a picture, and costs more to draw than the others: once a second is enough. */
class Picture implements CellView {
  readonly cell: HTMLElement;
  /** Whether it shows less than it was last given. */
  behind = false;
  private drawnAt = -Infinity;

  constructor(private readonly drawn: CellView) {
    this.cell = drawn.cell;
  }

  update(shown: Shown): void {
    const now = performance.now();
    this.behind = now - this.drawnAt < pictureEveryMs;
    if (this.behind) return;
    this.drawnAt = now;
    this.drawn.update(shown);
  }
}

function gridcell(name: string, ...content: (Node | string)[]): HTMLElement {
  return h("div", { role: "gridcell", class: `cell ${name}` }, ...content);
}

function nameCell(symbol: string, pin: () => void): CellView {
  const star = button("☆", { class: "pin", "aria-label": words.pin(symbol) }, pin);
  const mark = h("span", { class: "activity-mark" });
  const name = h("span", { class: "symbol" }, symbol);
  return {
    cell: gridcell("name", name, mark, star),
    update({ activity, reached, pinned }) {
      setText(mark, words.activities[activity]);
      setText(star, pinned ? "★" : "☆");
      setAttributes(star, { "aria-pressed": String(pinned), tabindex: reached ? 0 : -1 });
    },
  };
}

function priceCell(symbol: string): CellView {
  const price = h("span", { class: "number price", "data-testid": `price-${symbol}` });
  const flash = flasher(price);
  let changes: number | undefined;
  return {
    cell: gridcell("last", price),
    update({ row }) {
      setText(price, formatPrice(row.price, priceDigits(row.price)));
      setAttributes(price, { "data-value": row.price });
      if (changes !== undefined && row.changes !== changes) flash(row.direction);
      ({ changes } = row);
    },
  };
}

function changeCells(): [CellView, CellView] {
  const shape = h("span", { class: "shape", "aria-hidden": "true" });
  const trend = h("span", { class: "visually-hidden" });
  const change = h("span", { class: "number" });
  const percent = h("span", { class: "number" });
  const amount: CellView = {
    cell: gridcell("change", shape, trend, change),
    update({ row }) {
      const moved = changeOf(row);
      const direction = trendOf(moved.change);
      setText(shape, shapes[direction]);
      setText(trend, words.trends[direction]);
      setText(change, formatChange(moved.change, priceDigits(row.price)));
      setText(percent, formatPercent(moved.fraction));
    },
  };
  return [amount, { cell: gridcell("percent", percent), update: () => undefined }];
}

/** Where in the day's range the price is, and from where it came there. */
function rangeCell(): CellView {
  const low = h("span", { class: "number" });
  const high = h("span", { class: "number" });
  const track = svg("rect", { class: "track", width: "100%", height: 2, y: 5 });
  const way = svg("rect", { class: "way", height: 2, y: 5 });
  const mark = svg("rect", { class: "mark", width: 3, height: 10, y: 1, rx: 1 });
  const bar = svg("svg", { class: "range-bar", height: 12, "aria-hidden": "true" });
  bar.append(track, way, mark);
  const between = h("span", { class: "visually-hidden" });
  const ends = h("span", { class: "ends", "aria-hidden": "true" }, low, bar, high);
  return {
    cell: gridcell("range", ends, between),
    update({ row }) {
      const { day, price } = row;
      const digits = priceDigits(price);
      const [from, to] = [formatPrice(day.low, digits), formatPrice(day.high, digits)];
      setText(low, from);
      setText(high, to);
      setText(between, words.range(from, to));
      const width = day.high - day.low;
      const share = (value: number): number =>
        width > 0 ? Math.min(1, Math.max(0, (value - day.low) / width)) * 100 : 50;
      const [open, last] = [share(day.open), share(price)];
      const [left, right] = [Math.min(open, last), Math.max(open, last)];
      setAttributes(way, { x: `${left.toFixed(1)}%`, width: `${(right - left).toFixed(1)}%` });
      setAttributes(mark, { x: `${last.toFixed(1)}%` });
    },
  };
}

function volumeCell(): CellView {
  const unit = h("span", { class: "unit" }, `${words.vol} `);
  const volume = h("span", { class: "number" });
  return {
    cell: gridcell("volume", unit, volume),
    update({ row, ageSeconds }) {
      const traded = row.day.volume === null ? "" : formatVolume(row.day.volume);
      unit.hidden = traded === "" || ageSeconds !== null;
      setText(volume, ageSeconds === null ? traded : words.old(formatAge(ageSeconds * 1000)));
    },
  };
}

function sparkCell(): CellView {
  const line = svg("polyline", { fill: "none", "vector-effect": "non-scaling-stroke" });
  const area = svg("polygon", { class: "area" });
  const viewBox = `0 -1 ${sparkWidth} ${sparkHeight + 2}`;
  const box = { class: "spark", viewBox, preserveAspectRatio: "none", "aria-hidden": "true" };
  return {
    cell: gridcell("trend", svg("svg", box, area, line)),
    update({ row }) {
      const closes = [...row.spark.map(({ close }) => close), row.price];
      const points = sparkPath(closes, sparkWidth, sparkHeight);
      setAttributes(line, { points });
      setAttributes(area, { points: sparkArea(points, sparkWidth, sparkHeight) });
    },
  };
}

const figures = ["row", "activity", "ageSeconds"] as const;
const marks = ["place", "columns", "selected", "reached", "pinned"] as const;

const same = (names: readonly (keyof Shown)[], one: Shown, other: Shown): boolean =>
  names.every((name) => one[name] === other[name]);

/** The row, or card, of one symbol. */
export function rowView(symbol: string, open: () => void, pin: () => void): RowView {
  const name = nameCell(symbol, pin);
  const [range, trend] = [new Picture(rangeCell()), new Picture(sparkCell())];
  const cells = [name, priceCell(symbol), ...changeCells(), range, volumeCell(), trend];
  const element = h(
    "div",
    { role: "row", class: "row", "data-testid": `card-${symbol}`, "data-symbol": symbol },
    ...cells.map(({ cell }) => cell),
  );
  element.addEventListener("click", ({ target }) => {
    if (target instanceof Element && target.closest("button") === null) open();
  });
  let before: Shown | undefined;
  return {
    element,
    update(shown, due) {
      if (before !== undefined && same(marks, shown, before)) {
        const shows = same(figures, shown, before) && !range.behind && !trend.behind;
        if (!due || shows) return;
      }
      const { row, place, columns } = shown;
      setAttributes(element, {
        // The first row is that of the titles.
        "aria-rowindex": place + 2,
        "aria-selected": String(shown.selected),
        tabindex: shown.reached ? 0 : -1,
        "data-trend": trendOf(changeOf(row).change),
        "data-activity": shown.activity,
        "data-marked": words.activities[shown.activity] !== "",
        "data-stale": shown.ageSeconds !== null,
        "data-pinned": shown.pinned,
      });
      if (place !== before?.place || columns !== before.columns) {
        const [column, line] = [place % columns, Math.floor(place / columns)];
        element.style.transform = `translate(${100 * column}%, calc(${line} * var(--row)))`;
      }
      for (const cell of cells) cell.update(shown);
      before = shown;
    },
  };
}
