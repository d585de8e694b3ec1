/**
 * People for stories and sentences.
 *
 * @module
 */

import { list } from "./table.ts";

/** A person and the pronouns that stand for them. */
export interface Person {
  name: string;
  subject: "he" | "she";
  object: "him" | "her";
  possessive: "his" | "her";
}

const women = list("Anna Maria Alice Kate Mary Sarah Jane Laura Susan Emily Lisa");
const men = list("Tom Ben Paul Sam Max David Peter Jack Adam John Mark");

/** People by first name. */
export const people: readonly Person[] = [
  ...women.map((name): Person => ({ name, subject: "she", object: "her", possessive: "her" })),
  ...men.map((name): Person => ({ name, subject: "he", object: "him", possessive: "his" })),
];

/** Who may stand in a sentence with "the". */
export const roles: readonly string[] = list(
  "teacher farmer doctor girl boy queen king baker sailor nurse neighbor child singer painter",
);
