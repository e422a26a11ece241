import { button, h, setAttributes, setChildren } from "./dom.ts";
import { words } from "./words.ts";

/** Parts that the filters of the lists share. */

export type Options = readonly (readonly [string, string])[];

export function searchField(label: string, search: (text: string) => void): HTMLInputElement {
  const element = h("input", {
    type: "search",
    placeholder: label,
    "aria-label": label,
    autocomplete: "off",
    maxlength: 100,
  });
  element.addEventListener("input", () => {
    search(element.value);
  });
  return element;
}

export function select(label: string, choose: (value: string) => void): HTMLSelectElement {
  const element = h("select", { "aria-label": label });
  element.addEventListener("change", () => {
    choose(element.value);
  });
  return element;
}

/** Writes the options when they differ from what is there. */
export function fill(element: HTMLSelectElement, options: Options, chosen: string): void {
  const said = JSON.stringify(options);
  if (element.dataset.options !== said) {
    element.dataset.options = said;
    setChildren(
      element,
      options.map(([value, label]) => h("option", { value }, label)),
    );
  }
  if (element.value !== chosen) element.value = chosen;
}

/** A search field with the rest of the filter behind a button, so that the list has the room. */
export function filterRow(
  name: string,
  search: HTMLInputElement,
  selects: readonly HTMLSelectElement[],
): { element: HTMLElement; paint: (chosen: number) => void } {
  const more = h("div", { class: "more", id: `${name}-filters` }, ...selects);
  more.hidden = true;
  const open = button(
    words.filters(0),
    {
      "aria-expanded": "false",
      "aria-controls": more.id,
      "data-testid": `${name}-filters-open`,
    },
    () => {
      more.hidden = !more.hidden;
      setAttributes(open, { "aria-expanded": String(!more.hidden) });
    },
  );
  const label = h("span");
  open.replaceChildren(label);
  const options = { class: "filters", role: "search", "aria-label": search.ariaLabel ?? name };
  return {
    element: h("div", options, search, open, more),
    paint(chosen) {
      label.textContent = words.filters(chosen);
      setAttributes(open, { "data-chosen": chosen > 0 });
    },
  };
}
