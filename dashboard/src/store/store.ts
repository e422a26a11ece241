/** A typed store: one state, changed only by a pure reducer, painted at most once a frame. */
export interface Store<State, Action> {
  get(): State;
  dispatch(action: Action): void;
  /** Calls `listener` after each change; returns how to stop. */
  subscribe(listener: (state: State) => void): () => void;
}

export function createStore<State, Action>(
  reducer: (state: State, action: Action) => State,
  initial: State,
): Store<State, Action> {
  let state = initial;
  const listeners = new Set<(state: State) => void>();
  return {
    get: () => state,
    dispatch(action) {
      const next = reducer(state, action);
      if (next === state) return;
      state = next;
      for (const listener of listeners) listener(state);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Runs `paint` once in the next frame however often it is asked for. */
export function oncePerFrame(
  paint: () => void,
  requestFrame: (callback: () => void) => unknown,
): () => void {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestFrame(() => {
      asked = false;
      paint();
    });
  };
}
