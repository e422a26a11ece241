import type { Severity } from "../socket/records.ts";
import { errorWords } from "../status/words.ts";
import type { AppStore } from "../store/state.ts";
import { button, h, setAttributes, setText } from "../ui/dom.ts";
import { formatDate, formatTime, zoneName } from "../ui/format.ts";
import { zoneOf } from "../ui/time-zone.ts";

import type { Refusal } from "./api.ts";
import type { Desk } from "./desk.ts";
import { choices, columnsOf, type Draft, kindOf, parameters, ruleOf } from "./draft.ts";
import { type Fault, type Rehearsal, ruleKinds, severities } from "./records.ts";
import { words } from "./words.ts";

const shownTurns = 50;

type Input = HTMLInputElement | HTMLSelectElement;

interface Field {
  element: HTMLElement;
  input: Input;
  fault: (text: string) => void;
}

function optionWords(name: string, option: string): string {
  if (name === "kind") return words.kinds[option] ?? option;
  if (name === "severity") return words.severities[option as Severity];
  return words.options[option] ?? option;
}

/** A labelled field with room for what is wrong with it. */
function field(name: string, value: string, options?: readonly string[]): Field {
  const attributes = { id: `rule-${name}`, name, "aria-describedby": `rule-${name}-fault` };
  const input: Input =
    options === undefined
      ? h("input", { ...attributes, autocomplete: "off", spellcheck: "false" })
      : h(
          "select",
          attributes,
          ...options.map((one) => h("option", { value: one }, optionWords(name, one))),
        );
  input.value = value;
  const label = h("label", { for: `rule-${name}` }, words.fields[name] ?? name);
  const fault = h("p", { class: "fault", id: `rule-${name}-fault` });
  return {
    element: h("div", { class: "field", "data-name": name }, label, input, fault),
    input,
    fault(text) {
      setText(fault, text);
      setAttributes(input, { "aria-invalid": text === "" ? false : "true" });
    },
  };
}

/** The fields of a rule of one kind, in their order. */
function fieldsOf(draft: Draft): Map<string, Field> {
  const { fields } = draft;
  const kind = kindOf(fields.kind ?? "");
  const own = kind === undefined ? [] : Object.keys(parameters[kind]);
  const made = (name: string, options?: readonly string[]): [string, Field] => [
    name,
    field(name, fields[name] ?? "", options),
  ];
  return new Map([
    made("name"),
    made("kind", kind === undefined ? [fields.kind ?? ""] : ruleKinds),
    ...own.map((name) => made(name, kind === undefined ? undefined : choices[kind]?.[name])),
    made("symbols"),
    made("severity", severities),
    made("for_seconds"),
    made("cooldown_seconds"),
  ]);
}

/** What a test has found, in words and as a list of moments. */
function findings({ fired, bars, turns }: Rehearsal, zone: string): HTMLElement {
  const items = turns
    .filter(({ state }) => state === "firing")
    .slice(-shownTurns)
    .reverse()
    .map(({ at_ms, summary }) => {
      const time = `${formatDate(at_ms, zone)} ${formatTime(at_ms, zone)} ${zoneName(zone)}`;
      return h("li", {}, h("time", { class: "number" }, time), " ", summary);
    });
  return h("div", {}, h("p", {}, words.tested(fired, bars)), h("ol", {}, ...items));
}

/** The field that a fault is about, by its place in the rule. */
function nameOf({ pointer }: Fault): string {
  const parts = pointer.split("/").filter((part) => part !== "" && part !== "rule");
  return (parts[0] === "parameters" ? parts[1] : parts[0]) ?? "";
}

/** Makes and changes a rule, and tries it on what the chart shows. */
export function ruleDialog(
  store: AppStore,
  desk: Desk,
): { element: HTMLDialogElement; open: (draft: Draft) => void } {
  const title = h("h2", { id: "rule-title" });
  const body = h("div", { class: "fields" });
  const failure = h("p", { class: "fault", role: "alert" });
  const result = h("div", { class: "findings", role: "status", "data-testid": "rule-findings" });
  const onlyTried = h("p", { class: "note", "data-testid": "rule-read-only" }, words.onlyTried);
  const form = h("form", { method: "dialog" }, title, onlyTried, body, failure, result);
  const element = h(
    "dialog",
    { class: "sheet rule", "aria-labelledby": "rule-title", "data-testid": "rule-dialog" },
    form,
  );
  let draft: Draft = { id: null, whole: {}, fields: {} };
  let fields = new Map<string, Field>();

  const written = (): Draft => {
    const now = [...fields].map(([name, { input }]) => [name, input.value]);
    const fieldsNow = Object.fromEntries(now) as Record<string, string>;
    return { ...draft, fields: { ...draft.fields, ...fieldsNow } };
  };
  const show = (next: Draft): void => {
    draft = next;
    fields = fieldsOf(next);
    body.replaceChildren(...[...fields.values()].map((one) => one.element));
    fields.get("kind")?.input.addEventListener("change", () => {
      const turned = written();
      const kind = kindOf(turned.fields.kind ?? "");
      const begun = kind === undefined ? {} : parameters[kind];
      show({ ...turned, fields: { ...begun, ...turned.fields } });
      fields.get("kind")?.input.focus();
    });
  };
  const say = (error: Refusal | null): void => {
    const unplaced: string[] = [];
    for (const one of fields.values()) one.fault("");
    for (const fault of error?.faults ?? []) {
      const found = fields.get(nameOf(fault));
      if (found === undefined) unplaced.push(fault.detail);
      else found.fault(fault.detail);
    }
    const rest = unplaced.join(" ");
    const placed = (error?.faults.length ?? 0) > unplaced.length;
    setText(failure, error === null ? "" : rest || (placed ? "" : `${errorWords(error)}.`));
    const [wrong] = [...fields.values()].filter(({ input }) => input.ariaInvalid === "true");
    wrong?.input.focus();
  };
  const save = async (): Promise<void> => {
    const outcome = await desk.api.save(draft.id, ruleOf(written()));
    if (!outcome.ok) {
      say(outcome.error);
      return;
    }
    element.close();
    desk.refresh();
  };
  const test = async (): Promise<void> => {
    const { chart, preferences } = store.get();
    if (chart.bars.length === 0 || chart.symbol === null) {
      result.replaceChildren(words.noBars);
      return;
    }
    result.replaceChildren(words.testing);
    const bars = columnsOf(chart.bars);
    const asked = { rule: ruleOf(written()), symbol: chart.symbol, bars };
    const outcome = await desk.api.rehearse(asked);
    say(outcome.ok ? null : outcome.error);
    const found = outcome.ok ? [findings(outcome.value, zoneOf(preferences.zone))] : [];
    result.replaceChildren(...found);
  };
  const remove = button(words.remove, { class: "quiet" }, () => {
    if (remove.dataset.sure === undefined) {
      remove.dataset.sure = "";
      setText(remove, words.removeSure);
      return;
    }
    void desk.api.remove(draft.id ?? "").then((outcome) => {
      if (!outcome.ok) say(outcome.error);
      else {
        element.close();
        desk.refresh();
      }
    });
  });
  const cancel = button(words.cancel, {}, () => {
    element.close();
  });
  const tryOut = button(words.test, { "data-testid": "rule-test" }, () => void test());
  const keep = h("button", { class: "main" }, words.save);
  form.append(h("div", { class: "actions" }, keep, cancel, remove));
  result.before(tryOut);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void save();
  });
  return {
    element,
    open(next) {
      const { mayWrite } = store.get().alerts;
      onlyTried.hidden = mayWrite;
      keep.disabled = !mayWrite;
      setText(title, next.id === null ? words.ruleTitle : words.changeTitle);
      setText(remove, words.remove);
      delete remove.dataset.sure;
      remove.hidden = !mayWrite || next.id === null;
      result.replaceChildren();
      show(next);
      say(null);
      element.showModal();
    },
  };
}
