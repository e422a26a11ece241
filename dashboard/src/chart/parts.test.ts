import { describe, expect, it } from "vitest";

import type { AlertEvent, IndicatorSet } from "../socket/records.ts";

import { baseOf, closesAt, percentFrom } from "./compare.ts";
import { csvOf, fileName } from "./csv.ts";
import { buckets, joined, pathOf } from "./decimate.ts";
import { bar, minute } from "./made.ts";
import { alertMarksOf, regionsOf } from "./marks.ts";
import { deserializeSetup, readLink, serializeSetup, writeLink } from "./setup.ts";
import { namesOf, readStudies, studiesOf, toggled } from "./studies.ts";

describe("decimation", () => {
  const bars = Array.from({ length: 1000 }, (_, index) =>
    bar(index, { high: 100 + ((index * 37) % 101), low: 50 - ((index * 53) % 47), volume: index }),
  );

  it("leaves alone what there is room for", () => {
    expect(buckets(bars, minute, 1000)).toHaveLength(1000);
  });

  it("groups so that no bar is lost and none is twice", () => {
    const groups = buckets(bars, minute, 300);
    expect(groups.length).toBeLessThanOrEqual(300);
    expect(groups[0]?.from).toBe(0);
    expect(groups.at(-1)?.to).toBe(1000);
    groups.slice(1).forEach(({ from }, index) => {
      expect(from).toBe(groups[index]?.to);
    });
  });

  it("groups at the same times wherever the view begins", () => {
    const starts = (from: number) =>
      buckets(bars.slice(from), minute, 300).map((group) => bars[from + group.from]?.start_ms);
    expect(starts(101).slice(1)).toEqual(starts(100).slice(-starts(101).length + 1));
  });

  it("keeps extremes, sums and ends of what it joins", () => {
    const some = bars.slice(10, 20);
    expect(joined(some)).toMatchObject({
      start_ms: 10 * minute,
      end_ms: 20 * minute,
      high: Math.max(...some.map(({ high }) => high)),
      low: Math.min(...some.map(({ low }) => low)),
      volume: some.reduce((sum, { volume }) => sum + volume, 0),
      trades: 30,
    });
    expect(joined([bar(1), bar(2, { activity: "feed_down" })])?.activity).toBe("feed_down");
    expect(joined([bar(1), bar(2, { volume: 300, vwap: 12.5 })])?.vwap).toBe(12);
  });

  it("draws a line through the first, lowest, highest and last value of each group", () => {
    const values = [5, 1, 9, 6, 2, 2, 2, 2];
    const path = pathOf(values, [
      { from: 0, to: 4 },
      { from: 4, to: 8 },
    ]);
    expect(path.map(({ y }) => y)).toEqual([5, 1, 9, 6, 2, 2]);
    expect(path.every(({ x }, index) => index === 0 || x > (path[index - 1]?.x ?? 0))).toBe(true);
  });

  it("breaks a line where there is no value", () => {
    const groups = [0, 1, 2].map((from) => ({ from, to: from + 1 }));
    expect(pathOf([1, Number.NaN, 3], groups).map(({ y }) => y)).toEqual([1, Number.NaN, 3]);
    expect(pathOf([Number.NaN, Number.NaN], [{ from: 0, to: 2 }])).toMatchObject([
      { y: Number.NaN },
    ]);
  });
});

describe("studies", () => {
  const names = [
    ...[
      "sma_20",
      "rsi_14",
      "macd_12_26_9",
      "macd_12_26_9_signal",
      "macd_12_26_9_hist",
      "vwap",
      "obv",
    ],
    ...["bbands_20_2_upper", "bbands_20_2_middle", "bbands_20_2_lower", "stoch_14_3_3_k"],
    ...["stoch_14_3_3_d", "cdl3blackcrows", "linearreg_slope_14", "t3_5_0.7"],
  ];

  it("are made of the values that belong together", () => {
    const found = studiesOf(names);
    expect(found.map(({ id }) => id)).toEqual([
      ...["sma_20", "rsi_14", "macd_12_26_9", "vwap", "obv", "bbands_20_2", "stoch_14_3_3"],
      ...["cdl3blackcrows", "linearreg_slope_14", "t3_5_0.7"],
    ]);
    const macd = found.find(({ id }) => id === "macd_12_26_9");
    expect(macd?.outputs.map(({ label }) => label)).toEqual(["", "signal", "hist"]);
    expect(macd).toMatchObject({ label: "MACD 12 26 9", kind: "macd", overlay: false });
  });

  it("lie over the prices where they have the prices' unit", () => {
    const over = studiesOf(names).filter(({ overlay }) => overlay);
    expect(over.map(({ id }) => id)).toEqual(["sma_20", "vwap", "bbands_20_2", "t3_5_0.7"]);
  });

  it("are known before they have values", () => {
    const set = { values: { rsi_14: 1 }, warming: ["sma_20"] } as unknown as IndicatorSet;
    expect(namesOf(set)).toEqual(["rsi_14", "sma_20"]);
    expect(namesOf(undefined)).toEqual([]);
  });

  it("come and go, ten at the most", () => {
    expect(toggled(["vwap"], "rsi_14")).toEqual(["vwap", "rsi_14"]);
    expect(toggled(["vwap", "rsi_14"], "vwap")).toEqual(["rsi_14"]);
    const ten = Array.from({ length: 10 }, (_, index) => `sma_${index}`);
    expect(toggled(ten, "vwap")).toHaveLength(10);
    expect(readStudies(["vwap", "vwap", "<b>", "", "sma_2"])).toEqual(["vwap", "sma_2"]);
  });
});

describe("a comparison's closes", () => {
  const other = [bar(2, { close: 2 }), bar(4, { close: 4 }), bar(5, { close: 5 })];

  it("are those of the same time, else of the last bar before", () => {
    const starts = [1, 2, 3, 4, 6].map((index) => index * minute);
    expect(closesAt(starts, other)).toEqual([Number.NaN, 2, 2, 4, 5]);
    expect(closesAt([3 * minute], other)).toEqual([2]);
    expect(closesAt([], other)).toEqual([]);
  });

  it("become percent of the first", () => {
    expect(baseOf([Number.NaN, 0, 8, 9])).toBe(8);
    expect(baseOf([])).toBeNaN();
    expect(percentFrom(8, 10)).toBe(25);
  });
});

describe("marks", () => {
  it("tell sessions and troubles apart", () => {
    const bars = [
      bar(1, { session: "pre" }),
      bar(2, { session: "pre", activity: "quiet" }),
      bar(3),
      bar(4, { activity: "feed_down" }),
      bar(5, { activity: "halted" }),
    ];
    expect(regionsOf(bars, "1m")).toEqual([
      { from: 0, to: 2, kind: "pre" },
      { from: 3, to: 4, kind: "feed_down" },
      { from: 4, to: 5, kind: "halted" },
    ]);
    expect(regionsOf(bars, "1d").map(({ kind }) => kind)).toEqual(["feed_down", "halted"]);
  });

  it("put alerts to the bar that made them", () => {
    const at = (ts_event_ms: number) => ({ ts_event_ms }) as AlertEvent;
    const bars = [bar(1), bar(2), bar(9)];
    const events = [at(minute + 5), at(3 * minute), at(2 * minute), at(6 * minute), at(0)];
    expect(alertMarksOf(bars, events)).toEqual([
      { index: 0, events: [events[0], events[2]] },
      { index: 1, events: [events[1]] },
    ]);
  });
});

describe("CSV", () => {
  it("has a header, exact numbers and ISO times", () => {
    const indicators = [
      { start_ms: minute, values: { rsi_14: 1 / 3 } },
    ] as unknown as IndicatorSet[];
    const text = csvOf({
      bars: [bar(1), bar(2, { vwap: Number.NaN })],
      indicators,
      names: ["rsi_14"],
      rival: { symbol: "QQQ", closes: [5, Number.NaN] },
    });
    expect(text.split("\r\n")).toEqual([
      "symbol,interval,start,end,open,high,low,close,volume,vwap,trades,state,revision,activity,session,rsi_14,QQQ close",
      "SPY,1m,1970-01-01T00:01:00.000Z,1970-01-01T00:02:00.000Z,10,12,9,11,100,10.5,3,closed,0,traded,regular,0.3333333333333333,5",
      "SPY,1m,1970-01-01T00:02:00.000Z,1970-01-01T00:03:00.000Z,10,12,9,11,100,,3,closed,0,traded,regular,,",
      "",
    ]);
  });

  it("tells an indicator from a bar's own value of the same name", () => {
    const indicators = [{ start_ms: minute, values: { vwap: 7 } }] as unknown as IndicatorSet[];
    const [head, row] = csvOf({ bars: [bar(1)], indicators, names: ["vwap"] }).split("\r\n");
    expect(head?.split(",").slice(-1)).toEqual(["indicator_vwap"]);
    expect(row?.split(",").slice(-1)).toEqual(["7"]);
  });

  it("is taken for data by spreadsheets, whatever a symbol is called", () => {
    const rows = ['=1+1,"x"', "@A", "A\r\nB"].map((symbol) => {
      const text = csvOf({ bars: [bar(1, { symbol })], indicators: [], names: [] });
      return text.slice(text.indexOf("\r\n") + 2).split(",1m,")[0];
    });
    expect(rows).toEqual(['"\'=1+1,""x"""', "'@A", '"A\r\nB"']);
  });

  it("has a name that every system takes", () => {
    expect(fileName("BTC/USD:x", "1m", "2013-10-08")).toBe("BTC_USD_x-1m-2013-10-08");
  });
});

describe("the chart's look", () => {
  it("comes back as it was kept", () => {
    const setup = { kind: "bars", studies: ["volume", "sma_20"] } as const;
    expect(deserializeSetup(serializeSetup(setup))).toEqual(setup);
    const none = { kind: "line", studies: [] } as const;
    expect(deserializeSetup(serializeSetup(none))).toEqual(none);
  });

  it.each([null, "", "{", "7", '{"kind":"pie","studies":7}'])("is the default for %j", (text) => {
    expect(deserializeSetup(text)).toEqual(deserializeSetup("{}"));
  });

  it("is in the link, whatever else that says", () => {
    const setup = { kind: "line", studies: ["vwap", "bbands_20_2.5"], compare: "BRK.B" } as const;
    const link = writeLink("?symbol=SPY", setup);
    expect(link).toBe("?symbol=SPY&kind=line&studies=vwap+bbands_20_2.5&compare=BRK.B");
    expect(readLink(link)).toEqual(setup);
    expect(readLink(writeLink(link, { ...setup, studies: [], compare: null }))).toEqual({
      kind: "line",
      studies: [],
      compare: null,
    });
    expect(readLink("?kind=<b>&compare=<b>")).toEqual({ kind: null, studies: null, compare: null });
  });
});
