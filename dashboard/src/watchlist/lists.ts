import { asSymbol } from "./symbols.ts";

/** A watchlist of the user's own. Names are unique, symbols too. */
export interface List {
  name: string;
  symbols: readonly string[];
}

export type Lists = readonly List[];

export const mostLists = 20;
export const mostSymbols = 500;
export const longestName = 40;

/** A name without what links use as separator, and without what can't be seen. */
export function cleanName(text: string): string {
  const plain = text.replaceAll("*", " ").replaceAll(/\s+/g, " ").trim();
  return plain.slice(0, longestName).trim();
}

export function listNamed(lists: Lists, name: string | null): List | undefined {
  return lists.find((list) => list.name === name);
}

/** With one more list, at the end; unchanged where the name is empty or taken, or there are enough. */
export function withList(lists: Lists, wanted: string, symbols: readonly string[] = []): Lists {
  const name = cleanName(wanted);
  if (name === "" || listNamed(lists, name) !== undefined || lists.length >= mostLists)
    return lists;
  return [...lists, { name, symbols: symbols.slice(0, mostSymbols) }];
}

/** With another name for a list; unchanged where that is empty or taken. */
export function withName(lists: Lists, name: string, wanted: string): Lists {
  const to = cleanName(wanted);
  if (to === "" || listNamed(lists, to) !== undefined) return lists;
  return lists.map((list) => (list.name === name ? { ...list, name: to } : list));
}

export function withoutList(lists: Lists, name: string): Lists {
  return lists.filter((list) => list.name !== name);
}

/** With these symbols in a list, as many as it can hold. */
export function withSymbols(lists: Lists, name: string, symbols: readonly string[]): Lists {
  return lists.map((list) => {
    if (list.name !== name) return list;
    const all = [...new Set([...list.symbols, ...symbols])];
    return { ...list, symbols: all.slice(0, mostSymbols) };
  });
}

export function withoutSymbol(lists: Lists, name: string, symbol: string): Lists {
  return lists.map((list) =>
    list.name === name
      ? { ...list, symbols: list.symbols.filter((member) => member !== symbol) }
      : list,
  );
}

/** A name that no list has yet. */
export function freeName(lists: Lists, wanted: string): string {
  const name = cleanName(wanted);
  if (listNamed(lists, name) === undefined) return name;
  for (let number = 2; ; number += 1) {
    const next = `${name.slice(0, longestName - 4)} ${number}`;
    if (listNamed(lists, next) === undefined) return next;
  }
}

/** The lists that a value of unknown origin holds: what isn't one is left out, what is too much is cut off. */
export function readLists(value: unknown): Lists {
  if (!Array.isArray(value)) return [];
  return value.reduce<Lists>((lists, item: unknown) => {
    if (typeof item !== "object" || item === null) return lists;
    const { name, symbols } = item as Record<string, unknown>;
    return typeof name === "string" ? withList(lists, name, readMembers(symbols)) : lists;
  }, []);
}

/** The symbols that a value of unknown origin holds. */
export function readMembers(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return [];
  const found = value.map((item: unknown) => (typeof item === "string" ? asSymbol(item) : null));
  return [...new Set(found.filter((symbol) => symbol !== null))].slice(0, mostSymbols);
}
