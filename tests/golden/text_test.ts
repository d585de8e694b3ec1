// The golden files of text, data and scores are what their scripts make again, where Python is present.

import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { WordNet } from "../../lib/eval/metrics/wordnet.ts";
import { gpt2Tokenizer } from "../../lib/text/gpt2.ts";
import { findPython, findTestData, type Python } from "../support.ts";

/** GPT-2's ranks as tiktoken publishes them: a line for each token, its bytes in base64, its rank. */
function ranksFile(): string {
  const tokenizer = gpt2Tokenizer();
  let lines = "";
  for (let id = 0; id < tokenizer.eosId; id++) {
    lines += `${tokenizer.bytes(id).toBase64()} ${id}\n`;
  }
  return lines;
}

Deno.test("gpt2Tokenizer() has the very ranks that tiktoken publishes", async () => {
  const bytes = new TextEncoder().encode(ranksFile());
  assertEquals(
    new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex(),
    "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930", // tiktoken_ext/openai_public.py
  );
});

/** Runs a script and compares what it makes with what is committed, but for the versions. */
async function assertMadeAgain(name: string, python: Python): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "tunebook-golden-" });
  try {
    const ranks = `${folder}/r50k_base.tiktoken`;
    await Deno.writeTextFile(ranks, ranksFile());
    const script = fromFileUrl(import.meta.resolve(`./${name}.py`));
    const { success, stderr } = await new Deno.Command(python.path, {
      args: [script, folder],
      env: { R50K: ranks, PYTHONDONTWRITEBYTECODE: "1" },
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    const { versions: _, ...made } = JSON.parse(
      await Deno.readTextFile(`${folder}/${name}.json`),
    );
    const { versions, ...committed } = JSON.parse(
      await Deno.readTextFile(new URL(`./${name}.json`, import.meta.url)),
    );
    assertEquals(typeof versions.python, "string");
    assertEquals(JSON.stringify(made), JSON.stringify(committed));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const data = findTestData();

/** What metrics.py imports; it reads WordNet too. */
const metrics = {
  name: "metrics",
  modules: ["sacrebleu", "rouge_score", "nltk", "torchmetrics", "scipy"],
  needsData: false,
};
const wordnet = WordNet.open() === undefined
  ? " (skipped: needs WordNet, from Debian's wordnet-base)"
  : "";

for (
  const { name, modules, needsData } of [
    { name: "text", modules: ["tiktoken"], needsData: false },
    { name: "dataset", modules: ["tiktoken"], needsData: true },
    { name: "rouge", modules: ["rouge_score", "nltk"], needsData: false },
    metrics,
    {
      name: "comparisons",
      modules: ["sacrebleu", "scipy", "sklearn", "statsmodels"],
      needsData: false,
    },
    { name: "jinja", modules: ["jinja2", "transformers"], needsData: false },
    { name: "sampling", modules: ["torch", "transformers"], needsData: false },
    { name: "sfc32", modules: [], needsData: false },
    { name: "splits", modules: ["sklearn"], needsData: false },
  ]
) {
  const python = findPython(...modules);
  const missing = python.needs + (needsData ? data.needs : "") +
    (name === metrics.name ? wordnet : "");
  Deno.test({
    name: `golden "${name}" is what its script makes again${missing}`,
    ignore: missing !== "",
    fn: () => assertMadeAgain(name, python),
  });
}
