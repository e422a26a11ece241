import type { Action } from "../store/actions.ts";

/** The step of the tour that is shown; null: none. */
export function tourReducer(state: number | null, action: Action): number | null {
  return action.type === "tour" ? action.step : state;
}
