#!/usr/bin/env -S deno run -A
// The `tunebook` command. Each subcommand loads only the rooms that it needs.

import { Command, CommanderError, Help, type Option } from "commander";
import { withConfigFile } from "./cli/config_file.ts";
import { INTERRUPTED, Interrupted } from "./cli/interrupt.ts";
import { filterConsole } from "./cli/printable.ts";
import { VERSION } from "./runtime/library.ts";

/** A module of lib/cli, which adds its subcommand with all options to the program. */
export interface CommandModule {
  /**
   * Adds the subcommand.
   *
   * @param program Where to add it.
   * @param args The arguments behind its name, for one that loads its own subcommands.
   */
  register(program: Command, args: readonly string[]): void | Promise<void>;
}

/** The subcommands, in the order of the help. */
const COMMANDS: Record<string, { summary: string; load: () => Promise<CommandModule> }> = {
  train: {
    summary: "fine-tune a model on instructions",
    load: () => import("./cli/train.ts"),
  },
  generate: {
    summary: "continue a prompt, or answer a file of instructions",
    load: () => import("./cli/generate.ts"),
  },
  chat: {
    summary: "talk with a model",
    load: () => import("./cli/chat.ts"),
  },
  infer: {
    summary: "answer a file, with a JSON line per answer as it is finished",
    load: () => import("./cli/infer.ts"),
  },
  serve: {
    summary: "serve a model to clients of Ollama and OpenAI",
    load: () => import("./cli/serve.ts"),
  },
  loss: {
    summary: "measure a model's loss on a file",
    load: () => import("./cli/loss.ts"),
  },
  plan: {
    summary: "estimate memory and time of a training, before anything is loaded",
    load: () => import("./cli/plan.ts"),
  },
  data: {
    summary: "look at data sets, and change them before training",
    load: () => import("./cli/data.ts"),
  },
  doctor: {
    summary: "report what this machine has, and what to install",
    load: () => import("./cli/doctor.ts"),
  },
  compare: {
    summary: "compare several runs: settings, losses, scores, answers",
    load: () => import("./cli/compare.ts"),
  },
  run: {
    summary: "run notebooks on the Deno kernel, and make reports",
    load: () => import("./cli/run.ts"),
  },
  sweep: {
    summary: "run a notebook at every point of a grid of parameters",
    load: () => import("./cli/sweep.ts"),
  },
  test: {
    summary: "run notebooks as tests: each code cell is one",
    load: () => import("./cli/test.ts"),
  },
  check: {
    summary: "run a notebook again and compare with its stored outputs",
    load: () => import("./cli/check.ts"),
  },
  clean: {
    summary: "strip outputs from notebooks",
    load: () => import("./cli/clean.ts"),
  },
  export: {
    summary:
      "make a report from a notebook, or a model for Ollama, llama.cpp, PyTorch or onnxruntime",
    load: () => import("./cli/export.ts"),
  },
  kernel: {
    summary: "install, list and remove the Jupyter kernel Deno (Tunebook)",
    load: () => import("./cli/kernel.ts"),
  },
  verify: {
    summary: "run a report's notebook again and compare the results",
    load: () => import("./cli/verify.ts"),
  },
  diff: {
    summary: "show the differences between two reports",
    load: () => import("./cli/diff.ts"),
  },
  score: {
    summary: "score responses against their references, or by a judge",
    load: () => import("./cli/score.ts"),
  },
  evaluate: {
    summary: "evaluate a model beside its base, by metrics and a judge",
    load: () => import("./cli/evaluate.ts"),
  },
  sheet: {
    summary: "make sheets on which people compare or rate answers, and read them",
    load: () => import("./cli/sheet.ts"),
  },
  grade: {
    summary: "release assignments, grade submissions, return feedback",
    load: () => import("./cli/grade.ts"),
  },
};

/** Exit codes: the command failed; the command line is wrong. */
const FAILED = 1;
const MISUSED = 2;

/** What an option does: a list as default is shown as it is typed, and "off" or an empty list not at all. */
function describeOption(option: Option): string {
  const { defaultValue } = option;
  const isList = Array.isArray(defaultValue);
  const isNothing = defaultValue === false || (isList && defaultValue.length === 0);
  const shown = {
    ...(isNothing && { defaultValue: { value: undefined } }),
    ...(isList && !option.defaultValueDescription &&
      { defaultValueDescription: { value: defaultValue.join() } }),
  };
  return new Help().optionDescription(Object.create(option, shown));
}

/**
 * Runs the command.
 *
 * @param args The arguments after the command's name.
 * @returns The exit code.
 */
export async function main(args: string[]): Promise<number> {
  const program = new Command("tunebook")
    .description("Run TypeScript notebooks reliably, and fine-tune language models in them.")
    .version(VERSION)
    .helpCommand("help [command]", "show help for a command")
    // By the console, whose output is filtered: arguments may be names that a stranger chose.
    .configureOutput({
      writeOut: (text) => console.log(text.replace(/\n$/, "")),
      writeErr: (text) => console.error(text.replace(/\n$/, "")),
    })
    .configureHelp({ optionDescription: describeOption })
    .exitOverride();
  const [asked, ...rest] = args[0] === "help" ? args.slice(1) : args;
  try {
    for (const [name, { summary, load }] of Object.entries(COMMANDS)) {
      if (name === asked) await (await load()).register(program, rest);
      else program.command(name).summary(summary).description(summary);
    }
    for (const command of program.commands) command.exitOverride();
    if (args.length === 0) {
      program.outputHelp();
      return 0;
    }
    const command = program.commands.find((command) => command.name() === args[0]);
    const given = command ? [args[0], ...await withConfigFile(command, rest)] : args;
    await program.parseAsync(given, { from: "user" });
    return Number(Deno.exitCode);
  } catch (error) {
    if (error instanceof CommanderError) {
      const shown = error.code === "commander.helpDisplayed" || error.code === "commander.help" ||
        error.code === "commander.version";
      return shown ? 0 : MISUSED;
    }
    if (error instanceof Interrupted) return INTERRUPTED; // the stop has been reported
    if (Deno.env.get("TUNEBOOK_DEBUG")) console.error(error);
    else console.error(`error: ${error instanceof Error ? error.message : error}`);
    return FAILED;
  }
}

if (import.meta.main) {
  filterConsole();
  Deno.exit(await main(Deno.args));
}
