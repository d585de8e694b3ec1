// `tunebook serve`: a model behind HTTP, for the clients of Ollama and OpenAI.

import type { Command } from "commander";
import { JsonLines } from "../json_lines.ts";
import type { Quantization } from "../model/mod.ts";
import { VERSION } from "../runtime/library.ts";
import { isLoopback } from "../serve/access.ts";
import { serveModel } from "../serve/mod.ts";
import { adapterOption, quantizeOption } from "./adapter_options.ts";
import { deviceOption, modelOption, readCount, readRate, readWhole } from "./arguments.ts";
import { configOption } from "./config_file.ts";
import { type FilterOptions, filterOptions, readFilters } from "./filter_options.ts";
import { formatOption, readFormatOption } from "./format.ts";
import { onInterrupt } from "./interrupt.ts";
import { loadForCommand } from "./load.ts";
import { noteGeneration } from "./sampling_options.ts";

interface Options extends FilterOptions {
  model: string;
  adapter?: string;
  quantize?: Quantization;
  format?: string;
  device?: "auto" | "cpu" | "webgpu";
  name?: string;
  host: string;
  port: number;
  parallel: number;
  queue: number;
  maxNewTokens?: number;
  temperature: number;
  log?: string;
}

/** Adds the subcommand. */
export function register(program: Command): void {
  const command = program.command("serve")
    .summary("serve a model to clients of Ollama and OpenAI")
    .description(
      "Answers Ollama's requests (/api/chat, /api/generate, /api/tags, /api/show) and OpenAI's (/v1/chat/completions, " +
        "/v1/models), as a whole or as a stream. Prompts are written as the model was taught. Requests that wait join " +
        "those that are being answered; what cannot be honoured is refused with a reason. Only this machine reaches " +
        "it unless --host says otherwise. Ctrl-C answers what was asked and ends.",
    )
    .addOption(modelOption())
    .addOption(adapterOption())
    .addOption(quantizeOption())
    .addOption(formatOption())
    .option("--name <name>", "the name by which clients ask for it (default: the model's own)")
    .option("--host <address>", "the address to listen on", "127.0.0.1")
    .option("--port <n>", "the port; 0 takes any that is free", readWhole, 11435)
    .option("--parallel <n>", "how many requests are answered at a time", readCount, 16)
    .option("--queue <n>", "how many more may wait before one is refused", readWhole, 512)
    .option(
      "--max-new-tokens <n>",
      "the most tokens of an answer (default: 1024, or the context if that is less)",
      readCount,
    )
    .option("--temperature <t>", "the temperature of requests that name none", readRate, 0)
    .option("--log <file>", "add a JSON line for each request, with its prompt and answer")
    .addOption(deviceOption())
    .addOption(configOption())
    .addHelpText(
      "after",
      "\nExample:\n  tunebook serve --model models/nano-sft --log log/requests.jsonl\n" +
        "  OLLAMA_HOST=127.0.0.1:11435 ollama run nano-sft",
    )
    .action(serve);
  for (const option of filterOptions()) command.addOption(option);
}

async function serve(options: Options): Promise<void> {
  const { name, host, port, parallel, queue, maxNewTokens, temperature } = options;
  using interrupt = onInterrupt(() =>
    console.error("Answering what was asked; press Ctrl-C again to end at once")
  );
  const { signal } = interrupt;
  const format = await readFormatOption(options.format);
  const { model: spec, adapter, quantize, device } = options;
  const filters = await readFilters(options);
  const model = await loadForCommand(spec, { adapter, quantize, device, signal });
  noteGeneration(model, { temperature, maxNewTokens: maxNewTokens ?? 1024 });
  if (format !== undefined) model.format = format;
  await using log = options.log === undefined ? undefined : await JsonLines.open(options.log);
  const server = serveModel(model, {
    ...(name !== undefined && { name }),
    ...(maxNewTokens !== undefined && { maxNewTokens }),
    hostname: host,
    port,
    parallel,
    queue,
    temperature,
    filters,
    version: VERSION,
    signal,
    onRequest(request) {
      if (request.status >= 500) console.error(`${request.path}: ${request.error}`);
      log?.write(request).catch((error) => console.error(`error: ${error.message}`));
    },
  });
  if (!isLoopback(host)) {
    console.error(
      "Note: everyone who reaches this machine can ask the model; there is no password",
    );
  }
  console.error(`Serving "${server.name}"; Ctrl-C ends it`);
  console.log(server.url);
  await server.finished;
  model.device.close();
}
