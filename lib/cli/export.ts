// `tunebook export`: converts a notebook or a model to another form. Nothing is run.

import { type Command, Option } from "commander";
import { OLLAMA_QUANTIZATIONS } from "../weights/ollama_quantization.ts";
import { adapterOption } from "./adapter_options.ts";
import type { ExportModelOptions } from "./export_model.ts";
import type { ExportNotebookOptions } from "./export_notebook.ts";
import { formatOption } from "./format.ts";

type Options = ExportNotebookOptions & ExportModelOptions;

/** Adds the subcommand. */
export function register(program: Command): void {
  program.command("export")
    .summary(
      "make a report from a notebook, or a model for Ollama, llama.cpp, PyTorch or onnxruntime",
    )
    .description(
      "Converts a notebook with its stored outputs to a report: one HTML file that opens anywhere, offline, " +
        "with live charts, or Markdown. Extracts the notebook from a report. Converts a model to a GGUF file, a model in a running Ollama, a PyTorch state dict, an ONNX file, or a directory in Hugging Face's " +
        "layout; what was written is read back, and compared with the model. Nothing of a notebook is run, so notebooks of others are safe to export and to open.",
    )
    .argument(
      "<notebook|model>",
      "an .ipynb file or a report; or a model's name, directory or GGUF file, or an adapter's directory",
    )
    .optionsGroup("For notebooks:")
    .option("--html <file>", "where to write the report")
    .option("--md <file>", "write a Markdown report, with its pictures in a folder next to it")
    .option("--output <file>", "where to write the notebook")
    .option("--theme <file>", "a style sheet in addition to the report's own")
    .option("--title <text>", "the report's title (default: the notebook's own)")
    .option("--no-code", "leave the code out of the page, but not out of the embedded notebook")
    .option("--no-notebook", "do not embed the notebook")
    .optionsGroup("For models:")
    .option("--ollama <name>", "the model to create in Ollama, at OLLAMA_HOST")
    .option("--gguf <file>", "the GGUF file to write")
    .option(
      "--pth <file>",
      "the PyTorch state dict to write; of a folder, a file named as chapter 7's: gpt2-medium355M-sft.pth",
    )
    .addOption(
      new Option(
        "--names <whose>",
        "the names of weights in --pth: those of transformers' classes, or of GPTModel",
      )
        .choices(["transformers", "llms-from-scratch"]).default("transformers"),
    )
    .option(
      "--onnx <dir>",
      "the directory for model.onnx, a decoder with past as optimum exports it, config.json and tokenizer",
    )
    .option("--hf <dir>", "the directory for config.json, safetensors, tokenizer and model card")
    .addOption(typeOption())
    .addOption(
      new Option("--ollama-quantize <type>", "the type into which Ollama quantises F16")
        .choices(OLLAMA_QUANTIZATIONS),
    )
    .addOption(formatOption())
    .addOption(adapterOption())
    .option(
      "--merge",
      "merge the adapter into the weights instead of exporting it separately",
      false,
    )
    .option("--overwrite", "replace another run's model in --hf or --onnx", false)
    .addHelpText(
      "after",
      "\nExamples:\n  tunebook export book.ipynb --html out/book.html --no-code\n" +
        "  tunebook export models/nano-sft --ollama nano-sft\n" +
        "  tunebook export models/smollm2-sft --ollama small --ollama-quantize q4_K_M",
    )
    .action(exportAny);
}

async function exportAny(what: string, options: Options, command: Command): Promise<void> {
  const given = (names: readonly (keyof Options)[]) => names.some((name) => options[name] != null);
  const ofModel = given(["gguf", "ollama", "hf", "pth", "onnx"]);
  if (ofModel === given(["html", "md", "output"])) {
    return command.error(
      "error: give some of --html, --md and --output for a notebook, or some of --ollama, --gguf, --pth, --onnx and --hf for a model",
    );
  }
  if (!ofModel) {
    const { exportNotebook } = await import("./export_notebook.ts");
    return await exportNotebook(what, options);
  }
  if (/\.(ipynb|html?)$/i.test(what)) {
    throw new TypeError(`Cannot export "${what}" as a model: it is a notebook or a report of one`);
  }
  const { exportModel } = await import("./export_model.ts");
  await exportModel(what, options);
}

/** The option for the type of matrices, in capitals too, as llama.cpp and `model.export()` write it. */
function typeOption(): Option {
  const option = new Option(
    "--type <name>",
    "the type of matrices; bf16 only in --hf and --pth, q8_0 only in --gguf and --ollama (default: f16 in these, f32 elsewhere)",
  ).choices(["f32", "f16", "bf16", "q8_0"]);
  const choose = option.parseArg!;
  return option.argParser((name: string) => choose(name.toLowerCase(), undefined));
}
