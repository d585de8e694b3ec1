// The part of the prelude that says which name or file of an import does not exist, where the kernel
// leaves a variable undefined.

/** Runs inside the kernel: it may use nothing from outside its own body. */
export function checkImports(
  kernel: {
    exportsOf: (
      module: Record<string, unknown>,
      specifier: string,
      names: string[],
      used: string[],
    ) => Record<string, unknown>;
    found: (loading: Promise<unknown>, specifier: string) => Promise<unknown>;
    meta: { url: string };
  },
): void {
  /** How many characters must change to make one text the other. */
  function distance(a: string, b: string): number {
    let row = Array.from({ length: b.length + 1 }, (_, j) => j);
    for (let i = 1; i <= a.length; i++) {
      const next = [i];
      for (let j = 1; j <= b.length; j++) {
        const change = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
        next.push(Math.min(change, row[j] + 1, next[j - 1] + 1));
      }
      row = next;
    }
    return row[b.length];
  }
  function mostChanges(length: number): number {
    return length < 4 ? 1 : Math.max(2, Math.floor(length / 3));
  }
  /** The rule of `similarName()`, which this text cannot import: it is sent to the kernel. */
  function hint(name: string, known: string[]): string {
    const [best] = known
      .map((one) => ({ one, far: distance(name.toLowerCase(), one.toLowerCase()) }))
      .filter(({ one, far }) => far <= mostChanges(Math.min(name.length, one.length)))
      .sort((a, b) => a.far - b.far);
    return best === undefined ? "" : `; did you mean "${best.one}"?`;
  }
  kernel.exportsOf = (module, specifier, names, used) => {
    for (const name of names) {
      if (name in module) continue;
      // A name in capitals that the cell never uses as a value may be a type's.
      const mayBeType = name !== "default" && !/^[a-z_$]/.test(name) && !used.includes(name);
      if (mayBeType) continue;
      const what = name === "default" ? "its default export" : `"${name}"`;
      const known = Object.keys(module).filter((one) => one !== "default");
      const told = name === "default"
        ? `; it exports ${known.slice(0, 5).join(", ") || "nothing"}`
        : hint(name, known);
      throw new SyntaxError(
        `Cannot import ${what} from "${specifier}": the module has no such export${told}`,
      );
    }
    return module;
  };
  kernel.found = async (loading, specifier) => {
    try {
      return await loading;
    } catch (error) {
      const { message } = error as Error;
      if (message.startsWith("The lockfile is out of date")) {
        throw new TypeError(
          `Cannot import "${specifier}": the lock file of this folder's deno.json does not have it and ` +
            'is frozen; add it with "deno add --frozen=false", or move the notebook to a folder of its own',
        );
      }
      if (!/^\.{0,2}\//.test(specifier) || !/not found|Cannot find|No such file/i.test(message)) {
        throw error;
      }
      let told = "";
      try {
        const url = new URL(specifier, kernel.meta.url);
        if (!message.includes(url.href)) throw error; // another module's import
        const files = [...Deno.readDirSync(new URL(".", url))].map(({ name }) => name);
        const name = decodeURIComponent(url.pathname.split("/").at(-1)!);
        told = hint(name, files);
      } catch {
        // Nothing to suggest.
      }
      throw told === "" ? error : new TypeError(message + told);
    }
  };
}
