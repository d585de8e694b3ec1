/** Instruction entries. */

/** Fields that say something about an entry and are never learnt. */
export interface CarriedFields {
  /** The entry's name or number. */
  id?: string | number;
  /** Dolly's kind of task, such as `closed_qa`. */
  category?: string;
  /** The kind of its task, such as `summarization`, for stratified splits, balance and losses by topic. */
  topic?: string;
  /** Where it is from. */
  source?: string;
}

/** The names of {@linkcode CarriedFields}. */
export const CARRIED_FIELDS: readonly (keyof CarriedFields)[] = [
  "id",
  "category",
  "topic",
  "source",
];

/**
 * The topic of an entry.
 *
 * @param entry The entry.
 * @returns Its topic, or Dolly's category if it has none; undefined without both.
 */
export function topicOf({ topic, category }: CarriedFields): string | undefined {
  return topic ?? category;
}

/** One pair of a data set. */
export interface InstructionEntry extends CarriedFields {
  /** The task. */
  instruction: string;
  /** The input of the task; empty if the instruction needs none. */
  input: string;
  /** The response to learn. */
  output: string;
  /** The weight of its tokens in losses, a number above 0; 1 by default. */
  weight?: number;
}

/** A text that is learnt whole, without a prompt. */
export interface TextEntry extends CarriedFields {
  /** The text. */
  text: string;
  /** The weight of its tokens in losses, a number above 0; 1 by default. */
  weight?: number;
}
