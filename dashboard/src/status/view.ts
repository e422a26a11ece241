import type { Channel, ServerError } from "../socket/protocol.ts";
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

import { ageOf, countdown, isStale, quietFor, type ShownState, shownState } from "./connection.ts";
import { isOpen, sessionWords } from "./market-clock.ts";
import { rateWords, statusWords, unavailableWords } from "./words.ts";

export interface StatusActions {
  retry: () => void;
  giveKey: (key: string) => void;
}

const marks: Readonly<Record<ShownState, string>> = {
  connecting: "◌",
  "catching-up": "◌",
  live: "●",
  quiet: "●",
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
    case "catching-up":
      return "catching up";
    case "live":
      return Number.isNaN(metrics.medianMs) ? "live" : `live ${formatLatency(metrics.medianMs)}`;
    case "quiet":
      return `live, quiet ${formatAge(quietFor(connection))}`;
    case "stale":
      return `stale ${formatAge(ageOf(connection))}`;
    case "reconnecting": {
      if (connection.offline) return "offline";
      const seconds = countdown(connection);
      return seconds === 0 ? "reconnecting now" : `reconnecting in ${seconds} s`;
    }
    case "refused":
      return "refused";
  }
}

/** What the banner has to say: what is the matter, empty when nothing is; and what of it changes as time goes. */
export function bannerWords(state: State): { sentence: string; running: string } {
  const shown = shownConnection(state);
  const running = [ageWords(state), countdownWords(state)].filter((text) => text !== "").join(" ");
  return { sentence: sentenceOf(state, shown), running };
}

function sentenceOf({ connection }: State, shown: ShownState): string {
  const { notice, broken, rateHz, unavailable } = connection;
  if (shown === "reconnecting" && connection.offline) return "This device is offline.";
  if (shown === "reconnecting" || shown === "refused") return sentence(notice);
  if (shown === "stale")
    return connection.feedDownSince === null
      ? "The server gives no sign of life."
      : sentence(statusWords({ code: "feed_down", message: "" }));
  if (broken.length > 0) return `Not all of this page can be drawn: ${broken.join(", ")}.`;
  if (rateHz !== null) return sentence(rateWords(rateHz));
  if (notice !== "") return sentence(notice);
  const [missing] = Object.entries(unavailable) as [Channel, ServerError][];
  return missing === undefined ? "" : sentence(unavailableWords(...missing));
}

function ageWords({ connection }: State): string {
  return isStale(connection) ? `What you see is ${formatAge(ageOf(connection))} old.` : "";
}

function countdownWords({ connection }: State): string {
  if (connection.phase !== "reconnecting" || connection.offline) return "";
  const seconds = countdown(connection);
  return seconds === 0 ? "Trying now." : `Trying again in ${seconds} s.`;
}

const sentence = (words: string): string => (words === "" ? "" : `${words}.`);

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
  // Beside what is read aloud: it changes every second.
  const running = h("p", { class: "number", "data-testid": "banner-running" });
  const retry = button("Retry now", { "data-testid": "retry" }, actions.retry);
  const form = keyForm(actions.giveKey);
  const element = h(
    "section",
    { class: "banner", "data-testid": "banner", "aria-label": "Notice" },
    sentence,
    running,
    retry,
    form,
  );
  return {
    element,
    paint(state) {
      const shown = shownConnection(state);
      const words = bannerWords(state);
      const { keyWanted } = state.connection;
      setAttributes(element, { "data-state": shown });
      element.hidden = words.sentence === "" && words.running === "" && !keyWanted;
      setText(sentence, words.sentence);
      setText(running, words.running);
      retry.hidden = keyWanted || !["reconnecting", "refused", "stale"].includes(shown);
      form.hidden = !keyWanted;
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
    const element = h("div", { "data-name": label }, h("dt", {}, label), value);
    return { element, value };
  };
  const ticks = figure("ticks/s");
  const p99 = figure("p99 latency");
  const roundTrip = figure("round trip");
  const lost = figure("lost");
  const resumes = figure("resumed");
  const symbols = figure("symbols");
  const figures = [ticks, p99, roundTrip, lost, resumes, symbols].map(({ element }) => element);
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
    setText(resumes.value, formatCount(metrics.resumes));
    const starts = metrics.freshStarts === 1 ? "once" : `${metrics.freshStarts} times`;
    const title = `Lost ${metrics.drops} times; came back without a gap ${metrics.resumes} times, began anew ${starts}`;
    setAttributes(resumes.element, { title, "data-warn": metrics.freshStarts > 0 });
    setText(symbols.value, formatCount(watchlist.symbols.length));
  };
  paint(store.get());
  return { element, paint };
}
