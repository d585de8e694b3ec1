// The memory of translated kernels. It throws when two threads use a word without a barrier between and one of them writes.

/** The thread that runs: its number among all of the dispatch, and the number of its workgroup. */
export interface Clock {
  group: number;
  thread: number;
  /** Threads of a workgroup. */
  readonly size: number;
}

type Words = Float32Array | Uint32Array | Int32Array;

// The users of a word: the number of a thread, or one of these.
const NOBODY = -1;
const SEVERAL = -2;
/** Several threads of a workgroup. */
const several = (group: number) => -3 - 2 * group;
/** Threads of a workgroup, before its last barrier. */
const before = (group: number) => -4 - 2 * group;

/** A buffer, or memory of a workgroup. */
export class Memory {
  readonly #name: string;
  readonly #words: Words;
  readonly #clock: Clock | undefined;
  readonly #writer: Int32Array;
  readonly #reader: Int32Array;

  /**
   * @param name Its name in the WGSL.
   * @param words Its content.
   * @param clock The thread that runs; undefined if races are not detected.
   */
  constructor(name: string, words: Words, clock: Clock | undefined) {
    this.#name = name;
    this.#words = words;
    this.#clock = clock;
    this.#writer = new Int32Array(clock ? words.length : 0).fill(NOBODY);
    this.#reader = this.#writer.slice();
  }

  /** Records that the workgroup has passed a barrier: its earlier accesses no longer race with its later ones. */
  passBarrier(): void {
    for (const users of [this.#writer, this.#reader]) {
      for (let at = 0; at < users.length; at++) {
        if (this.#isOfGroup(users[at])) users[at] = before(this.#clock!.group);
      }
    }
  }

  /** Fills it with zeros, as the memory of each new workgroup is. */
  clear(): void {
    this.#words.fill(0);
    this.#writer.fill(NOBODY);
    this.#reader.fill(NOBODY);
  }

  /** Reads a word. Beyond the end WGSL allows any value: here NaN, which shows in the result if it is used. */
  load(at: number): number {
    if (at >= this.#words.length) return this.#words instanceof Float32Array ? NaN : 0xdead;
    if (this.#clock) {
      const { thread, group } = this.#clock;
      if (!this.#isOwn(this.#writer[at])) this.#refuse(at, this.#writer[at], "writes", "reads");
      const reader = this.#reader[at];
      if (this.#isOwn(reader)) this.#reader[at] = thread;
      else this.#reader[at] = this.#isOfGroup(reader) ? several(group) : SEVERAL;
    }
    return this.#words[at];
  }

  /** Writes a word. */
  store(at: number, value: number): void {
    if (at >= this.#words.length) {
      throw new RangeError(`A thread writes word ${at} of "${this.#name}", beyond its end`);
    }
    if (this.#clock) {
      const [writer, reader] = [this.#writer[at], this.#reader[at]];
      if (!this.#isOwn(writer)) this.#refuse(at, writer, "writes", "writes");
      if (!this.#isOwn(reader)) this.#refuse(at, reader, "reads", "writes");
      this.#writer[at] = this.#clock.thread;
    }
    this.#words[at] = value;
  }

  /** Whether no other thread has used a word since the last barrier. */
  #isOwn(user: number): boolean {
    const { thread, group } = this.#clock!;
    return user === NOBODY || user === thread || user === before(group);
  }

  #isOfGroup(user: number): boolean {
    const { size, group } = this.#clock!;
    return user === several(group) || user >= group * size && user < (group + 1) * size;
  }

  #refuse(at: number, other: number, does: string, did: string): never {
    const who = other < 0 ? "another thread" : `thread ${other}`;
    throw new Error(
      `Race: ${who} ${does} word ${at} of "${this.#name}" and thread ${this.#clock!.thread} ` +
        `${did} it, with no barrier between`,
    );
  }
}
