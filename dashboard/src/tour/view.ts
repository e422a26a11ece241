import type { AppStore, State } from "../store/state.ts";
import { button, h, setAttributes, setText } from "../ui/dom.ts";

import { words } from "./words.ts";

const narrow = matchMedia("(max-width: 599px)");

/** The tour: a strip above the panels that covers nothing, and a mark around the panel that it speaks of. */
export function tourView(store: AppStore): {
  element: HTMLElement;
  /** Begins it anew, with the focus on it. */
  start: () => void;
  paint: (state: State) => void;
} {
  const last = words.steps.length - 1;
  const text = h("p", { "aria-live": "polite" });
  const place = h("span", { class: "number place" });
  const end = (): void => {
    store.dispatch({ type: "tour", step: null });
  };
  const go = (step: number): void => {
    const tab = words.steps[step]?.tab;
    store.dispatch({ type: "tour", step: tab === undefined ? null : step });
    if (tab !== undefined) store.dispatch({ type: "tab", tab: narrow.matches ? tab : "chart" });
  };
  const next = button(words.next, { "data-testid": "tour-next" }, () => {
    go((store.get().tour ?? last) + 1);
  });
  const skip = button(words.skip, { class: "link", "data-testid": "tour-skip" }, end);
  const element = h(
    "section",
    { class: "tour", "aria-label": words.tour, "data-testid": "tour" },
    place,
    text,
    next,
    skip,
  );
  element.addEventListener("keydown", ({ key }) => {
    if (key === "Escape") end();
  });
  let called = false;
  return {
    element,
    start() {
      called = true;
      go(0);
    },
    paint({ tour, watchlist }) {
      // There is nothing to explain before there is something to see.
      const step = watchlist.symbols.length > 0 ? tour : null;
      element.hidden = step === null;
      const shown = step === null ? undefined : words.steps[step];
      const part = step === null ? false : (["watchlist", "chart", "side"][step] ?? false);
      setAttributes(document.documentElement, { "data-tour": part });
      if (step === null || shown === undefined) return;
      setText(place, words.place(step + 1, words.steps.length));
      setText(text, shown.text);
      setText(next, step === last ? words.done : words.next);
      skip.hidden = step === last;
      if (called) next.focus();
      called = false;
    },
  };
}
