import { errorWords } from "../status/words.ts";
import type { AppStore, State } from "../store/state.ts";
import { awaited, button, h, placeholder, setAttributes, setText } from "../ui/dom.ts";
import { formatPrice } from "../ui/format.ts";
import { zoneOf } from "../ui/time-zone.ts";

import type { ChartAdapter } from "./adapter.ts";
import { ChartJsAdapter } from "./chartjs/adapter.ts";
import { Crosshair } from "./crosshair.ts";
import { compareDialog, saveDialog, studiesDialog } from "./dialogs.ts";
import { listenForGestures } from "./gestures.ts";
import { headline } from "./headline.ts";
import { legendView } from "./legend.ts";
import { type Picture, pictureOf } from "./picture.ts";
import { tableView } from "./table.ts";
import { navigation, toolbar, type View } from "./toolbar.ts";
import { words } from "./words.ts";

const speakEveryMs = 400;

/** What stands in the chart's place while there is nothing to draw. */
function restOf(state: State, actions: ChartActions): HTMLElement | undefined {
  const { chart, watchlist } = state;
  if (chart.bars.length > 0) return undefined;
  if (chart.phase === "failed" && chart.error !== null) {
    const other = watchlist.symbols[0];
    const why = `${errorWords(chart.error)}.`;
    if (chart.error.code !== "unknown_symbol" || other === undefined)
      return placeholder(why, button(words.tryAgain, {}, actions.reload));
    const open = (): void => {
      actions.select(other);
    };
    return placeholder(why, button(words.show(other), {}, open));
  }
  if (chart.phase === "ready")
    return placeholder(words.noBarYet(chart.interval, chart.symbol ?? ""));
  const { phase } = state.connection;
  if (phase === "reconnecting" || phase === "refused") return awaited(phase, words.whatComes, 0);
  return h("div", { class: "chart-skeleton", role: "img", "aria-label": words.loading });
}

/** What the chart has to say of itself, in its corner. */
function noteOf({ chart }: State): string {
  const { rival, older, viewport, bars } = chart;
  if (rival?.phase === "failed" && rival.error !== null)
    return words.rivalFailed(rival.symbol, errorWords(rival.error));
  const atStart = bars.length > 0 && viewport.behind + viewport.bars >= bars.length;
  if (!atStart) return "";
  if (older === "asked") return words.olderAsked;
  if (older === "failed") return words.olderFailed;
  return older === "none" ? words.olderNone : "";
}

export interface ChartActions {
  reload: () => void;
  select: (symbol: string) => void;
  /** Begins an alert rule at a price. */
  alertAt: (price: number) => void;
}

export interface ChartView extends View {
  restyle: () => void;
  /** Does what one of the chart's own keys stands for; false: nothing. */
  press: (key: string) => boolean;
}

function describe(picture: Picture): string {
  const { symbol, interval, kind, price, digits, points } = picture;
  if (Number.isNaN(price)) return `${symbol}, ${interval}`;
  const last = formatPrice(price, digits);
  return words.describe(symbol, interval, words.kinds[kind], points.length, last);
}

/** The chart's panel. The library behind it is reached through the adapter only. */
export function chartView(store: AppStore, actions: ChartActions): ChartView {
  const canvas = h("canvas", { role: "img" });
  const rest = h("div", { class: "rest" });
  const note = h("p", { class: "chart-note", role: "status", "data-testid": "chart-note" });
  const voice = h("p", { class: "visually-hidden", "aria-live": "polite" });
  const hint = h("p", { class: "visually-hidden", id: "chart-keys" }, words.keys);
  const legend = legendView();
  const table = tableView();
  const stage = h(
    "div",
    {
      class: "stage",
      tabindex: 0,
      role: "group",
      "aria-label": words.chart,
      "aria-describedby": "chart-keys",
      "data-testid": "stage",
    },
    canvas,
  );
  const moves = navigation(store);

  let picture: Picture | undefined;
  const adapter: ChartAdapter = new ChartJsAdapter(canvas, {
    hover(index) {
      crosshair.point(index);
    },
  });
  const paintLegend = (): void => {
    if (picture !== undefined) legend.paint(picture, crosshair.index);
  };
  let spokenAt = 0;
  const crosshair = new Crosshair(
    store,
    adapter,
    () => picture,
    (byKey) => {
      paintLegend();
      const now = performance.now();
      if (!byKey || now - spokenAt < speakEveryMs) return;
      spokenAt = now;
      setText(voice, legend.element.innerText);
    },
  );

  const dialogs = {
    studies: studiesDialog(store),
    compare: compareDialog(store),
    save: saveDialog(store, {
      adapter,
      element: canvas,
      picture: () => picture,
      legend: () => legend.element.innerText.replaceAll(/\s+/g, " "),
    }),
  };
  const bar = toolbar(store, {
    openStudies: dialogs.studies.open,
    openCompare: dialogs.compare.open,
    openSave: dialogs.save.open,
  });
  const tools = [headline(), ...bar, moves];
  const header = h(
    "div",
    { class: "panel-header" },
    ...tools.filter((tool) => tool !== moves).map(({ element }) => element),
  );
  const body = h("div", { class: "chart-body" }, stage, table.element, rest, note, moves.element);
  const element = h(
    "section",
    { class: "panel chart", "data-testid": "chart", "aria-labelledby": "chart-title" },
    header,
    legend.element,
    body,
    hint,
    voice,
    ...Object.values(dialogs).map((dialog) => dialog.element),
  );

  listenToStage(store, stage, adapter, crosshair);
  listenForRules(stage, actions, {
    pointed: (clientY) => adapter.priceAt(clientY),
    chosen: () => crosshair.price,
  });
  new ResizeObserver(([entry]) => {
    const width = entry?.contentRect.width ?? 0;
    if (width > 0) store.dispatch({ type: "chartWidth", width });
    adapter.fit();
  }).observe(body);

  let painted: State["chart"] | undefined;
  let paintedPrice: number | undefined;
  let paintedZone = "";
  let drawn = false;
  let restFor = "";
  const paintChart = (state: State): void => {
    const { chart, watchlist } = state;
    const price = watchlist.rows[chart.symbol ?? ""]?.price;
    const zone = zoneOf(state.preferences.zone);
    // In the place of the chart there may be another view: what isn't seen isn't drawn.
    const { tab } = state.preferences;
    const seen = !["market", "analytics", "system"].includes(tab);
    const same = chart === painted && price === paintedPrice && zone === paintedZone;
    if (same && (drawn || !seen)) return;
    drawn = seen;
    paintedPrice = price;
    paintedZone = zone;
    picture = pictureOf(chart, zone, price);
    const empty = chart.bars.length === 0;
    stage.hidden = empty || chart.table;
    moves.element.hidden = stage.hidden;
    table.element.hidden = empty || !chart.table;
    setAttributes(element, {
      "data-symbol": chart.symbol ?? "",
      "data-interval": chart.interval,
      "data-bars": chart.bars.length,
      "data-visible": picture.bars.length,
      "data-places": picture.points.length,
      "data-behind": chart.viewport.behind,
      "data-older": chart.older,
      "data-phase": chart.phase,
      "data-rival": chart.rival?.phase ?? false,
    });
    if (painted?.symbol !== chart.symbol || painted.interval !== chart.interval) crosshair.leave();
    if (seen && !stage.hidden) adapter.draw(picture);
    if (seen && !table.element.hidden) table.paint(picture);
    if (painted?.phase !== chart.phase || painted.kind !== chart.kind)
      setAttributes(canvas, { "aria-label": describe(picture) });
    painted = chart;
    crosshair.redrawn();
    paintLegend();
  };
  const paintRest = (state: State): void => {
    const { chart, watchlist } = state;
    const kind = `${state.connection.phase} ${chart.phase} ${chart.interval} ${chart.bars.length > 0} ${chart.symbol ?? ""} ${watchlist.symbols[0] ?? ""}`;
    if (kind === restFor) return;
    restFor = kind;
    const shown = restOf(state, actions);
    rest.replaceChildren(...(shown === undefined ? [] : [shown]));
  };
  return {
    element,
    paint(state) {
      for (const tool of tools) tool.paint(state);
      paintChart(state);
      paintRest(state);
      setText(note, noteOf(state));
      for (const dialog of Object.values(dialogs)) dialog.refresh();
    },
    restyle() {
      adapter.restyle();
    },
    press(key) {
      if (key === "i") dialogs.studies.open();
      else if (key === "c") dialogs.compare.open();
      else if (key === "e") dialogs.save.open();
      else return false;
      return true;
    },
  };
}

/** The context menu begins a rule: at the bar that keys have chosen, else where the pointer is. So does `a` at such a bar. */
function listenForRules(
  stage: HTMLElement,
  { alertAt }: Pick<ChartActions, "alertAt">,
  price: { pointed: (clientY: number) => number | null; chosen: () => number | null },
): void {
  const begin = (event: Event, at: number | null): void => {
    if (at === null) return;
    event.preventDefault();
    event.stopPropagation();
    alertAt(at);
  };
  stage.addEventListener("contextmenu", (event) => {
    begin(event, price.chosen() ?? price.pointed(event.clientY));
  });
  stage.addEventListener("keydown", (event) => {
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (plain && event.key === "a") begin(event, price.chosen());
  });
}

/** Wheel, drag, pinch and keys on the chart. */
function listenToStage(
  store: AppStore,
  stage: HTMLElement,
  adapter: ChartAdapter,
  crosshair: Crosshair,
): void {
  let carried = 0;
  /** Bars in a place: more than one where the view is wide. */
  const barsPerPixel = (): number => {
    const { bars, viewport } = store.get().chart;
    return Math.min(viewport.bars, Math.max(1, bars.length)) / Math.max(1, stage.clientWidth);
  };
  listenForGestures(stage, {
    drag(pixels) {
      carried += pixels * Math.max(barsPerPixel(), 1 / adapter.barWidth());
      const bars = Math.trunc(carried);
      carried -= bars;
      if (bars !== 0) store.dispatch({ type: "pan", bars });
    },
    zoom(factor, anchor) {
      store.dispatch({ type: "zoom", factor, anchor });
    },
  });
  stage.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (!crosshair.press(event.key, event.shiftKey)) return;
    event.preventDefault();
    event.stopPropagation();
  });
  stage.addEventListener("blur", () => {
    crosshair.leave();
  });
}
