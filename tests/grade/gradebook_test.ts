// The gradebook: nothing typed is lost, and damaged files are refused.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { answerId, Gradebook } from "../../lib/grade/gradebook.ts";
import { clampPenalty, secondsLate } from "../../lib/grade/late.ts";

const CELL = { notebook: "main", gradeId: "why", maxPoints: 2, manual: true };
const TEST = { notebook: "main", gradeId: "test", maxPoints: 3, manual: false };
const ANSWER = answerId({
  assignment: "week1",
  notebook: "main",
  gradeId: "why",
  student: "ada",
});
const note = (points: number, comment = "") => ({
  answer: ANSWER,
  marker: "kim",
  session: comment,
  edit: 1,
  points,
  rubric: ["a"],
  comment,
});

async function inFolder(work: (folder: string) => void | Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a gradebook gives back what it was given, after closing too", () =>
  inFolder((folder) => {
    const path = `${folder}/gradebook.db`;
    const assignment = { id: "week1", due: new Date("2026-01-02T03:04:05Z"), cells: [TEST, CELL] };
    const students = [{ id: "ada", firstName: "Ada", group: "g1" }, { id: "bob" }];
    const attempt = {
      student: "ada",
      assignment: "week1",
      attempt: 1,
      submitted: new Date("2026-01-02T03:04:04Z"),
      hash: "abc",
    };
    const verdict = {
      notebook: "main",
      gradeId: "test",
      points: 1.5,
      maxPoints: 3,
      status: "partial" as const,
      message: "half",
      seconds: 0.25,
    };
    {
      using book = Gradebook.open(path);
      book.putAssignment(assignment);
      book.putStudents(students);
      book.putSubmission(attempt, [{ ...verdict, points: 0 }]);
      book.appendMark(note(1), 0);
      book.putSubmission(attempt, [verdict]);
      assertThrows(() => book.putSubmission({ ...attempt, hash: "x" }, []), Error, "another one");
      assertThrows(
        () => book.putSubmission({ ...attempt, student: "eve" }, []),
        Error,
        'the student "eve" is unknown',
      );
      assertThrows(() => book.putStudents([{ id: "ok" }, { id: "a/b" }]), Error, '"a/b"');
    }
    using book = Gradebook.open(path);
    assertEquals(book.assignments(), [assignment]);
    assertEquals(book.students(), students);
    assertEquals(book.submissions("week1"), [attempt]);
    assertEquals(book.verdicts(attempt), [verdict]);
    assertEquals(book.mark(ANSWER)?.points, 1);
    // A cell that the assignment no longer has keeps its marks.
    book.putAssignment({ ...assignment, cells: [TEST] });
    assertEquals(book.assignments()[0].cells, [TEST]);
    assertEquals(book.history(ANSWER).length, 1);
  }));

Deno.test("a mark over a newer one is set aside; marks cannot be changed or deleted", () =>
  inFolder((folder) => {
    const path = `${folder}/gradebook.db`;
    using first = Gradebook.open(path);
    using second = Gradebook.open(path);
    assert(first.appendMark(note(1, "first"), 0).saved);
    const refused = second.appendMark(note(2, "second"), 0);
    if (refused.saved) throw new Error("a mark was overwritten");
    assertEquals(refused.current.comment, "first");
    assertEquals(second.setAside(ANSWER), [note(2, "second")]);
    assert(second.appendMark(note(2, "second"), 1).saved);
    assertEquals(first.history(ANSWER).map(({ version, points }) => [version, points]), [
      [1, 1],
      [2, 2],
    ]);
    assertEquals(first.addComment("q", "see page 3"), second.addComment("q", "see page 3"));
    assertEquals(first.comments("q").length, 1);
    const raw = new DatabaseSync(path);
    assertThrows(() => raw.exec("DELETE FROM marks"), Error, "marks are only added");
    assertThrows(() => raw.exec("UPDATE marks SET points = 9"), Error, "marks are only added");
    raw.close();
  }));

Deno.test("a backup holds everything and replaces no file", () =>
  inFolder((folder) => {
    using book = Gradebook.open(`${folder}/gradebook.db`);
    book.appendMark(note(1), 0);
    book.backup(`${folder}/backup.db`);
    assertThrows(() => book.backup(`${folder}/backup.db`), Error, "already exists");
    using copy = Gradebook.open(`${folder}/backup.db`);
    assertEquals(copy.history(ANSWER), book.history(ANSWER));
  }));

Deno.test("files that are damaged, newer or none of ours are refused in words", () =>
  inFolder(async (folder) => {
    const path = `${folder}/gradebook.db`;
    const raw = (sql: string, at = path) => {
      const db = new DatabaseSync(at);
      db.exec(sql);
      db.close();
    };
    Gradebook.open(path).close();
    raw("PRAGMA user_version = 99");
    assertThrows(() => Gradebook.open(path), Error, "a newer Tunebook wrote it");
    raw("CREATE TABLE t (x)", `${folder}/other.db`);
    assertThrows(() => Gradebook.open(`${folder}/other.db`), Error, "not a gradebook");
    await Deno.writeTextFile(`${folder}/text.db`, "not a database at all ".repeat(99));
    assertThrows(() => Gradebook.open(`${folder}/text.db`), Error, "restore a backup");
    raw("PRAGMA user_version = 1");
    const bytes = await Deno.readFile(path);
    await Deno.writeFile(path, bytes.fill(0xa5, 4096));
    assertThrows(() => Gradebook.open(path), Error, "damaged");
  }));

Deno.test("a gradebook whose writer is killed at random moments has lost nothing", () =>
  inFolder(async (folder) => {
    const path = `${folder}/gradebook.db`;
    for (let round = 0; round < 5; round++) {
      const child = new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "-A",
          "--no-check",
          new URL("gradebook_writer.ts", import.meta.url).href,
          path,
        ],
        stdout: "piped",
      }).spawn();
      let text = "";
      const lines = 1 + Math.floor(Math.random() * 50);
      let killed = false;
      for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
        text += chunk;
        if (!killed && text.split("\n").length > lines) {
          killed = true;
          child.kill("SIGKILL");
        }
      }
      await child.status;
      assert(killed, "the writer ended by itself");
      // The last line may be cut off: only whole lines count.
      const said = text.slice(0, text.lastIndexOf("\n")).split("\n").map(Number);
      using book = Gradebook.open(path);
      const history = book.history("week1/main/why/ada");
      assert(history.length >= said.at(-1)!, `${history.length} marks, said ${said.at(-1)}`);
      history.forEach(({ version, points, comment }, i) =>
        assertEquals([version, points, comment], [i + 1, i, `comment ${i + 1}`])
      );
    }
  }));

Deno.test("two processes that mark one answer at once lose nothing and overwrite nothing", () =>
  inFolder(async (folder) => {
    const path = `${folder}/gradebook.db`;
    Gradebook.open(path).close();
    const write = async () => {
      const child = new Deno.Command(Deno.execPath(), {
        args: [
          ...["run", "-A", "--no-check"],
          ...[new URL("gradebook_writer.ts", import.meta.url).href, path],
        ],
        stdout: "piped",
      }).spawn();
      let text = "";
      let killed = false;
      for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
        text += chunk;
        if (!killed && text.split("\n").length > 30) {
          killed = true;
          child.kill("SIGKILL");
        }
      }
      await child.status;
      return text.slice(0, text.lastIndexOf("\n")).split("\n").map(Number);
    };
    const [first, second] = await Promise.all([write(), write()]);
    assertEquals(new Set([...first, ...second]).size, first.length + second.length);
    using book = Gradebook.open(path);
    const history = book.history("week1/main/why/ada");
    assert(history.length >= Math.max(...first, ...second));
    history.forEach(({ version, points, comment }, i) =>
      assertEquals([version, points, comment], [i + 1, i, `comment ${i + 1}`])
    );
  }));

Deno.test("lateness and penalties are nbgrader's", () => {
  const due = new Date("2026-01-01T00:00:00Z");
  const at = (seconds: number) => new Date(due.getTime() + seconds * 1000);
  assertEquals(secondsLate(at(90), due), 90);
  assertEquals(secondsLate(at(90), due, 60_000), 30);
  assertEquals(secondsLate(at(90), due, 120_000), 0);
  assertEquals(secondsLate(at(-90), due), 0);
  assertEquals(secondsLate(undefined, due), 0);
  assertEquals(secondsLate(at(90), undefined), 0);
  assertEquals([clampPenalty(-1, 5), clampPenalty(3, 5), clampPenalty(9, 5)], [0, 3, 5]);
});
