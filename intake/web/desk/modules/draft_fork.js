// @ts-check
// A tab holds a lock on the fork that it writes: one whose tab is gone is free to be taken up again.

const STEP_MS = 50;

export class Fork {
  /** @param {string} slot where this tab remembers it over a reload */
  constructor(slot) {
    this.slot = slot;
    /** @type {(() => void) | null} */
    this.release = null;
  }

  /** What this tab wrote before it was loaded again, "" = nothing. */
  before() {
    return sessionStorage.getItem(this.slot) ?? "";
  }

  /** Hold a fork as soon as the page before this one has let go of it. @param {string} fork @param {number} left_ms @returns {Promise<boolean>} */
  async wait(fork, left_ms) {
    for (let waited_ms = 0; ; waited_ms += STEP_MS) {
      if (await this.hold(fork)) return true;
      if (waited_ms >= left_ms) return false;
      await new Promise((done) => setTimeout(done, STEP_MS));
    }
  }

  /** Hold a fork for as long as this tab lives; false = another tab has it. @param {string} fork @returns {Promise<boolean>} */
  hold(fork) {
    return new Promise((done) => {
      const have = () => {
        this.release?.();
        sessionStorage.setItem(this.slot, fork);
        done(true);
      };
      if (!navigator.locks) return have();
      navigator.locks.request(`desk:fork:${fork}`, { ifAvailable: true }, (lock) => {
        if (lock === null) return done(false);
        have();
        return new Promise((free) => (this.release = () => free(undefined)));
      });
    });
  }
}

/** Whether no tab writes it. @param {string} fork @returns {Promise<boolean>} */
export async function isFree(fork) {
  const held = (await navigator.locks?.query())?.held ?? [];
  return !held.some((each) => each.name === `desk:fork:${fork}`);
}

export function newFork() {
  const bytes = crypto.getRandomValues(new Uint8Array(18));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
}
