import { errorWords } from "../status/words.ts";
import { button, h, setText } from "../ui/dom.ts";

import { keepName, keptName } from "./acknowledge.ts";
import type { Desk } from "./desk.ts";
import { deskWords } from "./desk-words.ts";
import { type Field, fieldOf } from "./fields.ts";
import { type Parameter, parameter } from "./parameters.ts";
import { type Alert, severities } from "./records.ts";
import { durations, type SilenceDraft, silenceDraft, silenceOf } from "./silences.ts";
import { words } from "./words.ts";

const table: readonly (Parameter & { name: keyof SilenceDraft })[] = [
  { ...parameter("rule", "text"), name: "rule" },
  { ...parameter("symbol", "list"), name: "symbol" },
  { ...parameter("severity", "choice", "", severities), name: "severity", optional: true },
  { ...parameter("labels", "list"), name: "labels" },
  { ...parameter("seconds", "choice", "3600", durations), name: "seconds" },
  { ...parameter("by", "text"), name: "by" },
  { ...parameter("comment", "text"), name: "comment" },
];

const labels: Readonly<Record<keyof SilenceDraft, string>> = {
  rule: deskWords.rule,
  symbol: deskWords.symbol,
  severity: deskWords.severity,
  labels: deskWords.labels,
  seconds: deskWords.duration,
  by: words.yourName,
  comment: words.comment,
};

function choiceWords(name: keyof SilenceDraft, choice: string): string {
  if (name === "seconds") return deskWords.durations[choice] ?? choice;
  const severity = severities.find((one) => one === choice);
  return severity === undefined ? deskWords.anySeverity : words.severities[severity];
}

/** The field that a fault of the service is about. */
function fieldAt(pointer: string): keyof SilenceDraft | undefined {
  const [first, second] = pointer.split("/").filter((part) => part !== "");
  if (first === "match" && second === undefined) return "rule";
  if (first === "match") return table.find(({ name }) => name === second)?.name ?? "labels";
  if (first === "for_seconds" || first === "ends_ms") return "seconds";
  return table.find(({ name }) => name === first)?.name;
}

/** Asks for how long, and of which alerts, nobody is to be told. */
export function silenceDialog(desk: Desk): {
  element: HTMLDialogElement;
  open: (alert: Alert) => void;
} {
  const body = h("div", { class: "fields" });
  const failure = h("p", { class: "fault", role: "alert" });
  const title = h("h2", { id: "silence-title" }, deskWords.silenceTitle);
  const note = h("p", { class: "note" }, deskWords.silenceNote);
  const form = h("form", { method: "dialog" }, title, note, body, failure);
  const attributes = { "aria-labelledby": title.id, "data-testid": "silence-dialog" };
  const element = h("dialog", { class: "sheet rule", ...attributes }, form);
  const cancel = button(words.cancel, {}, () => {
    element.close();
  });
  const keep = h("button", { class: "main" }, deskWords.silence);
  form.append(h("div", { class: "actions" }, keep, cancel));
  let fields = new Map<keyof SilenceDraft, Field>();
  const read = (name: keyof SilenceDraft): string => fields.get(name)?.read() ?? "";
  const save = async (): Promise<void> => {
    keepName(read("by"));
    const draft = Object.fromEntries(table.map(({ name }) => [name, read(name)]));
    const outcome = await desk.api.silence(silenceOf(draft as unknown as SilenceDraft));
    if (outcome.ok) {
      element.close();
      desk.refresh();
      return;
    }
    for (const field of fields.values()) field.fault("");
    const { faults } = outcome.error;
    const placed = faults.map(({ pointer, detail }) => {
      const field = fields.get(fieldAt(pointer) ?? "labels");
      field?.fault(detail);
      return field;
    });
    setText(failure, faults.length === 0 ? `${errorWords(outcome.error)}.` : "");
    placed[0]?.focus();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void save();
  });
  return {
    element,
    open(alert) {
      const draft = { ...silenceDraft(alert), by: keptName() };
      fields = new Map(
        table.map((one): [keyof SilenceDraft, Field] => {
          const { name } = one;
          const said = {
            field: labels[name],
            choice: (choice: string) => choiceWords(name, choice),
          };
          return [name, fieldOf(`silence-${name}`, one, draft[name], said)];
        }),
      );
      body.replaceChildren(...[...fields.values()].map((field) => field.element));
      setText(failure, "");
      element.showModal();
      fields.get("seconds")?.focus();
    },
  };
}
