/**
 * Makes `merges.base64` from OpenAI's table of GPT-2's tokens, `r50k_base.tiktoken` (its address is in
 * tests/golden/tiktoken_gpt2.py): `deno run -A lib/text/gpt2_merges/make.ts r50k_base.tiktoken`.
 *
 * @module
 */

import { decodeBase64, encodeBase64 } from "@std/encoding/base64";

const BYTES = 256;
const lines = (await Deno.readTextFile(Deno.args[0])).trimEnd().split("\n");
const tokens = lines.map((line) => String.fromCharCode(...decodeBase64(line.split(" ")[0])));
const ids = new Map(tokens.map((token, id) => [token, id]));

/** The two tokens that are left of a token when all earlier merges have been made. */
function lastPair(token: string, id: number): [number, number] {
  const parts = [...token];
  while (parts.length > 2) {
    let first = -1, rank = id;
    for (let at = 0; at + 1 < parts.length; at++) {
      const made = ids.get(parts[at] + parts[at + 1]);
      if (made !== undefined && made < rank) [first, rank] = [at, made];
    }
    if (first < 0) throw new RangeError(`Cannot take token ${id} apart: no merge makes it`);
    parts.splice(first, 2, parts[first] + parts[first + 1]);
  }
  return [ids.get(parts[0])!, ids.get(parts[1])!];
}

const pairs = new DataView(new ArrayBuffer((tokens.length - BYTES) * 4));
for (let id = BYTES; id < tokens.length; id++) {
  const [left, right] = lastPair(tokens[id], id);
  pairs.setUint16((id - BYTES) * 4, left, true);
  pairs.setUint16((id - BYTES) * 4 + 2, right, true);
}
const file = new URL("./merges.base64", import.meta.url);
await Deno.writeTextFile(file, encodeBase64(pairs.buffer) + "\n");
console.log(`Wrote ${tokens.length - BYTES} merges`);
