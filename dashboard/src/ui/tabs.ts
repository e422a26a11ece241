import type { Tab } from "../store/actions.ts";
import type { AppStore, State } from "../store/state.ts";

import { firingCount } from "../alerts/reducer.ts";

import { button, h, setAttributes, setText } from "./dom.ts";
import { words } from "./words.ts";

const tabs: readonly Tab[] = ["market", "chart", "analytics", "alerts", "system"];

/** The tabs at the foot of a narrow screen. */
export function tabsView(store: AppStore): { element: HTMLElement; paint: (state: State) => void } {
  const buttons = tabs.map((tab) => ({
    tab,
    item: button(words.tabs[tab], { "data-testid": `tab-${tab}` }, () => {
      store.dispatch({ type: "tab", tab });
    }),
  }));
  const items = buttons.map(({ item }) => item);
  return {
    element: h("nav", { class: "tabs", "aria-label": words.views }, ...items),
    paint({ preferences, alerts }) {
      const firing = firingCount(alerts.list);
      for (const { tab, item } of buttons) {
        setAttributes(item, { "aria-current": tab === preferences.tab ? "page" : false });
        const label = words.tabs[tab];
        setText(item, tab === "alerts" && firing > 0 ? `${label} ${firing}` : label);
      }
    },
  };
}
