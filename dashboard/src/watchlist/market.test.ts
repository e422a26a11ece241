import { describe, expect, it } from "vitest";

import type { Action } from "../store/actions.ts";
import { initialState, rootReducer } from "../store/state.ts";

import { marketOf, readMarketLink, writeMarketLink } from "./link.ts";
import {
  cleanName,
  freeName,
  longestName,
  mostLists,
  mostSymbols,
  readLists,
  withList,
  withName,
  withSymbols,
} from "./lists.ts";
import {
  emptyMarket,
  type Market,
  mostPinned,
  neighbour,
  openingSymbol,
  shownList,
} from "./market.ts";
import { deserializeMarket, isKeptAlike, serializeMarket } from "./memory.ts";
import { mostActive, ordered, sortAfter, type Wanted } from "./order.ts";
import { emptyWatchlist, type Row, type Watchlist } from "./reducer.ts";
import { asSymbol, readSymbols } from "./symbols.ts";
import { columnsIn, scrollFor, windowOf } from "./window.ts";

const morning = Date.UTC(2013, 9, 8, 13, 30);

/** A row that opened at 100. */
function row(symbol: string, price: number, fields: Partial<Row> = {}): Row {
  const [low, high] = [Math.min(100, price), Math.max(100, price)];
  return {
    symbol,
    price,
    time: morning,
    direction: 0,
    changes: 0,
    day: { key: "2013-10-08", open: 100, high, low, volume: price * 10, trades: 0, known: true },
    spark: [],
    activity: "traded",
    ingest: morning,
    source: "",
    ...fields,
  };
}

function watchlistOf(...rows: Row[]): Watchlist {
  const symbols = rows.map(({ symbol }) => symbol).sort();
  const byName = Object.fromEntries(rows.map((one) => [one.symbol, one]));
  return { ...emptyWatchlist, rows: byName, symbols, loaded: true, settled: true };
}

const wanted: Wanted = { ...emptyMarket, members: null };
const three = watchlistOf(row("AIG", 101), row("BAC", 99), row("SPY", 103));

describe("the order", () => {
  it("is by name at first, and either way by any figure", () => {
    const by = (name: Wanted["sort"]["by"], descending: boolean): string =>
      ordered(three, { ...wanted, sort: { by: name, descending } }).join(" ");
    expect(by("symbol", false)).toBe("AIG BAC SPY");
    expect(by("symbol", true)).toBe("SPY BAC AIG");
    expect(by("price", true)).toBe("SPY AIG BAC");
    expect(by("change", false)).toBe("BAC AIG SPY");
    expect(by("percent", true)).toBe("SPY AIG BAC");
    expect(by("range", true)).toBe("SPY AIG BAC");
    expect(by("volume", false)).toBe("BAC AIG SPY");
  });

  it("puts what has no figure last either way, and equals by name", () => {
    const { day } = row("X", 100);
    const unknown = row("AAA", 100, { day: { ...day, volume: null } });
    const some = watchlistOf(unknown, row("CCC", 100), row("BBB", 100));
    for (const descending of [true, false])
      expect(ordered(some, { ...wanted, sort: { by: "volume", descending } })).toEqual([
        "BBB",
        "CCC",
        "AAA",
      ]);
  });

  it("has the pinned ones on top, in the same order", () => {
    const pinned = ordered(three, {
      ...wanted,
      pinned: ["BAC", "SPY"],
      sort: { by: "price", descending: true },
    });
    expect(pinned).toEqual(["SPY", "BAC", "AIG"]);
  });

  it("has what the text, the kind and the list let in", () => {
    expect(ordered(three, { ...wanted, text: " a" })).toEqual(["AIG", "BAC"]);
    expect(ordered(three, { ...wanted, kind: "up" })).toEqual(["AIG", "SPY"]);
    expect(ordered(three, { ...wanted, kind: "down" })).toEqual(["BAC"]);
    expect(ordered(three, { ...wanted, members: ["SPY", "NONE"] })).toEqual(["SPY"]);
  });

  it("knows what isn't trading: halted, quiet, or its feed down", () => {
    const { rows } = watchlistOf(
      row("CUT", 100, { source: "feed" }),
      row("HLT", 100, { activity: "halted" }),
      row("OK", 100),
    );
    const state = { ...watchlistOf(...Object.values(rows)), down: { feed: morning + 1 } };
    expect(ordered(state, { ...wanted, kind: "idle" })).toEqual(["CUT", "HLT"]);
  });

  it("turns with a second choice of the same column", () => {
    expect(sortAfter({ by: "symbol", descending: false }, "symbol").descending).toBe(true);
    expect(sortAfter({ by: "symbol", descending: false }, "volume")).toEqual({
      by: "volume",
      descending: true,
    });
    expect(sortAfter({ by: "volume", descending: true }, "symbol").descending).toBe(false);
  });
});

describe("what opens first", () => {
  const minute = { start: morning, close: 100 };
  const busy = row("BBB", 100, { spark: [{ ...minute, trades: 9 }] });
  const calm = row("AAA", 100, { spark: [{ ...minute, trades: 1 }] });

  it("is what is traded most in the last hour, else in the day, else last", () => {
    const state = watchlistOf(calm, busy);
    expect(mostActive(state, state.symbols)).toBe("BBB");
    const { day } = calm;
    const often = row("CCC", 100, { day: { ...day, trades: 5 } });
    expect(mostActive(watchlistOf(row("AAA", 100), often), ["AAA", "CCC"])).toBe("CCC");
    const late = row("DDD", 100, { time: morning + 1 });
    expect(mostActive(watchlistOf(row("AAA", 100), late), ["AAA", "DDD"])).toBe("DDD");
    expect(mostActive(emptyWatchlist, [])).toBeNull();
  });

  it("waits until the past is known, and prefers what the user opened last", () => {
    const state = watchlistOf(calm, busy);
    expect(openingSymbol(emptyMarket, { ...state, settled: false })).toBeNull();
    expect(openingSymbol(emptyMarket, state)).toBe("BBB");
    expect(openingSymbol({ ...emptyMarket, opened: "AAA" }, state)).toBe("AAA");
    expect(openingSymbol({ ...emptyMarket, opened: "GONE" }, state)).toBe("BBB");
    expect(openingSymbol({ ...emptyMarket, order: ["AAA"] }, state)).toBe("AAA");
  });
});

describe("the market's view", () => {
  const loaded: Action = {
    type: "marketLoaded",
    at: 0,
    symbols: [],
    records: ["AIG", "BAC", "SPY"].map((symbol, place) => ({
      symbol,
      price: 100 + place,
      volume: 1,
      ts_event_ms: morning,
      ts_ingest_ms: morning,
    })),
  };
  const after = (...actions: Action[]): Market =>
    [loaded, ...actions].reduce(rootReducer, initialState).market;
  const trade = (symbol: string, price: number): Action => ({
    type: "ticks",
    at: 0,
    records: [{ symbol, price, volume: 1, ts_event_ms: morning + 1, ts_ingest_ms: morning }],
    lost: 0,
  });
  const byPrice: Action = { type: "marketColumn", by: "price" };
  const beat = (at: number): Action => ({ type: "beat", at });

  it("follows what the user does at once", () => {
    expect(after(byPrice).order).toEqual(["SPY", "BAC", "AIG"]);
    expect(after({ type: "marketText", text: "b" }).order).toEqual(["BAC"]);
    expect(after({ type: "pin", symbol: "SPY" }).order).toEqual(["SPY", "AIG", "BAC"]);
    expect(after({ type: "marketText", text: "b" }, { type: "marketReset" }).order).toHaveLength(3);
    expect(after({ type: "marketLayout", layout: "cards" }).layout).toBe("cards");
  });

  it("lets rows change places only now and then, and never below the pointer", () => {
    const moved = [byPrice, beat(10_000), trade("AIG", 500)];
    expect(after(...moved).order).toEqual(["SPY", "BAC", "AIG"]);
    expect(after(...moved, beat(11_000)).order).toEqual(["SPY", "BAC", "AIG"]);
    expect(after(...moved, beat(12_000)).order).toEqual(["AIG", "SPY", "BAC"]);
    const held: Action = { type: "marketHeld", held: true };
    expect(after(...moved, held, beat(12_000)).order).toEqual(["SPY", "BAC", "AIG"]);
    const free: Action = { type: "marketHeld", held: false };
    expect(after(...moved, held, free, beat(12_000)).order).toEqual(["AIG", "SPY", "BAC"]);
  });

  it("has a new symbol at once, and the same order for the same symbols", () => {
    expect(after(trade("XOM", 1)).order).toEqual(["AIG", "BAC", "SPY", "XOM"]);
    const before = [loaded, byPrice].reduce(rootReducer, initialState);
    expect(rootReducer(before, beat(9_000)).market.order).toBe(before.market.order);
  });

  it("steps through what is shown and stops at the ends", () => {
    const shown = after();
    expect(neighbour(shown, "AIG", 1)).toBe("BAC");
    expect(neighbour(shown, "AIG", -1)).toBe("AIG");
    expect(neighbour(shown, "AIG", 99)).toBe("SPY");
    expect(neighbour(after({ type: "marketText", text: "b" }), "SPY", 1)).toBe("BAC");
    expect(neighbour(emptyMarket, null, 1)).toBeNull();
  });

  it("makes, fills, renames and deletes lists, and shows the one that is chosen", () => {
    const made: Action[] = [
      { type: "listMade", name: " Banks ", symbols: [] },
      { type: "listAdded", name: "Banks", symbols: ["BAC", "SPY"] },
    ];
    expect(after(...made).order).toEqual(["BAC", "SPY"]);
    const removed: Action = { type: "listRemoved", name: "Banks", symbol: "SPY" };
    expect(after(...made, removed).order).toEqual(["BAC"]);
    const renamed = after(...made, { type: "listRenamed", name: "Banks", to: "Money" });
    expect(shownList(renamed)?.name).toBe("Money");
    const all: Action = { type: "listChosen", name: null };
    expect(after(...made, all).order).toHaveLength(3);
    const deleted = after(...made, { type: "listDeleted", name: "Banks" });
    expect([deleted.chosen, deleted.lists, deleted.order.length]).toEqual([null, [], 3]);
    expect(after(...made, { type: "listMade", name: "Banks", symbols: [] }).lists).toHaveLength(1);
  });

  it("keeps a shared list under a name that is free", () => {
    const shared = { name: "Banks", symbols: ["BAC"] };
    const before = { ...initialState, market: { ...emptyMarket, shared } };
    const kept = [loaded, { type: "sharedKept" } as const].reduce(rootReducer, before).market;
    expect(kept).toMatchObject({ shared: null, chosen: "Banks", lists: [shared], order: ["BAC"] });
    expect(rootReducer({ ...before, market: emptyMarket }, { type: "sharedKept" }).market).toBe(
      emptyMarket,
    );
  });

  it("remembers what the user opened, not what opened by itself", () => {
    expect(after({ type: "select", symbol: "SPY" }).opened).toBe("SPY");
    expect(after({ type: "select", symbol: "SPY", byItself: true }).opened).toBeNull();
  });

  it("holds only so many pins", () => {
    const pins = Array.from({ length: mostPinned + 5 }, (_, place): Action => {
      return { type: "pin", symbol: `S${place}` };
    });
    expect(after(...pins).pinned).toHaveLength(mostPinned);
    const twice: Action[] = [
      { type: "pin", symbol: "SPY" },
      { type: "pin", symbol: "SPY" },
    ];
    expect(after(...twice).pinned).toEqual([]);
  });

  it("takes over what another tab of the browser made of the lists", () => {
    const lists = [{ name: "Banks", symbols: ["BAC"] }];
    expect(after({ type: "marketRecalled", lists, pinned: ["SPY"] })).toMatchObject({
      lists,
      order: ["SPY", "AIG", "BAC"],
    });
  });
});

describe("watchlists", () => {
  const lists = [{ name: "Banks", symbols: ["BAC"] }];

  it("have clean, short, unique names", () => {
    expect(cleanName("  my *  list\n")).toBe("my list");
    expect(cleanName("x".repeat(99))).toHaveLength(longestName);
    expect(withList(lists, "Banks")).toBe(lists);
    expect(withList(lists, " * ")).toBe(lists);
    expect(withName(lists, "Banks", "")).toBe(lists);
    expect(freeName(lists, "Banks")).toBe("Banks 2");
    expect(freeName(lists, "Cars")).toBe("Cars");
  });

  it("are bounded", () => {
    const many = Array.from({ length: mostSymbols + 9 }, (_, place) => `S${place}`);
    expect(withSymbols(lists, "Banks", many)[0]?.symbols).toHaveLength(mostSymbols);
    const full = Array.from({ length: mostLists }, (_, place) => ({
      name: `L${place}`,
      symbols: [],
    }));
    expect(withList(full, "more")).toBe(full);
    expect(readLists([...full, ...full, { name: "more", symbols: [] }])).toHaveLength(mostLists);
  });

  it("hold symbols only", () => {
    expect(asSymbol(" brk.b ")).toBe("BRK.B");
    expect(asSymbol("<b>")).toBeNull();
    expect(readSymbols("spy, aapl;  spy <x> BTC-USD")).toEqual(["SPY", "AAPL", "BTC-USD"]);
  });
});

describe("the memory", () => {
  const market: Market = {
    ...emptyMarket,
    layout: "cards",
    sort: { by: "volume", descending: true },
    lists: [{ name: "Banks", symbols: ["BAC"] }],
    chosen: "Banks",
    pinned: ["SPY"],
    opened: "AIG",
    text: "not kept",
  };

  it("gives back what was kept", () => {
    const kept = deserializeMarket(serializeMarket(market));
    expect({ ...market, ...kept }).toEqual(market);
    expect(isKeptAlike(market, { ...market, text: "other", order: ["SPY"] })).toBe(true);
    expect(isKeptAlike(market, { ...market, layout: "table" })).toBe(false);
  });

  it.each([
    null,
    "",
    "{",
    "7",
    "[]",
    '{"lists":7,"pinned":"SPY","sort":{"by":"moon"},"layout":"round","chosen":"gone","opened":7}',
    '{"lists":[null,7,{"name":7},{"symbols":[]}],"pinned":[7,null,"<b>"],"sort":null,"opened":"<b>"}',
  ])("survives %j", (text) => {
    const { layout, sort, lists, chosen, pinned, opened } = emptyMarket;
    expect(deserializeMarket(text)).toEqual({ layout, sort, lists, chosen, pinned, opened });
  });

  it("keeps what is sound beside what isn't", () => {
    const text = '{"lists":[{"name":"Banks","symbols":["bac",7,"BAC","<b>"]},null]}';
    expect(deserializeMarket(text).lists).toEqual([{ name: "Banks", symbols: ["BAC"] }]);
  });
});

describe("a link", () => {
  const lists = [{ name: "Banks & co", symbols: ["BAC", "BRK.B"] }];
  const market: Market = {
    ...emptyMarket,
    lists,
    chosen: "Banks & co",
    sort: { by: "percent", descending: true },
  };

  it("says the sort and the list with its symbols, and keeps what else it said", () => {
    const search = writeMarketLink("?symbol=SPY", market);
    expect(search).toBe("?symbol=SPY&sort=-percent&list=Banks+%26+co*BAC*BRK.B");
    expect(readMarketLink(search)).toEqual({ sort: market.sort, list: lists[0] });
    expect(writeMarketLink(search, emptyMarket)).toBe("?symbol=SPY");
  });

  it("shows the list of another without keeping it, and one's own as one's own", () => {
    const link = readMarketLink(writeMarketLink("", market));
    expect(marketOf(emptyMarket, link)).toMatchObject({ shared: lists[0], lists: [] });
    expect(marketOf({ ...emptyMarket, lists }, link)).toMatchObject({
      shared: null,
      chosen: "Banks & co",
    });
    const other = [{ name: "Banks & co", symbols: ["C"] }];
    expect(marketOf({ ...emptyMarket, lists: other }, link).shared).toEqual(lists[0]);
    const named = readMarketLink("?list=Banks+%26+co");
    expect(marketOf({ ...emptyMarket, lists }, named).chosen).toBe("Banks & co");
    expect(marketOf(emptyMarket, named)).toEqual(emptyMarket);
  });

  it("is not trusted", () => {
    expect(readMarketLink("?sort=-moon&list=")).toEqual({ sort: null, list: null });
    expect(readMarketLink("?list=A*<b>*spy*SPY").list).toEqual({ name: "A", symbols: ["SPY"] });
    const long = readMarketLink(`?list=A${"*SPY".repeat(9_999)}`);
    expect(long.list?.symbols).toEqual(["SPY"]);
  });
});

describe("the window on a long list", () => {
  const sight = { top: 0, height: 300, line: 30, columns: 1 };

  it("has what is in sight and a little more, never what isn't there", () => {
    expect(windowOf(sight, 500)).toEqual([0, 13]);
    expect(windowOf({ ...sight, top: 3_000 }, 500)).toEqual([97, 113]);
    expect(windowOf({ ...sight, top: 3_000, columns: 4 }, 500)).toEqual([388, 452]);
    expect(windowOf({ ...sight, top: 14_900 }, 500)).toEqual([493, 500]);
    expect(windowOf(sight, 2)).toEqual([0, 2]);
    expect(windowOf({ ...sight, top: 9_000 }, 2)).toEqual([2, 2]);
    expect(windowOf({ ...sight, line: 0 }, 500)).toEqual([0, 1]);
  });

  it("scrolls as little as it can", () => {
    expect(scrollFor(sight, 5)).toBe(0);
    expect(scrollFor(sight, 10)).toBe(30);
    expect(scrollFor({ ...sight, top: 600 }, 3)).toBe(90);
    expect(scrollFor({ ...sight, columns: 4 }, 43)).toBe(30);
  });

  it("has as many columns as fit", () => {
    expect(columnsIn(1_000, 240)).toBe(4);
    expect(columnsIn(100, 240)).toBe(1);
  });
});
