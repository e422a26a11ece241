import type { State } from "../store/state.ts";
import { h, setChildren } from "../ui/dom.ts";
import { everything, type Turn } from "../ui/turns.ts";

import { isCutOff, type Row } from "./reducer.ts";
import { type RowView, rowView, type Shown } from "./row.ts";
import { rowAge } from "./staleness.ts";
import { columnsIn, scrollFor, type Sight, windowOf } from "./window.ts";

const narrowestCard = 240;

/** The symbol of the row in which an element is. */
export function symbolAt(element: Element | null | undefined): string | undefined {
  return element?.closest<HTMLElement>(".row")?.dataset.symbol;
}

/** The rows of a long list, of which only those in sight are in the document. */
export class Rows {
  readonly element = h("div", { role: "rowgroup", class: "rows" });
  readonly sight: Sight = { top: 0, height: 0, line: 0, columns: 1 };
  private readonly views = new Map<string, RowView>();

  /**
   * @param scroller in which the rows are, below their titles
   * @param open charts a symbol
   * @param pin pins it, or lets it go
   */
  constructor(
    private readonly scroller: HTMLElement,
    private readonly open: (symbol: string) => void,
    private readonly pin: (symbol: string) => void,
  ) {}

  /** Looks how much room there is, and makes room for `count` symbols; as cards, several stand in a line. */
  measure(count: number, cards: boolean): void {
    const { element, scroller, sight } = this;
    sight.columns = cards ? columnsIn(element.clientWidth, narrowestCard) : 1;
    const lines = Math.ceil(count / sight.columns);
    element.style.setProperty("--columns", String(sight.columns));
    element.style.setProperty("--lines", String(lines));
    sight.line = lines === 0 ? 0 : element.offsetHeight / lines;
    sight.height = scroller.clientHeight - element.offsetTop;
    sight.top = scroller.scrollTop;
  }

  scrolled(): void {
    this.sight.top = this.scroller.scrollTop;
  }

  /** Rows that have come or moved are drawn at once, the figures of the others when it is their turn. */
  paint(state: State, turn: Pick<Turn, "row">): void {
    const { market, watchlist, chart } = state;
    const { order } = market;
    const own = chart.symbol !== null && order.includes(chart.symbol);
    const reached = own ? chart.symbol : (order[0] ?? null);
    const shown = this.placesOf(order, reached).flatMap((place) => {
      const row = watchlist.rows[order[place] ?? ""];
      if (row === undefined) return [];
      this.viewOf(row.symbol).update(this.shownOf(state, row, place, reached), turn.row(place));
      return [row.symbol];
    });
    const kept = new Set(shown);
    for (const symbol of this.views.keys()) if (!kept.has(symbol)) this.views.delete(symbol);
    this.place(shown);
  }

  /** Brings a symbol into sight; the focus goes with it when it is in the list. */
  reveal(state: State, symbol: string): void {
    const place = state.market.order.indexOf(symbol);
    if (place < 0) return;
    const top = scrollFor(this.sight, place);
    if (top !== this.sight.top) this.scroller.scrollTop = this.sight.top = top;
    if (!this.element.contains(document.activeElement)) return;
    this.paint(state, everything);
    this.views.get(symbol)?.element.focus({ preventScroll: true });
  }

  private viewOf(symbol: string): RowView {
    const open = (): void => {
      this.open(symbol);
    };
    const pin = (): void => {
      this.pin(symbol);
    };
    const view = this.views.get(symbol) ?? rowView(symbol, open, pin);
    this.views.set(symbol, view);
    return view;
  }

  private shownOf(state: State, row: Row, place: number, reached: string | null): Shown {
    const { watchlist, market, chart } = state;
    const age = rowAge(row, state);
    return {
      row,
      activity: isCutOff(watchlist, row) ? "feed_down" : row.activity,
      ageSeconds: age === null ? null : Math.floor(age / 1000),
      place,
      columns: this.sight.columns,
      selected: row.symbol === chart.symbol,
      reached: row.symbol === reached,
      pinned: market.pinned.includes(row.symbol),
    };
  }

  /** The places that are in the document: those in sight, the one that Tab reaches, the one that has the focus. */
  private placesOf(order: readonly string[], reached: string | null): readonly number[] {
    const [first, last] = windowOf(this.sight, order.length);
    const places = new Set(Array.from({ length: last - first }, (_, index) => first + index));
    for (const symbol of [reached, symbolAt(document.activeElement)]) {
      const place = typeof symbol === "string" ? order.indexOf(symbol) : -1;
      if (place >= 0) places.add(place);
    }
    return [...places].sort((one, other) => one - other);
  }

  private place(symbols: readonly string[]): void {
    const focused = document.activeElement;
    const elements = symbols.flatMap((symbol) => this.views.get(symbol)?.element ?? []);
    setChildren(this.element, elements);
    if (!(focused instanceof HTMLElement) || focused === document.activeElement) return;
    // A row that changes its place in the document loses the focus.
    if (this.element.contains(focused)) focused.focus({ preventScroll: true });
  }
}
