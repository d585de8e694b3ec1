// Options that the subcommands of `tunebook grade` share.

import { Option } from "commander";

/** The option that names the course folder. */
export function courseOption(): Option {
  return new Option("--course <folder>", "the course folder").default(".");
}

/** The option that grades without a sandbox. */
export function unsafeOption(): Option {
  return new Option(
    "--unsafe",
    "run students' code without a sandbox, where this system has none: it can then do all that you can",
  ).default(false);
}
