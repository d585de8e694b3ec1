/** Encoding, answering the test prompts, and the way to a first tensor and a first answer. */

import { type Case, type CaseOptions, ours, pyTorch } from "../cases.ts";
import { ratio } from "../harness.ts";
import { openSmolLm2, textsToEncode } from "../weights.ts";
import { encodedParts, trainingEntries } from "./data.ts";

/** The most tokens of an answer, as in Raschka's chapter 7. */
const NEW_TOKENS = 64;
/** One by one, every so many-th prompt is answered; all would take as many times as long. */
const SAMPLE = 20;
/** The share of answers that must be PyTorch's: of two tokens almost as likely, rounding may choose. */
const SAME = 0.9;

/** All test prompts by SmolLM2, greedy: at once, and one by one by the peer; undefined without its file. */
export async function answersCase(options: CaseOptions): Promise<Case | undefined> {
  const opened = await openSmolLm2(options.smolLm2);
  if (!opened) return undefined;
  const { device, python } = options;
  const { test } = await encodedParts(opened.tokenizer);
  const prompts = test.map(({ promptIds }) => promptIds);
  const sample = prompts.filter((_, i) => i % SAMPLE === 0);
  const scaled = prompts.length / sample.length;
  const batched = { prompts, together: true };
  return {
    title: `Answering ${prompts.length} prompts, SmolLM2-135M, up to ${NEW_TOKENS} tokens`,
    prepare: {
      case: "answers",
      device,
      model: opened.folder,
      newTokens: NEW_TOKENS,
      eosId: opened.tokenizer.eosId,
    },
    contestants: [
      ours("Tunebook", { prepare: batched }),
      ...pyTorch(python, "PyTorch, batched", { prepare: batched }),
      ...pyTorch(python, `PyTorch, ${sample.length} one by one`, { prepare: { prompts: sample } }),
    ],
    rounds: 2,
    // Each answers a prompt while it prepares.
    warmUps: 0,
    rate: ({ runs, median }) => {
      const ids = runs[0].ids as number[][];
      return `${(ids.flat().length / median).toFixed(0)} tokens/s`;
    },
    bars: (of) => {
      const mine = of("Tunebook");
      return [
        {
          what: `Answering ${prompts.length} test prompts, greedy, against one by one with cache ` +
            `(every ${SAMPLE}th, scaled)`,
          value: ratio(mine, of(`PyTorch, ${sample.length} one by one`)) / scaled,
          kind: "at most",
          limit: 0.2,
        },
        {
          what: "The same, against batched with cache",
          value: ratio(mine, of("PyTorch, batched")),
          kind: "at most",
          limit: 0.7,
        },
      ];
    },
    agreement: (of) => {
      const mine = of("Tunebook").runs[0].ids as number[][];
      const its = of("PyTorch, batched").runs[0].ids as number[][];
      const same = mine.filter((ids, i) => `${ids}` === `${its[i]}`).length;
      return {
        text: `${same} of ${mine.length} answers are the same`,
        holds: same >= SAME * mine.length,
      };
    },
  };
}

/** The command's first token, in a process of its own; undefined without SmolLM2's file. */
export function startCase({ device, smolLm2 }: CaseOptions): Promise<Case | undefined> {
  if (!smolLm2) return Promise.resolve(undefined);
  return Promise.resolve({
    title: "SmolLM2-135M from a warm disk to its first answered token",
    prepare: { case: "start", device, model: smolLm2 },
    contestants: [ours()],
    rounds: 5,
    rate: () => "",
    bars: (of) => [{
      what: "SmolLM2 from a warm disk to its first answered token",
      value: of("Tunebook").median,
      kind: "at most",
      limit: 1.5,
      unit: "s",
    }],
  });
}

/** From nothing to a first tensor, beside a program that does nothing. */
export function importCase(): Promise<Case> {
  return Promise.resolve({
    title: 'Deno alone, and with `import "tunebook"` to its first tensor',
    prepare: { case: "import" },
    contestants: [
      ours("Tunebook", { prepare: { program: "first_tensor" } }),
      ours("Deno alone", { prepare: { program: "empty" } }),
    ],
    rounds: 11,
    rate: () => "",
    bars: (of) => [{
      what: '`import "tunebook"` to its first tensor, more than Deno\'s own start',
      value: 1000 * (of("Tunebook").median - of("Deno alone").median),
      kind: "at most",
      limit: 150,
      unit: "ms",
    }],
  });
}

/** Encoding as many texts as Alpaca has, a thread on both sides; undefined without SmolLM2's file. */
export async function encodeCase({ smolLm2, python }: CaseOptions): Promise<Case | undefined> {
  const made = await textsToEncode(smolLm2, await trainingEntries());
  if (!made) return undefined;
  const { texts, folder } = made;
  return {
    title: "Encoding 52,000 texts, SmolLM2's tokenizer, one thread",
    prepare: { case: "encode", texts },
    contestants: [
      ours("Tunebook", { prepare: { tokenizer: smolLm2 } }),
      ...pyTorch(python, "tokenizers", {
        env: { TOKENIZERS_PARALLELISM: "false" },
        prepare: { tokenizerFile: `${folder}/tokenizer.json` },
      }),
    ],
    rounds: 5,
    rate: ({ runs, median }) =>
      `${(Number(runs[0].tokens) / median / 1e6).toFixed(2)} million tokens/s`,
    bars: (of) => [{
      what: "Encoding 52,000 texts, against Hugging Face's tokenizers",
      value: ratio(of("Tunebook"), of("tokenizers")),
      kind: "at most",
      limit: 2,
    }],
    agreement: (of) => {
      const [mine, its] = [of("Tunebook"), of("tokenizers")].map(({ runs }) => runs[0].tokens);
      return { text: `${mine} and ${its} tokens`, holds: mine === its };
    },
  };
}
