/** Cards as elements: built as they come, and from then on only written where they differ. */

import { h, setAttributes, setChildren, setText, svg } from "../ui/dom.ts";

import type { Balance, Card, Cell, Heading, Item, List, Row, Table } from "./card.ts";
import { words } from "./words.ts";

/** An element that shows values of one kind. */
interface Part<Value> {
  element: HTMLElement;
  update: (value: Value) => void;
}

/** Keeps a part for each of the values, by their place. */
function listOf<Value>(
  parent: Element,
  make: () => Part<Value>,
): (values: readonly Value[]) => void {
  const parts: Part<Value>[] = [];
  return (values) => {
    const shown = values.map((value, place) => {
      const part = (parts[place] ??= make());
      part.update(value);
      return part.element;
    });
    parts.length = shown.length;
    setChildren(parent, shown);
  };
}

function cellOf(tag: "td" | "p" | "span"): Part<Cell> {
  const element = h(tag, tag === "p" ? {} : { class: "number" });
  return {
    element,
    update({ text, tone }) {
      setText(element, text);
      setAttributes(element, { "data-tone": tone === "" ? false : tone });
    },
  };
}

/** A label with what it means: as a title for the pointer, and written out for all who ask for it. */
function explained(
  element: HTMLElement,
  meaning: HTMLElement,
): (label: string, hint: string) => void {
  const name = h("span");
  element.append(name);
  return (label, hint) => {
    setText(name, label);
    setText(meaning, hint);
    setAttributes(element, { title: hint === "" ? false : hint });
  };
}

/** Of which minute something is, where that isn't the newest one. */
function stamp(): Part<Heading> {
  const element = h("span", { class: "stamp number" });
  return {
    element,
    update({ text, stale }) {
      setText(element, text === "" ? "" : stale ? words.old(text) : words.of(text));
      setAttributes(element, {
        "data-stale": stale,
        title: text === "" ? false : stale ? words.oldHint(text) : words.ofHint(text),
      });
      element.hidden = text === "";
    },
  };
}

function headingOf(): Part<Heading> {
  const element = h("th", { scope: "col" });
  const meaning = h("span", { class: "hint" });
  const explain = explained(element, meaning);
  const minute = stamp();
  element.append(minute.element, meaning);
  return {
    element,
    update(heading) {
      explain(heading.label, heading.hint);
      minute.update(heading);
    },
  };
}

function rowOf(): Part<Row> {
  const head = h("th", { scope: "row" });
  const meaning = h("span", { class: "hint" });
  const explain = explained(head, meaning);
  head.append(meaning);
  const element = h("tr", {}, head);
  const cells: Part<Cell>[] = [];
  return {
    element,
    update(row) {
      explain(row.label, row.hint);
      const shown = row.cells.map((cell, place) => {
        const part = (cells[place] ??= cellOf("td"));
        part.update(cell);
        return part.element;
      });
      cells.length = shown.length;
      setChildren(element, [head, ...shown]);
      setAttributes(element, { "data-name": row.name });
    },
  };
}

function tableOf(name: () => string): Part<Table> {
  const corner = h("td");
  const head = h("tr");
  const titles: Part<Heading>[] = [];
  const thead = h("thead", {}, head);
  const body = h("tbody");
  const element = h("table", {}, thead, body);
  const fill = listOf(body, rowOf);
  return {
    element,
    update({ headings, rows }) {
      const shown = headings.map((heading, place) => {
        const part = (titles[place] ??= headingOf());
        part.update(heading);
        return part.element;
      });
      setChildren(head, [corner, ...shown]);
      thead.hidden = headings.length === 0;
      setAttributes(element, { "aria-label": name() });
      fill(rows);
    },
  };
}

function itemOf(open: (symbol: string) => void): Part<Item> {
  const symbol = h("span", { class: "name" });
  const value = cellOf("span");
  const control = h("button", { type: "button", class: "item" }, symbol, value.element);
  let shown = "";
  control.addEventListener("click", () => {
    open(shown);
  });
  return {
    element: h("li", {}, control),
    update(item) {
      shown = item.symbol;
      setText(symbol, item.symbol);
      value.update(item);
      setAttributes(control, { title: words.openSymbol(item.symbol), "data-symbol": item.symbol });
    },
  };
}

function rankingOf(open: (symbol: string) => void): Part<List> {
  const title = h("h4");
  const meaning = h("p", { class: "hint" });
  const explain = explained(title, meaning);
  const minute = stamp();
  const items = h("ol");
  const none = h("p", { class: "none" });
  title.append(minute.element);
  const element = h("div", { class: "ranking" }, title, meaning, items, none);
  const fill = listOf(items, () => itemOf(open));
  return {
    element,
    update(list) {
      explain(list.label, list.hint);
      minute.update(list);
      fill(list.items);
      setText(none, list.none);
      items.hidden = list.items.length === 0;
      none.hidden = !items.hidden;
      setAttributes(element, { "data-name": list.name });
    },
  };
}

/** How a whole divides; the figures below say the same. */
function balanceOf(): Part<Balance | null> {
  const parts = (["up", "rest", "down"] as const).map((name) => ({
    name,
    bar: svg("rect", { class: name, y: 0, height: 4 }),
  }));
  const drawing = svg(
    "svg",
    { viewBox: "0 0 100 4", preserveAspectRatio: "none" },
    ...parts.map(({ bar }) => bar),
  );
  const element = h("div", { class: "balance", "aria-hidden": "true" });
  element.append(drawing);
  return {
    element,
    update(balance) {
      const whole = balance === null ? 0 : balance.up + balance.rest + balance.down;
      element.hidden = !(whole > 0);
      if (balance === null || !(whole > 0)) return;
      let x = 0;
      for (const { name, bar } of parts) {
        const width = (100 * balance[name]) / whole;
        setAttributes(bar, { x: x.toFixed(2), width: width.toFixed(2) });
        x += width;
      }
    },
  };
}

function cardView(open: (symbol: string) => void): Part<Card> {
  const title = h("h3");
  const meaning = h("p", { class: "hint" });
  const explain = explained(title, meaning);
  const minute = stamp();
  const balance = balanceOf();
  const tables = h("div", { class: "values" });
  const lists = h("div", { class: "rankings" });
  const sentences = h("div", { class: "said" });
  title.append(minute.element);
  const parts = [title, meaning, balance.element, sentences, tables, lists];
  const element = h("div", { class: "card" }, ...parts);
  let name = "";
  const fillTables = listOf(tables, () => tableOf(() => name));
  const fillLists = listOf(lists, () => rankingOf(open));
  const fillSentences = listOf(sentences, () => cellOf("p"));
  return {
    element,
    update(card) {
      name = card.label;
      explain(card.label, card.hint);
      minute.update(card);
      balance.update(card.balance);
      fillTables(card.tables);
      fillLists(card.lists);
      fillSentences(card.sentences);
      lists.hidden = card.lists.length === 0;
      sentences.hidden = card.sentences.length === 0;
      setAttributes(element, { "data-name": card.name, "data-wide": card.wide });
    },
  };
}

/** Cards in columns, and below them those that take the whole width. */
export function cardsView(open: (symbol: string) => void): Part<readonly Card[]> {
  const columns = h("div", { class: "columns" });
  const whole = h("div", { class: "whole" });
  const fillColumns = listOf(columns, () => cardView(open));
  const fillWhole = listOf(whole, () => cardView(open));
  return {
    element: h("div", { class: "cards" }, columns, whole),
    update(cards) {
      fillColumns(cards.filter(({ wide }) => !wide));
      fillWhole(cards.filter(({ wide }) => wide));
    },
  };
}
