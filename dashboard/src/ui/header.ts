import type { AppStore, State } from "../store/state.ts";

import { button, h, setAttributes } from "./dom.ts";
import { words } from "./words.ts";

/** The head of the page: its name, what is shown in `middle`, and the ways to what else there is. */
export function headerView(
  store: AppStore,
  middle: readonly HTMLElement[],
  actions: { openHelp: () => void; openSettings: () => void },
): { element: HTMLElement; paint: (state: State) => void } {
  const system = button(
    words.tabs.system,
    { class: "system-switch", "data-testid": "system-switch" },
    () => {
      const shown = store.get().preferences.tab === "system";
      store.dispatch({ type: "tab", tab: shown ? "chart" : "system" });
    },
  );
  const market = button(
    words.tabs.market,
    { class: "system-switch", "data-testid": "market-switch" },
    () => {
      const shown = store.get().preferences.tab === "market";
      store.dispatch({ type: "tab", tab: shown ? "chart" : "market" });
    },
  );
  const icon = (mark: string, label: string, name: string, onClick: () => void): HTMLElement =>
    button(
      mark,
      { class: "icon", "aria-label": label, title: label, "data-testid": `open-${name}` },
      onClick,
    );
  const settings = icon("⚙", words.settings, "settings", actions.openSettings);
  const help = icon("?", words.help, "help", actions.openHelp);
  const brand = h("h1", {}, "Tickstream");
  const tools = h("div", { class: "tools" }, market, system, settings, help);
  const element = h("header", { class: "page-header" }, brand, ...middle, tools);
  return {
    element,
    paint({ preferences }) {
      setAttributes(system, { "aria-pressed": String(preferences.tab === "system") });
      setAttributes(market, { "aria-pressed": String(preferences.tab === "market") });
    },
  };
}
