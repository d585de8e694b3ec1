// The part of the prelude that notes how tests end: the kernel runs those that a cell and the modules
// that it imports register with `Deno.test`, after the cell, but does not report whether they pass.

/** How a test of a cell ended. */
export interface TestResult {
  name: string;
  /** The error's description, if it failed. */
  error?: { name: string; message: string; stack: string; causes: string[]; line?: number };
  /** How long it took. */
  seconds: number;
}

/** Runs inside the kernel: it may use nothing from outside its own body. */
export function watchTests(
  kernel: {
    describe: (error: unknown) => NonNullable<TestResult["error"]>;
    takeTests: () => TestResult[];
  },
): void {
  // deno-lint-ignore no-explicit-any
  type Any = any;
  const native = Deno.test as Any;
  let results: TestResult[] = [];
  kernel.takeTests = () => {
    const taken = results;
    results = [];
    return taken;
  };
  /** A test's arguments as one definition, whose function notes how it ends. */
  function noted(args: Any[]): Any {
    const definition: Any = {};
    for (const one of args) {
      if (typeof one === "string") definition.name = one;
      else if (typeof one === "function") definition.fn = one;
      else Object.assign(definition, one);
    }
    const { fn } = definition;
    definition.name ??= fn?.name;
    if (typeof fn !== "function") return definition; // refused by the kernel
    definition.fn = async function (context: Any) {
      const started = performance.now();
      const result: TestResult = { name: String(definition.name), seconds: 0 };
      results.push(result);
      try {
        await fn.call(this, context);
      } catch (error) {
        result.error = kernel.describe(error);
        throw error;
      } finally {
        result.seconds = (performance.now() - started) / 1000;
      }
    };
    return definition;
  }
  const test: Any = (...args: Any[]) => native(noted(args));
  for (const name of ["only", "ignore", "skip"]) {
    if (native[name]) test[name] = (...args: Any[]) => native[name](noted(args));
  }
  for (const name of Object.keys(native)) test[name] ??= native[name];
  Object.defineProperty(test, "name", { value: "test" });
  Object.defineProperty(Deno, "test", { value: test, configurable: true, writable: true });
}
