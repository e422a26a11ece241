import {
  type ChartDataset,
  type ControllerDatasetOptions,
  type CoreChartOptions,
  DatasetController,
  Element,
} from "chart.js";

/** A candle as Chart.js gets it: `x` is its index, `s` whether it is still forming. */
export interface Candle {
  x: number;
  o: number;
  h: number;
  l: number;
  c: number;
  /** True for a bar without a trade: drawn as a thin dash. */
  quiet: boolean;
}

export interface CandleColours {
  up: string;
  down: string;
  quiet: string;
}

declare module "chart.js" {
  interface ChartTypeRegistry {
    candlestick: {
      chartOptions: CoreChartOptions<"candlestick">;
      datasetOptions: ControllerDatasetOptions & { yAxisID: string; colours: CandleColours };
      defaultDataPoint: Candle;
      metaExtensions: object;
      parsedDataType: Candle;
      scales: "linear";
    };
  }
}

const widest = 15;

/** Chart.js wants an element for each datum. The candles need none: theirs is skipped wherever elements count. */
export class CandleElement extends Element {
  static id = "candle";
  readonly skip = true;
}

/** Draws candles straight from the data, one path a colour; the data need no parsing. */
export class CandlestickController extends DatasetController<"candlestick"> {
  static id = "candlestick";
  static defaults = { dataElementType: "candle" };

  private get candles(): readonly Candle[] {
    return this._cachedMeta._parsed as Candle[];
  }

  override getMinMax(): { min: number; max: number } {
    let min = Number.POSITIVE_INFINITY;
    let max = Number.NEGATIVE_INFINITY;
    for (const candle of this.candles) {
      min = Math.min(min, candle.l);
      max = Math.max(max, candle.h);
    }
    return { min, max };
  }

  override update(): void {
    // Everything is computed while drawing.
  }

  override draw(): void {
    const { candles } = this;
    const { colours } = this.getDataset() as ChartDataset<"candlestick"> & {
      colours: CandleColours;
    };
    const traded = candles.filter((candle) => !candle.quiet);
    this.drawCandles(
      traded.filter(({ o, c }) => c >= o),
      colours.up,
    );
    this.drawCandles(
      traded.filter(({ o, c }) => c < o),
      colours.down,
    );
    this.drawCandles(
      candles.filter((candle) => candle.quiet),
      colours.quiet,
    );
  }

  private drawCandles(candles: readonly Candle[], colour: string): void {
    const { ctx } = this.chart;
    const { xScale, yScale } = this._cachedMeta;
    if (xScale === undefined || yScale === undefined) return;
    const place = xScale.getPixelForValue(1) - xScale.getPixelForValue(0);
    const width = Math.max(1, Math.min(widest, Math.floor(place * 0.7)));
    ctx.save();
    ctx.fillStyle = colour;
    ctx.beginPath();
    for (const { x, o, h, l, c } of candles) {
      const middle = Math.round(xScale.getPixelForValue(x));
      const high = yScale.getPixelForValue(h);
      const top = Math.round(yScale.getPixelForValue(Math.max(o, c)));
      const bottom = Math.round(yScale.getPixelForValue(Math.min(o, c)));
      ctx.rect(middle - 0.5, high, 1, yScale.getPixelForValue(l) - high);
      ctx.rect(middle - width / 2, top, width, Math.max(1, bottom - top));
    }
    ctx.fill();
    ctx.restore();
  }
}
