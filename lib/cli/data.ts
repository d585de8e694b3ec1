// `tunebook data`: looking at data sets and changing them before training. Each step is a subcommand in a file of its own.

import type { Command } from "commander";

/** A module of lib/cli/data, which adds its subcommand with all options. */
export interface DataCommandModule {
  /** Adds the subcommand to `tunebook data`. */
  register(data: Command): void;
}

/** The subcommands, in the order of the help. */
const COMMANDS: Record<string, { summary: string; load: () => Promise<DataCommandModule> }> = {
  inspect: {
    summary: "show forms, lengths, and which tokens a model would learn",
    load: () => import("./data/inspect.ts"),
  },
  clean: {
    summary: "bring texts to one form, mask personal data, leave out what teaches nothing",
    load: () => import("./data/clean.ts"),
  },
  convert: {
    summary: "write a data set in another form or kind of file",
    load: () => import("./data/convert.ts"),
  },
  augment: {
    summary: "add paraphrases and reviewed pairs, and label entries without an answer",
    load: () => import("./data/augment.ts"),
  },
  balance: {
    summary: "give rare topics a larger share of the loss, by weights or repetition",
    load: () => import("./data/balance.ts"),
  },
  dedupe: {
    summary: "remove exact and near duplicates",
    load: () => import("./data/dedupe.ts"),
  },
  split: {
    summary: "write training, test and validation parts, and find leaks between them",
    load: () => import("./data/split.ts"),
  },
};

/** Adds the subcommand. */
export async function register(program: Command, args: readonly string[]): Promise<void> {
  const data = program.command("data")
    .summary("look at data sets, and change them before training")
    .description(
      "Works on the files that a model learns from, before anything is trained. Each subcommand says what it changed.",
    )
    .helpCommand("help [command]", "show help for a command");
  const asked = args[0] === "help" ? args[1] : args[0];
  for (const [name, { summary, load }] of Object.entries(COMMANDS)) {
    if (name === asked) (await load()).register(data);
    else data.command(name).summary(summary).description(summary);
  }
}
