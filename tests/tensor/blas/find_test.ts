// A BLAS is checked before it is used: libraries that are wrong, crash or hang are not, and that is
// reported and remembered. The fastest of those that are right is chosen, once.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { pythonCandidates } from "../../../lib/tensor/cpu/blas/candidates.ts";
import { findBlas } from "../../../lib/tensor/cpu/blas/find.ts";
import { blasNeed } from "../../devices.ts";
import { denoDir, findProgram, findPython } from "../../support.ts";

const compiler = findProgram("CC", ["cc", "gcc", "clang"], "a C compiler: apt-get install gcc");
const here = fromFileUrl(new URL(".", import.meta.url));
const config = fromFileUrl(new URL("../../../deno.json", import.meta.url));
const need = Deno.build.os === "linux" ? compiler.needs : " (needs Linux)";

/** Folders with a fake library under the name that is looked for first, and a cache of their own. */
class Fakes {
  readonly folder = Deno.makeTempDirSync({ prefix: "tunebook-blas-" });

  constructor() {
    // The system's oneDNN, which is preferred, is hidden by empty files.
    for (const version of [2, 3]) {
      Deno.writeFileSync(join(this.folder, `libdnnl.so.${version}`), new Uint8Array());
    }
  }

  [Symbol.dispose]() {
    Deno.removeSync(this.folder, { recursive: true });
  }

  /** Compiles a library that has a fault, or none; replaces an earlier one. */
  async compile(fault?: string): Promise<void> {
    const beside = join(this.folder, "new.so");
    const { success, stderr } = await new Deno.Command(compiler.path, {
      args: [
        ...["-shared", "-fPIC", "-O3", ...fault ? [`-D${fault}`] : []],
        ...["-o", beside, join(here, "fake_blas.c")],
      ],
    }).output();
    assert(success, new TextDecoder().decode(stderr));
    await Deno.rename(beside, join(this.folder, "libopenblas.so.0"));
  }

  /** What a new process finds and computes with. */
  async look(env: Record<string, string> = {}, rights = ["-A"]) {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "--config", config, ...rights, join(here, "look.ts")],
      env: {
        TUNEBOOK_BLAS: "",
        VIRTUAL_ENV: "",
        CONDA_PREFIX: "",
        LD_LIBRARY_PATH: this.folder,
        XDG_CACHE_HOME: this.folder,
        DENO_DIR: denoDir(),
        ...env,
      },
    }).output();
    const [out, said] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assertEquals(code, 0, said);
    return JSON.parse(out);
  }
}

const FAULTS = {
  IGNORES_TRANSPOSE: "computes wrong products",
  FORGETS_THE_LAST_COLUMN: "computes wrong products",
  READS_WHAT_IT_OVERWRITES: "computes wrong products",
  WRITES_BEYOND_A_ROW: "computes wrong products",
  ROUNDS_TO_BFLOAT16: "computes wrong products",
  WRONG_FOR_VECTORS: "computes wrong products",
  NOT_FOR_THREADS: "computes wrong products",
  SKIPS_ZEROS: "computes wrong products",
  DIFFERENT_EACH_TIME: "computes wrong products",
  CRASHES: "crashes",
  CRASHES_WHEN_LOADED: "crashes",
  EXITS: "crashes",
  HANGS: "hangs",
  HANGS_WHEN_LOADED: "hangs",
};

for (const [fault, said] of Object.entries(FAULTS)) {
  const name = fault.toLowerCase().replaceAll("_", " ").replace(/^(wrong|not|different)/, "is $1");
  Deno.test({
    name: `a BLAS that ${name} is not used, and the device says so${need}`,
    ignore: need !== "",
    async fn() {
      using fakes = new Fakes();
      await fakes.compile(fault);
      // What hangs does so for ever: there is no need to wait long.
      const limit: Record<string, string> = said === "hangs"
        ? { TUNEBOOK_TEST_TIME_LIMIT: "3" }
        : {};
      const { search, facts, device } = await fakes.look(limit);
      assertEquals(search.refused[0].fault, said, JSON.stringify(search));
      const loaded = !fault.endsWith("WHEN_LOADED");
      assertEquals(search.refused[0].name, loaded ? "OpenBLAS 0.0.1" : "libopenblas.so.0");
      if (said === "computes wrong products") {
        assertMatch(
          search.refused[0].detail,
          / · .+ (is (off by|not a number|not the same twice)|loses what is not a number)/,
        );
      }
      // This machine may have another library, which is right.
      if (search.used) return;
      const reason = `${search.refused[0].name} ${said}`;
      assertEquals([facts.blas, facts.blasUnused], ["none", reason]);
      assertStringIncludes(device, `WebAssembly SIMD, since ${reason}`);
    },
  });
}

Deno.test({
  name: `a BLAS that is right is used, and checked once until it changes${need}`,
  ignore: need !== "",
  async fn() {
    using fakes = new Fakes();
    await fakes.compile();
    // Named, since it is slow.
    const named = { TUNEBOOK_BLAS: join(fakes.folder, "libopenblas.so.0") };
    const look = (env: Record<string, string> = {}) => fakes.look({ ...named, ...env });
    const first = await look();
    assertEquals(first.search.used, {
      name: "OpenBLAS 0.0.1",
      core: "Fake",
      path: join(fakes.folder, "libopenblas.so.0"),
    });
    assertEquals([first.facts.blas, first.facts.blasCore], ["OpenBLAS 0.0.1", "Fake"]);

    // A process without the right to check another relies on what is known.
    const kept = join(fakes.folder, "tunebook/blas.json");
    const before = await Deno.readTextFile(kept);
    const { timed: _, ...search } = first.search;
    assertEquals(await look(), { ...first, search });
    assertEquals(await Deno.readTextFile(kept), before, "it was checked twice");

    // Another variable can mean other kernels.
    const other = await look({ OPENBLAS_CORETYPE: "Prescott" });
    assertEquals(other.facts.OPENBLAS_CORETYPE, "Prescott");
    assertEquals(Object.keys(JSON.parse(await Deno.readTextFile(kept))).length, 2);

    await fakes.compile("FORGETS_THE_LAST_COLUMN");
    const wrong = /^Cannot use the BLAS ".+" that TUNEBOOK_BLAS names: it computes wrong products$/;
    assertMatch((await look()).error, wrong);

    // What is damaged, or of another shape, is not believed.
    for (const damage of ["{", "[]", JSON.stringify({ [Object.keys(JSON.parse(before))[0]]: 1 })]) {
      await Deno.writeTextFile(kept, damage);
      assertMatch((await look()).error, wrong);
    }
  },
});

/** A library that is fast, for tests beside slow ones: the one that this machine uses. */
const real = findBlas().used;

Deno.test({
  name:
    `a BLAS that is slower than our own kernels or than another is not used, and the choice stays${
      need || (real ? "" : ` (${blasNeed})`)
    }`,
  ignore: need !== "" || real === undefined,
  async fn() {
    using fakes = new Fakes();
    await fakes.compile();
    const { search, facts } = await fakes.look();
    if (!search.used) { // This machine may have another one, which is fast.
      assertEquals(search.slower, "OpenBLAS 0.0.1");
      assertEquals([facts.blas, facts.blasUnused], ["none", "OpenBLAS 0.0.1 is slower"]);
    }
    // The library of a Python environment, which is looked for where nothing was found before.
    const environment = join(fakes.folder, "python");
    const packages = join(environment, "lib/python3.11/site-packages/scipy.libs");
    await Deno.mkdir(packages, { recursive: true });
    const fast = join(packages, "libscipy_openblas-12345678.so");
    await Deno.symlink(real!.path, fast);
    const active = await fakes.look({ VIRTUAL_ENV: environment });
    if (search.used) {
      return assert(active.search.used.path !== join(fakes.folder, "libopenblas.so.0"));
    }
    assertEquals(active.search.used.path, fast);
    assertEquals(active.search.timed[0].name, "OpenBLAS 0.0.1");
    assertEquals(active.facts.blas, real!.name);
    // It stays when the environment is left.
    const { timed: _, ...chosen } = active.search;
    assertEquals(await fakes.look(), { ...active, search: chosen });
  },
});

const python = findPython("numpy", "scipy");

Deno.test({
  name: `the libraries of NumPy and SciPy are right, by their own names and widths${python.needs}`,
  ignore: !python.found || Deno.build.os !== "linux",
  async fn() {
    using fakes = new Fakes();
    Deno.env.set("VIRTUAL_ENV", dirname(dirname(python.path)));
    const paths = pythonCandidates().flat().filter((path) => path.includes("openblas"));
    Deno.env.delete("VIRTUAL_ENV");
    assert(paths.length > 0, `no OpenBLAS beside "${python.path}"`);
    for (const path of paths) {
      const { search } = await fakes.look({ TUNEBOOK_BLAS: path });
      assertEquals(search.used.path, path);
      assertMatch(search.used.name, /^OpenBLAS \d/);
    }
  },
});

Deno.test({
  name: `a BLAS that TUNEBOOK_BLAS names is refused by name${need}`,
  ignore: need !== "",
  async fn() {
    using fakes = new Fakes();
    await fakes.compile("CRASHES");
    const path = join(fakes.folder, "libopenblas.so.0");
    const { error } = await fakes.look({ TUNEBOOK_BLAS: path });
    assertEquals(error, `Cannot use the BLAS "${path}" that TUNEBOOK_BLAS names: it crashes`);
  },
});

Deno.test({
  name: `no BLAS is used where none can be checked, which is reported and not remembered${need}`,
  ignore: need !== "",
  async fn() {
    using fakes = new Fakes();
    await fakes.compile();
    const rights = ["--allow-read", "--allow-ffi", "--allow-env", "--allow-sys", "--no-prompt"];
    const { facts } = await fakes.look({}, rights);
    const named = { TUNEBOOK_BLAS: join(fakes.folder, "libopenblas.so.0") };
    assertEquals(facts.blas, "none");
    assertEquals(
      facts.blasUnused,
      "no BLAS can be checked here: this program has no right to start a process (--allow-run)",
    );
    assertEquals((await fakes.look(named)).facts.blas, "OpenBLAS 0.0.1");
  },
});

Deno.test("findBlas() finds nothing where TUNEBOOK_BLAS says so, and loads only what there is", () => {
  const before = Deno.env.get("TUNEBOOK_BLAS");
  try {
    Deno.env.set("TUNEBOOK_BLAS", "none");
    assertEquals(findBlas(), { refused: [] });
    Deno.env.set("TUNEBOOK_BLAS", "libnosuchblas.so");
    let message = "";
    try {
      findBlas();
    } catch (error) {
      message = (error as Error).message;
    }
    assertStringIncludes(message, 'Cannot load the BLAS "libnosuchblas.so"');
  } finally {
    if (before === undefined) Deno.env.delete("TUNEBOOK_BLAS");
    else Deno.env.set("TUNEBOOK_BLAS", before);
  }
});
