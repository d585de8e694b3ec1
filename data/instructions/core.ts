/**
 * Reads the hand-written pairs in core/*.txt.
 *
 * A file is a family. A line that begins with `Q: ` opens a pair with its instruction, `I: ` is its
 * input (optional) and `A: ` its answer. Lines indented by two spaces continue what stands above
 * them, blank lines separate, and `#` opens a comment.
 *
 * @module
 */

import type { Pair } from "./families/family.ts";

const folder = new URL("./core/", import.meta.url);
const fieldOf = { Q: "instruction", I: "input", A: "output" } as const;

/**
 * Reads one file of hand-written pairs.
 *
 * @param text the file's text
 * @param name the file's name, for messages
 * @throws {SyntaxError} naming file and line
 */
export function parseCore(text: string, name: string): Pair[] {
  const pairs: Pair[] = [];
  let field: keyof Pair | undefined;
  text.split("\n").forEach((line, i) => {
    const fail = (why: string) => {
      throw new SyntaxError(`Cannot read line ${i + 1} of "${name}": ${why}`);
    };
    const mark = /^([QIA]): (.*)$/.exec(line);
    const pair = pairs.at(-1);
    if (mark) {
      const next = fieldOf[mark[1] as keyof typeof fieldOf];
      if (next === "instruction") {
        if (pair?.output === "") fail("the pair above has no answer");
        pairs.push({ instruction: mark[2], input: "", output: "" });
      } else if (!pair) fail("a pair begins with an instruction");
      else if (pair[next] !== "") fail(`a second ${next}`);
      else pair[next] = mark[2];
      field = next;
    } else if (line.startsWith("  ") && pair && field) pair[field] += `\n${line.slice(2)}`;
    else if (line.trim() === "") field = undefined;
    else if (!line.startsWith("#")) fail("expected Q, I, A, a continuation or a comment");
  });
  if (pairs.at(-1)?.output === "") {
    throw new SyntaxError(`The last pair of "${name}" has no answer`);
  }
  return pairs;
}

/** The hand-written pairs by family, in alphabetical order of the families. */
export function readCore(): Map<string, Pair[]> {
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name)
    .filter((name) => name.endsWith(".txt")).toSorted();
  return new Map(
    names.map((name) => [
      name.slice(0, -".txt".length),
      parseCore(Deno.readTextFileSync(new URL(name, folder)), name),
    ]),
  );
}
