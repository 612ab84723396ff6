/** Decides whether a server that ended by itself is started again. */

/** So many ends within so many milliseconds are a server that cannot live; starting it again would only disturb. */
const TOO_MANY = 5;
const WITHIN_MS = 3 * 60_000;

export class Crashes {
  private times: number[] = [];

  /** Note an end at `now` (milliseconds); return true while the server deserves another start. */
  another(now: number): boolean {
    this.times = [...this.times.filter((time) => now - time < WITHIN_MS), now];
    return this.times.length < TOO_MANY;
  }

  /** Forget, because the user asked for a new start. */
  forget(): void {
    this.times = [];
  }
}
