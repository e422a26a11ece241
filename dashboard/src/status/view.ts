import type { AppStore, State } from "../store/state.ts";
import { button, h, setAttributes, setText } from "../ui/dom.ts";
import {
  formatAge,
  formatCount,
  formatDate,
  formatLatency,
  formatTime,
  zoneName,
} from "../ui/format.ts";
import { exchangeZone } from "../ui/trading-day.ts";

import { ageOf, countdown, type ShownState, shownState } from "./connection.ts";
import { isOpen, sessionWords } from "./market-clock.ts";

export interface StatusActions {
  retry: () => void;
  giveKey: (key: string) => void;
}

const marks: Readonly<Record<ShownState, string>> = {
  connecting: "◌",
  live: "●",
  stale: "◷",
  reconnecting: "◌",
  refused: "✕",
};

export function shownConnection(state: State): ShownState {
  return shownState(state.connection, isOpen(state.marketClock));
}

/** The state of the connection in a few words. */
export function connectionWords(state: State): string {
  const { connection, metrics } = state;
  switch (shownConnection(state)) {
    case "connecting":
      return "connecting";
    case "live":
      return Number.isNaN(metrics.medianMs) ? "live" : `live ${formatLatency(metrics.medianMs)}`;
    case "stale":
      return `stale ${formatAge(ageOf(connection))}`;
    case "reconnecting": {
      const seconds = countdown(connection);
      return seconds === 0 ? "reconnecting now" : `reconnecting in ${seconds} s`;
    }
    case "refused":
      return "refused";
  }
}

/** The sentence of the banner; empty when there is nothing to say. */
export function bannerWords(state: State): string {
  const { connection } = state;
  const shown = shownConnection(state);
  if (shown === "stale")
    return `Nothing has come for ${formatAge(ageOf(connection))}. The figures below are as old as that.`;
  if (shown === "live" || shown === "connecting" || connection.notice === "")
    return connection.notice;
  const kept = shown === "reconnecting" && connection.everConnected;
  return kept
    ? `${connection.notice}. What you see is the last that came.`
    : `${connection.notice}.`;
}

function marketWords(state: State): string {
  const { marketClock } = state;
  if (Number.isNaN(marketClock.time)) return "";
  const { time, replay } = marketClock;
  const clock = `${formatTime(time, exchangeZone)} ${zoneName(exchangeZone)}`;
  return replay ? `replay ${formatDate(time, exchangeZone)} ${clock}` : clock;
}

/** The market's clock and the connection, for the header. */
export function connectionView(): { elements: HTMLElement[]; paint: (state: State) => void } {
  const session = h("span", { class: "session" });
  const clock = h("span", { class: "clock number", "data-testid": "market-clock" });
  const mark = h("span", { class: "mark", "aria-hidden": "true" });
  const words = h("span", { class: "number" });
  const connection = h("div", { class: "connection", "data-testid": "connection" }, mark, words);
  return {
    elements: [h("div", { class: "market-clock" }, session, clock), connection],
    paint(state) {
      const shown = shownConnection(state);
      setAttributes(connection, { "data-state": shown });
      setText(mark, marks[shown]);
      setText(words, connectionWords(state));
      setText(session, sessionWords(state.marketClock));
      setText(clock, marketWords(state));
      setAttributes(clock, { "data-replay": state.marketClock.replay });
    },
  };
}

function keyForm(giveKey: (key: string) => void): HTMLFormElement {
  const input = h("input", {
    type: "password",
    name: "key",
    autocomplete: "off",
    required: true,
    id: "api-key",
  });
  const label = h("label", { for: "api-key" }, "API key");
  const form = h("form", { class: "key-form" }, label, input, h("button", {}, "Connect"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    giveKey(input.value.trim());
    input.value = "";
  });
  return form;
}

/** What has to be said about the connection, with the one thing to do about it. */
export function bannerView(actions: StatusActions): {
  element: HTMLElement;
  paint: (state: State) => void;
} {
  const sentence = h("p", { role: "status" });
  const retry = button("Retry now", { "data-testid": "retry" }, actions.retry);
  const form = keyForm(actions.giveKey);
  const element = h("div", { class: "banner", "data-testid": "banner" }, sentence, retry, form);
  return {
    element,
    paint(state) {
      const shown = shownConnection(state);
      const words = bannerWords(state);
      const code = state.connection.error?.code;
      const asksKey = shown === "refused" && (code === "unauthorized" || code === "auth_expired");
      setAttributes(element, { "data-state": shown });
      element.hidden = words === "";
      setText(sentence, words);
      retry.hidden = shown === "live" || shown === "connecting" || asksKey;
      form.hidden = !asksKey;
    },
  };
}

/** The figures at the foot of the page. */
export function statusBarView(store: AppStore): {
  element: HTMLElement;
  paint: (state: State) => void;
} {
  const figure = (label: string): { element: HTMLElement; value: HTMLElement } => {
    const value = h("dd", { class: "number" });
    return { element: h("div", {}, h("dt", {}, label), value), value };
  };
  const ticks = figure("ticks/s");
  const p99 = figure("p99 latency");
  const roundTrip = figure("round trip");
  const lost = figure("lost");
  const symbols = figure("symbols");
  const figures = [ticks, p99, roundTrip, lost, symbols].map(({ element }) => element);
  const element = h(
    "footer",
    { class: "status-bar", "aria-label": "Status" },
    h("dl", {}, ...figures),
  );
  const paint = ({ metrics, watchlist }: State): void => {
    setText(ticks.value, formatCount(metrics.ticksPerSecond));
    setText(p99.value, formatLatency(metrics.p99Ms));
    setText(roundTrip.value, formatLatency(metrics.roundTripMs));
    setText(lost.value, formatCount(metrics.lost));
    setAttributes(lost.element, { "data-warn": metrics.lost > 0 });
    setText(symbols.value, formatCount(watchlist.symbols.length));
  };
  paint(store.get());
  return { element, paint };
}
