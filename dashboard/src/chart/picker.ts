import { button, h, setAttributes, setText } from "../ui/dom.ts";

import { words } from "./words.ts";

/** Something to pick; `chosen` is left out where picking does something and chooses nothing. */
export interface Item {
  id: string;
  label: string;
  detail: string;
  chosen?: boolean;
}

export interface Picker {
  element: HTMLDialogElement;
  open: () => void;
  /** Brings the list up to date while it is open. */
  refresh: () => void;
}

interface Options {
  title: string;
  /** What there is to pick, in order. */
  items: () => readonly Item[];
  pick: (id: string) => void;
  /** Whether one pick is all. */
  single: boolean;
  testId: string;
  search?: boolean;
  /** What is said in the place of an empty list. */
  empty?: () => string;
}

const matches = ({ label, detail }: Item, wanted: string): boolean =>
  `${label} ${detail}`.toLowerCase().includes(wanted.trim().toLowerCase());

/** A dialog with a list to pick from, and a field that narrows it. */
export function picker(options: Options): Picker {
  const { title, single, testId } = options;
  const heading = h("h2", { id: `${testId}-title` }, title);
  const field = h("input", {
    type: "search",
    "aria-label": words.search,
    placeholder: words.search,
    autocomplete: "off",
    spellcheck: "false",
  });
  field.hidden = options.search === false;
  const list = h("ul", { class: "picker-list" });
  const rest = h("p", { class: "picker-rest", role: "status" });
  const dialog = h("dialog", {
    class: "picker",
    "aria-labelledby": `${testId}-title`,
    "data-testid": testId,
  });
  const close = button(words.close, {}, () => {
    dialog.close();
  });
  dialog.append(h("div", { class: "picker-head" }, heading, close), field, list, rest);

  const pick = (id: string): void => {
    options.pick(id);
    if (single) dialog.close();
    else refresh();
  };
  const rowOf = (item: Item): HTMLElement => {
    const row = button("", { "data-item": item.id }, () => {
      pick(item.id);
    });
    if (item.chosen !== undefined) setAttributes(row, { "aria-pressed": String(item.chosen) });
    row.append(
      h("span", { class: "picker-mark", "aria-hidden": "true" }, item.chosen === true ? "✓" : ""),
      h("span", { class: "picker-label" }, item.label),
      h("span", { class: "picker-detail" }, item.detail),
    );
    return h("li", {}, row);
  };
  let drawn = "";
  const refresh = (): void => {
    if (!dialog.open) return;
    const all = options.items();
    const found = all.filter((item) => matches(item, field.value));
    setText(
      rest,
      found.length > 0
        ? ""
        : all.length > 0
          ? words.nothingFound
          : (options.empty?.() ?? words.nothingFound),
    );
    const key = JSON.stringify(found);
    if (key === drawn) return;
    drawn = key;
    const focused = document.activeElement?.getAttribute("data-item");
    list.replaceChildren(...found.map(rowOf));
    if (focused) list.querySelector<HTMLElement>(`[data-item="${CSS.escape(focused)}"]`)?.focus();
  };

  const rows = (): HTMLElement[] => [...list.querySelectorAll<HTMLElement>("button")];
  field.addEventListener("input", refresh);
  dialog.addEventListener("keydown", (event) => {
    const all = rows();
    const at = all.indexOf(document.activeElement as HTMLElement);
    // A search field would take the first Escape to empty itself.
    if (event.key === "Escape") dialog.close();
    else if (event.key === "Enter" && document.activeElement === field) all[0]?.click();
    else if (event.key === "ArrowDown") all[Math.min(all.length - 1, at + 1)]?.focus();
    else if (event.key === "ArrowUp") (all[at - 1] ?? field).focus();
    else return;
    event.preventDefault();
  });
  // A click beside the dialog lands on the dialog itself: its backdrop.
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  return {
    element: dialog,
    open() {
      field.value = "";
      drawn = "";
      dialog.showModal();
      refresh();
      if (options.search === false) rows()[0]?.focus();
      else field.focus();
    },
    refresh,
  };
}
