// Zips that Python writes are read, and downloads are collected as nbgrader collects them.

import { assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { collectSubmissions } from "../../lib/grade/collect.ts";
import { findPython } from "../support.ts";
import { collect, lay, makePlace, notebook, submitted } from "./collecting.ts";

const python = findPython();
const nbgrader = findPython("nbgrader");

const script = (name: string) => fromFileUrl(new URL(name, import.meta.url));

Deno.test({
  name: `zips by Python's zipfile are read, with all that it can write${python.needs}`,
  ignore: !python.found,
  fn: async () => {
    await using place = await makePlace();
    const folder = join(place.sources, "zips");
    await lay(place.sources, { "week1.ipynb": notebook("python") });
    await Deno.mkdir(folder);
    await python.run(script("python_zips.py"), join(place.sources, "week1.ipynb"), folder);
    const canvas = await collect(place, join(folder, "all.zip"));
    assertEquals(canvas.attempts, ["ada 1 new counts"]);
    await Deno.remove(join(folder, "all.zip"));
    const { attempts, findings } = await collect(place, folder);
    assertEquals(attempts, ["ada 1 counts", "bob 1 new counts", "eve 1 new counts"]);
    assertEquals(findings.map((line) => line.replace(/(cannot be read: ).*/, "$1…")), [
      "ada.zip: link.ipynb is not taken: it is a symbolic link",
      'bob.zip: naïve 🎓.md is stored as "naïve _.md"',
      "cho.zip holds nothing that the assignment accepts",
      "cho.zip: week1.ipynb cannot be read: …",
    ]);
    assertEquals(await submitted(place), {
      "ada/week1/week1.ipynb": "python",
      "bob/week1/naïve _.md": "# x",
      "bob/week1/week1.ipynb": "python",
      "eve/week1/week1.ipynb": "python",
    });
  },
});

Deno.test({
  name: `downloads are collected as nbgrader zip_collect does${nbgrader.needs}`,
  ignore: !nbgrader.found,
  fn: async () => {
    await using theirs = await makePlace();
    await using ours = await makePlace();
    const downloads = "downloaded/week1/archive";
    const file = (student: string, time: string) =>
      `${downloads}/week1_${student}_attempt_2026-01-30-${time}_week1.ipynb`;
    for (const { course } of [theirs, ours]) {
      await lay(course.root, {
        [file("ada", "20-30-00")]: notebook("first"),
        [file("ada", "21-30-00")]: notebook("second"),
        [file("bob", "20-30-00")]: notebook("bob"),
      });
    }
    await nbgrader.run(script("nbgrader_zip_collect.py"), theirs.course.root, "week1");
    await collectSubmissions(ours.course, "week1", join(ours.course.root, downloads));
    const [expected, found] = [await submitted(theirs), await submitted(ours)];
    // nbgrader reads minutes and seconds of such a name as a time zone: times are compared with the name.
    const times = ["ada", "bob"].map((id) => `${id}/week1/timestamp.txt`);
    assertEquals(times.map((path) => found[path]), [
      "2026-01-30 21:30:00.000000 UTC",
      "2026-01-30 20:30:00.000000 UTC",
    ]);
    for (const path of times) for (const files of [expected, found]) delete files[path];
    assertEquals(found, expected);
    assertEquals(found["ada/week1/week1.ipynb"], "second");
  },
});
