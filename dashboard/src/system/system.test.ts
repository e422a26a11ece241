import { describe, expect, it } from "vitest";

import type { Action } from "../store/actions.ts";

import { lagOf, loadOf, memoryOf, readReports, type Report, throughputOf } from "./figures.ts";
import {
  emptySystem,
  forgetAfterMs,
  healthOf,
  sampled,
  silentAfterMs,
  type System,
  systemReducer,
} from "./reducer.ts";

const report = (at: number, metrics: Record<string, number> = {}, fields = {}): Report => ({
  service: "processor",
  instance: "one",
  at,
  metrics,
  ...fields,
});
const told = (now: number, ...list: Report[]): Action => ({
  type: "figures",
  reports: { now, list },
});
const after = (...actions: Action[]): System => actions.reduce(systemReducer, emptySystem);
const cpu = "process_cpu_seconds_total";

describe("what services say of themselves", () => {
  it("is read, and left out where it makes no sense", () => {
    const whole = { service: "sink", instance: "a", ts_event_ms: 5, metrics: { lag: 1, odd: "x" } };
    const broken = [null, 3, { service: "sink" }, { ...whole, ts_event_ms: "soon" }];
    expect(readReports({ ts_ms: 9, services: [...broken, whole] })).toEqual({
      now: 9,
      list: [{ service: "sink", instance: "a", at: 5, metrics: { lag: 1 } }],
    });
    expect(readReports("nonsense")).toEqual({ now: 0, list: [] });
  });

  it("gives a rate from two reports, summed over labels", () => {
    const name = "tickstream_ws_bridge_records_total";
    const fields = { service: "ws_bridge" };
    const one = report(
      1_000,
      { [`${name}{channel=ticks}`]: 10, [`${name}{channel=bars}`]: 0 },
      fields,
    );
    const two = report(
      6_000,
      { [`${name}{channel=ticks}`]: 90, [`${name}{channel=bars}`]: 20 },
      fields,
    );
    expect(throughputOf(two, one)).toBe(20);
    expect(throughputOf(two, undefined)).toBeNaN();
  });

  it("gives no rate across a restart, nor of a service that counts nothing we know", () => {
    const name = "tickstream_processor_ticks_total";
    expect(throughputOf(report(6_000, { [name]: 3 }), report(1_000, { [name]: 900 }))).toBeNaN();
    expect(throughputOf(report(2, {}, { service: "novel" }), report(1))).toBeNaN();
  });

  it("gives lag, load and memory", () => {
    const metrics = {
      tickstream_processor_lag_records: 7,
      [cpu]: 3,
      process_resident_memory_bytes: 5e7,
    };
    expect(lagOf(report(0, metrics))).toBe(7);
    expect(lagOf(report(0))).toBeNaN();
    const bridge = {
      "tickstream_ws_bridge_kafka_lag{channel=ticks}": 2,
      "x_kafka_lag{channel=bars}": 1,
    };
    expect(lagOf(report(0, bridge))).toBe(3);
    expect(loadOf(report(4_000, metrics), report(0, { [cpu]: 1 }))).toBe(0.5);
    expect(memoryOf(report(0, metrics))).toBe(5e7);
  });
});

describe("the services", () => {
  it("are silent when they leave reports out, and forgotten in the end", () => {
    const state = after(told(10_000, report(9_000)), told(9_000 + silentAfterMs));
    expect(healthOf(state)).toMatchObject([{ silentMs: silentAfterMs }]);
    expect(healthOf(after(told(10_000, report(9_000))))).toMatchObject([{ silentMs: null }]);
    expect(after(told(10_000, report(9_000)), told(9_000 + forgetAfterMs)).services).toEqual([]);
  });

  it("keep their rate through signs of life that bring no new figures", () => {
    const name = "tickstream_processor_ticks_total";
    const state = after(
      told(1_000, report(1_000, { [name]: 0, [cpu]: 1 })),
      told(6_000, report(6_000, { [name]: 50, [cpu]: 2 })),
      told(8_000, report(8_000, { [name]: 50, [cpu]: 2 })),
      told(8_000, report(6_000, { [name]: 50, [cpu]: 2 })),
    );
    expect(state.services).toMatchObject([{ seenAt: 8_000 }]);
    expect(healthOf(state)).toMatchObject([{ throughput: 10, load: 0.2 }]);
  });

  it("are listed by name, each instance for itself", () => {
    const state = after(
      told(
        5,
        report(4, {}, { instance: "two" }),
        report(4),
        report(4, {}, { service: "alerting" }),
      ),
    );
    const names = state.services.map(({ service, instance }) => `${service} ${instance}`);
    expect(names).toEqual(["alerting one", "processor one", "processor two"]);
  });

  it("stay in sight when they can't be asked", () => {
    const error = { code: "forbidden", message: "" };
    const state = after(told(5, report(4)), { type: "figuresFailed", error });
    expect(state).toMatchObject({ phase: "failed", error });
    expect(state.services).toHaveLength(1);
    expect(systemReducer(state, told(6)).error).toBeNull();
  });
});

describe("the stream's past", () => {
  it("has a sample a second, of two minutes at the most", () => {
    const sample = { rate: 1, medianMs: 2, p99Ms: 3, roundTripMs: 4 };
    let state = emptySystem;
    for (let at = 1_000; at <= 300_000; at += 250) state = sampled(state, at, sample);
    expect(state.samples).toHaveLength(120);
    expect(sampled(state, 300_500, sample)).toBe(state);
  });
});
