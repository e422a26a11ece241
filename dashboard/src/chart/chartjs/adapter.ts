import {
  BarController,
  BarElement,
  Chart,
  type ChartConfiguration,
  type ChartDataset,
  type ChartEvent,
  Filler,
  LinearScale,
  LineController,
  LineElement,
  PointElement,
  type ScaleOptionsByType,
} from "chart.js";

import { formatPrice, formatVolume } from "../../ui/format.ts";
import { type ChartAdapter, type ChartColours, type ChartEvents, readColours } from "../adapter.ts";
import type { Picture, Point } from "../picture.ts";
import { roundBelow, roundValues } from "../price-axis.ts";
import { type AxisTick, timeTicks } from "../time-axis.ts";

import { type Candle, CandleElement, CandlestickController } from "./candlestick.ts";
import { crosshair, dayLines, lastPrice, type Scene } from "./plugins.ts";

Chart.register(
  BarController,
  BarElement,
  CandleElement,
  CandlestickController,
  Filler,
  LinearScale,
  LineController,
  LineElement,
  PointElement,
);

type Kind = "candlestick" | "bar" | "line";
type Dataset = ChartDataset<Kind, (Candle | { x: number; y: number })[]>;
interface Range {
  min: number;
  max: number;
  ticks: object[];
}
type LinearOptions = { [Key in keyof ScaleOptionsByType<"linear">]?: unknown };

const pixelsPerTick = 84;
const pixelsPerPrice = 48;
const labelRoom = 9;
/** About the part of the height that the price pane takes. */
const priceShare = 0.65;
const axisWidth = 68;
/** Room above and below the prices, above the volumes; as a part of their range. */
const priceAir = 0.06;
const volumeAir = 0.2;
const emptyPicture: Picture = {
  symbol: "",
  interval: "1m",
  zone: "UTC",
  points: [],
  slots: 1,
  studies: { vwap: false, bands: false, volume: false, rsi: false },
  last: undefined,
  price: Number.NaN,
  digits: 2,
};

const candleOf = ({ bar }: Point, x: number): Candle => ({
  x,
  o: bar.open,
  h: bar.high,
  l: bar.low,
  c: bar.close,
  quiet: bar.activity !== "traded",
});

/** The datasets of a picture, those drawn first at the end. */
function datasetsOf(picture: Picture, colours: ChartColours, shift: number): Dataset[] {
  const { points, studies } = picture;
  const line = (value: (point: Point) => number, colour: string, extra: object = {}): Dataset => ({
    type: "line",
    data: points.map((point, index) => ({ x: index + shift, y: value(point) })),
    yAxisID: "price",
    borderColor: colour,
    borderWidth: 1.25,
    pointRadius: 0,
    ...extra,
  });
  const candles: Dataset = {
    type: "candlestick",
    data: points.map((point, index) => candleOf(point, index + shift)),
    yAxisID: "price",
    colours: { up: colours.up, down: colours.down, quiet: colours.muted },
  };
  const volume: Dataset = {
    type: "bar",
    data: points.map(({ bar }, index) => ({ x: index + shift, y: bar.volume })),
    yAxisID: "volume",
    backgroundColor: points.map(({ bar }) =>
      bar.close >= bar.open ? colours.upSoft : colours.downSoft,
    ),
    barPercentage: 0.75,
    categoryPercentage: 1,
    maxBarThickness: 15,
  };
  const fill = { fill: "+1", backgroundColor: colours.bandFill };
  return [
    ...(studies.vwap ? [line((point) => point.vwap, colours.vwap)] : []),
    candles,
    ...(studies.volume ? [volume] : []),
    ...(studies.rsi ? [line((point) => point.rsi, colours.rsi, { yAxisID: "rsi" })] : []),
    ...(studies.bands
      ? [
          line((point) => point.upper, colours.band, fill),
          line((point) => point.lower, colours.band),
        ]
      : []),
  ];
}

/** Chart.js behind the adapter: panes are stacked axes of one chart, so that they share their time axis. */
export class ChartJsAdapter implements ChartAdapter {
  private readonly scene: Scene;
  private chart: Chart | undefined;
  private ticks: AxisTick[] = [];
  private panes = "";

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly events: ChartEvents,
  ) {
    const colours = readColours(canvas);
    this.scene = { picture: emptyPicture, colours, dayStarts: [], pointer: null };
  }

  draw(picture: Picture): void {
    this.scene.picture = picture;
    const panes = `${picture.studies.volume} ${picture.studies.rsi}`;
    if (this.chart === undefined || panes !== this.panes) this.build();
    this.panes = panes;
    this.update();
  }

  restyle(): void {
    if (this.chart === undefined) return;
    this.build();
    this.update();
  }

  barWidth(): number {
    const x = this.chart?.scales.x;
    return x === undefined ? 1 : x.getPixelForValue(1) - x.getPixelForValue(0);
  }

  destroy(): void {
    this.chart?.destroy();
    this.chart = undefined;
  }

  private get shift(): number {
    return this.scene.picture.slots - this.scene.picture.points.length;
  }

  private update(): void {
    const { chart } = this;
    if (chart === undefined) return;
    const { picture, colours } = this.scene;
    const { points, slots, interval, zone } = picture;
    const most = Math.max(2, Math.floor(chart.width / pixelsPerTick));
    // The middle of a bar lies within its day in every zone.
    const times = points.map(({ bar }) =>
      interval === "1d" ? (bar.start_ms + bar.end_ms) / 2 : bar.start_ms,
    );
    const apart = Math.ceil(slots / most / 2);
    const shifted = timeTicks(times, interval, zone, most, apart);
    this.ticks = shifted.map((tick) => ({ ...tick, index: tick.index + this.shift }));
    this.scene.dayStarts = this.ticks.filter(({ major }) => major).map(({ index }) => index);
    chart.data.datasets = datasetsOf(picture, colours, this.shift) as never;
    const x = chart.options.scales?.x;
    if (x !== undefined)
      Object.assign(x, { min: -0.5, max: slots + Math.max(1, slots * 0.03) - 0.5 });
    chart.update("none");
  }

  private build(): void {
    this.chart?.destroy();
    this.scene.colours = readColours(this.canvas);
    this.chart = new Chart(this.canvas, this.configuration());
  }

  private configuration(): ChartConfiguration {
    const { studies } = this.scene.picture;
    const volume = studies.volume ? { volume: this.volumeAxis() } : {};
    const rsi = studies.rsi ? { rsi: this.rsiAxis() } : {};
    const scales = { x: this.timeAxis(), price: this.priceAxis(), ...volume, ...rsi };
    const style = getComputedStyle(this.canvas);
    return {
      type: "line",
      data: { datasets: [] },
      options: {
        animation: false,
        responsive: true,
        maintainAspectRatio: false,
        normalized: true,
        parsing: false,
        events: ["mousemove", "mouseout"],
        hover: { mode: "nearest" },
        font: { family: style.fontFamily, size: 11 },
        layout: { padding: { top: 6 } },
        scales: scales as never,
        onHover: (event: ChartEvent, _elements: unknown, chart: Chart) => {
          this.moved(event.type === "mouseout" ? null : { x: event.x ?? 0, y: event.y ?? 0 });
          chart.draw();
        },
      },
      plugins: [dayLines(this.scene), lastPrice(this.scene), crosshair(this.scene)],
    };
  }

  private moved(pointer: Scene["pointer"]): void {
    this.scene.pointer = pointer;
    const x = this.chart?.scales.x;
    const place = pointer === null ? undefined : x?.getValueForPixel(pointer.x);
    const index = place === undefined ? -1 : Math.round(place) - this.shift;
    this.events.hover(index in this.scene.picture.points ? index : null);
  }

  private timeAxis(): LinearOptions {
    const { colours } = this.scene;
    return {
      type: "linear",
      grid: { color: colours.grid, tickLength: 0, offset: false },
      border: { color: colours.grid },
      afterBuildTicks: (axis: { ticks: object[] }) => {
        axis.ticks = this.ticks.map(({ index }) => ({ value: index }));
      },
      ticks: {
        color: colours.muted,
        autoSkip: false,
        maxRotation: 0,
        padding: 6,
        callback: (value: number) => this.ticks.find(({ index }) => index === value)?.label ?? "",
      },
    };
  }

  /** An axis at the right, one of the stacked panes. */
  private pane(weight: number, ticks: object): LinearOptions {
    const { colours } = this.scene;
    return {
      type: "linear",
      position: "right",
      stack: "panes",
      stackWeight: weight,
      grid: { color: colours.grid, tickLength: 0 },
      border: { color: colours.grid },
      ticks: { color: colours.muted, padding: 6, maxRotation: 0, ...ticks },
      afterFit: (axis: { width: number }) => {
        axis.width = axisWidth;
      },
    };
  }

  private priceAxis(): LinearOptions {
    const callback = (value: number): string => formatPrice(value, this.scene.picture.digits);
    return {
      ...this.pane(7, { callback }),
      bounds: "data",
      afterDataLimits: (axis: Range) => {
        const air = (axis.max - axis.min || Math.abs(axis.max) * 0.01) * priceAir;
        axis.min -= air;
        axis.max += air;
      },
      afterBuildTicks: (axis: Range & { chart: Chart }) => {
        // The axis itself has no height yet. A label at its very edge would be cut.
        const height = axis.chart.height * priceShare;
        const edge = ((axis.max - axis.min) * labelRoom) / height;
        const most = Math.floor(height / pixelsPerPrice);
        const values = roundValues(axis.min + edge, axis.max - edge, most);
        axis.ticks = values.map((value) => ({ value }));
      },
    };
  }

  private volumeAxis(): LinearOptions {
    return {
      ...this.pane(1.6, { callback: formatVolume }),
      beginAtZero: true,
      bounds: "data",
      afterDataLimits: (axis: Range) => {
        axis.max *= 1 + volumeAir;
      },
      afterBuildTicks: (axis: Range) => {
        axis.ticks = [{ value: roundBelow(axis.max * 0.8) }];
      },
    };
  }

  private rsiAxis(): LinearOptions {
    return {
      ...this.pane(1.6, {}),
      min: 0,
      max: 100,
      afterBuildTicks: (axis: { ticks: object[] }) => {
        axis.ticks = [{ value: 30 }, { value: 70 }];
      },
    };
  }
}
