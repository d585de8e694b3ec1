// `tunebook grade verify`: grades the work of a receipt again.

import type { Command } from "commander";
import { openCourse } from "../../grade/course.ts";
import { openGradebook } from "../../grade/gradebook.ts";
import { readReceipt } from "../../grade/receipt.ts";
import { publicKey } from "../../grade/receipt_key.ts";
import { checkReceipt } from "../../grade/receipts.ts";
import { onInterrupt } from "../interrupt.ts";
import { CODECS, sandboxFor } from "./grading.ts";
import { courseOption, unsafeOption } from "./options.ts";

interface Options {
  course: string;
  unsafe: boolean;
}

/** Adds the subcommand. */
export function register(grade: Command): void {
  grade.command("verify")
    .summary("grade the work of a receipt again, and say whether it is the same")
    .description(
      "Checks a receipt's signature, grades the work again and compares: what was handed in, tests, verdicts, marks, " +
        "lateness, score. What differs is named; changed versions and limits are named too. Nothing of the course is " +
        "changed. Exit code 0: the same; 1: not, or the receipt is not this course's.",
    )
    .argument("<receipt>", "the receipt's file")
    .addOption(courseOption())
    .addOption(unsafeOption())
    .addHelpText("after", "\nExample:\n  tunebook grade verify feedback/ada/week1/receipt.json")
    .action(verify);
}

async function verify(path: string, options: Options): Promise<void> {
  using interrupt = onInterrupt(() => console.error("Stopping; press Ctrl-C again to end at once"));
  const course = await openCourse(options.course);
  const receipt = await readReceipt(
    await Deno.readTextFile(path),
    await publicKey(course.root),
  );
  const sandbox = await sandboxFor(options);
  using book = openGradebook(course);
  const how = { codecs: CODECS, sandbox, signal: interrupt.signal };
  const { same, differences, changes } = await checkReceipt(course, book, receipt, how);
  for (const line of [...differences, ...changes]) console.log(line);
  const { total, max, waiting } = receipt.score;
  const what = `${receipt.student}, ${receipt.assignment}: ${total} of ${max} points`;
  const open = waiting > 0 ? ", not final" : "";
  console.log(`${same ? "The same" : "Not the same"}: ${what}${open}`);
  if (!same) Deno.exitCode = 1;
}
