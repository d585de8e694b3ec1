/**
 * Measures programs side by side: each is a process that does one thing when asked and answers how
 * long it took. Runs of the programs alternate, so that what else the machine does falls on all alike, and the
 * median counts.
 */

import { TextLineStream } from "@std/streams/text-line-stream";

/** What a program answers to one run. */
export interface RunAnswer {
  /** How long the run took. */
  seconds: number;
  /** The most memory that the process has held. */
  peakBytes?: number;
  /** What else it tells, as `loss` or `tokens`. */
  [fact: string]: unknown;
}

/** A program that can be asked to run a case. */
export interface Contestant {
  /** As shown in the table. */
  readonly name: string;
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** Environment variables besides the inherited ones. */
  readonly env?: Record<string, string>;
  /** What it is asked to prepare, besides what all are. */
  readonly prepare?: Record<string, unknown>;
}

/** What was measured of one contestant. */
export interface Measured {
  /** The contestant's name. */
  readonly name: string;
  /** What it said of itself when it was prepared: versions, device. */
  readonly about: string;
  /** Every run's answer, in order, without the unmeasured first ones. */
  readonly runs: RunAnswer[];
  /** The median of the runs' seconds. */
  readonly median: number;
  /** The shortest of the runs' seconds. */
  readonly best: number;
}

/** The median; of an even number of values the mean of the middle two. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("Cannot take the median of no values");
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * How long one contestant takes beside another: the median of the rounds' ratios, since the runs of a round do the same
 * (a round of training steps is a batch of its own) at about the same time.
 */
export function ratio(mine: Measured, its: Measured): number {
  return median(mine.runs.map(({ seconds }, round) => seconds / its.runs[round].seconds));
}

/** A contestant's process and the conversation with it, one JSON document a line. */
class Conversation {
  readonly #child: Deno.ChildProcess;
  readonly #requests: WritableStreamDefaultWriter<Uint8Array>;
  readonly #answers: ReadableStreamDefaultReader<string>;

  constructor(readonly contestant: Contestant) {
    const [program, ...args] = contestant.command;
    this.#child = new Deno.Command(program, {
      args,
      env: contestant.env,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#requests = this.#child.stdin.getWriter();
    this.#answers = this.#child.stdout
      .pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array<ArrayBuffer>, string>)
      .pipeThrough<string>(new TextLineStream())
      .getReader();
  }

  async ask(request: unknown): Promise<Record<string, unknown>> {
    await this.#requests.write(new TextEncoder().encode(JSON.stringify(request) + "\n"));
    const { value, done } = await this.#answers.read();
    if (done) throw new Error(`"${this.contestant.name}" ended without an answer`);
    let answer;
    try {
      answer = JSON.parse(value);
    } catch {
      throw new SyntaxError(`"${this.contestant.name}" answered what is not JSON: "${value}"`);
    }
    if (answer.error !== undefined) {
      throw new Error(`"${this.contestant.name}" failed: ${answer.error}`);
    }
    return answer;
  }

  async end(): Promise<void> {
    await this.#requests.close().catch(() => {}); // it may have ended by itself
    await this.#answers.cancel();
    await this.#child.status;
  }
}

/** How a case is measured. */
export interface MeasureOptions {
  /** How often each contestant runs and counts. */
  rounds: number;
  /** How often each runs before, uncounted; 1 if not given. */
  warmUps?: number;
  /** Called after each counted run. */
  onRun?: (name: string, round: number, answer: RunAnswer) => void;
}

/**
 * Has every contestant prepare the case, then run by turns.
 *
 * @param contestants The programs
 * @param prepare The request's options: the case and what belongs to it
 * @param options How often
 * @returns What was measured, in the contestants' order
 * @throws {Error} If a program ends or fails
 */
export async function measure(
  contestants: readonly Contestant[],
  prepare: Record<string, unknown>,
  { rounds, warmUps = 1, onRun }: MeasureOptions,
): Promise<Measured[]> {
  const conversations: Conversation[] = [];
  try {
    const about: string[] = [];
    for (const contestant of contestants) {
      const conversation = new Conversation(contestant);
      conversations.push(conversation);
      const { ready } = await conversation.ask({
        do: "prepare",
        ...prepare,
        ...contestant.prepare,
      });
      about.push(ready as string);
    }
    const runs: RunAnswer[][] = contestants.map(() => []);
    for (let round = -warmUps; round < rounds; round++) {
      for (const [index, conversation] of conversations.entries()) {
        const answer = await conversation.ask({ do: "run" }) as RunAnswer;
        if (round < 0) continue;
        runs[index].push(answer);
        onRun?.(contestants[index].name, round, answer);
      }
    }
    return contestants.map(({ name }, index) => {
      const seconds = runs[index].map((run) => run.seconds);
      return {
        name,
        about: about[index],
        runs: runs[index],
        median: median(seconds),
        best: Math.min(...seconds),
      };
    });
  } finally {
    await Promise.all(conversations.map((conversation) => conversation.end()));
  }
}
