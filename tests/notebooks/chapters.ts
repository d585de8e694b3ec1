// Which chapters slow tests run: a few in CI; TUNEBOOK_CHAPTERS names others, as "02,03", or "all".

/** The files of all chapters. */
const ALL = [...Deno.readDirSync(new URL("../../notebooks", import.meta.url))]
  .map(({ name }) => name).filter((name) => /^(0[1-9]|10)_.*\.ipynb$/.test(name)).sort();

/**
 * The chapters to run.
 *
 * @param inCi The numbers of those that run where no others are asked for, as `"02,03"`.
 * @returns Their files, in order.
 */
export function chaptersToRun(inCi: string): string[] {
  const asked = Deno.env.get("TUNEBOOK_CHAPTERS") ?? inCi;
  return ALL.filter((name) =>
    asked === "all" || asked.split(",").some((start) => name.startsWith(start))
  );
}
