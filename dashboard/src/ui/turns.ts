/**
 * News is drawn a part at a time, in turn, so that no frame has to draw the whole page: the chart in one frame, the
 * rows of the watchlist in others, each a share of them; and frames are left free in between, more of them where they
 * come late. What the user does is drawn at once.
 */
const rowShares = 3;
const turns = rowShares + 1;

/** What one frame draws. */
export interface Turn {
  chart: boolean;
  /** All that is neither the chart nor a row. */
  rest: boolean;
  /** Whether the row at this place of the list is due. */
  row: (place: number) => boolean;
}

export const everything: Turn = { chart: true, rest: true, row: () => true };
export const nothing: Turn = { chart: false, rest: false, row: () => false };

const parts: readonly Turn[] = Array.from({ length: turns }, (_, turn) => ({
  chart: turn === 0,
  rest: turn === turns - 1,
  row: (place: number): boolean => place % rowShares === turn - 1,
}));

const lateMs = 20;
const mostFree = 2;
/** So many frames in time, five seconds of them, and the machine has room for more. */
const calmFrames = 300;
/** News after so long a silence is drawn at once, too. */
const silenceMs = 250;

/** How many frames are left free after one that drew: more where frames come late. */
class Rests {
  private free = 1;
  private calm = 0;
  private left = 0;

  /** Whether this frame is left free; it comes `took` ms after the one before, or is the first for a while. */
  rests(took: number | null): boolean {
    if (took !== null) this.watch(took > lateMs);
    if (this.left > 0) {
      this.left -= 1;
      return true;
    }
    this.left = this.free;
    return false;
  }

  private watch(late: boolean): void {
    this.calm = late ? 0 : this.calm + 1;
    if (late) this.free = Math.min(mostFree, this.free + 1);
    else if (this.calm % calmFrames === 0) this.free = Math.max(0, this.free - 1);
  }
}

/** Says what each frame draws, until every part shows what there is. */
export class Turns<State> {
  private turn = 0;
  private readonly rests = new Rests();
  private readonly shown: (State | undefined)[] = parts.map(() => undefined);
  private last = -Infinity;
  private busy = false;

  /** What of `state` to draw in the frame at `at`, ms; `whole`: all at once. */
  next(state: State, whole: boolean, at: number): Turn {
    const turn = this.choose(whole, at - this.last);
    this.last = at;
    parts.forEach((part, index) => {
      if (turn === part || turn === everything) this.shown[index] = state;
    });
    this.busy = this.left(state);
    return turn;
  }

  /** Whether a part still shows less than `state`. */
  left(state: State): boolean {
    return this.shown.some((shown) => shown !== state);
  }

  private choose(whole: boolean, took: number): Turn {
    if (whole || took > silenceMs) return everything;
    if (this.rests.rests(this.busy ? took : null)) return nothing;
    this.turn = (this.turn + 1) % turns;
    return parts[this.turn] ?? everything;
  }
}
