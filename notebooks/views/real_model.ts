// What chapter 9 needs of a running Ollama.

import { ollamaHost } from "tunebook/weights";

const ANSWER_TOKENS = 24;

const host = () => ollamaHost(Deno.env.get("OLLAMA_HOST"));

/** Whether an Ollama answers. */
export async function ollamaRuns(): Promise<boolean> {
  try {
    const response = await fetch(`${host()}/api/version`, { signal: AbortSignal.timeout(2000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/**
 * Asks a model in Ollama the same, and takes the most likely token each time.
 *
 * @param name The model's name there.
 * @param question What to ask.
 * @param tokens The most tokens of its answer.
 * @returns The answer.
 */
export async function askOllama(
  name: string,
  question: string,
  tokens = ANSWER_TOKENS,
): Promise<string> {
  const body = { model: name, prompt: question, stream: false };
  const options = { num_predict: tokens, temperature: 0 }; // the most likely token, as in the notebooks
  const response = await fetch(`${host()}/api/generate`, {
    method: "POST",
    body: JSON.stringify({ ...body, options }),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`Ollama does not answer: ${answer.error}`);
  return answer.response.trim();
}

/**
 * Takes a model away from Ollama.
 *
 * @param name Its name there.
 */
export async function removeFromOllama(name: string): Promise<void> {
  const response = await fetch(`${host()}/api/delete`, {
    method: "DELETE",
    body: JSON.stringify({ model: name }),
  });
  await response.body?.cancel();
}
