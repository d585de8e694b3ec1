/**
 * A model that writes texts for a data set, and how its replies are read.
 *
 * @module
 */

/** What is asked of a {@linkcode Teacher}. */
export interface TeacherRequest {
  /** The prompt. */
  readonly prompt: string;
  /** The JSON schema of the reply; without one the reply is free text. */
  readonly schema?: Readonly<Record<string, unknown>>;
  /** The most tokens of the reply. */
  readonly maxTokens: number;
  /** The seed of the draws. */
  readonly seed: number;
  /** Stops the request. */
  readonly signal?: AbortSignal;
}

/** A model that writes what a person then reviews. `parseTeacher()` of `tunebook/eval` makes one of a model in Ollama. */
export interface Teacher {
  /** Its name, such as `ollama:llama3`. */
  readonly name: string;
  /**
   * Asks it.
   *
   * @param request What is asked.
   * @returns The reply; undefined if it was longer than `maxTokens`.
   * @throws {Error} If no reply came.
   */
  ask(request: TeacherRequest): Promise<string | undefined>;
}

/**
 * Leaves out what a model thought before its reply.
 *
 * @param reply The reply, with thoughts between marks.
 * @returns What it said.
 */
export function withoutThoughts(reply: string): string {
  return reply.replace(/<think>[\s\S]*?<\/think>/g, "").trim();
}

/**
 * Reads a reply that should be JSON, also where it has thoughts before it or a fence of backticks around it.
 *
 * @param reply The reply; undefined if it was cut.
 * @returns The value; undefined if it is not JSON.
 */
export function parseReply(reply: string | undefined): unknown {
  const said = withoutThoughts(reply ?? "");
  const inner = /^```(?:json)?\s*([\s\S]*?)\s*```$/.exec(said)?.[1] ?? said;
  try {
    return JSON.parse(inner);
  } catch {
    return undefined;
  }
}

/**
 * The beginning of a text's SHA-256, by which a prompt is recognised.
 *
 * @param text The text.
 * @returns 12 hexadecimal digits.
 */
export async function shortHash(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest, 0, 6).toHex();
}

/**
 * The numbers that are in one text and not in another: a rewording must keep them.
 *
 * @param before The text.
 * @param after The other.
 * @returns The numbers, as they are written.
 */
export function lostNumbers(before: string, after: string): string[] {
  const numbers = (text: string): string[] => text.match(/\d+(?:[.,]\d+)*/g) ?? [];
  const there = numbers(after);
  return numbers(before).filter((number) => {
    const at = there.indexOf(number);
    if (at >= 0) there.splice(at, 1);
    return at < 0;
  });
}
