// Records what views replay, so that they are there at once and on every machine:
// `deno run -A notebooks/traces/make.ts [name …]` writes notebooks/traces/<name>.json.

import { encodeExamples, formatAlpaca, gpt2Tokenizer, loadEntries } from "tunebook";
import { loadModel, parseJudge } from "tunebook";
import { checkTrust, judgeScorer } from "tunebook/eval";
import { answersOfRuns } from "../views/better.ts";
import { trainWithLeaks } from "../views/duplicate_leak.ts";
import { trainWithBugs } from "../views/label_bench.ts";
import { documents } from "../../data/nano/corpus.ts";
import { analogyRows, nearestRows, readWordVectors } from "../views/embeddings.ts";
import { recordRanks } from "../views/rank.ts";
import { recordModel } from "../views/recorded_model.ts";

const entries = () =>
  loadEntries(new URL("../../data/instructions/instruction-data.json", import.meta.url).pathname);

/** The file of SmolLM2-135M-Instruct. */
function smollm2(): string {
  const path = Deno.env.get("TUNEBOOK_SMOLLM2_GGUF");
  if (!path) throw new Error("Cannot record SmolLM2: set TUNEBOOK_SMOLLM2_GGUF to its GGUF file");
  return path;
}

/** Rounds, so that files stay small and differ only where something differs. */
const round = (_: string, value: unknown) =>
  typeof value === "number" ? Number(value.toPrecision(5)) : value;

const LABEL_BUG_QUESTIONS = ["What is the capital of France?", "What is the opposite of hot?"];

/** Every recording by its name. */
const RECORDINGS: Record<string, () => Promise<unknown>> = {
  async duplicate_leak() {
    const data = await entries();
    const runs = [];
    for (const leaks of [0, 6, 12, 18, 24]) runs.push(await trainWithLeaks(data, leaks));
    return runs;
  },
  /** Trainings with a bug in the labels each. */
  async label_bugs() {
    const [data, tokenizer] = [await entries(), gpt2Tokenizer()];
    const [train, heldOut] = [data.slice(0, 320), data.slice(900, 932)]
      .map((part) => encodeExamples(part, tokenizer));
    const asked = LABEL_BUG_QUESTIONS.map((instruction) =>
      tokenizer.encode(formatAlpaca({ instruction, input: "" }))
    );
    return {
      questions: LABEL_BUG_QUESTIONS,
      runs: await trainWithBugs(tokenizer, train, heldOut, asked),
    };
  },
  /** A full update cut to ranks, and LoRAs of those ranks: about a minute and a half. */
  async ranks() {
    return await recordRanks(await entries());
  },
  /** Answers and ROUGE-L of two ways to train, three seeds each. */
  async two_ways() {
    return await answersOfRuns(await entries());
  },
  /** A real model before and after a few steps: two minutes. */
  async real_model() {
    return await recordModel(smollm2(), "SmolLM2-135M-Instruct", await entries());
  },
  /** Neighbours and analogies among the token embeddings of a real model. */
  async embeddings() {
    const { network, tokenizer } = await loadModel(smollm2());
    const vectors = await readWordVectors(network, tokenizer, documents(7).take(3000));
    const words = ["dog", "cold", "red", "Italy", "seven", "river"];
    return {
      model: "SmolLM2-135M-Instruct",
      nearest: nearestRows(vectors, words),
      analogies: analogyRows(vectors),
    };
  },
  /** What a real, small judge makes of known answers: needs Ollama with the model TRACE_JUDGE, such as ollama:smollm2. */
  async judge() {
    const name = Deno.env.get("TRACE_JUDGE") ?? "ollama:smollm2";
    // On busy machines one thread is far quicker than several.
    const judge = parseJudge(name, { numCtx: 1024, options: { num_thread: 1 } });
    const some = (await entries()).slice(935, 935 + 30);
    const { gold, shuffled, empty, gap, ranked } = await checkTrust(some, judgeScorer(judge));
    return { judge: name, gold, shuffled, empty, gap, ranked };
  },
};

for (const name of Deno.args.length > 0 ? Deno.args : Object.keys(RECORDINGS)) {
  const trace = await RECORDINGS[name]();
  const path = new URL(`./${name}.json`, import.meta.url);
  await Deno.writeTextFile(path, JSON.stringify(trace, round) + "\n");
  console.log(`Recorded ${name}`);
}
Deno.exit(0); // idle threads would keep the process
