import { Chart, type ChartConfiguration, type ChartEvent, LinearScale } from "chart.js";

import { type ChartAdapter, type ChartEvents, readColours } from "../adapter.ts";
import { emptyChart } from "../reducer.ts";
import { type Picture, pictureOf } from "../picture.ts";
import { timeTicks } from "../time-axis.ts";
import { namingTime } from "../times.ts";

import { axesOf, panesKey } from "./axes.ts";
import { LayerController, LayerElement } from "./layer.ts";
import { layersOf, type Placed } from "./layers.ts";
import { alertFlags, gaps, revisions, shading } from "./marks.ts";
import { crosshair, dayLines, lastPrice, paneNames } from "./plugins.ts";
import type { Scene } from "./scene.ts";

Chart.register(LayerController, LayerElement, LinearScale);

const pixelsPerTick = 84;

/** What the axes are made of; while that stays, a picture is drawn without laying them out. */
function framingOf({ picture, ticks, shift }: Scene, layers: readonly Placed[]): string {
  const { slots, digits, base } = picture;
  const ranges = layers.map(({ yAxisID, layer: { min, max } }) => [yAxisID, min, max]);
  return JSON.stringify([slots, shift, digits, base, ranges, ticks]);
}

/** Chart.js behind the adapter: it gives the axes, panes and sizes; what is in them draws itself. */
export class ChartJsAdapter implements ChartAdapter {
  private readonly scene: Scene;
  private chart: Chart | undefined;
  private panes = "";
  private framing = "";

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly events: ChartEvents,
  ) {
    const colours = readColours(canvas);
    this.scene = {
      picture: pictureOf(emptyChart, "UTC"),
      colours,
      shift: 0,
      ticks: [],
      pointer: null,
    };
  }

  draw(picture: Picture): void {
    this.scene.picture = picture;
    const panes = panesKey(picture);
    if (this.chart === undefined || panes !== this.panes) this.build();
    this.panes = panes;
    this.update();
  }

  fit(): void {
    this.chart?.resize();
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

  priceAt(clientY: number): number | null {
    const axis = this.chart?.scales.price;
    if (axis === undefined || this.scene.picture.comparison !== null) return null;
    const y = clientY - this.canvas.getBoundingClientRect().top;
    return y < axis.top || y > axis.bottom ? null : (axis.getValueForPixel(y) ?? null);
  }

  pointAt(index: number | null): void {
    const x = this.chart?.scales.x;
    if (index === null || x === undefined) this.scene.pointer = null;
    else this.scene.pointer = { x: x.getPixelForValue(index + this.scene.shift), y: null };
    this.chart?.draw();
  }

  image(): HTMLCanvasElement {
    const { pointer } = this.scene;
    this.scene.pointer = null;
    this.chart?.draw();
    const copy = document.createElement("canvas");
    copy.width = this.canvas.width;
    copy.height = this.canvas.height;
    copy.getContext("2d")?.drawImage(this.canvas, 0, 0);
    this.scene.pointer = pointer;
    this.chart?.draw();
    return copy;
  }

  destroy(): void {
    this.chart?.destroy();
    this.chart = undefined;
  }

  private update(): void {
    const { chart, scene } = this;
    if (chart === undefined) return;
    const { points, slots, interval, zone } = scene.picture;
    scene.shift = slots - points.length;
    const most = Math.max(2, Math.floor(chart.width / pixelsPerTick));
    const times = points.map(({ bar }) => namingTime(bar, interval));
    const apart = Math.ceil(slots / most / 2);
    scene.ticks = timeTicks(times, interval, zone, most, apart).map((tick) => ({
      ...tick,
      index: tick.index + scene.shift,
    }));
    const layers = layersOf(scene.picture, scene.colours, scene.shift);
    const framing = framingOf(scene, layers);
    if (framing === this.framing) {
      chart.data.datasets.forEach((dataset, index) => Object.assign(dataset, layers[index]));
      chart.draw();
      return;
    }
    this.framing = framing;
    chart.data.datasets = layers.map((placed) => ({ type: "layer", data: [], ...placed })) as never;
    const x = chart.options.scales?.x;
    if (x !== undefined)
      Object.assign(x, { min: -0.5, max: slots + Math.max(1, slots * 0.03) - 0.5 });
    chart.update("none");
  }

  private build(): void {
    this.chart?.destroy();
    this.framing = "";
    this.scene.colours = readColours(this.canvas);
    this.chart = new Chart(this.canvas, this.configuration());
  }

  private configuration(): ChartConfiguration {
    const { scene } = this;
    const style = getComputedStyle(this.canvas);
    return {
      type: "layer",
      data: { datasets: [] },
      options: {
        animation: false,
        responsive: true,
        maintainAspectRatio: false,
        events: ["mousemove", "mouseout"],
        font: { family: style.fontFamily, size: 11 },
        layout: { padding: { top: 6 } },
        scales: axesOf(scene) as never,
        onHover: (event: ChartEvent, _elements: unknown, chart: Chart) => {
          this.moved(event.type === "mouseout" ? null : { x: event.x ?? 0, y: event.y ?? 0 });
          chart.draw();
        },
      },
      plugins: [
        shading(scene),
        dayLines(scene),
        gaps(scene),
        paneNames(scene),
        revisions(scene),
        lastPrice(scene),
        alertFlags(scene),
        crosshair(scene),
      ],
    };
  }

  private moved(pointer: Scene["pointer"]): void {
    this.scene.pointer = pointer;
    const x = this.chart?.scales.x;
    const place = pointer === null ? undefined : x?.getValueForPixel(pointer.x);
    const index = place === undefined ? -1 : Math.round(place) - this.scene.shift;
    this.events.hover(index in this.scene.picture.points ? index : null);
  }
}
