import type { ServerError } from "../socket/protocol.ts";
import type { Action } from "../store/actions.ts";

import { lagOf, loadOf, memoryOf, type Report, throughputOf } from "./figures.ts";

/** Services report every five seconds; one that has left out two reports is silent. */
export const silentAfterMs = 12_000;
/** One that has been silent for so long is no longer expected. */
export const forgetAfterMs = 600_000;
const historyLength = 120;

/** One instance of a service. */
export interface Service {
  service: string;
  instance: string;
  /** When it was last heard of, ms of the server's clock. */
  seenAt: number;
  latest: Report;
  /** The one before. */
  earlier: Report | undefined;
}

/** How the stream was at one second, as this page saw it. */
export interface Sample {
  rate: number;
  medianMs: number;
  p99Ms: number;
  roundTripMs: number;
}

export interface System {
  services: readonly Service[];
  /** The server's clock at the last answer, ms. */
  now: number;
  phase: "waiting" | "ready" | "failed";
  error: ServerError | null;
  /** Of the last two minutes, oldest first. */
  samples: readonly Sample[];
  sampledAt: number;
}

export const emptySystem: System = {
  services: [],
  now: 0,
  phase: "waiting",
  error: null,
  samples: [],
  sampledAt: 0,
};

const keyOf = ({ service, instance }: { service: string; instance: string }): string =>
  `${service} ${instance}`;

/** Grows from each whole report to the next; between them a service may give a sign of life. */
const growing = "process_cpu_seconds_total";

function reported(known: Service | undefined, report: Report): Service {
  const { service, instance, at } = report;
  if (known !== undefined && known.seenAt >= at) return known;
  const whole = report.metrics[growing] !== known?.latest.metrics[growing];
  if (known !== undefined && !whole) return { ...known, seenAt: at };
  return { service, instance, seenAt: at, latest: report, earlier: known?.latest };
}

function told(state: System, now: number, reports: readonly Report[]): System {
  const known = new Map(state.services.map((one) => [keyOf(one), one]));
  for (const report of reports) {
    const key = keyOf(report);
    known.set(key, reported(known.get(key), report));
  }
  const services = [...known.values()]
    .filter(({ seenAt }) => now - seenAt < forgetAfterMs)
    .sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
  return { ...state, services, now, phase: "ready", error: null };
}

export function systemReducer(state: System, action: Action): System {
  switch (action.type) {
    case "figures":
      return told(state, action.reports.now, action.reports.list);
    case "figuresFailed":
      return { ...state, phase: "failed", error: action.error };
    default:
      return state;
  }
}

/** The state with one more second of the stream in it; at most one a second. */
export function sampled(state: System, at: number, sample: Sample): System {
  if (at - state.sampledAt < 1_000) return state;
  return {
    ...state,
    samples: [...state.samples, sample].slice(-historyLength),
    sampledAt: at,
  };
}

export interface Health {
  service: string;
  instance: string;
  silentMs: number | null;
  throughput: number;
  lag: number;
  load: number;
  memory: number;
}

/** One line for each instance, those that are silent marked. */
export function healthOf({ services, now }: System): readonly Health[] {
  return services.map(({ service, instance, seenAt, latest, earlier }) => {
    const age = now - seenAt;
    return {
      service,
      instance,
      silentMs: age >= silentAfterMs ? age : null,
      throughput: throughputOf(latest, earlier),
      lag: lagOf(latest),
      load: loadOf(latest, earlier),
      memory: memoryOf(latest),
    };
  });
}
