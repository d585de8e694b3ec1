// How subcommands that train or split divide their data.

import { InvalidArgumentError, Option } from "commander";
import {
  type DatasetEntry,
  type Grouping,
  groupsOf,
  type Split,
  splitEntries,
  type SplitOrder,
  strataOf,
  type Stratum,
} from "../dataset/mod.ts";
import { DEFAULT_SPLIT, parseSplit, SPLIT_ORDERS, SPLIT_SEED } from "../dataset/split.ts";
import { GROUPINGS, STRATA } from "../dataset/split_labels.ts";
import { readWhole } from "./arguments.ts";
import { type DataOptions, readData } from "./read_data.ts";

/** The options of {@linkcode splitOptions}. */
export interface SplitCommandOptions {
  split?: [number, number, number];
  splitOrder: SplitOrder;
  splitSeed?: number;
  stratify?: Stratum[];
  group?: Grouping[];
}

/** The options of {@linkcode partOptions}. */
export interface PartOptions {
  validation?: string;
  test?: string;
}

/** The options that say how a file is split. */
export function splitOptions(): Option[] {
  return [
    new Option(
      "--split <train,test,validation>",
      "fractions of the data; 1,0,0 trains on all of it, without evaluation (default: 0.85,0.10,0.05)",
    ).argParser(readSplit),
    new Option(
      "--split-order <name>",
      "shuffled: a seeded shuffle decides which entries a part has, each part in the file's order; " +
        "given: slices of the file, as in Raschka's chapter 7",
    ).choices(SPLIT_ORDERS).default("shuffled"),
    new Option("--split-seed <n>", `the seed of that shuffle (default: ${SPLIT_SEED})`)
      .argParser(readWhole),
    new Option(
      "--stratify <names>",
      "give each part these in equal proportions: topic, length (in quarters), or topic,length",
    ).argParser(readNames(STRATA)),
    new Option(
      "--group <names>",
      "keep in one part what belongs together: completion (prompts with the same answer), near (near duplicates), " +
        "or completion,near",
    ).argParser(readNames(GROUPINGS)),
  ];
}

/** The options that name files for other parts than the training part. */
export function partOptions(): Option[] {
  const how = "; its share of --split is trained on";
  return [
    new Option("--validation <file|url>", `a file for the validation part${how}`),
    new Option("--test <file|url>", `a file for the test part${how}`),
  ];
}

function readSplit(text: string): [number, number, number] {
  try {
    return parseSplit(text);
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`);
  }
}

/** Makes a parser of names with commas between. */
function readNames<Name extends string>(known: readonly Name[]): (text: string) => Name[] {
  return (text) => {
    const names = text.split(",").map((name) => name.trim());
    const unknown = names.find((name) => !(known as readonly string[]).includes(name));
    if (unknown === undefined) return names as Name[];
    throw new InvalidArgumentError(`Unknown "${unknown}": expected ${known.join(" or ")}.`);
  };
}

/**
 * Splits entries as the options say. Parts that have files of their own are loaded from them.
 *
 * @param entries The entries of the main file.
 * @param options The options.
 * @param signal Stops a download.
 * @returns The parts.
 * @throws {RangeError} If `--split` gives a share to a part that has a file of its own.
 */
export async function splitData(
  entries: readonly DatasetEntry[],
  options: SplitCommandOptions & PartOptions & DataOptions,
  signal?: AbortSignal,
): Promise<Split<DatasetEntry>> {
  return await splitAs(entries, options, {
    read: (source) => readData(source, { ...options, signal }),
    entryOf: (entry) => entry,
  });
}

/**
 * Splits examples of any kind as the options say.
 *
 * @param examples The examples of the main file.
 * @param options The options.
 * @param kind How a file of them is read, and the entry by whose topic, length and group an example is placed.
 * @returns The parts.
 * @throws {RangeError} If `--split` gives a share to a part that has a file of its own.
 */
export async function splitAs<Example>(
  examples: readonly Example[],
  options: SplitCommandOptions & PartOptions,
  kind: {
    read: (source: string) => Promise<Example[]>;
    entryOf: (example: Example) => DatasetEntry;
  },
): Promise<Split<Example>> {
  const { splitOrder: order, splitSeed: seed, stratify, group } = options;
  const entries = stratify || group ? examples.map(kind.entryOf) : [];
  const parts = splitEntries(examples, {
    fractions: fractionsOf(options),
    order,
    ...(seed !== undefined && { seed }),
    ...(stratify && { stratify: strataOf(entries, stratify) }),
    ...(group && { groups: groupsOf(entries, group) }),
  });
  for (const part of ["validation", "test"] as const) {
    const file = options[part];
    if (file !== undefined) parts[part] = await kind.read(file);
  }
  return parts;
}

/** The fractions of the main file. */
function fractionsOf(
  { split, validation, test }: SplitCommandOptions & PartOptions,
): readonly number[] {
  const files = [undefined, test, validation];
  if (split) {
    const twice = files.findIndex((file, part) => file !== undefined && split[part]! > 0);
    if (twice < 0) return split;
    throw new RangeError(
      `Cannot split by "${split.join(",")}" with --${["", "test", "validation"][twice]}: ` +
        "expected a share of 0 for a part that has a file of its own",
    );
  }
  const others = DEFAULT_SPLIT.map((fraction, part) => files[part] === undefined ? fraction : 0);
  return [1 - others[1]! - others[2]!, others[1]!, others[2]!];
}
