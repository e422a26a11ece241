import { button, h, placeholder, setAttributes, setChildren, setText } from "../ui/dom.ts";

import { deskWords } from "./desk-words.ts";
import { conditionWords } from "./draft.ts";
import type { Rule } from "./records.ts";
import { words } from "./words.ts";

interface RuleItem {
  element: HTMLElement;
  update: (rule: Rule) => void;
}

export interface RuleActions {
  edit: (rule: Rule) => void;
  /** Shows what it was before. */
  versions: (rule: Rule) => void;
}

function ruleItem(actions: RuleActions): RuleItem {
  let shown: Rule | undefined;
  const name = button("", { class: "link" }, () => {
    if (shown !== undefined) actions.edit(shown);
  });
  const past = button(deskWords.versions, { class: "quiet" }, () => {
    if (shown !== undefined) actions.versions(shown);
  });
  const off = h("span", { class: "alert-state" });
  const severity = h("span", { class: "alert-severity" });
  const asks = h("p");
  const line = h("div", { class: "alert-line" }, name, off, severity, past);
  const element = h("li", { class: "rule-item" }, h("div", {}, line, asks));
  return {
    element,
    update(rule) {
      shown = rule;
      setText(name, rule.name);
      setAttributes(name, { "aria-label": words.edit(rule.name) });
      setAttributes(past, { "aria-label": deskWords.versionsOf(rule.name) });
      setText(off, rule.enabled ? "" : words.off);
      setText(severity, words.severities[rule.severity]);
      setText(asks, `${rule.symbols.join(", ")}: ${conditionWords(rule)}`);
      setAttributes(element, { "data-id": rule.id, "data-enabled": rule.enabled });
    },
  };
}

/** The rules, each the way to change it. */
export function rulesList(actions: RuleActions): {
  element: HTMLElement;
  /** @param none what stands there when there are none */
  paint: (rules: readonly Rule[], none: string) => void;
} {
  const list = h("ol", { "data-testid": "rules", "aria-label": words.pages.rules });
  const rest = h("div", { class: "rest" });
  const items = new Map<string, RuleItem>();
  return {
    element: h("div", {}, list, rest),
    paint(rules, none) {
      const kept = new Set(rules.map(({ id }) => id));
      for (const id of items.keys()) if (!kept.has(id)) items.delete(id);
      const elements = rules.map((rule) => {
        const item = items.get(rule.id) ?? ruleItem(actions);
        items.set(rule.id, item);
        item.update(rule);
        return item.element;
      });
      setChildren(list, elements);
      rest.replaceChildren(...(rules.length === 0 ? [placeholder(none)] : []));
    },
  };
}
