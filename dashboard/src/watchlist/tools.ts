import type { AppStore, State } from "../store/state.ts";
import { button, h, setAttributes, setText } from "../ui/dom.ts";

import { type Layout, layouts, shownList } from "./market.ts";
import { type Kind, kinds, type SortKey, sortKeys } from "./order.ts";
import { words } from "./words.ts";

interface Tool {
  element: HTMLElement;
  paint: (state: State) => void;
}

const sharedValue = "\u0000shared";

/** Which list is shown; beside it, how to keep one that came with a link. */
function listChoice(store: AppStore, edit: () => void): Tool {
  const select = h("select", { "aria-label": words.list, "data-testid": "list" });
  select.addEventListener("change", () => {
    const { value } = select;
    if (value !== sharedValue)
      store.dispatch({ type: "listChosen", name: value === "" ? null : value });
  });
  const keep = button(words.keepShared, { "data-testid": "keep-list" }, () => {
    store.dispatch({ type: "sharedKept" });
  });
  const pencil = button(
    "✎",
    { class: "icon", "aria-label": words.editLists, title: words.editLists },
    edit,
  );
  pencil.dataset.testid = "edit-lists";
  let painted: State["market"] | undefined;
  return {
    element: h("div", { class: "list-choice" }, select, keep, pencil),
    paint({ market }) {
      const { lists, shared } = market;
      if (painted?.lists === lists && painted.shared === shared && painted.chosen === market.chosen)
        return;
      painted = market;
      const options = lists.map(({ name }) => h("option", { value: name }, name));
      const came =
        shared === null ? [] : [h("option", { value: sharedValue }, words.shared(shared.name))];
      select.replaceChildren(h("option", { value: "" }, words.allSymbols), ...came, ...options);
      select.value = shared === null ? (shownList(market)?.name ?? "") : sharedValue;
      keep.hidden = shared === null;
      setAttributes(keep, { "aria-label": words.keepSharedLabel(shared?.name ?? "") });
    },
  };
}

/** Which of the symbols are shown. */
function kindChoice(store: AppStore): Tool {
  const options = kinds.map((kind) => h("option", { value: kind }, words.kinds[kind]));
  const select = h("select", { "aria-label": words.kind, "data-testid": "kind" }, ...options);
  select.addEventListener("change", () => {
    store.dispatch({ type: "marketKind", kind: select.value as Kind });
  });
  return {
    element: select,
    paint({ market: { kind } }) {
      if (select.value !== kind) select.value = kind;
    },
  };
}

const layoutMarks: Readonly<Record<Layout, string>> = { table: "☰", cards: "▦" };

const labelled = (layout: Layout): Record<string, string> => ({
  "data-testid": `show-${layout}`,
  "aria-label": words.layouts[layout],
  title: words.layouts[layout],
});

function layoutChoice(store: AppStore): Tool {
  const items = layouts.map((layout) =>
    button(layoutMarks[layout], labelled(layout), () => {
      store.dispatch({ type: "marketLayout", layout });
    }),
  );
  return {
    element: h("div", { class: "segments", role: "group", "aria-label": words.layout }, ...items),
    paint({ market }) {
      items.forEach((item, place) => {
        setAttributes(item, { "aria-pressed": String(layouts[place] === market.layout) });
      });
    },
  };
}

/** By what the rows are sorted, for shapes that have no titles, and which way. */
function sortChoice(store: AppStore): Tool {
  const options = sortKeys.map((by) => h("option", { value: by }, words.columns[by]));
  const select = h("select", { "aria-label": words.sortBy, "data-testid": "sort" }, ...options);
  select.addEventListener("change", () => {
    store.dispatch({ type: "marketColumn", by: select.value as SortKey });
  });
  const way = button("", { class: "icon", "data-testid": "sort-way" }, () => {
    store.dispatch({ type: "marketColumn", by: store.get().market.sort.by });
  });
  return {
    element: h("div", { class: "sort-choice" }, select, way),
    paint({ market: { sort } }) {
      if (select.value !== sort.by) select.value = sort.by;
      const label = sort.descending ? words.descending : words.ascending;
      setText(way, sort.descending ? "↓" : "↑");
      setAttributes(way, { "aria-label": label, title: label });
    },
  };
}

function filterField(store: AppStore): Tool & { input: HTMLInputElement } {
  const input = h("input", {
    type: "search",
    placeholder: words.filter,
    "aria-label": words.filterLabel,
    autocomplete: "off",
    spellcheck: "false",
  });
  input.addEventListener("input", () => {
    store.dispatch({ type: "marketText", text: input.value });
  });
  return {
    element: input,
    input,
    paint({ market }) {
      if (input.value !== market.text) input.value = market.text;
    },
  };
}

/** What stands above the symbols: which of them, in which order and shape. */
export function toolsView(
  store: AppStore,
  editLists: () => void,
): { elements: readonly HTMLElement[]; filter: HTMLInputElement; paint: (state: State) => void } {
  const list = listChoice(store, editLists);
  const filter = filterField(store);
  const sort = sortChoice(store);
  const kind = kindChoice(store);
  const layout = layoutChoice(store);
  const count = h("span", { class: "market-count number", role: "status" });
  const wide = h("div", { class: "wide-tools" }, kind.element, sort.element, layout.element, count);
  return {
    elements: [list.element, filter.element, wide],
    filter: filter.input,
    paint(state) {
      for (const tool of [list, filter, kind, sort, layout]) tool.paint(state);
      setText(count, words.count(state.market.order.length, state.watchlist.symbols.length));
    },
  };
}
