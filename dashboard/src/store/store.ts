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

/** Paints that are asked for, and a way to notice when they don't come. */
export interface Painter {
  /** Asks for a paint in the next frame, however often it is called. */
  ask: () => void;
  /** Ms since a paint that hasn't come was asked for; 0 when none is awaited. */
  overdue: () => number;
  /** Paints at once, when the browser gives no frame. */
  force: () => void;
}

/** Runs `paint` once in the next frame however often it is asked for, and again while it says that more is to come. */
export function oncePerFrame(
  paint: () => boolean,
  requestFrame: (callback: () => void) => unknown,
  now: () => number = Date.now,
): Painter {
  let askedAt: number | null = null;
  const ask = (): void => {
    if (askedAt !== null) return;
    askedAt = now();
    requestFrame(force);
  };
  const force = (): void => {
    askedAt = null;
    if (paint()) ask();
  };
  return {
    ask,
    overdue: () => (askedAt === null ? 0 : now() - askedAt),
    force,
  };
}
