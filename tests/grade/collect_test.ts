// Submissions are collected from what course systems, nbgrader and people make: whose they are, which attempt counts,
// and that nothing hostile is written or stops the rest.

import { assertEquals, assertRejects } from "@std/assert";
import { dirname, join } from "@std/path";
import fc from "fast-check";
import { bundleFiles } from "../../lib/grade/bundle.ts";
import { collectSubmissions } from "../../lib/grade/collect.ts";
import { removeIfThere } from "../../lib/grade/replace_folder.ts";
import { collect, lay, makePlace, notebook, submitted, tree } from "./collecting.ts";
import { type RawEntry, rawZip } from "./raw_zip.ts";

const zip = (files: Record<string, string>, more: RawEntry[] = []) =>
  rawZip([...Object.entries(files).map(([name, data]) => ({ name, data })), ...more]);

Deno.test("each layout says whose a file is", async (t) => {
  const both = { "ada/week1/week1.ipynb": "a", "bob/week1/week1.ipynb": "b" };
  for (
    const [layout, files, expected] of [
      ["course", { "ada/week1/week1.ipynb": "a", "bob/week1/week1.ipynb": "b" }, both],
      [
        "course",
        { "submitted/ada/week1/week1.ipynb": "a", "submitted/bob/week1/week1.ipynb": "b" },
        both,
      ],
      ["students", { "ada/week1.ipynb": "a", "bob/src/week1.ipynb": "b" }, both],
      ["students", { "ada.ipynb": "a", "week1_bob.ipynb": "b" }, both],
      [
        "students",
        { "Ada Lovelace/week1.ipynb": "a", "Ångström-O'Hara, Bob/week1.ipynb": "b" },
        both,
      ],
      ["repositories", { "week1-ada/week1.ipynb": "a", "week1-BOB-main/week1.ipynb": "b" }, both],
      ["canvas", {
        "lovelaceada_1234_91_week1.ipynb": "a",
        "ångströmoharabob_LATE_1235_92_week1-3.ipynb": "b",
      }, both],
      ["moodle", {
        "Ada Lovelace_7712_assignsubmission_file_/week1.ipynb": "a",
        "Ångström-O'Hara Bob_7713_assignsubmission_file_/week1 (1).ipynb": "b",
      }, both],
      ["moodle", {
        "Ada Lovelace_7712_assignsubmission_file/week1.ipynb": "a",
        "Bob Ångström-OHara_7713_assignsubmission_file_week1.ipynb": "b",
      }, both],
      ["blackboard", {
        "week1_ada_attempt_2026-09-30-10-11-12_week1.ipynb": "a",
        "week1_bob_attempt_2026-09-30-10-11-13_week1.ipynb": "b",
        "week1_bob_attempt_2026-09-30-10-11-13.txt": "Name: Bob",
      }, {
        "ada/week1/timestamp.txt": "2026-09-30 10:11:12.000000 UTC",
        "ada/week1/week1.ipynb": "a",
        "bob/week1/timestamp.txt": "2026-09-30 10:11:13.000000 UTC",
        "bob/week1/week1.ipynb": "b",
      }],
      ["exchange", {
        "ada+week1+2026-09-30 10:00:00.5 UTC+x1/week1.ipynb": "a",
        "ada+week1+2026-09-30 10:00:00.5 UTC+x1/timestamp.txt": "2026-09-30 10:00:00.5 UTC",
      }, {
        "ada/week1/timestamp.txt": "2026-09-30 10:00:00.500000 UTC",
        "ada/week1/week1.ipynb": "a",
      }],
    ] as const
  ) {
    await t.step(`${layout}: ${Object.keys(files)[0]}`, async () => {
      const sources: Record<string, string> = Object.fromEntries(
        Object.entries(files).map((
          [path, text],
        ) => [path, path.endsWith(".ipynb") ? notebook(text) : text]),
      );
      for (const kind of ["folder", "zip", "inner"]) {
        await using place = await makePlace();
        const inner = Object.fromEntries(
          Object.entries(sources).map(([path, text]) => [`Export of 1 October/${path}`, text]),
        );
        const source = kind === "zip"
          ? join(await lay(place.sources, { "all.zip": zip(sources) }), "all.zip")
          : await lay(place.sources, kind === "inner" ? inner : sources);
        const result = await collect(place, source);
        if (kind !== "inner" || layout !== "course") assertEquals(result.layout, layout);
        if (kind === "inner" && layout === "course") continue;
        assertEquals(await submitted(place), expected);
        assertEquals(result.missing.includes("eve"), true);
        const before = await tree(place.course.root);
        const again = await collect(place, source);
        assertEquals(again.attempts.filter((one) => one.includes("new")), []);
        assertEquals(await tree(place.course.root), before);
      }
    });
  }
});

Deno.test("attempts are kept, and the newest that was accepted counts", async () => {
  await using place = await makePlace();
  const at = (time: string) => `ada+week1+2026-10-${time} UTC+x`;
  const one = await lay(join(place.sources, "1"), {
    [`${at("01 11:00:00")}/week1.ipynb`]: notebook("second"),
    [`${at("01 09:00:00")}/week1.ipynb`]: notebook("first"),
  });
  assertEquals((await collect(place, one)).attempts, ["ada 1 new", "ada 2 new counts"]);
  assertEquals((await submitted(place))["ada/week1/week1.ipynb"], "second");
  // Older than what counts; and after the last day on which anything is accepted.
  const two = await lay(join(place.sources, "2"), {
    [`${at("01 10:00:00")}/week1.ipynb`]: notebook("between"),
    [`${at("03 12:00:01")}/week1.ipynb`]: notebook("too late"),
  });
  const result = await collect(place, two);
  assertEquals(result.attempts, ["ada 3 new", "ada 4 new"]);
  assertEquals(result.findings, [
    `${
      at("03 12:00:01")
    } came after 2026-10-03T12:00:00.000Z, when nothing is accepted any more: it is kept, and attempt 2 counts`,
  ]);
  assertEquals(await submitted(place), {
    "ada/week1/timestamp.txt": "2026-10-01 11:00:00.000000 UTC",
    "ada/week1/week1.ipynb": "second",
  });
  const kept = await tree(join(place.course.root, "attempts", "ada", "week1"));
  assertEquals(
    Object.keys(kept).filter((path) => path.endsWith(".ipynb")).map((path) => kept[path]),
    ["first", "second", "between", "too late"],
  );
  assertEquals((await collect(place, one)).attempts, ["ada 1", "ada 2 counts"]);
});

Deno.test("what was put into submitted by hand, or edited there, is kept as an attempt", async () => {
  await using place = await makePlace();
  const folder = join(place.course.root, "submitted", "ada", "week1");
  await lay(folder, { "week1.ipynb": notebook("by hand"), "extra/data.txt": "1" });
  const source = await lay(place.sources, { "ada/week1.ipynb": notebook("collected") });
  assertEquals((await collect(place, source)).attempts, ["ada 2 new counts"]);
  await Deno.writeTextFile(join(folder, "week1.ipynb"), notebook("corrected"));
  await Deno.writeTextFile(join(folder, "timestamp.txt"), "2026-10-01 10:00:00 UTC");
  assertEquals((await collect(place, source)).attempts, ["ada 2"]);
  assertEquals(await submitted(place), {
    "ada/week1/timestamp.txt": "2026-10-01 10:00:00 UTC",
    "ada/week1/week1.ipynb": "corrected",
  });
  const kept = await tree(join(place.course.root, "attempts", "ada", "week1"));
  assertEquals([kept["1/extra/data.txt"], kept["2/week1.ipynb"]], ["1", "collected"]);
});

Deno.test("students are found by number and name, and confusion is refused", async () => {
  await using place = await makePlace();
  const source = await lay(place.sources, {
    // Eve calls herself as Ada, and names a file like Ada's.
    "lovelaceada_1234_9_x_1239_91_week1.ipynb": notebook("forged"),
    "lovelaceada_1239_92_week1.ipynb": notebook("renamed"),
    "nobody_1_93_week1.ipynb": notebook("x"),
    "leecho_55_94_week1.ipynb": notebook("either"),
    "adamseve_1239_95_week1.ipynb": notebook("good"),
    "anon_LATE_x9_96_week1.ipynb": notebook("x"),
  });
  const { attempts, findings, missing } = await collect(place, source);
  assertEquals(attempts, ["eve 1 new counts"]);
  assertEquals(findings, [
    'anon_LATE_x9_96_week1.ipynb is not named as the layout "canvas" has it: nobody\'s',
    'leecho_55_94_week1.ipynb is not taken: "cho" and "lee" have the name "leecho": write their numbers into the roster\'s column "lms_user_id"',
    "lovelaceada_1234_9_x_1239_91_week1.ipynb is not taken: its name can be read as that of 1234 and 1239",
    'lovelaceada_1239_92_week1.ipynb is not taken: the number "1239" is "eve" on the roster, but the name is "lovelaceada"',
    'nobody_1_93_week1.ipynb is not taken: nobody on the roster has the name "nobody"',
  ]);
  assertEquals(missing, ["ada", "bob", "cho", "lee"]);
  const moodle = await lay(join(place.sources, "moodle"), {
    "Ada Lovelace_1_assignsubmission_file_/week1.ipynb": notebook("x"),
    "Lovelace Ada_2_assignsubmission_file_/week1.ipynb": notebook("y"),
    "Eve Adams_3_assignsubmission_file_/week1.ipynb": notebook("good"),
  });
  const second = await collect(place, moodle);
  assertEquals(second.attempts, ["eve 1 counts"]);
  assertEquals(second.findings, [
    'Ada Lovelace_1_assignsubmission_file_ is not taken: 2 people of the source have the name of "ada"',
  ]);
});

Deno.test("one bad archive, link or file never stops the rest", async () => {
  await using place = await makePlace();
  const bomb = zip({ "week1.ipynb": "0".repeat(100_000) });
  const inner = zip({ "week1.ipynb": notebook("nested") });
  const source = await lay(place.sources, {
    "ada/broken.zip": new Uint8Array(100),
    "ada/week1.ipynb": notebook("a"),
    "bob/work.zip": zip({
      "hand in/week1.ipynb": notebook("b"),
      "__MACOSX/x": "",
      "data.csv": "1,2",
    }, [
      { name: "../../../../escape.ipynb", data: notebook("x") },
      { name: "link.ipynb", data: "/etc/passwd", mode: 0o120777 },
      { name: "secret.md", data: "x".repeat(30), flags: 1 },
      { name: "inner.zip", data: inner },
      { name: "run.sh", data: "x" },
      { name: "CON.md", data: "# x" },
      { name: "we\u0065\u0301k\u202e\n.md", data: "# y" },
    ]),
    "cho/bomb.zip": bomb,
    "eve/week1.ipynb": "not a notebook",
    "eve/essay.PDF": "%PDF-1.7\n",
    "eve/fake.pdf": "<script>",
    "eve/binary.md": "a\0b",
  });
  await Deno.symlink("/etc/passwd", join(source, "lee.ipynb"));
  const limits = { fileBytes: 50_000 };
  const { attempts, findings } = await collect(place, source, { limits });
  assertEquals(attempts, ["ada 1 new counts", "bob 1 new counts", "eve 1 new counts"]);
  assertEquals(findings.map((one) => one.replace(/(as a zip: ).*/, "$1…")), [
    'ada/broken.zip cannot be opened: Cannot open "broken.zip" as a zip: …',
    "bob/work.zip: ../../../../escape.ipynb is not taken: its path leads out of the folder",
    'bob/work.zip: CON.md is stored as "_CON.md"',
    "bob/work.zip: inner.zip is not opened: it is a zip in a zip",
    "bob/work.zip: link.ipynb is not taken: it is a symbolic link",
    "bob/work.zip: run.sh is not taken: the assignment accepts notebooks, Markdown, and PDF",
    "bob/work.zip: secret.md is not taken: it is encrypted",
    "bob/work.zip: we\u{e9}k".replace("\u{e9}", "e\u0301") +
    '\\u{202e}\\n.md is stored as "weék_.md"',
    "cho holds nothing that the assignment accepts",
    "cho/bomb.zip: week1.ipynb cannot be read: it holds more than 50000 bytes",
    "eve/binary.md is not taken: it is not a text",
    "eve/fake.pdf is not taken: it is not a PDF",
    "eve/week1.ipynb cannot be read as a notebook",
    "lee.ipynb is not taken: it is a symbolic link",
    "lee.ipynb holds nothing that the assignment accepts",
  ]);
  assertEquals(await submitted(place), {
    "ada/week1/week1.ipynb": "a",
    "bob/week1/_CON.md": "# x",
    "bob/week1/week1.ipynb": "b",
    "bob/week1/weék_.md": "# y",
    "eve/week1/essay.PDF": "%PDF-1.7",
    "eve/week1/week1.ipynb": "not a notebook",
  });
});

Deno.test("a student's folder that cannot be written does not stop the others", async () => {
  await using place = await makePlace();
  const source = await lay(place.sources, {
    "ada/week1.ipynb": notebook("a"),
    "bob/week1.ipynb": notebook("b"),
  });
  // A file where a folder belongs.
  await lay(join(place.course.root, "attempts"), { ada: "x" });
  const { attempts, findings } = await collect(place, source);
  assertEquals(attempts, ["bob 1 new counts"]);
  assertEquals(findings.map((one) => one.split(": ")[0]), ["ada cannot be collected"]);
});

Deno.test("the bundle that a student makes is collected as it is", async () => {
  await using place = await makePlace();
  const files = new Map([["week1.ipynb", new TextEncoder().encode(notebook("bundled"))]]);
  const source = await lay(place.sources, {
    "lovelaceada_1234_9_week1.zip": await bundleFiles(files),
  });
  const { layout, attempts, findings } = await collect(place, source);
  assertEquals([layout, attempts, findings], ["canvas", ["ada 1 new counts"], []]);
  assertEquals(await submitted(place), { "ada/week1/week1.ipynb": "bundled" });
});

Deno.test("Moodle's worksheet says who is behind a number, and when they handed in", async () => {
  await using place = await makePlace();
  const source = await lay(place.sources, {
    "Participant_11_assignsubmission_file_/week1.ipynb": notebook("cho"),
    "Lee Cho_12_assignsubmission_file_/week1.ipynb": notebook("lee"),
    "Eve Adams_13_assignsubmission_file_/week1.ipynb": notebook("eve"),
    "Ada Lovelace_14_assignsubmission_file_/week1.ipynb": notebook("ada"),
  });
  const worksheet = '\uFEFFIdentifier,"Full name","ID number","Email address",Status,Grade,' +
    '"Maximum Grade","Grade can be changed","Last modified (submission)"\r\n' +
    'Participant 11,"Cho Lee",,CHO@example.org,x,,10,Yes,"Wednesday, 30 September 2026, 11:05 PM"\r\n' +
    'Participant 12,"Lee Cho",lee,,x,,10,Yes,"Thursday, 1 October 2026, 12:01 AM"\r\n' +
    'Participant 13,"Eve Adams",,,x,,10,Yes,"mercredi 30 septembre 2026"\r\n' +
    'Participant 15,"Bob",bob,,x,,10,Yes,-\r\n';
  const { attempts, findings } = await collect(place, source, { worksheet });
  assertEquals(findings, []);
  assertEquals(attempts.map((one) => one.split(" ")[0]), ["ada", "cho", "eve", "lee"]);
  const files = await submitted(place);
  assertEquals(
    ["ada", "cho", "eve", "lee"].map((id) => files[`${id}/week1/timestamp.txt`]),
    [undefined, "2026-09-30 23:05:00.000000 UTC", undefined, "2026-10-01 00:01:00.000000 UTC"],
  );
  assertEquals(files["lee/week1/week1.ipynb"], "lee");
  const collecting = () => collect(place, source, { worksheet: "a,b\n1,2\n" });
  await assertRejects(collecting, SyntaxError, 'the column "Identifier" is missing');
});

Deno.test("a regular expression reads names that no layout has, as nbgrader's does", async () => {
  await using place = await makePlace();
  const source = await lay(place.sources, {
    "hw/2026-09-30-10-11-12 ADA week1.ipynb": notebook("a"),
    "hw/2026-09-30T12:11:12 bob week1.ipynb": notebook("b"),
    "hw/readme": "x",
  });
  const names = /(?<timestamp>[\d:T-]+) (?<student_id>\w+) (?<file_id>.+)$/su;
  const { attempts, findings } = await collect(place, source, { names });
  assertEquals(attempts, ["ada 1 new counts", "bob 1 new counts"]);
  assertEquals(findings, ['hw/readme is not named as the layout "named" has it: nobody\'s']);
  assertEquals(
    (await submitted(place))["ada/week1/timestamp.txt"],
    "2026-09-30 10:11:12.000000 UTC",
  );
});

Deno.test("a repository's time is that of its commit, and its settings run nothing", async () => {
  await using place = await makePlace();
  const source = await lay(place.sources, {
    "week1-ada/week1.ipynb": notebook("a"),
    "week1-bob/week1.ipynb": notebook("b"),
    "week1-eve/week1.ipynb": notebook("e"),
  });
  const git = async (student: string, ...args: string[]) => {
    const { success, stderr } = await new Deno.Command("git", {
      args: [
        "-C",
        join(source, `week1-${student}`),
        "-c",
        "user.name=x",
        "-c",
        "user.email=x",
        ...args,
      ],
      env: { GIT_COMMITTER_DATE: "2026-09-30T10:00:00+0200", GIT_CONFIG_GLOBAL: "/dev/null" },
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
  };
  const ran = join(place.sources, "ran");
  for (const student of ["ada", "bob"]) {
    await git(student, "init", "-q", "-b", "main");
    await git(student, "add", ".");
    await git(student, "commit", "-q", "-m", "x\n\ncommitter x <x> 1 +0000");
  }
  await git("bob", "gc", "-q");
  await Deno.writeTextFile(
    join(source, "week1-bob", ".git", "config"),
    [
      ...["[core]", "repositoryformatversion = 1", `fsmonitor = touch ${ran}`],
      ...["[log]", "showSignature = true", "[gpg]", `program = touch ${ran}`],
      ...["[extensions]", "partialClone = origin", '[remote "origin"]', "promisor = true"],
      `url = ext::touch ${ran}`,
    ].join("\n"),
  );
  await git("eve", "init", "-q", "-b", "main");
  await Deno.writeTextFile(
    join(source, "week1-eve", ".git", "refs", "heads", "main"),
    `${"0".repeat(39)}1\n`,
  );
  assertEquals((await collect(place, source)).layout, "repositories");
  const files = await submitted(place);
  assertEquals(files["ada/week1/timestamp.txt"], "2026-09-30 08:00:00.000000 UTC");
  assertEquals(files["bob/week1/timestamp.txt"], "2026-09-30 08:00:00.000000 UTC");
  assertEquals(files["eve/week1/timestamp.txt"], undefined);
  assertEquals(files["eve/week1/week1.ipynb"], "e");
  await assertRejects(() => Deno.stat(ran), Deno.errors.NotFound);
});

Deno.test("groups hand in under a member's or the group's name; other files are refused", async () => {
  await using place = await makePlace();
  const source = await lay(place.sources, {
    "Blue_17_assignsubmission_file_/team.ipynb": notebook("blue"),
    "Lee Cho_18_assignsubmission_file_/team.ipynb": notebook("x"),
    "Eve Adams_19_assignsubmission_file_/essay.md": "# x",
  });
  const { attempts, findings } = await collect(place, source, {}, "team");
  // Cho Lee or Lee Cho: both are of one group.
  assertEquals(attempts, ["ada 1 new counts", "cho 1 new counts"]);
  assertEquals(findings, [
    "Eve Adams_19_assignsubmission_file_ holds nothing that the assignment accepts",
    "Eve Adams_19_assignsubmission_file_/essay.md is not taken: the assignment accepts notebooks",
  ]);
});

Deno.test("what cannot be collected at all is an error in words", async () => {
  await using place = await makePlace();
  const source = await lay(place.sources, { "x/y.txt": "x", "x.zip": "x" });
  const fails = (assignment: string, path: string, message: string) =>
    assertRejects(() => collectSubmissions(place.course, assignment, path), Error, message);
  await fails("week1", source, "no file name says which student");
  await fails("week1", join(source, "none"), "there is no such file or folder");
  await fails("week1", join(source, "x.zip"), "as a zip");
  await fails("week9", source, "there is no release of it");
  await fails("../x", source, "cannot name a folder");
});

Deno.test("no archive writes outside of the submissions, whatever its names are", async () => {
  await using place = await makePlace();
  const { root } = place.course;
  const outside = async () => {
    const all = await tree(dirname(root));
    return Object.fromEntries(
      Object.entries(all).filter(([path]) => !/^course\/(submitted|attempts)\//.test(path)),
    );
  };
  const before = await outside();
  const part = fc.constantFrom(
    ...[
      "..",
      ".",
      "",
      "ada",
      "bob",
      "week1",
      "submitted",
      "C:",
      "~",
      "\\",
      "\0",
      "CON",
      "week1.ipynb",
      "a.md",
      "b.PDF",
    ],
    ...[
      "timestamp.txt",
      "week1-ada",
      "ada+week1+2026-09-01 10:00:00 UTC",
      "lovelaceada_1234_9_x.md",
      "é.md",
      "e\u0301.md",
    ],
  );
  const name = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("/"));
  const entry = fc.record({
    name: fc.oneof(name, fc.string({ unit: "binary", maxLength: 20 })),
    data: fc.constantFrom("# text", "%PDF-1", notebook("x"), zip({ "../../x.md": "# x" })),
    mode: fc.constantFrom(0o100644, 0o120777, 0),
  });
  const path = join(place.sources, "x.zip");
  await Deno.mkdir(place.sources);
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { maxLength: 6 }), async (entries) => {
      // One file that is someone's, so that there is a layout.
      await Deno.writeFile(
        path,
        rawZip([...entries, { name: "ada/week1.ipynb", data: notebook("a") }]),
      );
      await collectSubmissions(place.course, "week1", path);
      await Deno.remove(path);
      assertEquals(await outside(), before);
      for (const written of Object.keys(await submitted(place))) {
        assertEquals(
          /^(ada|bob|cho|lee|eve)\/week1\/[\p{L}\p{N}_][^/\\\0]*$/u.test(written),
          true,
          written,
        );
      }
      for (const step of ["attempts", "submitted"]) await removeIfThere(join(root, step));
    }),
    { numRuns: 40 },
  );
});
