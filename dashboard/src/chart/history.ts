import { askHistory } from "../socket/history.ts";
import type { AppStore } from "../store/state.ts";

import { olderWanted } from "./reducer.ts";

/** After a failure the server is left alone for so long, however much the user drags. */
const calmMs = 3_000;

interface Options {
  url?: string;
  apiKey: () => string | null;
  now?: () => number;
}

/** Loads older bars as the user comes near the oldest; returns how to stop. */
export function followHistory(
  store: AppStore,
  { url = "", apiKey, now = Date.now }: Options,
): () => void {
  let busy = false;
  let calmUntil = 0;
  const look = (): void => {
    const { chart } = store.get();
    const wanted = busy || now() < calmUntil ? undefined : olderWanted(chart);
    if (wanted === undefined) return;
    const series = { symbol: wanted.symbol, interval: chart.interval };
    busy = true;
    store.dispatch({ type: "olderAsked", ...series });
    void askHistory(url, apiKey(), { ...series, before: wanted.before }).then((answer) => {
      busy = false;
      if (answer.ok) store.dispatch({ type: "olderLoaded", ...series, ...answer.value });
      else {
        calmUntil = now() + calmMs;
        store.dispatch({ type: "olderFailed", ...series, error: answer.error });
      }
      look();
    });
  };
  return store.subscribe(look);
}
