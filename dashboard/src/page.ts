import { activityView } from "./activity/view.ts";
import { analyticsView } from "./analytics/view.ts";
import type { Desk } from "./alerts/desk.ts";
import { alertsView } from "./alerts/view.ts";
import { alertVoice } from "./alerts/voice.ts";
import { type ChartActions, chartView } from "./chart/view.ts";
import { isStale } from "./status/connection.ts";
import type { AppStore, State } from "./store/state.ts";
import {
  bannerView,
  connectionView,
  shownConnection,
  type StatusActions,
  statusBarView,
} from "./status/view.ts";
import { h, setAttributes } from "./ui/dom.ts";
import { headerView } from "./ui/header.ts";
import { systemView } from "./system/view.ts";
import { helpDialog } from "./ui/help.ts";
import { language } from "./ui/language.ts";
import { settingsDialog } from "./ui/settings.ts";
import { tabsView } from "./ui/tabs.ts";
import { nothing, type Turn, Turns } from "./ui/turns.ts";
import { words } from "./ui/words.ts";
import { tourView } from "./tour/view.ts";
import { watchlistView } from "./watchlist/view.ts";

export interface Page {
  /** Draws what is due in the frame at `at`, ms; says whether more is left for the next. */
  paint(state: State, at: number): boolean;
  openHelp(): void;
  newRule(): void;
  startTour(): void;
  /** Tells of new alerts, without painting anything. */
  announce(state: State): void;
  focusFilter(): void;
  /** Does what one of the chart's keys stands for; false: nothing. */
  pressOnChart(key: string): boolean;
}

/** Builds the page once in `root`; from then on it is only painted. */
export function buildPage(
  root: HTMLElement,
  store: AppStore,
  desk: Desk,
  actions: Omit<ChartActions, "alertAt"> & StatusActions & { askSystem: () => void },
): Page {
  const help = helpDialog(() => {
    tour.start();
  });
  const openHelp = (): void => {
    help.showModal();
  };
  const settings = settingsDialog(store);
  const openSettings = (): void => {
    settings.element.showModal();
  };
  const connection = connectionView();
  const header = headerView(store, connection.elements, { openHelp, openSettings });
  const banner = bannerView(actions);
  const tour = tourView(store);
  const watchlist = watchlistView(store, actions.retry);
  const chart = chartView(store, {
    ...actions,
    alertAt: (price) => {
      alerts.newRule(price);
    },
  });
  const alerts = alertsView(store, desk);
  const voice = alertVoice();
  const activity = activityView(store);
  const statusBar = statusBarView(store);
  const tabs = tabsView(store);
  const side = h("div", { class: "side" }, alerts.element, activity.element);
  const system = systemView(actions.askSystem);
  const analytics = analyticsView(store);
  const panels = [watchlist.element, chart.element, side, system.element, analytics.element];
  const main = h("main", {}, ...panels);
  const notices = h("div", { class: "notices" }, banner.element, tour.element);
  const dialogs = [help, settings.element, watchlist.dialog, ...alerts.dialogs];
  const parts = [header.element, notices, main, statusBar.element, tabs.element];
  root.replaceChildren(...parts, ...dialogs, voice.element);
  const views = Object.entries({
    connection,
    header,
    banner,
    tour,
    watchlist,
    chart,
    alerts,
    voice,
    activity,
    analytics,
    system,
    "status line": statusBar,
    tabs,
    settings,
  }).map(([part, { paint }]) => ({ part, paint }));
  const due = (part: string, turn: Turn): boolean => {
    if (part === "watchlist") return turn !== nothing;
    return part === "chart" ? turn.chart : turn.rest;
  };
  // A part that can't be drawn must neither stop the others nor go unnoticed.
  const guarded = (part: string, paint: () => void): void => {
    try {
      paint();
    } catch (error) {
      if (store.get().connection.broken.includes(part)) return;
      console.error(error);
      store.dispatch({ type: "paintFailed", at: Date.now(), part });
    }
  };

  const look = document.documentElement;
  look.lang = language;
  document.querySelector("meta[name=description]")?.setAttribute("content", words.description);
  const turns = new Turns<State>();
  let asked: number | undefined;
  let painted: State["preferences"] | undefined;
  matchMedia("(prefers-color-scheme: light)").addEventListener("change", chart.restyle);
  return {
    openHelp,
    newRule: alerts.newRule,
    startTour: tour.start,
    announce: voice.paint,
    focusFilter() {
      watchlist.filter.focus();
      watchlist.filter.select();
    },
    pressOnChart: chart.press,
    paint(state, at) {
      const { theme, palette, tab } = state.preferences;
      setAttributes(look, { "data-theme": theme, "data-palette": palette });
      const shown = shownConnection(state);
      const stale = shown === "stale" || isStale(state.connection);
      const { paused } = state.pace;
      setAttributes(root, {
        "data-tab": tab,
        "data-connection": shown,
        "data-stale": stale,
        "data-paused": paused,
      });
      const turn = turns.next(state, state.pace.asked !== asked, at);
      ({ asked } = state.pace);
      for (const { part, paint } of views.filter((view) => due(view.part, turn)))
        guarded(part, () => {
          paint(state, turn);
        });
      if (painted !== undefined && painted !== state.preferences) chart.restyle();
      painted = state.preferences;
      return turns.left(state);
    },
  };
}
