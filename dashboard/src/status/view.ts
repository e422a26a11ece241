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
import { zoneOf } from "../ui/time-zone.ts";

import { ageOf, countdown, isStale, quietFor, type ShownState, shownState } from "./connection.ts";
import { isOpen } from "./market-clock.ts";
import { statusWords, unavailableWords, words } from "./words.ts";

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
      return words.connecting;
    case "catching-up":
      return words.catchingUp;
    case "live":
      return words.live(Number.isNaN(metrics.medianMs) ? "" : formatLatency(metrics.medianMs));
    case "quiet":
      return words.quiet(formatAge(quietFor(connection)));
    case "stale":
      return words.stale(formatAge(ageOf(connection)));
    case "reconnecting": {
      if (connection.offline) return words.offline;
      const seconds = countdown(connection);
      return seconds === 0 ? words.reconnectingNow : words.reconnectingIn(seconds);
    }
    case "refused":
      return words.refused;
  }
}

/** What the banner has to say: what is the matter, empty when nothing is; and what of it changes as time goes. */
export function bannerWords(state: State): { sentence: string; running: string } {
  const shown = shownConnection(state);
  const running = [ageWords(state), countdownWords(state)].filter((text) => text !== "").join(" ");
  return { sentence: sentenceOf(state, shown), running };
}

function sentenceOf({ connection }: State, shown: ShownState): string {
  const { notice, broken, rateHz, lagMs, unavailable } = connection;
  if (shown === "reconnecting" && connection.offline) return sentence(words.deviceOffline);
  if (shown === "reconnecting" || shown === "refused") return sentence(notice);
  if (shown === "stale")
    return sentence(
      connection.feedDownSince === null
        ? words.mute
        : statusWords({ code: "feed_down", message: "" }),
    );
  if (broken.length > 0) return sentence(words.broken(broken.join(", ")));
  if (rateHz !== null) return sentence(words.slowed(rateHz));
  if (lagMs !== null) return sentence(words.lagging(formatAge(lagMs)));
  if (notice !== "") return sentence(notice);
  const [missing] = Object.entries(unavailable) as [Channel, ServerError][];
  return missing === undefined ? "" : sentence(unavailableWords(...missing));
}

function ageWords({ connection }: State): string {
  return isStale(connection) ? words.old(formatAge(ageOf(connection))) : "";
}

function countdownWords({ connection }: State): string {
  if (connection.phase !== "reconnecting" || connection.offline) return "";
  const seconds = countdown(connection);
  return seconds === 0 ? words.tryingNow : words.tryingIn(seconds);
}

const sentence = (text: string): string => (text === "" ? "" : `${text}.`);

function marketWords(state: State): string {
  const { time, replay } = state.marketClock;
  if (Number.isNaN(time)) return "";
  const zone = zoneOf(state.preferences.zone);
  const clock = `${formatTime(time, zone)} ${zoneName(zone)}`;
  return replay ? words.replay(formatDate(time, zone), clock) : clock;
}

/** The market's clock and the connection, for the header. */
export function connectionView(): { elements: HTMLElement[]; paint: (state: State) => void } {
  const session = h("span", { class: "session" });
  const clock = h("span", { class: "clock number", "data-testid": "market-clock" });
  const mark = h("span", { class: "mark", "aria-hidden": "true" });
  const text = h("span", { class: "number" });
  const connection = h("div", { class: "connection", "data-testid": "connection" }, mark, text);
  return {
    elements: [h("div", { class: "market-clock" }, session, clock), connection],
    paint(state) {
      const shown = shownConnection(state);
      setAttributes(connection, { "data-state": shown });
      setText(mark, marks[shown]);
      setText(text, connectionWords(state));
      setText(session, words.sessions[state.marketClock.session]);
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
  const label = h("label", { for: "api-key" }, words.apiKey);
  const form = h("form", { class: "key-form" }, label, input, h("button", {}, words.connect));
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
  const retry = button(words.retry, { "data-testid": "retry" }, actions.retry);
  const form = keyForm(actions.giveKey);
  const element = h(
    "section",
    { class: "banner", "data-testid": "banner", "aria-label": words.notice },
    sentence,
    running,
    retry,
    form,
  );
  return {
    element,
    paint(state) {
      const shown = shownConnection(state);
      const { sentence: said, running: time } = bannerWords(state);
      const { keyWanted } = state.connection;
      setAttributes(element, { "data-state": shown });
      element.hidden = said === "" && time === "" && !keyWanted;
      setText(sentence, said);
      setText(running, time);
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
  const figure = (
    name: keyof typeof words.figures,
  ): { element: HTMLElement; value: HTMLElement } => {
    const value = h("dd", { class: "number" });
    const element = h("div", { "data-name": name }, h("dt", {}, words.figures[name]), value);
    return { element, value };
  };
  const ticks = figure("ticks");
  const p99 = figure("p99");
  const roundTrip = figure("roundTrip");
  const lost = figure("lost");
  const resumes = figure("resumes");
  const symbols = figure("symbols");
  const figures = [ticks, p99, roundTrip, lost, resumes, symbols].map(({ element }) => element);
  const element = h(
    "footer",
    { class: "status-bar", "aria-label": words.status },
    h("dl", {}, ...figures),
  );
  const paint = ({ metrics, watchlist }: State): void => {
    setText(ticks.value, formatCount(metrics.ticksPerSecond));
    setText(p99.value, formatLatency(metrics.p99Ms));
    setText(roundTrip.value, formatLatency(metrics.roundTripMs));
    setText(lost.value, formatCount(metrics.lost));
    setAttributes(lost.element, { "data-warn": metrics.lost > 0 });
    setText(resumes.value, formatCount(metrics.resumes));
    const title = words.history(metrics.drops, metrics.resumes, metrics.freshStarts);
    setAttributes(resumes.element, { title, "data-warn": metrics.freshStarts > 0 });
    setText(symbols.value, formatCount(watchlist.symbols.length));
  };
  paint(store.get());
  return { element, paint };
}
