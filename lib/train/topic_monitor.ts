/**
 * Watches the losses of topics during a training, and warns where one does not take part in what is learnt.
 *
 * @module
 */

/** How many of the last evaluations are looked at. */
const WINDOW = 5;
/** A topic starves if its loss has fallen by less than this share of its first loss … */
const STARVED_BELOW = 0.02;
/** … while that of the other topics has fallen by at least this share. */
const OTHERS_FELL = 0.1;
/** A topic swings if its losses in the window spread by more than this share of their mean … */
const SWING = 0.2;
/** … and turn at least this often. */
const TURNS = 3;

/** Losses of topics, in nats per token. */
export type TopicLosses = Readonly<Record<string, number>>;

/** Watches losses of topics over the evaluations of a training. */
export class TopicMonitor {
  readonly #history = new Map<string, number[]>();
  readonly #warned = new Set<string>();

  /**
   * Takes the losses of an evaluation.
   *
   * @param losses The loss of each topic.
   * @returns Warnings in sentences. A topic is warned of once for each reason, and again only after it was well:
   *
   * - it starves: after at least five evaluations its loss has fallen by less than 2 % since the first, while the mean of the
   *   other topics' losses has fallen by 10 % or more;
   * - it swings: in the last five evaluations its loss changed direction three times and spread by more than 20 % of its mean.
   */
  observe(losses: TopicLosses): string[] {
    for (const [topic, loss] of Object.entries(losses)) {
      const history = this.#history.get(topic);
      if (history) history.push(loss);
      else this.#history.set(topic, [loss]);
    }
    const warnings: string[] = [];
    for (const [topic, history] of this.#history) {
      if (!Object.hasOwn(losses, topic) || history.length < WINDOW) continue;
      this.#warn(warnings, `${topic}/starves`, this.#starves(topic, history));
      this.#warn(warnings, `${topic}/swings`, swings(topic, history));
    }
    return warnings;
  }

  #warn(warnings: string[], key: string, warning: string | undefined): void {
    if (warning === undefined) this.#warned.delete(key);
    else if (!this.#warned.has(key)) {
      this.#warned.add(key);
      warnings.push(warning);
    }
  }

  #starves(topic: string, history: readonly number[]): string | undefined {
    const others = [...this.#history].filter(([name, { length }]) => name !== topic && length > 1)
      .map(([, losses]) => losses);
    if (others.length === 0) return undefined;
    const mean = (pick: (losses: readonly number[]) => number) =>
      others.reduce((sum, losses) => sum + pick(losses), 0) / others.length;
    const fallen = 1 - history.at(-1)! / history[0]!;
    const othersFallen = 1 - mean((losses) => losses.at(-1)!) / mean((losses) => losses[0]!);
    if (fallen >= STARVED_BELOW || othersFallen < OTHERS_FELL) return undefined;
    return `The topic "${topic}" is not learnt: its loss went from ${history[0]!.toFixed(3)} to ` +
      `${history.at(-1)!.toFixed(3)}, while that of the other topics fell by ${
        percent(othersFallen)
      }; ` +
      "a greater weight or oversampling may help";
  }
}

function swings(topic: string, history: readonly number[]): string | undefined {
  const window = history.slice(-WINDOW);
  const steps = window.slice(1).map((loss, i) => Math.sign(loss - window[i]!));
  const turns = steps.slice(1).filter((sign, i) => sign * steps[i]! < 0).length;
  const mean = window.reduce((sum, loss) => sum + loss, 0) / window.length;
  const spread = (Math.max(...window) - Math.min(...window)) / mean;
  if (turns < TURNS || spread <= SWING) return undefined;
  return `The loss of the topic "${topic}" swings: ${
    window.map((loss) => loss.toFixed(3)).join(", ")
  } in the last ${WINDOW} evaluations; a smaller weight or learning rate, or more examples of it, may help`;
}

const percent = (share: number) => `${Math.round(100 * share)} %`;
