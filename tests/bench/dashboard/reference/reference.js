// The same chart feed, drawn by TradingView's lightweight-charts: candles, volume, VWAP, bands and RSI of one symbol.
const { CandlestickSeries, HistogramSeries, LineSeries, createChart } = LightweightCharts;
const query = new URLSearchParams(location.search);
const symbol = query.get("symbol");
const interval = query.get("interval");
const element = document.getElementById("chart");
const shown = document.querySelector("dd");
const marker = document.querySelector("[data-testid=price-reference]");

const chart = createChart(element, {
  autoSize: true,
  layout: { attributionLogo: false },
  timeScale: { timeVisible: true, secondsVisible: true },
});
const candles = chart.addSeries(CandlestickSeries);
const volume = chart.addSeries(HistogramSeries, { priceFormat: { type: "volume" } }, 1);
const line = (name, pane) => [name, chart.addSeries(LineSeries, { lineWidth: 1 }, pane)];
const lines = [
  line("vwap", 0),
  line("bbands_20_2_upper", 0),
  line("bbands_20_2_middle", 0),
  line("bbands_20_2_lower", 0),
  line("rsi_14", 2),
];

const timeOf = ({ start_ms }) => start_ms / 1000;
const candleOf = (bar) => {
  const { open, high, low, close } = bar;
  return { time: timeOf(bar), open, high, low, close };
};
const volumeOf = (bar) => ({
  time: timeOf(bar),
  value: bar.volume,
  color: bar.close >= bar.open ? "#2fb98566" : "#f4707b66",
});
let newest;
let trades = 0;

const takeBar = (bar) => {
  if (bar.symbol !== symbol || (newest && bar.start_ms < newest.start_ms)) return;
  newest = bar;
  candles.update(candleOf(bar));
  volume.update(volumeOf(bar));
};
const takeSet = (set) => {
  if (set.symbol !== symbol || (newest && set.start_ms < newest.start_ms)) return;
  for (const [name, series] of lines) {
    const value = set.values[name];
    if (value !== undefined) series.update({ time: timeOf(set), value });
  }
};
const takeTick = ({ price }) => {
  trades += 1;
  if (newest === undefined) return;
  const { high, low } = newest;
  newest = { ...newest, close: price, high: Math.max(high, price), low: Math.min(low, price) };
  candles.update(candleOf(newest));
  marker.dataset.value = String(price);
};
const ordered = (records) => [...records].sort((one, other) => one.start_ms - other.start_ms);

const socket = io({ transports: ["websocket"] });
const request = { symbols: [symbol], interval, mode: "all", history: 1000 };
socket.on("connect", () => {
  socket.emit("subscribe", { channel: "bars", ...request }, ({ snapshot }) => {
    const bars = ordered(snapshot);
    candles.setData(bars.map(candleOf));
    volume.setData(bars.map(volumeOf));
    newest = bars.at(-1);
    element.dataset.phase = "ready";
  });
  socket.emit("subscribe", { channel: "indicators", ...request }, ({ snapshot }) => {
    const sets = ordered(snapshot);
    for (const [name, series] of lines) {
      const known = sets.filter(({ values }) => values[name] !== undefined);
      series.setData(known.map((set) => ({ time: timeOf(set), value: set.values[name] })));
    }
  });
  socket.emit("subscribe", { channel: "ticks", symbols: [symbol] }, () => undefined);
});
socket.on("bars", ({ data }) => data.forEach(takeBar));
socket.on("indicators", ({ data }) => data.forEach(takeSet));
socket.on("ticks", ({ data }) => data.forEach(takeTick));
setInterval(() => {
  shown.textContent = String(trades);
  trades = 0;
}, 1000);
