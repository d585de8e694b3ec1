// `tunebook data clean`: brings texts to one form, masks personal data, and lists every change.

import type { Command } from "commander";
import {
  cleanEntries,
  type DatasetEntry,
  proposeCorrections,
  readCorrections,
  readReview,
  writeCorrections,
  writeDataset,
  writeReview,
} from "../../dataset/mod.ts";
import { readText } from "../../dataset/load.ts";
import { type Normalization, NORMALIZATIONS } from "../../dataset/normalize.ts";
import { PERSONAL_KINDS, type PersonalKind } from "../../dataset/personal_data.ts";
import { openTokenizer } from "../../text/mod.ts";
import { resolveModel } from "../../weights/mod.ts";
import { writeFileBeside } from "../../write_beside.ts";
import { readCount } from "../arguments.ts";
import { onInterrupt } from "../interrupt.ts";
import { progress } from "../progress.ts";
import { addFieldOptions, type DataOptions, readData } from "../read_data.ts";
import { readTeacher, type TeacherOptions, teacherOptions } from "../teacher_options.ts";
import {
  dataArgument,
  excerpt,
  exists,
  numbered,
  outOption,
  readList,
  report,
  type ReportOptions,
  reportOptions,
} from "./report.ts";

interface Options extends DataOptions, ReportOptions, TeacherOptions {
  out: string;
  normalize: Normalization[];
  personal: PersonalKind[];
  review?: string;
  grammar?: string;
  maxTokens?: number;
  model: string;
  empty: boolean;
}

/** Adds the subcommand. */
export function register(data: Command): void {
  const command = data.command("clean")
    .summary("bring texts to one form, mask personal data, leave out what teaches nothing")
    .description(
      "Normalizes texts, masks personal data, and leaves out entries without an answer or with too many tokens. Each change " +
        "is listed. With --review, a person decides what is masked: the first run writes the table of what was found and " +
        'nothing else; once its column "mask" has yes or no in each row, the same command writes the data. With --grammar, a ' +
        'model proposes corrections, which a person accepts in the same way by the column "accept", before the review of ' +
        "personal data.",
    )
    .addArgument(dataArgument())
    .addOption(outOption())
    .option(
      "--normalize <steps>",
      `of ${NORMALIZATIONS.join(", ")}, with commas between, or none`,
      readList(NORMALIZATIONS, "step"),
      ["unicode", "whitespace"],
    )
    .option(
      "--personal <kinds>",
      `mask these: of ${PERSONAL_KINDS.join(", ")}, with commas between, all or none`,
      readList(PERSONAL_KINDS, "kind"),
      [],
    )
    .option("--review <file>", "a CSV file in which a person confirms what is masked")
    .option("--grammar <file>", "a CSV file in which a person accepts corrections by --teacher")
    .option("--max-tokens <n>", "leave out entries with more tokens", readCount)
    .option(
      "--model <name>",
      "the model whose tokenizer counts for --max-tokens; nano has GPT-2's",
      "nano",
    )
    .option("--no-empty", "keep entries that have no answer")
    .addHelpText(
      "after",
      "\nExample:\n  tunebook data clean data.json --out clean.json --personal all --review personal.csv",
    );
  for (const option of [...teacherOptions(0), ...reportOptions()]) command.addOption(option);
  addFieldOptions(command);
  command.action(clean);
}

async function clean(source: string, options: Options): Promise<void> {
  using interrupt = onInterrupt(() => console.error("Stopping"));
  const { signal } = interrupt;
  const { out, normalize, personal, review, grammar, maxTokens, empty } = options;
  if (review !== undefined && personal.length === 0) {
    throw new TypeError("Cannot review personal data: --review needs --personal");
  }
  if (options.teacher !== undefined && grammar === undefined) {
    throw new TypeError("Cannot ask a model unseen: --teacher needs --grammar FILE");
  }
  const entries = await readData(source, { ...options, signal });
  if (grammar !== undefined && !await exists(grammar)) {
    const { entries: normalized } = cleanEntries(entries, { normalize, dropEmpty: false });
    await proposeGrammar(normalized, grammar, options, signal);
    return;
  }
  const reviewed = review !== undefined && await exists(review)
    ? readReview(await readText(review), review)
    : undefined;
  const cleaned = cleanEntries(entries, {
    ...{ normalize, personal, dropEmpty: empty },
    ...(grammar !== undefined && {
      correct: readCorrections(await readText(grammar), grammar),
    }),
    ...(reviewed && { confirm: reviewed }),
    ...(maxTokens !== undefined && {
      maxTokens,
      tokenizer: await openTokenizer(await resolveModel(options.model, { weights: false, signal })),
    }),
  });
  const { changes, dropped, findings, unchecked } = cleaned;
  if (review !== undefined && !reviewed) {
    await writeFileBeside(review, writeReview(findings));
    console.error(
      `${findings.length} findings written to "${review}": put yes or no into the column "mask" of each, and run this ` +
        "command again; no data was written",
    );
    return;
  }
  await writeDataset(out, cleaned.entries);
  const masked = changes.filter(({ step }) => step === "personal").length;
  const whole = { source, out, entries: entries.length, kept: cleaned.entries.length };
  const found = {
    changes: changes.map(numbered),
    dropped: dropped.map(numbered),
    findings: findings.map(numbered),
    unchecked: unchecked.map((index) => index + 1),
  };
  await report(options, { ...whole, ...found }, [
    `${entries.length} entries: ${changes.length} changes, ${dropped.length} left out, ` +
    `${cleaned.entries.length} written to "${out}"`,
    ...(personal.length > 0
      ? [
        `${findings.length} personal data found, fields masked: ${masked}; others may have been missed`,
      ]
      : []),
    ...(unchecked.length > 0
      ? [
        `${unchecked.length} entries have tools or calls of tools, in which no personal data was looked for`,
      ]
      : []),
  ], [
    ...found.dropped.map(({ entry, reason }) => ({
      ...{ entry, field: "", step: "left out", before: reason, after: "" },
    })),
    ...found.changes.map(({ entry, field, step, before, after }) => ({
      ...{ entry, field, step, ...differing(before, after) },
    })),
  ]);
}

/** Writes the table of corrections for a person. */
async function proposeGrammar(
  entries: readonly DatasetEntry[],
  path: string,
  options: Options,
  signal: AbortSignal,
): Promise<void> {
  const teacher = readTeacher(options, "propose corrections");
  const bar = progress(teacher.name, entries.length);
  const onProgress = (done: number, all: number) =>
    bar.update(Math.floor(done * entries.length / all));
  const { corrections, rejected } = await proposeCorrections(entries, teacher, {
    ...{ signal, onProgress },
  });
  bar.finish();
  await writeFileBeside(path, writeCorrections(corrections));
  for (const { index, field, reason } of rejected) {
    console.error(`note: "${field}" of entry ${index + 1} stays as it is: ${reason}`);
  }
  console.error(
    `${corrections.length} corrections written to "${path}": put yes or no into the column "accept" of each, and run this ` +
      "command again; no data was written",
  );
}

/** Where two texts begin to differ, with what is around, in quotes so that spaces show. */
function differing(before: string, after: string): { before: string; after: string } {
  let at = 0;
  while (at < before.length && before[at] === after[at]) at++;
  const from = Math.max(0, at - 20);
  const show = (text: string) => JSON.stringify(text.slice(from, from + 50));
  return { before: excerpt(show(before)), after: excerpt(show(after)) };
}
