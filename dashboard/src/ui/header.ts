import type { Tab } from "../store/actions.ts";
import type { AppStore, State } from "../store/state.ts";

import { button, h, setAttributes, setText } from "./dom.ts";
import { formatCount } from "./format.ts";
import { viewOrBack } from "./keyboard.ts";
import { words } from "./words.ts";

/** The views that the header turns to and back from. */
const switchable: readonly Tab[] = ["market", "analytics", "system"];

interface View {
  element: HTMLElement;
  paint: (state: State) => void;
}

/** Holds the screen still and says so, with what has come meanwhile; lets it go on. */
function pauseButton(store: AppStore): View {
  const mark = h("span", { "aria-hidden": "true" });
  const name = h("span", { class: "visually-hidden" });
  const text = h("span", { class: "number" });
  const voice = h("span", { class: "visually-hidden", role: "status" });
  const control = button("", { "data-testid": "pause", "aria-keyshortcuts": "p" }, () => {
    store.dispatch({ type: "pause", paused: !store.get().pace.paused });
  });
  control.append(mark, name, text);
  let before = false;
  return {
    element: h("div", { class: "pause" }, control, voice),
    paint({ pace }) {
      const { paused, waiting } = pace;
      const label = paused ? words.resume : words.pause;
      setText(mark, paused ? "▶" : "❚❚");
      setText(name, label);
      setText(text, paused ? `${words.paused} · ${words.waiting(formatCount(waiting))}` : "");
      setAttributes(control, { title: label, "data-paused": paused });
      if (paused !== before) setText(voice, paused ? words.nowPaused : words.nowLive);
      before = paused;
    },
  };
}

/** The head of the page: its name, what is shown in `middle`, and the ways to what else there is. */
export function headerView(
  store: AppStore,
  middle: readonly HTMLElement[],
  actions: { openHelp: () => void; openSettings: () => void },
): View {
  const switches = switchable.map((tab) => {
    const attributes = { class: "view-switch", "data-testid": `${tab}-switch` };
    const control = button(words.tabs[tab], attributes, () => {
      store.dispatch({ type: "tab", tab: viewOrBack(store.get(), tab) });
    });
    return { tab, control };
  });
  const icon = (mark: string, label: string, name: string, onClick: () => void): HTMLElement =>
    button(
      mark,
      { class: "icon", "aria-label": label, title: label, "data-testid": `open-${name}` },
      onClick,
    );
  const pause = pauseButton(store);
  const settings = icon("⚙", words.settings, "settings", actions.openSettings);
  const help = icon("?", words.help, "help", actions.openHelp);
  const brand = h("h1", {}, "Tickstream");
  const tools = h(
    "div",
    { class: "tools" },
    ...switches.map(({ control }) => control),
    settings,
    help,
  );
  const element = h("header", { class: "page-header" }, brand, ...middle, pause.element, tools);
  return {
    element,
    paint(state) {
      pause.paint(state);
      for (const { tab, control } of switches)
        setAttributes(control, { "aria-pressed": String(tab === state.preferences.tab) });
    },
  };
}
