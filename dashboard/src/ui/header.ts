import type { Theme } from "../store/actions.ts";
import type { AppStore, State } from "../store/state.ts";

import { button, h, setAttributes, setText } from "./dom.ts";

const themeAfter: Readonly<Record<Theme, Theme>> = {
  system: "dark",
  dark: "light",
  light: "system",
};
const themeMarks: Readonly<Record<Theme, string>> = { system: "◐", dark: "☾", light: "☀" };

/** The head of the page: its name, what is shown in `middle`, and the switches of the look. */
export function headerView(
  store: AppStore,
  middle: readonly HTMLElement[],
  openHelp: () => void,
): { element: HTMLElement; paint: (state: State) => void } {
  const theme = button("", { class: "icon", "data-testid": "theme" }, () => {
    store.dispatch({ type: "theme", theme: themeAfter[store.get().preferences.theme] });
  });
  const palette = button("", { class: "icon palette", "data-testid": "palette" }, () => {
    const now = store.get().preferences.palette;
    const next = now === "green-red" ? "blue-orange" : "green-red";
    store.dispatch({ type: "palette", palette: next });
  });
  palette.append(h("span", { class: "up" }, "▲"), h("span", { class: "down" }, "▼"));
  const system = button(
    "System",
    { class: "system-switch", "data-testid": "system-switch" },
    () => {
      const shown = store.get().preferences.tab === "system";
      store.dispatch({ type: "tab", tab: shown ? "chart" : "system" });
    },
  );
  const help = button("?", { class: "icon", "aria-label": "Keyboard shortcuts" }, openHelp);
  const brand = h("h1", {}, "Tickstream");
  const tools = h("div", { class: "tools" }, system, palette, theme, help);
  const element = h("header", { class: "page-header" }, brand, ...middle, tools);
  return {
    element,
    paint({ preferences }) {
      setAttributes(system, { "aria-pressed": String(preferences.tab === "system") });
      setText(theme, themeMarks[preferences.theme]);
      const look = `Theme: ${preferences.theme}`;
      setAttributes(theme, { "aria-label": look, title: look, "data-theme": preferences.theme });
      const pair = preferences.palette === "green-red" ? "green and red" : "blue and orange";
      const colours = `Colours of up and down: ${pair}`;
      setAttributes(palette, { "aria-label": colours, title: colours });
    },
  };
}
