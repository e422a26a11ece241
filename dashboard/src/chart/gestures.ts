export interface GestureTarget {
  /** A move of `pixels` to the right. */
  drag: (pixels: number) => void;
  /** `factor` below 1 comes closer; `anchor` is the place that stays, 0 (left) to 1 (right). */
  zoom: (factor: number, anchor: number) => void;
}

const wheelSpeed = 0.0015;

/** Wheel, drag and pinch on `element`. */
export function listenForGestures(element: HTMLElement, target: GestureTarget): void {
  const pointers = new Map<number, PointerEvent>();
  const anchorOf = (clientX: number): number => {
    const box = element.getBoundingClientRect();
    return Math.min(1, Math.max(0, (clientX - box.left) / box.width));
  };
  element.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) target.drag(-event.deltaX);
      else target.zoom(Math.exp(event.deltaY * wheelSpeed), anchorOf(event.clientX));
    },
    { passive: false },
  );
  element.addEventListener("pointerdown", (event) => {
    element.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, event);
  });
  element.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (before === undefined) return;
    const other = [...pointers.values()].find(({ pointerId }) => pointerId !== event.pointerId);
    if (other === undefined) target.drag(event.clientX - before.clientX);
    else {
      const apart = (pointer: PointerEvent): number =>
        Math.max(1, Math.abs(pointer.clientX - other.clientX));
      target.zoom(apart(before) / apart(event), anchorOf((event.clientX + other.clientX) / 2));
    }
    pointers.set(event.pointerId, event);
  });
  const forget = (event: PointerEvent): void => void pointers.delete(event.pointerId);
  element.addEventListener("pointerup", forget);
  element.addEventListener("pointercancel", forget);
}
