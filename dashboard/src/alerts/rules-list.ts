import { button, h, placeholder, setAttributes, setChildren, setText } from "../ui/dom.ts";

import { conditionWords } from "./draft.ts";
import type { Rule } from "./records.ts";
import { words } from "./words.ts";

interface RuleItem {
  element: HTMLElement;
  update: (rule: Rule) => void;
}

function ruleItem(edit: (rule: Rule) => void): RuleItem {
  let shown: Rule | undefined;
  const name = button("", { class: "link" }, () => {
    if (shown !== undefined) edit(shown);
  });
  const off = h("span", { class: "alert-state" });
  const severity = h("span", { class: "alert-severity" });
  const asks = h("p");
  const line = h("div", { class: "alert-line" }, name, off, severity);
  const element = h("li", { class: "rule-item" }, h("div", {}, line, asks));
  return {
    element,
    update(rule) {
      shown = rule;
      setText(name, rule.name);
      setAttributes(name, { "aria-label": words.edit(rule.name) });
      setText(off, rule.enabled ? "" : words.off);
      setText(severity, words.severities[rule.severity]);
      setText(asks, `${rule.symbols.join(", ")}: ${conditionWords(rule)}`);
      setAttributes(element, { "data-id": rule.id, "data-enabled": rule.enabled });
    },
  };
}

/** The rules, each the way to change it. */
export function rulesList(edit: (rule: Rule) => void): {
  element: HTMLElement;
  paint: (rules: readonly Rule[]) => void;
} {
  const list = h("ol", { "data-testid": "rules", "aria-label": words.pages.rules });
  const rest = h("div", { class: "rest" });
  const items = new Map<string, RuleItem>();
  return {
    element: h("div", {}, list, rest),
    paint(rules) {
      const kept = new Set(rules.map(({ id }) => id));
      for (const id of items.keys()) if (!kept.has(id)) items.delete(id);
      const elements = rules.map((rule) => {
        const item = items.get(rule.id) ?? ruleItem(edit);
        items.set(rule.id, item);
        item.update(rule);
        return item.element;
      });
      setChildren(list, elements);
      rest.replaceChildren(...(rules.length === 0 ? [placeholder(words.noRules)] : []));
    },
  };
}
