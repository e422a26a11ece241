import type { State } from "../store/state.ts";
import { button, h, setAttributes } from "../ui/dom.ts";

import { type SortKey, sortKeys } from "./order.ts";
import { words } from "./words.ts";

/** The titles above the rows, each a button that sorts. */
export function titlesView(sort: (by: SortKey) => void): {
  element: HTMLElement;
  paint: (state: State) => void;
} {
  const titles = sortKeys.map((by) => ({
    by,
    cell: h(
      "div",
      { role: "columnheader", class: `cell title-${by}` },
      button(words.columns[by], { class: "title", "data-testid": `sort-${by}` }, () => {
        sort(by);
      }),
    ),
  }));
  const trend = h("div", { role: "columnheader", class: "cell title-trend" }, words.lastHour);
  const cells = [...titles.map(({ cell }) => cell), trend];
  const row = h("div", { role: "row", class: "titles", "aria-rowindex": 1 }, ...cells);
  return {
    element: h("div", { role: "rowgroup", class: "head" }, row),
    paint({ market: { sort: shown } }) {
      const way = shown.descending ? "descending" : "ascending";
      for (const { by, cell } of titles)
        setAttributes(cell, { "aria-sort": by === shown.by ? way : false });
    },
  };
}
