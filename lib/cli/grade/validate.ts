// `tunebook grade validate`: what a student sees before handing in.

import type { Command } from "commander";
import { basename } from "@std/path/basename";
import { dirname } from "@std/path/dirname";
import { extname } from "@std/path/extname";
import { join } from "@std/path/join";
import { resolve } from "@std/path/resolve";
import { bundleFiles } from "../../grade/bundle.ts";
import { checkProposal, exportProposal, structureRulesIn } from "../../grade/proposal_file.ts";
import { structureTable } from "../../grade/structure.ts";
import { validateNotebook } from "../../grade/validate.ts";
import { readNotebook } from "../../runtime/notebook.ts";
import { writeFileBeside } from "../../write_beside.ts";
import { onInterrupt } from "../interrupt.ts";

interface Options {
  released?: string;
  run: boolean;
  bundle?: string | true;
  markdown?: string;
}

/** Adds the subcommand. */
export function register(grade: Command): void {
  grade.command("validate")
    .summary("check an assignment before handing it in, as the grader will")
    .description(
      "Runs the visible tests of a notebook as the grader does, in a sandbox if this system has one, and says what is " +
        "unanswered, what was changed but should not have been, and what will be handed in. The notebook is enough: no course " +
        "folder is needed. A written proposal in Markdown has its structure checked. Exit code 0: everything is " +
        "answered and passes; 1: something needs attention.",
    )
    .argument("<notebook>", "the notebook to hand in, or a proposal as .md")
    .option("--released <notebook>", "the notebook as it was released, to compare with")
    .option("--no-run", "do not run the notebook and its tests")
    .option(
      "--bundle [file]",
      "write what is to be handed in as one zip, beside the notebook by default",
    )
    .option(
      "--markdown <name>",
      "export the written answers as the Markdown file that the assignment asks for, with your name in its name",
    )
    .addHelpText("after", "\nExample:\n  tunebook grade validate week1.ipynb --bundle")
    .action(validate);
}

async function validate(path: string, options: Options): Promise<void> {
  if (extname(path).toLowerCase() === ".md") return await validateMarkdown(path, options);
  using interrupt = onInterrupt(() => console.error("Stopping"));
  const released = options.released === undefined
    ? undefined
    : await readNotebook(options.released);
  const validation = await validateNotebook(path, {
    released,
    run: options.run,
    signal: interrupt.signal,
  });
  console.log(validation.text);
  if (!validation.isReady) Deno.exitCode = 1;
  if (options.markdown !== undefined) await exportMarkdown(path, options.markdown);
  await bundle(path, options);
}

async function validateMarkdown(path: string, options: Options): Promise<void> {
  const folder = dirname(resolve(path));
  const rules = await structureRulesIn(folder);
  if (rules === undefined) {
    throw new Error(`Cannot validate "${path}": there is no structure.json beside it`);
  }
  const rows = await checkProposal(folder, rules, await Deno.readTextFile(path));
  console.log(structureTable(rows));
  const faults = rows.filter(({ passed }) => !passed).length;
  const found = faults === 0
    ? "the structure is complete"
    : `${faults} checks of its structure fail`;
  console.log(`\n${basename(path)}: ${found}. A person marks the content.`);
  if (faults > 0) Deno.exitCode = 1;
  await bundle(path, options);
}

async function exportMarkdown(path: string, name: string): Promise<void> {
  const folder = dirname(resolve(path));
  const rules = await structureRulesIn(folder);
  if (rules === undefined) {
    throw new Error(`Cannot export "${path}" as Markdown: there is no structure.json beside it`);
  }
  const { file, text } = exportProposal(await readNotebook(path), rules, name);
  await writeFileBeside(join(folder, file), text);
  console.error(`Wrote ${join(dirname(path), file)}`);
}

async function bundle(path: string, { bundle }: Options): Promise<void> {
  if (bundle === undefined) return;
  const file = bundle === true ? path.slice(0, -extname(path).length) + ".zip" : bundle;
  const files = new Map([[basename(path), await Deno.readFile(path)]]);
  await writeFileBeside(file, await bundleFiles(files));
  console.error(`Wrote ${file}, to be handed in`);
}
