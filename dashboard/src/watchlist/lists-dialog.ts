import type { AppStore, State } from "../store/state.ts";
import { button, h } from "../ui/dom.ts";

import { cleanName, type List, longestName, mostLists } from "./lists.ts";
import { readSymbols } from "./symbols.ts";
import { words } from "./words.ts";

/** A line with a field and its button; `give` gets the text and says whether to empty the field. */
function entry(
  field: HTMLInputElement,
  label: string,
  give: (text: string) => void,
): HTMLFormElement {
  const form = h("form", { class: "entry" }, field, h("button", { type: "submit" }, label));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = field.value.trim();
    field.value = "";
    if (text !== "") give(text);
  });
  return form;
}

function memberChips(store: AppStore, { name, symbols }: List): HTMLElement {
  const chips = symbols.map((symbol) => {
    const label = words.removeFrom(symbol, name);
    const away = button("×", { "aria-label": label, "data-key": `${name}*${symbol}` }, () => {
      store.dispatch({ type: "listRemoved", name, symbol });
    });
    return h("li", {}, symbol, away);
  });
  return h("ul", { class: "chips" }, ...chips);
}

/** One list: its name, what can be done with it, and its symbols. */
function listElement(store: AppStore, list: List, known: string, close: () => void): HTMLElement {
  const { name, symbols } = list;
  const title = h("input", {
    value: name,
    maxlength: longestName,
    "aria-label": words.nameOf(name),
    "data-key": `${name}*name`,
    autocomplete: "off",
  });
  title.addEventListener("change", () => {
    store.dispatch({ type: "listRenamed", name, to: title.value });
    title.value = name;
  });
  const show = button(words.show, { "aria-label": words.showList(name) }, () => {
    store.dispatch({ type: "listChosen", name });
    close();
  });
  const remove = button(words.remove, { "aria-label": words.removeList(name) }, () => {
    store.dispatch({ type: "listDeleted", name });
  });
  const count = h("span", { class: "number count" }, words.members(symbols.length));
  const field = h("input", {
    "aria-label": words.addTo(name),
    placeholder: words.addHint,
    list: known,
    autocomplete: "off",
    "data-key": `${name}*add`,
  });
  const add = entry(field, words.add, (text) => {
    store.dispatch({ type: "listAdded", name, symbols: readSymbols(text) });
  });
  const line = h("div", { class: "list-line" }, title, count, show, remove);
  return h("li", { "data-testid": `list-${name}` }, line, memberChips(store, list), add);
}

/** Where watchlists are made, renamed, filled and deleted. */
export function listsDialog(store: AppStore): {
  element: HTMLDialogElement;
  open: () => void;
  paint: (state: State) => void;
} {
  const known = h("datalist", { id: "known-symbols" });
  const lists = h("ul", { class: "lists" });
  const note = h("p", { class: "note" });
  const name = h("input", {
    placeholder: words.newList,
    "aria-label": words.newList,
    maxlength: longestName,
    autocomplete: "off",
  });
  let wanted: string | undefined;
  const make = entry(name, words.make, (text) => {
    wanted = `${cleanName(text)}*add`;
    store.dispatch({ type: "listMade", name: text, symbols: [] });
  });
  const element = h(
    "dialog",
    { class: "sheet lists-dialog", "aria-labelledby": "lists-title" },
    h("h2", { id: "lists-title" }, words.lists),
    h("p", { class: "note" }, words.listsNote),
    make,
    lists,
    note,
    known,
  );
  const close = (): void => {
    element.close();
  };
  element.append(button(words.close, {}, close));
  let painted: State["market"]["lists"] | undefined;
  const paint = ({ market }: State): void => {
    if (!element.open || market.lists === painted) return;
    painted = market.lists;
    const focused = document.activeElement;
    const key = wanted ?? (focused instanceof HTMLElement ? focused.dataset.key : undefined);
    wanted = undefined;
    const items = painted.map((list) => listElement(store, list, known.id, close));
    lists.replaceChildren(...items);
    note.textContent =
      painted.length === 0
        ? words.noLists
        : painted.length < mostLists
          ? ""
          : words.full(mostLists);
    make.hidden = painted.length >= mostLists;
    // The elements are new: the focus goes on where it was, or to the dialog.
    const fields = [...lists.querySelectorAll<HTMLElement>("[data-key]")];
    if (key !== undefined) (fields.find(({ dataset }) => dataset.key === key) ?? name).focus();
  };
  return {
    element,
    open() {
      painted = undefined;
      const symbols = store.get().watchlist.symbols;
      known.replaceChildren(...symbols.map((symbol) => h("option", { value: symbol })));
      element.showModal();
      paint(store.get());
    },
    paint,
  };
}
