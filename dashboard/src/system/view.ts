import { connectionWords, shownConnection } from "../status/view.ts";
import { errorWords } from "../status/words.ts";
import type { State } from "../store/state.ts";
import {
  button,
  h,
  panel,
  placeholder,
  setAttributes,
  setChildren,
  setText,
  svg,
} from "../ui/dom.ts";
import {
  formatAge,
  formatMegabytes,
  formatCount,
  formatLatency,
  formatShare,
} from "../ui/format.ts";
import { sparkPath } from "../watchlist/sparkline.ts";

import { type Health, healthOf } from "./reducer.ts";
import { words } from "./words.ts";

const sparkWidth = 240;
const sparkHeight = 36;

type FigureName = keyof typeof words.figures;

interface Figure {
  element: HTMLElement;
  paint: (text: string, warn?: boolean) => void;
}

function figure(name: FigureName): Figure {
  const { label, hint } = words.figures[name];
  const value = h("dd", { class: "number" });
  const element = h(
    "div",
    { class: "figure", "data-name": name, title: hint },
    h("dt", {}, label),
    value,
  );
  return {
    element,
    paint(text, warn = false) {
      setText(value, text);
      setAttributes(element, { "data-warn": warn });
    },
  };
}

/** A figure with its last two minutes as a line. */
function traced(name: FigureName): Figure & { trace: (values: readonly number[]) => void } {
  const line = svg("polyline", { fill: "none", "vector-effect": "non-scaling-stroke" });
  const spark = svg(
    "svg",
    {
      class: "trace",
      viewBox: `0 -1 ${sparkWidth} ${sparkHeight + 2}`,
      preserveAspectRatio: "none",
      "aria-hidden": "true",
    },
    line,
  );
  const made = figure(name);
  made.element.querySelector("dd")?.append(spark);
  const value = h("span");
  made.element.querySelector("dd")?.prepend(value);
  return {
    element: made.element,
    paint(text) {
      setText(value, text);
    },
    trace(values) {
      const drawn = values.filter((one) => Number.isFinite(one));
      setAttributes(line, { points: sparkPath(drawn, sparkWidth, sparkHeight) });
    },
  };
}

/** How the stream reaches this page. */
function streamPanel(): { element: HTMLElement; paint: (state: State) => void } {
  const rate = traced("rate");
  const median = traced("median");
  const p99 = traced("p99");
  const roundTrip = traced("roundTrip");
  const lost = figure("lost");
  const drops = figure("drops");
  const resumes = figure("resumes");
  const starts = figure("starts");
  const stalls = figure("stalls");
  const elements = (figures: readonly Figure[]): HTMLElement[] => figures.map((one) => one.element);
  const rates = h("dl", { class: "figures" }, ...elements([rate, median, p99, roundTrip]));
  const counts = h("dl", { class: "counts" }, ...elements([lost, drops, resumes, starts, stalls]));
  const state = h("span", { class: "count number" });
  const element = panel("stream", words.quality, [state], rates, counts);
  return {
    element,
    paint(page) {
      const { metrics, system } = page;
      const { samples } = system;
      setText(state, connectionWords(page));
      const shown = shownConnection(page);
      setAttributes(state, { "data-ok": shown === "live" || shown === "quiet" });
      rate.paint(formatCount(metrics.ticksPerSecond));
      rate.trace(samples.map((one) => one.rate));
      median.paint(formatLatency(metrics.medianMs));
      median.trace(samples.map((one) => one.medianMs));
      p99.paint(formatLatency(metrics.p99Ms));
      p99.trace(samples.map((one) => one.p99Ms));
      roundTrip.paint(formatLatency(metrics.roundTripMs));
      roundTrip.trace(samples.map((one) => one.roundTripMs));
      lost.paint(formatCount(metrics.lost), metrics.lost > 0);
      drops.paint(formatCount(metrics.drops));
      resumes.paint(formatCount(metrics.resumes));
      starts.paint(formatCount(metrics.freshStarts), metrics.freshStarts > 0);
      stalls.paint(formatCount(metrics.stalls), metrics.stalls > 0);
    },
  };
}

const { titles } = words;

function serviceRow(): { element: HTMLElement; update: (health: Health) => void } {
  const name = h("span", { class: "symbol" });
  const instance = h("span", { class: "instance" });
  const state = h("td");
  const figures = titles.slice(2).map(() => h("td", { class: "number" }));
  const element = h("tr", {}, h("th", { scope: "row" }, name, instance), state, ...figures);
  return {
    element,
    update(health) {
      const { service, silentMs, throughput, lag, load, memory } = health;
      setText(name, service.replaceAll("_", " "));
      setText(instance, health.instance);
      setText(
        state,
        silentMs === null ? `● ${words.reports}` : `◷ ${words.silentFor(formatAge(silentMs))}`,
      );
      setAttributes(element, { "data-silent": silentMs !== null, "data-service": service });
      const texts = [
        formatCount(throughput),
        formatCount(lag),
        formatShare(load),
        formatMegabytes(memory),
      ];
      figures.forEach((cell, index) => {
        setText(cell, texts[index] ?? "");
      });
    },
  };
}

/** What every service says of itself. */
function servicesPanel(reload: () => void): {
  element: HTMLElement;
  paint: (state: State) => void;
} {
  const head = h("tr", {}, ...titles.map((title) => h("th", { scope: "col" }, title)));
  const body = h("tbody", { "data-testid": "services" });
  const table = h("table", { "aria-labelledby": "services-title" }, h("thead", {}, head), body);
  const rest = h("div", { class: "rest" });
  const scroller = h(
    "div",
    {
      class: "scroller",
      tabindex: 0,
      "data-own-keys": true,
      role: "region",
      "aria-label": words.table,
    },
    table,
    rest,
  );
  const count = h("span", { class: "count" });
  const element = panel("services", words.services, [count], scroller);
  const rows = new Map<string, ReturnType<typeof serviceRow>>();
  let restFor = "";
  const paintRest = (text: string, retry: boolean): void => {
    if (text === restFor) return;
    restFor = text;
    const action = retry ? button(words.retry, {}, reload) : undefined;
    rest.replaceChildren(...(text === "" ? [] : [placeholder(text, action)]));
  };
  return {
    element,
    paint({ system }) {
      const lines = healthOf(system);
      const keys = new Set(lines.map(({ service, instance }) => `${service} ${instance}`));
      for (const key of rows.keys()) if (!keys.has(key)) rows.delete(key);
      const elements = lines.map((health) => {
        const key = `${health.service} ${health.instance}`;
        const row = rows.get(key) ?? serviceRow();
        rows.set(key, row);
        row.update(health);
        return row.element;
      });
      setChildren(body, elements);
      table.hidden = lines.length === 0;
      const silent = lines.filter(({ silentMs }) => silentMs !== null).length;
      setText(count, silent > 0 ? words.silent(silent) : lines.length > 0 ? words.allReport : "");
      setAttributes(count, { "data-ok": silent === 0 });
      if (system.phase === "failed" && system.error !== null)
        paintRest(words.failed(errorWords(system.error)), true);
      else if (system.phase === "waiting") paintRest(words.asking, false);
      else paintRest(lines.length === 0 ? words.none : "", false);
    },
  };
}

/** The system view, in the place of the market's. */
export function systemView(reload: () => void): {
  element: HTMLElement;
  paint: (state: State) => void;
} {
  const stream = streamPanel();
  const services = servicesPanel(reload);
  const element = h(
    "div",
    { class: "system", "data-testid": "system" },
    stream.element,
    services.element,
  );
  return {
    element,
    paint(state) {
      if (state.preferences.tab !== "system") return;
      stream.paint(state);
      services.paint(state);
    },
  };
}
