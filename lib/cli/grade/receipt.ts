// `tunebook grade receipt`: grades that can be checked.

import type { Command } from "commander";
import { openCourse } from "../../grade/course.ts";
import { openGradebook } from "../../grade/gradebook.ts";
import { writeReceipts } from "../../grade/receipts.ts";
import { courseOption } from "./options.ts";

interface Options {
  course: string;
  student?: string;
}

/** Adds the subcommand. */
export function register(grade: Command): void {
  grade.command("receipt")
    .summary("sign grades, so that each can be checked and reached again")
    .description(
      "Writes feedback/<student>/<assignment>/receipt.json: hashes of what was handed in and of its tests, versions, " +
        "limits, verdicts, marks and the score, signed with the course's Ed25519 key. The first run makes the key: " +
        "receipt_key.json stays with you, receipt_key.public.json is for anybody who checks receipts.",
    )
    .argument("<assignment>", "the assignment")
    .addOption(courseOption())
    .option("--student <id>", "one student's receipt only")
    .addHelpText("after", "\nExample:\n  tunebook grade receipt week1 --student ada")
    .action(receipt);
}

async function receipt(assignment: string, options: Options): Promise<void> {
  const course = await openCourse(options.course);
  using book = openGradebook(course);
  const { files, refused } = await writeReceipts(course, book, assignment, options.student);
  for (const path of files.values()) console.log(path);
  console.error(`Signed ${files.size === 1 ? "1 receipt" : `${files.size} receipts`}`);
  for (const [student, why] of refused) console.error(`No receipt for ${student}: ${why}`);
  if (refused.size > 0) Deno.exitCode = 1;
}
