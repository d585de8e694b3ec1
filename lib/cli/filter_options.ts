// The options that filter prompts and answers.

import { InvalidArgumentError, Option } from "commander";
import { loadDataset } from "../dataset/mod.ts";
import { PERSONAL_KINDS, type PersonalKind } from "../dataset/personal_data.ts";
import { promptsOf } from "../eval/filters/check_messages.ts";
import {
  blockListFilter,
  domainFilter,
  type FilterRule,
  parseBlockList,
  personalDataFilter,
} from "../eval/mod.ts";

/** The values of {@linkcode filterOptions}. */
export interface FilterOptions {
  block?: string;
  personalData?: "mask" | "refuse";
  personalKinds?: PersonalKind[];
  domain?: string;
}

/** The options. */
export function filterOptions(): Option[] {
  return [
    new Option(
      "--block <file>",
      "refuse prompts and answers with a word or phrase of this file, one per line",
    ),
    new Option(
      "--personal-data <action>",
      "mask personal data in prompts and answers, or refuse these; docs/safety.md says what is missed",
    ).choices(["mask", "refuse"]),
    new Option(
      "--personal-kinds <kinds>",
      `the kinds for --personal-data: of ${
        PERSONAL_KINDS.join(", ")
      }, with commas between (default: all)`,
    ).argParser(readKinds),
    new Option(
      "--domain <file>",
      "refuse prompts that are unlike those of this file, such as the training data",
    ),
  ];
}

function readKinds(text: string): PersonalKind[] {
  const kinds = text.split(",").map((kind) => kind.trim()) as PersonalKind[];
  const unknown = kinds.find((kind) => !PERSONAL_KINDS.includes(kind));
  if (unknown === undefined) return kinds;
  throw new InvalidArgumentError(
    `There is no kind "${unknown}": expected ${PERSONAL_KINDS.join(", ")}`,
  );
}

/**
 * Makes the filters that the options name, and prints what was measured of a domain.
 *
 * @param options The options' values.
 * @returns The filters; possibly none.
 */
export async function readFilters(
  { block, personalData, personalKinds, domain }: FilterOptions,
): Promise<FilterRule[]> {
  if (personalKinds !== undefined && personalData === undefined) {
    throw new TypeError(
      "Cannot look for kinds of personal data: --personal-kinds needs --personal-data",
    );
  }
  const rules: FilterRule[] = [];
  if (personalData !== undefined) {
    const filter = personalDataFilter(personalKinds === undefined ? {} : { kinds: personalKinds });
    rules.push({ filter, action: personalData });
  }
  if (block !== undefined) {
    const terms = parseBlockList(await Deno.readTextFile(block));
    rules.push({ filter: blockListFilter(terms), action: "refuse" });
  }
  if (domain !== undefined) {
    const filter = domainFilter((await loadDataset(domain)).flatMap(promptsOf));
    const { texts, refused, threshold } = filter;
    console.error(
      `Domain: ${texts} prompts, of which the filter would refuse ${refused} (similarity below ${
        threshold.toFixed(3)
      } to each other one)`,
    );
    rules.push({ filter, action: "refuse" });
  }
  return rules;
}
