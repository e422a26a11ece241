/** Small helpers over the DOM. None writes a style attribute: the page's policy forbids it. */

import type { Connection } from "../status/connection.ts";

import { words } from "./words.ts";

type ConnectionPhase = Connection["phase"];
type Attributes = Readonly<Record<string, string | number | boolean>>;

export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  setAttributes(element, attributes);
  element.append(...children);
  return element;
}

export function svg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Node[]
): SVGElementTagNameMap[Tag] {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  setAttributes(element, attributes);
  element.append(...children);
  return element;
}

/** True sets a bare attribute, false removes it. */
export function setAttributes(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false) {
      if (element.hasAttribute(name)) element.removeAttribute(name);
      continue;
    }
    const text = value === true ? "" : String(value);
    if (element.getAttribute(name) !== text) element.setAttribute(name, text);
  }
}

/** Writes only a text that differs, so that an unchanged one costs no layout; and into the node that is there already. */
export function setText(element: Element, text: string): void {
  const { firstChild } = element;
  if (firstChild instanceof Text && firstChild === element.lastChild) {
    if (firstChild.data !== text) firstChild.data = text;
  } else if (element.textContent !== text) element.textContent = text;
}

export function button(label: string, attributes: Attributes, onClick: () => void): HTMLElement {
  const element = h("button", { type: "button", ...attributes }, label);
  element.addEventListener("click", onClick);
  return element;
}

/** A panel of its own: a region with a heading, and tools beside it. */
export function panel(
  name: string,
  title: string,
  tools: readonly Node[],
  ...content: Node[]
): HTMLElement {
  const heading = h("h2", { id: `${name}-title` }, title);
  const header = h("div", { class: "panel-header" }, heading, ...tools);
  return h(
    "section",
    { class: `panel ${name}`, "aria-labelledby": `${name}-title` },
    header,
    ...content,
  );
}

/** What a panel shows in place of content: one sentence and at most one action. */
export function placeholder(sentence: string, action?: Node): HTMLElement {
  const text = h("p", {}, sentence);
  return h("div", { class: "placeholder" }, text, ...(action === undefined ? [] : [action]));
}

/** Grey bars in the place of `rows` lines that are on their way. */
function skeleton(rows: number): HTMLElement {
  const bars = Array.from({ length: rows }, () => h("div", { class: "skeleton-row" }));
  return h("div", { class: "skeleton", "aria-hidden": "true" }, ...bars);
}

/** In the place of what has not come yet: grey bars while it may come at any moment, else why it won't. */
export function awaited(state: ConnectionPhase, what: string, rows: number): HTMLElement {
  if (state !== "reconnecting" && state !== "refused") return skeleton(rows);
  return placeholder(words.later(what));
}

/** Keeps the children of `parent` equal to `wanted`; those that stay in order stay where they are. */
export function setChildren(parent: Element, wanted: readonly Element[]): void {
  const kept = new Set(wanted);
  for (const child of [...parent.children]) if (!kept.has(child)) child.remove();
  wanted.forEach((child, index) => {
    const present = parent.children[index];
    if (present !== child) parent.insertBefore(child, present ?? null);
  });
}
