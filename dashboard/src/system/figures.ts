/** What the services say of themselves, and what is to be read from it. Pure. */

/** One instance's figures at one moment, by Prometheus name and labels. */
export interface Report {
  service: string;
  instance: string;
  /** When it was made, ms of the server's clock. */
  at: number;
  metrics: Readonly<Record<string, number>>;
}

export interface Reports {
  /** The server's clock, ms. */
  now: number;
  list: Report[];
}

type Fields = Record<string, unknown>;

const fieldsOf = (value: unknown): Fields =>
  typeof value === "object" && value !== null ? (value as Fields) : {};

const isNumber = (value: unknown): value is number =>
  typeof value === "number" && Number.isFinite(value);

/** The answer of `/api/v1/system`; what makes no sense in it is left out. */
export function readReports(value: unknown): Reports {
  const { ts_ms, services } = fieldsOf(value);
  const list = (Array.isArray(services) ? services : []).flatMap((item: unknown) => {
    const { service, instance, ts_event_ms, metrics } = fieldsOf(item);
    if (typeof service !== "string" || typeof instance !== "string") return [];
    if (!isNumber(ts_event_ms)) return [];
    const numbers = Object.entries(fieldsOf(metrics)).filter(([, figure]) => isNumber(figure));
    const named = Object.fromEntries(numbers) as Record<string, number>;
    return [{ service, instance, at: ts_event_ms, metrics: named }];
  });
  return { now: isNumber(ts_ms) ? ts_ms : 0, list };
}

/** What each service's throughput is counted by. */
const work: Readonly<Record<string, string>> = {
  producer: "producer_ticks_sent_total",
  processor: "tickstream_processor_ticks_total",
  sink: "tickstream_sink_points_total",
  analytics: "analytics_records_total",
  alerting: "alerting_records_total",
  ws_bridge: "tickstream_ws_bridge_records_total",
};

const lagName = /(_lag_records|_kafka_lag)$/;

/** The sum of a figure over its labels; NaN where there is none. */
function sum(report: Report, matches: (name: string) => boolean): number {
  const found = Object.entries(report.metrics).filter(([name]) =>
    matches(name.replace(/\{.*/, "")),
  );
  return found.length === 0 ? Number.NaN : found.reduce((total, [, figure]) => total + figure, 0);
}

function rate(report: Report, earlier: Report | undefined, name: string): number {
  if (earlier === undefined || report.at <= earlier.at) return Number.NaN;
  const is = (other: string): boolean => other === name;
  const grown = sum(report, is) - sum(earlier, is);
  // A count that has gone back began anew with its service.
  return grown < 0 ? Number.NaN : (grown / (report.at - earlier.at)) * 1000;
}

/** Records a second that a service has worked off between two reports; NaN where that isn't known. */
export function throughputOf(report: Report, earlier: Report | undefined): number {
  const name = work[report.service];
  return name === undefined ? Number.NaN : rate(report, earlier, name);
}

/** Records that a service has still to read; NaN where it reads none. */
export function lagOf(report: Report): number {
  return sum(report, (name) => lagName.test(name));
}

/** The share of one core that a service takes. */
export function loadOf(report: Report, earlier: Report | undefined): number {
  return rate(report, earlier, "process_cpu_seconds_total");
}

export function memoryOf(report: Report): number {
  return sum(report, (name) => name === "process_resident_memory_bytes");
}
