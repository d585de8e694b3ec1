/**
 * The grader between the examiner, in which a test runs, and the student's process, which answers its
 * calls: passes on what it has checked, and bounds every wait.
 *
 * @module
 */

import type { ExecuteResult, SessionMessage } from "../../runtime/session/types.ts";
import type { ProcessorClock } from "../autograde/processor_time.ts";
import { BRIDGE } from "./bridge.ts";
import { EXAMINER } from "./examiner.ts";
import {
  type Call,
  type FromStudent,
  MESSAGE_TYPE,
  mutationOf,
  type Named,
  readFromStudent,
  type Reply,
} from "./messages.ts";

/** What the relay needs of a session, in a sandbox or not. */
export interface Cells {
  /** Runs a cell. */
  execute(
    code: string,
    options: { label?: string; timeout?: number; signal?: AbortSignal; silent?: boolean },
  ): Promise<ExecuteResult>;
  /** Sends cells a message. */
  send(type: "comm_msg", content: Record<string, unknown>): Promise<void>;
}

/** A test that is to run. */
export interface RelayedTest {
  /** The test's code. */
  readonly source: string;
  /** Its name in errors. */
  readonly label: string;
  /** Names that get stand-ins. */
  readonly names: readonly string[];
  /** Those of them that an earlier test has declared too. */
  readonly declared: readonly string[];
  /** Cells of the instructor's that run in the examiner before the test, for the first time. */
  readonly before: readonly { readonly source: string; readonly label: string }[];
  /** Whether a changed argument is an error. */
  readonly strict: boolean;
  /** Seconds that one call, and the whole test, may take. */
  readonly callSeconds: number;
  readonly testSeconds: number;
  readonly signal?: AbortSignal;
}

/** How a relayed test ended. */
export interface RelayedResult {
  /** The examiner's result; undefined if the test could not begin. */
  readonly result?: ExecuteResult;
  /** Why the student's process failed the test, whatever the test made of it. */
  readonly fault?: RelayFault;
  /** What a reader of a failed test should know. */
  readonly notes: readonly string[];
  /** What could not cross, or was changed in place, whatever the test made of it. */
  readonly refused: readonly string[];
  /** Whether the examiner has to be opened again. */
  readonly examinerLost: boolean;
}

/** What the student's process did. */
export interface RelayFault {
  readonly status: "failed" | "timeout" | "crashed" | "limit";
  readonly message: string;
}

/** One test at a time, between two sessions. */
export class Relay {
  #student: Cells;
  #examiner: Cells;
  #clock: ProcessorClock;
  #round?: Round;
  readonly #tokens = new Set<string>();
  #forged = 0;

  /** @param student The student's process. @param examiner The examiner. @param clock The clock of calls. */
  constructor(student: Cells, examiner: Cells, clock: ProcessorClock) {
    this.#student = student;
    this.#examiner = examiner;
    this.#clock = clock;
  }

  /** Takes what cells of the student's process broadcast. */
  fromStudent({ type, content }: SessionMessage): void {
    if (type !== MESSAGE_TYPE) return;
    const message = readFromStudent(content);
    if (message === undefined || !this.#tokens.has(message.token)) this.#forged++;
    else this.#round?.fromStudent(message);
  }

  /** How many messages only looked like the bridge's: the submission's own code sent them. */
  get forged(): number {
    return this.#forged;
  }

  /**
   * Answers a call of the examiner, in which only the instructor's code runs. The examiner's thread waits: there is an
   * answer in any case.
   */
  async fromExaminer(content: unknown): Promise<Reply> {
    const asked = content as FromExaminer;
    return await (this.#round?.fromExaminer(asked) ?? overReply(asked.call));
  }

  /** Runs a test. */
  async run(test: RelayedTest): Promise<RelayedResult> {
    const round = this.#round = new Round(
      this.#student,
      this.#examiner,
      this.#clock,
      test,
    );
    this.#tokens.add(round.token);
    try {
      return await round.run();
    } finally {
      this.#round = undefined;
    }
  }
}

/** What the examiner asks: a call, or to be heard. */
type FromExaminer =
  & { readonly token: string; readonly call: number }
  & (
    | (Call & { readonly type: "call"; readonly what: string })
    | { readonly type: "refused"; readonly text: string }
  );

/** A call that has not been answered to the end. */
interface PendingCall {
  /** Takes the first reply, until it has come. */
  answer?: (reply: Reply) => void;
  readonly timer: Disposable;
  readonly what: string;
}

/** One test, from the fetching of names to the end of its last call. */
class Round {
  readonly #student: Cells;
  readonly #examiner: Cells;
  readonly #clock: ProcessorClock;
  readonly #test: RelayedTest;
  /** Marks the round's messages. */
  readonly token: string = crypto.randomUUID();
  readonly #stop = new AbortController();
  readonly #names = Promise.withResolvers<Record<string, Named>>();
  readonly #pending = new Map<number, PendingCall>();
  readonly #notes = new Set<string>();
  readonly #refused = new Set<string>();
  #fault?: RelayFault;
  #over = false;

  constructor(student: Cells, examiner: Cells, clock: ProcessorClock, test: RelayedTest) {
    this.#student = student;
    this.#examiner = examiner;
    this.#clock = clock;
    this.#test = test;
  }

  async run(): Promise<RelayedResult> {
    const { names, signal } = this.#test;
    const onAbort = () => {
      this.#stop.abort();
      this.#answerAll("the grading was stopped");
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    const serving = names.length === 0 ? undefined : this.#serve();
    let result: ExecuteResult | undefined;
    let examinerLost = false;
    try {
      const values = await this.#fetch(serving);
      if (values !== undefined) {
        result = await this.#examine(values);
        examinerLost = result.status === "died" || result.status === "timeout";
      }
    } finally {
      this.#answerAll("its test is over");
      this.#over = true;
      if (serving !== undefined) {
        await this.#student.send("comm_msg", { type: "end", token: this.token });
        const late = setTimeout(() => this.#stop.abort(), END_SECONDS * 1000);
        await serving;
        clearTimeout(late);
      }
      signal?.removeEventListener("abort", onAbort);
    }
    return {
      result,
      fault: this.#fault,
      notes: [...this.#notes],
      refused: [...this.#refused],
      examinerLost,
    };
  }

  /** Lets the student's process answer until the test is over. */
  async #serve(): Promise<void> {
    const names = this.#test.names.map((name) => `${JSON.stringify(name)}: () => ${name}`);
    const code = `await ${BRIDGE}.serve(${JSON.stringify(this.token)}, { ${names.join(", ")} });`;
    let message = "The submission's process answers no more";
    let status: RelayFault["status"] = "crashed";
    try {
      const { label } = this.#test;
      const result = await this.#student.execute(code, {
        label: `a call from ${label}`,
        silent: true,
        signal: this.#stop.signal,
      });
      if (result.error !== undefined) ({ status, message } = faultOf(result));
    } catch (error) {
      message = (error as Error).message;
    }
    if (!this.#over) this.#fail({ status, message });
  }

  /** The names' values; undefined if they do not come. */
  async #fetch(serving?: Promise<void>): Promise<Record<string, Named> | undefined> {
    if (serving === undefined) return {};
    const { names, callSeconds } = this.#test;
    using _timer = this.#clock.timer(callSeconds, () => {
      const list = names.map((name) => `"${name}"`).join(", ");
      this.#fail({
        status: "timeout",
        message: `The values of ${list} did not come within ${callSeconds} s`,
      });
    });
    const values = await Promise.race([this.#names.promise, serving.then(() => undefined)]);
    return this.#fault === undefined ? values : undefined;
  }

  async #examine(names: Record<string, Named>): Promise<ExecuteResult> {
    const { source, label, declared, before, strict, testSeconds: timeout, signal } = this.#test;
    const content = { type: "names", token: this.token, names, declared, strict };
    await this.#examiner.send("comm_msg", content);
    // The examiner's kernel hears it when its event loop turns, as it does in this cell.
    const wait = `await ${EXAMINER}.heard(${JSON.stringify(this.token)});`;
    const again = declared.length > 0 ? `let { ${declared.join(", ")} } = ${EXAMINER}.names;` : "";
    for (const cell of [{ source: wait + again, label }, ...before]) {
      const result = await this.#examiner.execute(cell.source, {
        label: cell.label,
        timeout,
        signal,
      });
      if (result.status !== "ok") return result;
    }
    return await this.#examiner.execute(source, { label, timeout, signal });
  }

  /** The student's process fails the test: its calls come to an end. */
  #fail(fault: RelayFault) {
    this.#fault ??= fault;
    this.#answerAll(fault.message);
    this.#stop.abort();
  }

  /** Ends all calls that have not been answered. */
  #answerAll(fault: string) {
    for (const call of [...this.#pending.keys()]) this.#reply({ call, fault });
  }

  #reply(reply: Reply) {
    const pending = this.#pending.get(reply.call);
    if (pending === undefined || reply.promised && pending.answer === undefined) return;
    const { answer, timer, what } = pending;
    pending.answer = undefined;
    if (!reply.promised) {
      timer[Symbol.dispose]();
      this.#pending.delete(reply.call);
      const places = reply.mutated?.map((at) => at + 1).join(", ");
      if (places) this.#notes.add(mutationOf(what, places));
    }
    if (answer !== undefined) answer(reply);
    else this.#examiner.send("comm_msg", { ...reply, type: "settled", token: this.token });
  }

  fromStudent(message: FromStudent) {
    if (message.token !== this.token || this.#over) return;
    if (message.type === "reply") this.#reply(message);
    else {
      // Only what was asked for, and what came first.
      const names = this.#test.names.map((name) =>
        [name, Object.hasOwn(message.names, name) ? message.names[name]! : {}] as const
      );
      this.#names.resolve(Object.fromEntries(names));
    }
  }

  /** Answers what the examiner asks, with the first reply of the student's process. */
  async fromExaminer(content: FromExaminer): Promise<Reply> {
    const { call } = content;
    if (content.token !== this.token || this.#over) return overReply(call);
    if (content.type === "refused") {
      this.#refused.add(content.text);
      // The proof of a release says it beside what the test makes of it.
      if (!this.#test.strict) this.#fault ??= { status: "failed", message: content.text };
      return { call };
    }
    const { what, ...request } = content;
    // The examiner's thread waits, and its own time limit cannot end that.
    const seconds = Math.min(this.#test.callSeconds, this.#test.testSeconds);
    const timer = this.#clock.timer(seconds, () => {
      this.#fail({ status: "timeout", message: `${what} did not return within ${seconds} s` });
    });
    const first = Promise.withResolvers<Reply>();
    this.#pending.set(call, { answer: first.resolve, timer, what });
    if (this.#fault !== undefined) this.#reply({ call, fault: this.#fault.message });
    else this.#student.send("comm_msg", request);
    return await first.promise;
  }
}

function overReply(call: number): Reply {
  return { call, fault: "its test is over" };
}

/** How long the student's process may take to notice the end of a test. */
const END_SECONDS = 3;

/**
 * Says what a cell's end means for a grade.
 *
 * @param result The cell's result, which is not `"ok"`.
 */
export function faultOf(result: ExecuteResult): RelayFault {
  const { name, message } = result.error!;
  const isLimit = name === "OutputLimit" || /ran out of memory/.test(message);
  const status = isLimit ? "limit" : name === "TimeoutError" ? "timeout" : "crashed";
  return { status, message };
}
