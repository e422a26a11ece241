import type { State } from "../store/state.ts";
import { h, setAttributes, setText } from "../ui/dom.ts";
import { formatAge, formatChange, formatPercent, formatPrice, priceDigits } from "../ui/format.ts";
import { changeOf } from "../watchlist/reducer.ts";
import { rowAge } from "../watchlist/staleness.ts";

import { words } from "./words.ts";

/** Symbol, price and change of what the chart shows. */
export function headline(): { element: HTMLElement; paint: (state: State) => void } {
  const symbol = h("span", { class: "headline-symbol" });
  const price = h("span", { class: "headline-price number" });
  const change = h("span", { class: "headline-change number" });
  const old = h("span", { class: "headline-age number", "data-testid": "headline-age" });
  const element = h("h2", { class: "headline", id: "chart-title" }, symbol, price, change, old);
  return {
    element,
    paint(state) {
      const { chart, watchlist } = state;
      const row = watchlist.rows[chart.symbol ?? ""];
      const age = row === undefined ? null : rowAge(row, state);
      setText(old, age === null ? "" : `◷ ${words.old(formatAge(age))}`);
      setText(symbol, chart.symbol ?? "");
      setText(price, row === undefined ? "" : formatPrice(row.price));
      if (row === undefined) {
        setText(change, "");
        return;
      }
      const moved = changeOf(row);
      const shape = moved.change > 0 ? "▲" : moved.change < 0 ? "▼" : "■";
      const trend = moved.change > 0 ? "up" : moved.change < 0 ? "down" : "flat";
      setAttributes(element, { "data-trend": trend });
      const amount = formatChange(moved.change, priceDigits(row.price));
      setText(change, `${shape} ${amount}  ${formatPercent(moved.fraction)}`);
    },
  };
}
