import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/layout.css";
import "./watchlist/watchlist.css";
import "./tour/tour.css";
import "./chart/chart.css";
import "./alerts/alerts.css";
import "./activity/activity.css";
import "./status/status.css";
import "./system/system.css";
import "./analytics/analytics.css";

import { alertsApi } from "./alerts/api.ts";
import { deskOf } from "./alerts/desk.ts";
import { followAnalytics } from "./analytics/follow.ts";
import { followHistory } from "./chart/history.ts";
import { chartReducer } from "./chart/reducer.ts";
import { deserializeSetup, readLink, serializeSetup, writeLink } from "./chart/setup.ts";
import { buildPage, type Page } from "./page.ts";
import { Feed } from "./socket/feed.ts";
import { askReports } from "./socket/system.ts";
import { type AppStore, initialState, rootReducer, type State } from "./store/state.ts";
import { createStore, oncePerFrame, type Painter } from "./store/store.ts";
import { actionOf } from "./ui/keyboard.ts";
import { readPlace, writePlace } from "./ui/location.ts";
import { deserialize, serialize } from "./ui/preferences.ts";
import { keep, recall } from "./ui/storage.ts";
import { marketOf, readMarketLink, writeMarketLink } from "./watchlist/link.ts";
import { openingSymbol } from "./watchlist/market.ts";
import { deserializeMarket, isKeptAlike, serializeMarket } from "./watchlist/memory.ts";

const preferencesKey = "tickstream.preferences";
const marketKey = "tickstream.market";
const tourKey = "tickstream.tour";
const chartKey = "tickstream.chart";
const apiKeyKey = "tickstream.apiKey";
const beatMs = 250;
const askSystemEveryMs = 2_000;
/** A browser that gives no frame for so long to a page in sight isn't waited for. */
const paintWithinMs = 2_000;

/** The state the page opens with: what the URL names and what the browser remembers. */
function openingState(): State {
  const place = readPlace(location.search);
  const kept = deserialize(recall(preferencesKey));
  const setup = deserializeSetup(recall(chartKey));
  const link = readLink(location.search);
  const { chart } = initialState;
  const market = { ...initialState.market, ...deserializeMarket(recall(marketKey)) };
  return {
    ...initialState,
    market: marketOf(market, readMarketLink(location.search)),
    tour: recall(tourKey) === null ? 0 : null,
    preferences: { ...kept, tab: place.view ?? kept.tab },
    chart: chartReducer(
      {
        ...chart,
        kind: link.kind ?? setup.kind,
        studies: link.studies ?? setup.studies,
        symbol: place.symbol,
        interval: place.interval ?? chart.interval,
        phase: place.symbol === null ? "waiting" : "loading",
      },
      { type: "compare", symbol: link.compare },
    ),
  };
}

/** Keeps what the user chose, once it changes. */
function remember(before: State | undefined, state: State): void {
  if (before === undefined) return;
  if (!isKeptAlike(before.market, state.market)) keep(marketKey, serializeMarket(state.market));
  if (state.tour !== before.tour && state.tour === null) keep(tourKey, "seen");
}

/** Carries what changed in the state to where it has an effect: the feed, the URL, the browser's memory. */
function connectEffects(store: AppStore, feed: Feed): void {
  let before: State | undefined;
  const follow = (state: State): void => {
    const { symbol, interval } = state.chart;
    const turned = symbol !== before?.chart.symbol || interval !== before.chart.interval;
    const { tab } = state.preferences;
    const moved = turned || tab !== before?.preferences.tab || state.market !== before.market;
    remember(before, state);
    const restyled = state.preferences !== before?.preferences;
    before = state;
    if (restyled) keep(preferencesKey, serialize(state.preferences));
    const first = symbol === null ? openingSymbol(state.market, state.watchlist) : null;
    if (first !== null) store.dispatch({ type: "select", symbol: first, byItself: true });
    else if (moved) {
      const place = writePlace(location.search, { symbol, interval, view: tab });
      const link = writeMarketLink(place, state.market);
      if (link !== location.search) history.replaceState(null, "", link);
      if (symbol !== null && turned) feed.show(symbol, interval);
    }
  };
  store.subscribe(follow);
  follow(store.get());
}

/** The same for the chart's look, and the other symbol of a comparison. */
function connectChart(store: AppStore, feed: Feed): void {
  let before: State["chart"] | undefined;
  const follow = ({ chart }: State): void => {
    if (chart === before) return;
    const { kind, studies, interval } = chart;
    const compare = chart.rival?.symbol ?? null;
    const compared = before?.rival?.symbol ?? null;
    const changed = kind !== before?.kind || studies !== before.studies;
    const turned = compare !== compared || (compare !== null && interval !== before?.interval);
    before = chart;
    if (changed) keep(chartKey, serializeSetup({ kind, studies }));
    if (changed || turned)
      history.replaceState(null, "", writeLink(location.search, { kind, studies, compare }));
    if (turned) feed.compare(compare, interval);
  };
  store.subscribe(follow);
  follow(store.get());
}

/** The page's keys work everywhere but where keys have a meaning of their own: in fields and scrolling lists. */
function listenForKeys(store: AppStore, page: Page): void {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { target } = event;
    if (
      target instanceof Element &&
      target.closest("input, select, textarea, dialog, [data-own-keys]")
    ) {
      if (event.key === "Escape" && target instanceof HTMLElement) target.blur();
      return;
    }
    const action = actionOf(event.key, store.get());
    if (action !== undefined) store.dispatch(action);
    else if (event.key === "/") page.focusFilter();
    else if (event.key === "?") page.openHelp();
    else if (event.key === "a") page.newRule();
    else if (event.key === "g") page.startTour();
    else if (!page.pressOnChart(event.key)) return;
    event.preventDefault();
  });
}

function start(root: HTMLElement): void {
  const store = createStore(rootReducer, openingState());
  const feed = new Feed({
    dispatch: (action) => {
      store.dispatch(action);
    },
    apiKey: () => sessionStorage.getItem(apiKeyKey),
  });
  const askSystem = (): void => {
    void askReports("", sessionStorage.getItem(apiKeyKey)).then((answer) => {
      if (answer.ok) store.dispatch({ type: "figures", reports: answer.value });
      else store.dispatch({ type: "figuresFailed", error: answer.error });
    });
  };
  const desk = deskOf(
    store,
    alertsApi(() => sessionStorage.getItem(apiKeyKey)),
  );
  const page = buildPage(root, store, desk, {
    retry: () => {
      feed.retry();
    },
    giveKey: (key) => {
      sessionStorage.setItem(apiKeyKey, key);
      feed.changeKey();
    },
    reload: () => {
      const { symbol, interval } = store.get().chart;
      if (symbol !== null) feed.show(symbol, interval);
    },
    select: (symbol) => {
      store.dispatch({ type: "select", symbol });
    },
    askSystem,
  });
  const painter = oncePerFrame(
    () => page.paint(store.get(), performance.now()),
    requestAnimationFrame,
  );
  store.subscribe(painter.ask);
  painter.ask();
  // A page out of sight isn't painted, and that is when notices are wanted most.
  store.subscribe((state) => {
    if (document.visibilityState === "hidden") page.announce(state);
  });
  connectEffects(store, feed);
  connectChart(store, feed);
  followHistory(store, { apiKey: () => sessionStorage.getItem(apiKeyKey) });
  followAnalytics(
    store,
    (lists) => {
      feed.analyse(lists);
    },
    () => sessionStorage.getItem(apiKeyKey),
  );
  listenForKeys(store, page);
  addEventListener("storage", ({ key, newValue }) => {
    // Another tab of this browser changed its watchlists.
    if (key !== marketKey) return;
    const { lists, pinned } = deserializeMarket(newValue);
    store.dispatch({ type: "marketRecalled", lists, pinned });
  });
  watch(store, feed, painter);
  followSystem(store, askSystem);
  feed.start();
}

/** Asks for the services' figures while they are looked at. */
function followSystem(store: AppStore, ask: () => void): void {
  const looked = (): boolean =>
    store.get().preferences.tab === "system" && document.visibilityState === "visible";
  let before = false;
  store.subscribe(({ preferences }) => {
    const now = preferences.tab === "system";
    if (now && !before) ask();
    before = now;
  });
  setInterval(() => {
    if (looked()) ask();
  }, askSystemEveryMs);
}

/** Notices when anything stands still: the server, the network, the machine, the browser's painting. */
function watch(store: AppStore, feed: Feed, painter: Painter): void {
  const inSight = (): boolean => document.visibilityState === "visible";
  setInterval(() => {
    const at = Date.now();
    feed.beat(inSight());
    store.dispatch({ type: "beat", at });
    const ms = painter.overdue();
    if (ms < paintWithinMs || !inSight()) return;
    store.dispatch({ type: "paintStalled", at, ms });
    painter.force();
  }, beatMs);
  const wake = (): void => void feed.wake();
  const tellNetwork = (): void => {
    store.dispatch({ type: "offline", at: Date.now(), offline: !navigator.onLine });
    if (navigator.onLine) wake();
  };
  addEventListener("online", tellNetwork);
  addEventListener("offline", tellNetwork);
  addEventListener("pageshow", (event) => {
    if (event.persisted) wake();
  });
  document.addEventListener("resume", wake);
  document.addEventListener("visibilitychange", () => {
    if (inSight()) wake();
  });
}

/** Makes the page installable, and gives it something to say without a network. It works without. */
function install(): void {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  navigator.serviceWorker.register("/sw.js").catch((error: unknown) => {
    console.warn(error);
  });
}

const root = document.getElementById("app");
if (root !== null) start(root);
install();
