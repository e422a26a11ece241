import type { IndicatorSet } from "../socket/records.ts";

/** One of the values that a study has for each bar. */
export interface Output {
  /** Its name in the records. */
  name: string;
  label: string;
  histogram: boolean;
}

/** An indicator as the chart shows it: over the prices, or in a pane of its own. */
export interface Study {
  id: string;
  label: string;
  /** The function without its parameters, such as `rsi`. */
  kind: string;
  overlay: boolean;
  outputs: readonly Output[];
  /** Values that are marked by a line across its pane. */
  levels: readonly number[];
  /** The values that its pane always spans; null: those that there are. */
  range: readonly [number, number] | null;
}

/** The volume pane is shown like a study, and comes from the bars. */
export const volumeId = "volume";
export const defaultStudies: readonly string[] = [volumeId, "vwap", "bbands_20_2", "rsi_14"];
/** More of them leave none legible. */
const mostStudies = 10;

/** TA-Lib's overlap studies and price transforms, and others in the unit of the price. */
const overlays = new Set(
  (
    "accbands avgprice bbands dema ema hma ht_trendline kama linearreg linearreg_intercept ma mama max medprice midpoint " +
    "midprice min sar sarext sma supertrend t3 tema trima tsf typprice vwap vwma wclprice wma"
  ).split(" "),
);

interface Pane {
  levels: readonly number[];
  range?: readonly [number, number];
}
const percent = [0, 100] as const;
const panes: Readonly<Record<string, Pane>> = {
  rsi: { levels: [30, 70], range: percent },
  stoch: { levels: [20, 80], range: percent },
  stochf: { levels: [20, 80], range: percent },
  stochrsi: { levels: [20, 80], range: percent },
  mfi: { levels: [20, 80], range: percent },
  ultosc: { levels: [30, 70], range: percent },
  aroon: { levels: [50], range: percent },
  adx: { levels: [25] },
  willr: { levels: [-80, -20], range: [-100, 0] },
  cci: { levels: [-100, 100] },
  cmo: { levels: [-50, 50], range: [-100, 100] },
  macd: { levels: [0] },
  roc: { levels: [0] },
  mom: { levels: [0] },
  ppo: { levels: [0] },
};

/** The function in `bbands_20_2`: what stands before its first parameter. */
function kindOf(id: string): string {
  return /^.+?(?=_-?\d)/.exec(id)?.[0] ?? id;
}

/** What an indicator's parameters are followed by, where it has several outputs: `bbands_20_2`, `upper`. */
function split(name: string): { id: string; output: string } {
  const [, id, output] = /^(.+?_-?\d[\d._-]*)_([a-z]+)$/.exec(name) ?? [];
  return { id: id ?? name, output: output ?? "" };
}

const upper = (text: string): string => text.toUpperCase().replaceAll("_", " ");

/** Short names that are used more than the functions' own. */
const short: Readonly<Record<string, string>> = { bbands: "BB", willr: "%R" };

function studyOf(id: string, names: readonly string[]): Study {
  const kind = kindOf(id);
  const pane = panes[kind];
  return {
    id,
    kind,
    label: (short[kind] ?? upper(kind)) + upper(id.slice(kind.length)),
    overlay: overlays.has(kind),
    levels: pane?.levels ?? [],
    range: pane?.range ?? null,
    outputs: names.map((name) => {
      const { output } = split(name);
      return { name, label: output, histogram: output === "hist" || kind.startsWith("cdl") };
    }),
  };
}

/** The studies that values of these names make, in the order of their first name. */
export function studiesOf(names: readonly string[]): Study[] {
  const byId = new Map<string, string[]>();
  for (const name of names) {
    const { id } = split(name);
    byId.set(id, [...(byId.get(id) ?? []), name]);
  }
  return [...byId].map(([id, outputs]) => studyOf(id, outputs));
}

/** The names that a set has values for, or will once it has seen enough bars. */
export function namesOf(set: IndicatorSet | undefined): string[] {
  if (set === undefined) return [];
  return [...new Set([...Object.keys(set.values), ...(set.warming ?? [])])].sort(byOutput);
}

const outputs = ["", "upper", "middle", "lower", "hist", "signal", "k", "d"];

function byOutput(one: string, other: string): number {
  const [a, b] = [split(one), split(other)];
  if (a.id !== b.id) return a.id < b.id ? -1 : 1;
  return outputs.indexOf(a.output) - outputs.indexOf(b.output);
}

/** Only what can be the name of a study, each once, no more than there is room for. */
export function readStudies(names: readonly string[]): string[] {
  const fit = names.filter((name) => /^[a-z][a-z0-9_.-]{0,63}$/.test(name));
  return [...new Set(fit)].slice(0, mostStudies);
}

/** `shown` with the study added at its end, or taken out. */
export function toggled(shown: readonly string[], id: string): readonly string[] {
  return shown.includes(id)
    ? shown.filter((other) => other !== id)
    : [...shown, id].slice(-mostStudies);
}
