/**
 * Which student of the roster somebody else's file name means: an id, the course system's number, or a name as Canvas
 * and Moodle write it.
 *
 * @module
 */

import type { Student } from "../gradebook.ts";
import { nameKey, quoted } from "./names.ts";

/** What a file name says of its owner. */
export interface Owner {
  /** The student's id on the roster, or a group's name. */
  readonly id?: string;
  /** The course system's number of the person. */
  readonly lmsId?: string;
  /** The person's name, in either order. */
  readonly name?: string;
  /** What is the same for all files of one person in one export, where the export has such a thing. */
  readonly account?: string;
}

/** The students of a course, to be found by what file names say. */
export class People {
  readonly #byId = new Map<string, Student[]>();
  readonly #byLmsId = new Map<string, Student[]>();
  readonly #byName = new Map<string, Student[]>();
  readonly #byGroup = new Map<string, Student[]>();

  /**
   * @param roster The roster.
   * @param groups Whether groups hand in, so that a name may be a group's.
   */
  constructor(roster: readonly Student[], readonly groups = false) {
    for (const student of roster) {
      const { id, firstName = "", lastName = "", lmsUserId, group } = student;
      add(this.#byId, nameKey(id), student);
      if (lmsUserId !== undefined) add(this.#byLmsId, lmsUserId, student);
      if (group !== undefined) add(this.#byGroup, nameKey(group), student);
      const names = new Set([letters(firstName + lastName), letters(lastName + firstName)]);
      for (const name of names) if (name !== "") add(this.#byName, name, student);
    }
  }

  /** Whether an id, in any case, is on the roster, or is a group's where groups hand in. */
  has(id: string): boolean {
    return this.#byId.has(nameKey(id)) || this.groups && this.#byGroup.has(nameKey(id));
  }

  /** Whether the course system's number is on the roster. */
  hasLmsId(lmsId: string): boolean {
    return this.#byLmsId.has(lmsId);
  }

  /** Whether exactly one student, or one group where groups hand in, has a name. */
  hasName(name: string): boolean {
    return this.#byName.get(letters(name))?.length === 1 ||
      this.groups && this.#byGroup.has(nameKey(name));
  }

  /**
   * Finds whose a submission is.
   *
   * @param owner What the file name says.
   * @returns The student; if a group is meant, the first of its members.
   * @throws {RangeError} If nobody is meant, or it is not clear who.
   */
  find({ id, lmsId, name }: Owner): Student {
    if (id !== undefined) {
      const found = this.#byId.get(nameKey(id)) ??
        (this.groups ? this.#byGroup.get(nameKey(id)) : undefined);
      if (found === undefined) throw new RangeError(`${quoted(id)} is not on the roster`);
      return found[0]!;
    }
    const numbered = lmsId === undefined ? undefined : this.#byLmsId.get(lmsId);
    if (numbered !== undefined) {
      if (numbered.length > 1) {
        throw new RangeError(`several students have the lms_user_id ${quoted(lmsId!)}`);
      }
      const [student] = numbered;
      const { firstName = "", lastName = "" } = student!;
      const known = new Set([letters(firstName + lastName), letters(lastName + firstName)]);
      // Names may be edited by their owners: a number that fits with a name that does not is for a person to judge.
      if (name !== undefined && !known.has("") && !known.has(letters(name))) {
        throw new RangeError(
          `the number ${quoted(lmsId!)} is "${student!.id}" on the roster, but the name is ${
            quoted(name)
          }`,
        );
      }
      return student!;
    }
    const named = this.#byName.get(letters(name ?? "")) ??
      (this.groups ? this.#byGroup.get(nameKey(name ?? "")) : undefined) ?? [];
    if (named.length === 0) {
      throw new RangeError(`nobody on the roster has the name ${quoted(name ?? "")}`);
    }
    const isGroup = named.every(({ group }) => group !== undefined && group === named[0]!.group);
    if (named.length > 1 && !(this.groups && isGroup)) {
      const ids = named.map((student) => `"${student.id}"`).join(" and ");
      throw new RangeError(
        `${ids} have the name ${
          quoted(name!)
        }: write their numbers into the roster's column "lms_user_id"`,
      );
    }
    return named[0]!;
  }
}

function add(map: Map<string, Student[]>, key: string, student: Student): void {
  map.set(key, [...map.get(key) ?? [], student]);
}

/** A name as course systems leave it in file names: letters and digits, without case, spaces and punctuation. */
function letters(name: string): string {
  return nameKey(name).replace(/[^\p{L}\p{M}\p{N}]+/gu, "");
}
