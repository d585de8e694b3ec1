/** Judges whose replies are kept in files, so that a report can be made again without asking. */
import { join } from "@std/path/join";
import { writeFileBeside } from "../../write_beside.ts";
import type { Judge } from "../judge.ts";

/**
 * Makes a judge that answers from a folder what it has been asked before. A reply is found by a hash of all that it depends on:
 * the judge's name, its settings, its model's digest where it has one, the question, and the form of the reply. Each reply is
 * a JSON file that holds these in full.
 *
 * @param judge The judge to ask where a reply is not there yet.
 * @param folder The folder; made when it is needed.
 * @returns The judge. Failures are not kept.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { cachedJudge } from "tunebook/eval";
 *
 * let asked = 0;
 * const judge = { name: "one", settings: {}, ask: () => Promise.resolve({ reply: `${++asked}`, cut: false }) };
 * const folder = await Deno.makeTempDir();
 * const cached = cachedJudge(judge, folder);
 * const replies = [await cached.ask("?"), await cached.ask("?")].map(({ reply }) => reply);
 * assertEquals([replies, asked], [["1", "1"], 1]);
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export function cachedJudge(judge: Judge, folder: string): Judge {
  let digest: Promise<string | undefined> | undefined;
  // As they were given: what the judge finds out on the way must not change where its replies are.
  const settings = { ...judge.settings };
  return {
    ...judge,
    async ask(prompt, signal, form) {
      digest ??= Promise.resolve(judge.digest?.());
      const question = {
        judge: judge.name,
        settings,
        digest: await digest ?? null,
        form: form ?? null,
        prompt,
      };
      const path = join(folder, `${await hashOf(JSON.stringify(question))}.json`);
      try {
        return JSON.parse(await Deno.readTextFile(path)).answer;
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
      const answer = await judge.ask(prompt, signal, form);
      await Deno.mkdir(folder, { recursive: true });
      await writeFileBeside(path, JSON.stringify({ ...question, answer }, null, 2));
      return answer;
    },
  };
}

async function hashOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest, 0, 16).toHex();
}
