/**
 * Texts that are learnt from their first word to their last.
 *
 * @module
 */

import { type Form, readLearnt, readWeight } from "./form.ts";

/** Plain text. */
export const text: Form = {
  name: "text",
  title: "text",
  fields: {
    text:
      "a text that is learnt whole, whatever the mask, and closed with the token that ends a text; names of special tokens in it are these tokens",
    weight: "the weight of the entry's tokens in losses, above 0",
  },
  example: { text: "Once upon a time." },
  recognises: (has) => has("text"),
  read: (row) => ({ text: readLearnt(row, "text"), ...readWeight(row) }),
};
