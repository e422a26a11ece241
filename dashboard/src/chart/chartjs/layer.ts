import {
  type ControllerDatasetOptions,
  type CoreChartOptions,
  DatasetController,
  Element,
} from "chart.js";

/** The part of the canvas that a layer draws into. */
export interface Frame {
  ctx: CanvasRenderingContext2D;
  /** The middle of a place on the time axis, pixels. */
  x: (place: number) => number;
  y: (value: number) => number;
  /** Width of a place, pixels. */
  place: number;
  bottom: number;
}

/** Something drawn in a pane, straight from the picture. */
export interface Layer {
  min: number;
  max: number;
  draw(frame: Frame): void;
}

declare module "chart.js" {
  interface ChartTypeRegistry {
    layer: {
      chartOptions: CoreChartOptions<"layer">;
      datasetOptions: ControllerDatasetOptions & { yAxisID: string; layer: Layer };
      defaultDataPoint: number;
      metaExtensions: object;
      parsedDataType: object;
      scales: "linear";
    };
  }
}

/** Chart.js wants an element type; a layer has no data of Chart.js', so that no element is ever made. */
export class LayerElement extends Element {
  static id = "layerElement";
}

/** A dataset of Chart.js that draws itself: the library gives it axes, panes, sizes and clipping. */
export class LayerController extends DatasetController<"layer"> {
  static id = "layer";
  static defaults = { dataElementType: "layerElement" };

  private get layer(): Layer {
    return (this.getDataset() as unknown as { layer: Layer }).layer;
  }

  override getMinMax(): { min: number; max: number } {
    const { min, max } = this.layer;
    return { min, max };
  }

  override update(): void {
    // Everything is computed while drawing.
  }

  override draw(): void {
    const { xScale, yScale } = this._cachedMeta;
    if (xScale === undefined || yScale === undefined) return;
    const origin = xScale.getPixelForValue(0);
    const place = xScale.getPixelForValue(1) - origin;
    const { ctx } = this.chart;
    ctx.save();
    this.layer.draw({
      ctx,
      place,
      x: (at) => origin + at * place,
      y: (value) => yScale.getPixelForValue(value),
      bottom: yScale.bottom,
    });
    ctx.restore();
  }
}
