import { h, setAttributes, setText } from "../ui/dom.ts";

import { placeOf } from "./faults.ts";
import { asText, listOf, type Parameter } from "./parameters.ts";
import { words } from "./words.ts";

/** A labelled field of a form, with room for what is wrong with it. */
export interface Field {
  element: HTMLElement;
  read: () => string;
  /** Says what is wrong; nothing is when the text is empty. */
  fault: (text: string) => void;
  /** What is to be changed has the focus, and is marked where its place is known. */
  focus: () => void;
}

/** How a field is called, and its choices. */
export interface Labels {
  field: string;
  choice: (choice: string) => string;
}

type Control = Pick<Field, "read" | "focus"> & {
  element: HTMLElement;
  /** What is labelled and may be invalid. */
  input: HTMLElement;
};

function textControl(id: string, shape: Parameter["shape"], value: string): Control {
  const attributes = { id, name: id, autocomplete: "off", spellcheck: "false" };
  const numeric: Record<string, string> = shape === "number" ? { inputmode: "decimal" } : {};
  const input =
    shape === "lines"
      ? h("textarea", { ...attributes, rows: 3 })
      : h("input", { ...attributes, ...numeric });
  input.value = value;
  return {
    element: input,
    input,
    read: () => input.value,
    focus() {
      input.focus();
      const { start, end } = input.dataset;
      if (start !== undefined) input.setSelectionRange(Number(start), Number(end));
    },
  };
}

function selectControl(
  id: string,
  { choices, usual, optional }: Parameter,
  value: string,
  labels: Labels,
): Control {
  // Where nothing is chosen of itself, the field says so.
  const all = [...(usual === "" ? [""] : []), ...choices.map(String)];
  const shown = all.includes(value) ? all : [value, ...all];
  const named = (one: string): string => (one === "" && !optional ? "–" : labels.choice(one));
  const options = shown.map((one) => h("option", { value: one }, named(one)));
  const input = h("select", { id, name: id }, ...options);
  input.value = value;
  return {
    element: input,
    input,
    read: () => input.value,
    focus() {
      input.focus();
    },
  };
}

function switchControl(id: string, value: string): Control {
  const input = h("input", { id, name: id, type: "checkbox" });
  input.checked = value === "true";
  return {
    element: input,
    input,
    read: () => String(input.checked),
    focus() {
      input.focus();
    },
  };
}

function checksControl(id: string, { choices }: Parameter, value: string, labels: Labels): Control {
  const before = listOf(value);
  const boxes = choices.map((one) => {
    const input = h("input", { type: "checkbox", name: id, value: String(one) });
    input.checked = before.includes(String(one));
    return input;
  });
  const items = boxes.map((box) => h("label", { class: "check" }, box, labels.choice(box.value)));
  const element = h("div", { class: "checks", id, role: "group" }, ...items);
  return {
    element,
    input: element,
    read() {
      const chosen = boxes.filter(({ checked }) => checked).map((box) => box.value);
      // Those that stay keep their order: nothing has changed where nothing was touched.
      const kept = before.filter((one) => chosen.includes(one));
      return asText([...kept, ...chosen.filter((one) => !before.includes(one))]);
    },
    focus() {
      boxes[0]?.focus();
    },
  };
}

function controlOf(id: string, of: Parameter, value: string, labels: Labels): Control {
  switch (of.shape) {
    case "choice":
      return selectControl(id, of, value, labels);
    case "choices":
      return checksControl(id, of, value, labels);
    case "switch":
      return switchControl(id, value);
    default:
      return textControl(id, of.shape, value);
  }
}

/** The service's words about an expression: what is wrong, and the line with the place marked. */
function located(detail: string, control: Control): (Node | string)[] {
  const place = placeOf(detail, control.read());
  if (place === null) return [detail];
  const { line, column, reason, parts, start, end } = place;
  setAttributes(control.input, { "data-start": start, "data-end": end });
  const [before, there, after] = parts;
  const mark = h("mark", {}, there === "" ? " " : there);
  const code = h("code", {}, before, mark, after);
  return [`${words.at(line, column)} `, h("span", { lang: "en" }, reason), h("pre", {}, code)];
}

/** A field for one parameter.
 *
 * @param id of its control; what is wrong is said below it, in `ID-fault`
 */
export function fieldOf(id: string, of: Parameter, value: string, labels: Labels): Field {
  const control = controlOf(id, of, value, labels);
  const fault = h("div", { class: "fault", id: `${id}-fault` });
  setAttributes(control.input, { "aria-describedby": fault.id });
  const isGroup = of.shape === "choices";
  const label = isGroup
    ? h("span", { class: "label", id: `${id}-label` }, labels.field)
    : h("label", { for: id }, labels.field);
  if (isGroup) setAttributes(control.input, { "aria-labelledby": label.id });
  const order = of.shape === "switch" ? [control.element, label] : [label, control.element];
  return {
    element: h(
      "div",
      { class: "field", "data-name": of.name, "data-shape": of.shape },
      ...order,
      fault,
    ),
    read: control.read,
    focus: control.focus,
    fault(text) {
      setAttributes(control.input, { "data-start": false, "data-end": false });
      setAttributes(control.input, { "aria-invalid": text === "" ? false : "true" });
      if (of.shape === "lines" && text !== "") fault.replaceChildren(...located(text, control));
      else setText(fault, text);
    },
  };
}
