import type { Severity } from "../socket/records.ts";
import { h, setAttributes, setText } from "../ui/dom.ts";

import { type Draft, isScheduled, parametersOf, textsIn } from "./draft.ts";
import { type Field, fieldOf, type Labels } from "./fields.ts";
import { fieldsAt } from "./faults.ts";
import { common, type Kinds, type Parameter, parameter, schedule } from "./parameters.ts";
import type { Fault } from "./records.ts";
import { ruleWords } from "./rule-words.ts";
import { words } from "./words.ts";

/** A name of the service for people, where the page has no word for it. */
const plain = (name: string): string => name.replaceAll("_", " ");

function labelsOf(kind: string, name: string): Labels {
  const { fields, choices, kinds } = ruleWords;
  return {
    field: fields[`${kind}.${name}`] ?? fields[name] ?? plain(name),
    choice(choice) {
      if (name === "kind") return kinds[choice] ?? plain(choice);
      if (name === "severity" && choice in words.severities)
        return words.severities[choice as Severity];
      return choices[`${name}.${choice}`] ?? choices[choice] ?? plain(choice);
    },
  };
}

/** The fields of a rule of one kind. */
export interface RuleFields {
  elements: readonly HTMLElement[];
  /** The draft as it is written now. */
  read: () => Draft;
  /** Says each fault at its field, and gives those that have none. */
  say: (faults: readonly Fault[]) => Fault[];
}

/** @param turn called with what was written, when another kind is chosen */
export function ruleFields(draft: Draft, kinds: Kinds, turn: (next: Draft) => void): RuleFields {
  const { kind } = draft;
  const made = new Map<string, Field>();
  const make = (table: readonly Parameter[], texts: Draft["fields"], within = ""): HTMLElement[] =>
    table.map((one) => {
      const { name } = one;
      const id = `rule-${within === "schedule." ? "schedule-" : ""}${name}`;
      const field = fieldOf(id, one, texts[name] ?? one.usual, labelsOf(kind, name));
      made.set(`${within}${name}`, field);
      return field.element;
    });
  const kindTable = [parameter("kind", "choice", kind, Object.keys(kinds))];
  const table = parametersOf(draft, kinds);
  const named = ({ name }: Parameter): boolean => name === "name";
  const title = make(common.filter(named), draft.fields);
  const choice = make(kindTable, { kind });
  const own = make(table, textsIn(draft, kinds), "parameters.");
  const rest = make(
    common.filter((one) => !named(one)),
    draft.fields,
  );
  const times = timesOf(isScheduled(draft), make(schedule, draft.schedule, "schedule."));
  made.set("schedule", times.field);

  const textsFrom = (parts: readonly Parameter[], within = ""): Record<string, string> =>
    Object.fromEntries(parts.map(({ name }) => [name, made.get(`${within}${name}`)?.read() ?? ""]));
  const read = (): Draft => ({
    ...draft,
    kind: made.get("kind")?.read() ?? kind,
    fields: textsFrom(common),
    schedule: textsFrom(schedule, "schedule."),
    parameters: { ...draft.parameters, [kind]: textsFrom(table, "parameters.") },
  });
  choice[0]?.addEventListener("change", () => {
    turn(read());
  });
  const about = h("p", { class: "note", "data-testid": "rule-about" }, ruleWords.about[kind] ?? "");
  return {
    elements: [...title, ...choice, about, ...own, ...rest, times.element],
    read,
    say(faults) {
      const unplaced: Fault[] = [];
      const wrong = new Map<Field, string[]>();
      for (const fault of faults) {
        const field = fieldsAt(fault).flatMap((name) => made.get(name) ?? [])[0];
        if (field === undefined) unplaced.push(fault);
        else wrong.set(field, [...(wrong.get(field) ?? []), fault.detail]);
      }
      for (const field of made.values()) field.fault((wrong.get(field) ?? []).join("; "));
      const shown = [...made.values()].filter((field) => wrong.has(field));
      if (shown.some(({ element }) => times.element.contains(element))) times.element.open = true;
      const [first] = shown;
      first?.focus();
      return unplaced;
    },
  };
}

/** When the rule is looked at: out of the way unless there is something in it. */
function timesOf(
  isOn: boolean,
  fields: readonly HTMLElement[],
): { element: HTMLDetailsElement; field: Field } {
  const summary = h("summary", {}, words.scheduled(isOn));
  const fault = h("div", { class: "fault", id: "rule-schedule-fault" });
  const element = h(
    "details",
    { "data-testid": "rule-schedule" },
    summary,
    h("div", { class: "fields" }, ...fields),
    fault,
  );
  element.open = isOn;
  const field: Field = {
    element,
    read: () => "",
    fault(text) {
      setText(fault, text);
      setAttributes(element, { "data-wrong": text !== "" });
    },
    focus() {
      summary.focus();
    },
  };
  return { element, field };
}
