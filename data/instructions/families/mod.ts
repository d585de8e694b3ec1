/**
 * Every synthetic family.
 *
 * @module
 */

import type { Family } from "./family.ts";
import { numberFamilies } from "./numbers.ts";
import { sentenceFamilies } from "./sentences.ts";
import { wordFamilies } from "./words.ts";
import { worldFamilies } from "./world.ts";

export * from "./family.ts";

/** The synthetic families in the order in which they are made. */
export const families: readonly Family[] = [
  ...wordFamilies,
  ...numberFamilies,
  ...worldFamilies,
  ...sentenceFamilies,
];
