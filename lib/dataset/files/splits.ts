/**
 * Which files of a data set's repository are which split, as Hugging Face's `datasets` decides it: as the front matter of
 * README.md says, otherwise by words in the names of files and folders.
 *
 * @module
 */

import { globToRegExp } from "@std/path/glob-to-regexp";
import { parse } from "@std/yaml/parse";

/** The words that name a split in names of files and folders. */
const KEYWORDS: Readonly<Record<string, string>> = {
  train: "train|training",
  validation: "validation|valid|dev|val",
  test: "test|testing|eval|evaluation",
};

/** Files with other things than rows. */
const OTHERS = /(^|\/)(config|dataset_infos?|dataset_dict)\.json$|(^|\/)[._]/;

/** Files with rows. */
const ROWS = /\.(json|jsonl|csv|tsv|parquet)(\.gz)?$/i;

/**
 * Finds the splits of a repository.
 *
 * @param files The paths of its files.
 * @param readme The text of its README.md, if it has one.
 * @returns The files of each split, in the order in which they are read.
 * @throws {RangeError} If the README has several configurations and none is the default one.
 * @throws {SyntaxError} If its front matter cannot be read.
 */
export function splitsOf(
  files: readonly string[],
  readme?: string,
): Record<string, string[]> {
  const rows = files.filter((file) => ROWS.test(file) && !OTHERS.test(file)).toSorted();
  const declared = readme === undefined ? undefined : declaredFiles(readme);
  if (declared !== undefined) {
    return Object.fromEntries(declared.map(([split, globs]) => [
      split,
      globs.flatMap((glob) => {
        const pattern = globToRegExp(glob.replace(/^\.\//, ""), { os: "linux" });
        return rows.filter((file) => pattern.test(file));
      }),
    ]));
  }
  const splits: Record<string, string[]> = {};
  for (const [split, words] of Object.entries(KEYWORDS)) {
    const named = new RegExp(`(^|[-._ /0-9])(${words})([-._ /0-9]|$)`);
    const found = rows.filter((file) => named.test(file));
    if (found.length > 0) splits[split] = found;
  }
  return Object.keys(splits).length > 0 || rows.length === 0 ? splits : { train: rows };
}

/** The splits that a README declares, with the patterns of their files. */
function declaredFiles(readme: string): [split: string, globs: string[]][] | undefined {
  const [, front] = /^---\r?\n(.*?)\r?\n---(?:\r?\n|$)/s.exec(readme) ?? [];
  if (front === undefined) return undefined;
  let configs: unknown;
  try {
    ({ configs } = (parse(front, { schema: "core" }) ?? {}) as { configs?: unknown });
  } catch (error) {
    throw new SyntaxError(
      `Cannot read the front matter of README.md: ${(error as Error).message}`,
      { cause: error },
    );
  }
  if (!Array.isArray(configs)) return undefined;
  const named = configs.filter((config) => config?.data_files !== undefined);
  if (named.length === 0) return undefined;
  const config = named.length === 1
    ? named[0]
    : named.find(({ default: isDefault }) => isDefault === true) ??
      named.find(({ config_name }) => config_name === "default");
  if (config === undefined) {
    const names = named.map(({ config_name }) => config_name).join('", "');
    throw new RangeError(
      `the README names the configurations "${names}" and no default: name the files instead`,
    );
  }
  const prefix = typeof config.data_dir === "string" ? `${config.data_dir}/` : "";
  const globs = (value: unknown) => [value].flat().map((glob) => prefix + String(glob));
  const { data_files } = config;
  return Array.isArray(data_files) && data_files.every((one) => typeof one === "object")
    ? data_files.map(({ split, path }) => [String(split), globs(path)])
    : [["train", globs(data_files)]];
}
