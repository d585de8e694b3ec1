/**
 * Notices that a training diverges: its loss rises far above what it had reached.
 *
 * @module
 */

/** Steps whose mean loss is compared: single batches differ too much. */
const WINDOW = 5;
/** A rise counts from this factor and this many nats on, which the noise between batches does not reach. */
const FACTOR = 1.5;
const NATS = 1;
/** In the first steps, a loss counts from this factor and these nats above the lowest on: noise between batches stays below. */
const WILD = { factor: 3, nats: 5 };

/** Watches the losses of a training's steps. */
export class DivergenceMonitor {
  #recent: number[] = [];
  #lowest = { mean: Infinity, step: 0 };
  /** The lowest loss of the first steps. */
  #first = { loss: Infinity, step: 0 };
  #said = false;

  /**
   * Takes a step's loss.
   *
   * @param step The step's number.
   * @param loss Its loss, in nats.
   * @param learningRate Its learning rate, for the advice.
   * @returns A warning at the first step at which the training diverges; again after it had recovered.
   */
  observe(step: number, loss: number, learningRate: number): string | undefined {
    this.#recent.push(loss);
    if (this.#recent.length > WINDOW) this.#recent.shift();
    else {
      const warning = this.#observeFirst(step, loss, learningRate);
      if (warning !== undefined || this.#recent.length < WINDOW) return warning;
    }
    const mean = this.#recent.reduce((sum, one) => sum + one, 0) / WINDOW;
    if (mean < this.#lowest.mean) {
      // The first mean is not a recovery: the warning was about steps of it.
      this.#said &&= this.#lowest.mean === Infinity;
      this.#lowest = { mean, step };
      return undefined;
    }
    const { mean: lowest, step: at } = this.#lowest;
    if (this.#said || mean < lowest * FACTOR || mean < lowest + NATS) return undefined;
    this.#said = true;
    return describe(`mean loss of ${WINDOW} steps`, lowest, at, mean, step, learningRate);
  }

  /** Compares single losses, while there are too few for a mean: what diverges at once would be its own lowest mean. */
  #observeFirst(step: number, loss: number, learningRate: number): string | undefined {
    if (loss < this.#first.loss) this.#first = { loss, step };
    const { loss: lowest, step: at } = this.#first;
    if (this.#said || loss < lowest * WILD.factor || loss < lowest + WILD.nats) return undefined;
    this.#said = true;
    return describe("loss", lowest, at, loss, step, learningRate);
  }
}

function describe(
  what: string,
  lowest: number,
  at: number,
  now: number,
  step: number,
  learningRate: number,
): string {
  return `the training diverges: the ${what} was ${lowest.toFixed(2)} at step ${at} and is ${
    now.toFixed(2)
  } at step ${step}; a lower learning rate than ${learningRate}, a warm-up or a gradient norm that is clipped may help`;
}
