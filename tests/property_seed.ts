/**
 * Loaded by `deno task test` before the tests: property tests draw the same inputs in every run, so that one that
 * passes here passes for everyone. A test file run alone draws new ones, and so does `deno task fuzz`;
 * `TUNEBOOK_PROPERTY_SEED` chooses others for the whole suite.
 */

import fc from "fast-check";

fc.configureGlobal({ seed: Number(Deno.env.get("TUNEBOOK_PROPERTY_SEED") ?? 1) });
