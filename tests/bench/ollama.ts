/** Ollama's side of the benchmarks: a server of its own, with one model from a GGUF file. */

import { OllamaServer } from "../ollama.ts";
import { type Prepare, serve } from "./serve.ts";

/** The same prompt as many times as there are sequences, each continued by as many tokens. */
const prepareDecode: Prepare = async (options: {
  file: string;
  prompts: string[];
  newTokens: number;
  threads: number;
}) => {
  const { file, prompts, newTokens, threads } = options;
  await using stack = new AsyncDisposableStack();
  const server = stack.use(
    await OllamaServer.start({ OLLAMA_NUM_PARALLEL: `${prompts.length}` }),
  );
  await server.create("model", file);
  const run = async () => {
    const begin = performance.now();
    const answers = await Promise.all(
      prompts.map((prompt) => server.generate("model", prompt, newTokens, { threads })),
    );
    const wall = (performance.now() - begin) / 1000;
    const tokens = answers.reduce((sum, { eval_count }) => sum + eval_count, 0);
    // Alone it tells how long tokens took without the prompt.
    const seconds = prompts.length === 1 ? answers[0].eval_duration / 1e9 : wall;
    return { seconds: seconds * prompts.length * newTokens / tokens, peakBytes: undefined };
  };
  await run(); // loads the model
  const ending = stack.move();
  const about = `Ollama, ${threads} thread${threads === 1 ? "" : "s"}`;
  return { run, about, end: () => ending.disposeAsync() };
};

await serve({ decode: prepareDecode });
