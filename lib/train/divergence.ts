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

/** Watches the losses of a training's steps. */
export class DivergenceMonitor {
  #recent: number[] = [];
  #lowest = { mean: Infinity, step: 0 };
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
    if (this.#recent.length < WINDOW) return undefined;
    const mean = this.#recent.reduce((sum, one) => sum + one, 0) / WINDOW;
    if (mean < this.#lowest.mean) {
      this.#lowest = { mean, step };
      this.#said = false;
      return undefined;
    }
    const { mean: lowest, step: at } = this.#lowest;
    if (this.#said || mean < lowest * FACTOR || mean < lowest + NATS) return undefined;
    this.#said = true;
    return `the training diverges: the mean loss of ${WINDOW} steps was ${
      lowest.toFixed(2)
    } at step ${at} and is ` +
      `${
        mean.toFixed(2)
      } at step ${step}; a lower learning rate than ${learningRate}, a warm-up or a gradient ` +
      "norm that is clipped may help";
  }
}
