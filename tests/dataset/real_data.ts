/** Where the 1,100 pairs lie that some tests measure on; they are no part of this project. */

const folder = Deno.env.get("TUNEBOOK_TEST_DATA");

export const realData = {
  folder,
  /** For the name of a test that is skipped without it. */
  reason: folder ? "" : " (needs TUNEBOOK_TEST_DATA=<folder with instruction-data.json>)",
};
