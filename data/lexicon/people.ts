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

const women = list("Anna Maria Lucy Emma Sara Nina Clara Ruth Julia Alice Mia Rosa Ella Kate");
const men = list("Tom Ben Paul Leo Sam Max David Omar Peter Jack Noah Felix Hugo Adam");

/** People by first name. */
export const people: readonly Person[] = [
  ...women.map((name): Person => ({ name, subject: "she", object: "her", possessive: "her" })),
  ...men.map((name): Person => ({ name, subject: "he", object: "him", possessive: "his" })),
];

/** Who may stand in a sentence with "the". */
export const roles: readonly string[] = list(
  "teacher farmer doctor girl boy queen king baker sailor nurse neighbor child singer painter",
);
