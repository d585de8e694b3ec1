/**
 * A course as nbgrader's users write them, with their habits: a header, several notebooks in an assignment, names with
 * spaces, folders of data, markers in Python's comments and in the language's, answers that are whole cells, tasks, tests
 * that are not locked, helpers in plain cells, metadata and file formats of several years, another kernel's name.
 */

import { join } from "@std/path";
import { DatabaseSync } from "node:sqlite";

type Meta = Record<string, unknown>;
type ClassicCell = [type: "code" | "markdown", source: string, nbgrader?: Meta];

/** nbgrader's metadata of version 1: no `cell_type`, no `task`. */
const v1 = (grade_id: string, flags: Meta = {}): Meta => ({
  schema_version: 1,
  grade: false,
  solution: false,
  locked: false,
  ...flags,
  grade_id,
});
const v2 = (grade_id: string, flags: Meta = {}): Meta => ({
  ...v1(grade_id, flags),
  schema_version: 2,
});
const v3 = (grade_id: string, flags: Meta = {}): Meta => ({
  ...v1(grade_id, flags),
  schema_version: 3,
});

/** A notebook of format 4.0, whose cells have no ids. */
function notebook(kernelspec: Meta, ...cells: ClassicCell[]): string {
  return JSON.stringify({
    nbformat: 4,
    nbformat_minor: 0,
    metadata: { kernelspec, celltoolbar: "Create Assignment" },
    cells: cells.map(([cell_type, source, nbgrader]) => ({
      cell_type,
      metadata: { ...cell_type === "code" && { collapsed: false }, ...nbgrader && { nbgrader } },
      source: source.split(/(?<=\n)/),
      ...cell_type === "code" && { outputs: [], execution_count: null },
    })),
  });
}

const DENO = { name: "deno", display_name: "Deno", language: "typescript" };
/** As some editors leave it. */
const BARE = { name: "deno", display_name: "Deno" };

const HEADER = notebook(
  DENO,
  ["markdown", "Before you turn this in, restart the kernel and run all cells."],
  ["code", 'const NAME = "";\nconst COLLABORATORS = "";'],
  ["markdown", "---"],
);

const SQUARES = notebook(
  DENO,
  [
    "markdown",
    "For this problem set we use Jupyter:\n\n![](images/logo.svg)",
    v3("jupyter", { locked: true }),
  ],
  ["markdown", "---\n## Part A (2 points)\n\nWrite a function that squares."],
  [
    "code",
    `/** Squares of 1 to n. */
function squares(n: number): number[] {
    ### BEGIN SOLUTION
    if (n < 1) {
        throw new RangeError("n must be greater than or equal to 1");
    }
    return Array.from({ length: n }, (_, i) => (i + 1) ** 2);
    ### END SOLUTION
}`,
    v3("squares", { solution: true }),
  ],
  ["markdown", "It should print `[1, 4, 9]`:"],
  ["code", "squares(3)"],
  // A helper that nobody locked.
  [
    "code",
    `import assert from "node:assert";
function same(a: unknown, b: unknown) {
    assert.deepStrictEqual(a, b);
}`,
  ],
  [
    "code",
    `// Check that squares returns the correct output for several inputs
same(squares(1), [1]);
same(squares(2), [1, 4]);
### BEGIN HIDDEN TESTS
same(squares(10), [1, 4, 9, 16, 25, 36, 49, 64, 81, 100]);
### END HIDDEN TESTS`,
    v3("correct_squares", { grade: true, points: 1 }),
  ],
  [
    "code",
    `// Check that squares raises an error for invalid inputs
let raised = false;
try {
    squares(0);
} catch (error) {
    raised = error instanceof RangeError;
}
assert(raised, "did not raise");`,
    v3("squares_invalid_input", { grade: true, locked: false, points: 1 }),
  ],
  ["markdown", "---\n## Part B (1 point)"],
  [
    "code",
    "const sumOfSquares = (n: number) => squares(n).reduce((a, b) => a + b, 0);",
    v3(
      "sum_of_squares",
      { solution: true },
    ),
  ],
  [
    "code",
    `let points = 0;
for (const [n, sum] of [[1, 1], [2, 5], [10, 385], [11, 506]]) {
    if (sumOfSquares(n) === sum) points += 0.25;
}
points`,
    v3("correct_sum_of_squares", { grade: true, locked: true, points: 1 }),
  ],
  ["markdown", "---\n## Part C (1 point)\n\nWrite the equation."],
  ["markdown", "$\\sum_{i=1}^n i^2$", v3("equation", { grade: true, solution: true, points: 1 })],
  ["markdown", "---\n## Part D (2 points)\n\nFind a use for it."],
  ["code", "sumOfSquares(4);", v3("application", { grade: true, solution: true, points: 2 })],
  [
    "markdown",
    `---
## Part E (4 points)

State the formulae.

=== BEGIN MARK SCHEME ===
Two points for each.
=== END MARK SCHEME ===`,
    v3("cell-938593c4a215c6cc", { locked: true, points: 4, task: true }),
  ],
);

const READING = notebook(
  BARE,
  ["markdown", "# Problem 2\n\nRead `data/temperatures 2026.csv`."],
  [
    "code",
    `async function readTable(path: string): Promise<Record<string, number>> {
  // BEGIN SOLUTION
  const text = await Deno.readTextFile(path);
  const rows = text.trim().split("\\n").slice(1).map((line) => line.split(","));
  return Object.fromEntries(rows.map(([city, degrees]) => [city, Number(degrees)]));
  // END SOLUTION
}`,
    v2("read_table", { solution: true }),
  ],
  [
    "code",
    `const table = await readTable("data/temperatures 2026.csv");
if (table.Oslo !== -3.5) throw new Error("Oslo is " + table.Oslo);
// BEGIN HIDDEN TESTS
if (Object.keys(table).length !== 3) throw new Error("there are three cities");
// END HIDDEN TESTS`,
    v2("test_read_table", { grade: true, locked: true, points: 2 }),
  ],
  [
    "code",
    `class Thermometer {
  #degrees: number;
  constructor(degrees: number) { this.#degrees = degrees; }
  get fahrenheit() { return this.#degrees * 9 / 5 + 32; }
  warm(by: number) { this.#degrees += by; return this; }
}`,
    v1("thermometer", { solution: true }),
  ],
  [
    "code",
    `const thermometer = new Thermometer(0);
console.assert(thermometer.fahrenheit === 32);
if (thermometer.warm(100).fahrenheit !== 212) {
  throw new Error("water boils at 212 °F");
}`,
    v1("test_thermometer", { grade: true, locked: true, points: 1.5 }),
  ],
);

/** What students are worth, in the points of tests; a person marks 7 more of Problem 1. */
export const EXPECTED: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  "bit diddle": {
    correct_squares: 1,
    squares_invalid_input: 1,
    correct_sum_of_squares: 1,
    test_read_table: 2,
    test_thermometer: 1.5,
  },
  hacker: {
    correct_squares: 0,
    squares_invalid_input: 0,
    correct_sum_of_squares: 0.75,
    test_read_table: 0,
    test_thermometer: 1.5,
  },
  // Nothing of Problem 2.
  reasoner: {
    correct_squares: 1,
    squares_invalid_input: 0,
    correct_sum_of_squares: 1,
  },
};

const GOOD_SQUARES = `function squares(n: number): number[] {
  if (n < 1) throw new RangeError("no");
  const all: number[] = [];
  for (let i = 1; i <= n; i++) all.push(i * i);
  return all;
}`;

const ANSWERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "bit diddle": {
    squares: GOOD_SQUARES,
    sum_of_squares: "const sumOfSquares = (n: number) => n * (n + 1) * (2 * n + 1) / 6;",
    equation: "$$\\sum_i i^2$$",
    application: "sumOfSquares(24); // cannonballs",
    read_table: `async function readTable(path: string) {
  const table: Record<string, number> = {};
  for (const line of (await Deno.readTextFile(path)).split("\\n").slice(1)) {
    const [city, degrees] = line.split(",");
    if (city) table[city] = parseFloat(degrees);
  }
  return table;
}`,
    thermometer: `class Thermometer {
  constructor(public degrees: number) {}
  get fahrenheit() { return this.degrees * 1.8 + 32; }
  warm(by: number) { return new Thermometer(this.degrees + by); }
}`,
  },
  hacker: {
    squares: "function squares(n: number): number[] {\n  return [1, 4].slice(0, n);\n}",
    sum_of_squares: "const sumOfSquares = (n: number) => ({ 1: 1, 2: 5, 10: 385 })[n] ?? 0;",
    read_table: `async function readTable(path: string) { return { Oslo: -3.5 }; }`,
    thermometer: `class Thermometer {
  constructor(public degrees: number) {}
  get fahrenheit() { return this.degrees * 1.8 + 32; }
  warm(by: number) { this.degrees += by; return this; }
}`,
  },
  reasoner: {
    squares: "function squares(n: number): number[] {\n" +
      "  return Array.from({ length: n }, (_, i) => (i + 1) ** 2);\n}",
    sum_of_squares: "const sumOfSquares = (n: number) => squares(n).reduce((a, b) => a + b, 0);",
    equation: "The sum of the squares.",
  },
};

/** The assignment's id. */
export const ASSIGNMENT = "Problem Set 1";

/**
 * Writes the course as its instructor has it, before anything was released.
 *
 * @param root An empty folder.
 */
export async function writeClassicCourse(root: string): Promise<void> {
  const files: Record<string, string> = {
    "nbgrader_config.py": `c = get_config()

###############################################################################
# Begin additions by nbgrader quickstart
###############################################################################

# You only need this if you are running nbgrader on a shared
# server set up.
c.CourseDirectory.course_id = "course101"

c.IncludeHeaderFooter.header = "source/header.ipynb"
c.ClearSolutions.code_stub = {
    'typescript': '// YOUR CODE HERE\\nthrow new Error("No Answer Given!")',
}

###############################################################################
# End additions by nbgrader quickstart
###############################################################################

# c.ClearSolutions.text_stub = 'YOUR ANSWER HERE'
`,
    // Imports of the course's own, for editors.
    "deno.json": '{"imports": {"@std/path": "./nowhere.ts", "helpers/": "./helpers/"}}',
    "source/header.ipynb": HEADER,
    [`source/${ASSIGNMENT}/Problem 1.ipynb`]: SQUARES,
    [`source/${ASSIGNMENT}/Problem 2.ipynb`]: READING,
    [`source/${ASSIGNMENT}/data/temperatures 2026.csv`]:
      "city,degrees\nOslo,-3.5\nCairo,31\nLima,19\n",
    [`source/${ASSIGNMENT}/images/logo.svg`]: '<svg xmlns="http://www.w3.org/2000/svg"/>',
    [`source/${ASSIGNMENT}/.ipynb_checkpoints/Problem 1-checkpoint.ipynb`]: SQUARES,
  };
  for (const [path, text] of Object.entries(files)) await write(join(root, path), text);
  using db = new DatabaseSync(join(root, "gradebook.db"));
  db.exec(`
    CREATE TABLE student (id VARCHAR(128) NOT NULL PRIMARY KEY, first_name VARCHAR(128), last_name VARCHAR(128),
      email VARCHAR(128), lms_user_id VARCHAR(128));
    CREATE TABLE assignment (id VARCHAR(32) NOT NULL PRIMARY KEY, name VARCHAR(128) NOT NULL, duedate DATETIME,
      course_id VARCHAR(128) NOT NULL);
    CREATE TABLE submitted_assignment (id VARCHAR(32) NOT NULL PRIMARY KEY, assignment_id VARCHAR(32),
      student_id VARCHAR(128), timestamp DATETIME, extension DATETIME);
    INSERT INTO student VALUES ('bit diddle', 'Ben', 'Bitdiddle', NULL, NULL), ('hacker', 'Alyssa', 'Hacker', NULL, NULL),
      ('reasoner', 'Louis', 'Reasoner', NULL, NULL), ('absent', NULL, NULL, NULL, NULL);
    INSERT INTO assignment VALUES ('a1', '${ASSIGNMENT}', '2026-02-02 23:00:00.000000', 'course101');
  `);
}

/**
 * Hands in what students made of the release, as nbgrader's exchange names it.
 *
 * @param release The folder of the release.
 * @param inbox An empty folder.
 */
export async function handInClassic(release: string, inbox: string): Promise<void> {
  for (const [student, answers] of Object.entries(ANSWERS)) {
    const folder = join(inbox, `${student}+${ASSIGNMENT}+2026-02-02 22:00:00.000000 UTC`);
    for (const name of ["Problem 1", "Problem 2"]) {
      if (student === "reasoner" && name === "Problem 2") continue;
      const released = JSON.parse(await Deno.readTextFile(join(release, `${name}.ipynb`)));
      for (const cell of released.cells) {
        const source = answers[cell.metadata.nbgrader?.grade_id];
        if (source !== undefined) cell.source = source;
      }
      await write(join(folder, `${name}.ipynb`), JSON.stringify(released));
    }
    await write(join(folder, "timestamp.txt"), "2026-02-02 22:00:00.000000 UTC");
    await write(join(folder, "data", "temperatures 2026.csv"), "city,degrees\nOslo,99\n");
  }
}

async function write(path: string, text: string): Promise<void> {
  await Deno.mkdir(join(path, ".."), { recursive: true });
  await Deno.writeTextFile(path, text);
}
