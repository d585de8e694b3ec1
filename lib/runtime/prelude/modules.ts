// The part of the prelude that reloads edited local modules: a module that was changed since it was
// loaded, and every module that imports it, gets a new URL when a cell imports again. It also
// resolves this library's name if no deno.json maps it.

/** Runs inside the kernel: it may use nothing from outside its own body. */
export function watchModules(
  kernel: {
    onBegin: () => void;
    /** Called with the version of a package that the notebook imports without a version. */
    notePackage: (specifier: string, version: string) => void;
  },
  library: Readonly<Record<string, string>>,
): void {
  interface Loaded {
    stamp: string;
    version: number;
    importers: Set<string>;
  }
  const loaded = new Map<string, Loaded>();
  const marker = "tunebook-version=";
  // Whether files have been checked since the cell began.
  let fresh = false;
  kernel.onBegin = () => fresh = false;

  const stampOf = (url: string) => {
    try {
      const { mtime, size } = Deno.statSync(new URL(url));
      return `${mtime?.getTime()} ${size}`;
    } catch {
      return ""; // The import reports it.
    }
  };
  function look() {
    fresh = true;
    const changed = new Set<string>();
    const change = (url: string) => {
      if (changed.has(url)) return;
      changed.add(url);
      loaded.get(url)?.importers.forEach(change);
    };
    for (const [url, module] of loaded) {
      const stamp = stampOf(url);
      if (stamp === module.stamp) continue;
      module.stamp = stamp;
      change(url);
    }
    for (const url of changed) {
      const module = loaded.get(url);
      if (module !== undefined) module.version++;
    }
  }
  /** Own files, not packages: those have a version in their path. */
  const isOwn = (url: string) =>
    url.startsWith("file:") && !/[?#]|\/node_modules\/|\/\d+\.\d+\.\d+[^/]*\//.test(url);
  const plain = (url: string) => url.replace(new RegExp(`\\?${marker}\\d+$`), "");

  // deno-lint-ignore no-explicit-any
  const { process } = globalThis as any;
  const { createRequire, registerHooks } = process.getBuiltinModule("node:module");
  const { existsSync, readFileSync } = process.getBuiltinModule("node:fs");
  const { fileURLToPath } = process.getBuiltinModule("node:url");

  /** Whether a package's file is an ES module by its name, or by the nearest package.json. */
  function isModule(url: string): boolean {
    if (!url.startsWith("file:") || /\.(?:cjs|json|node|wasm)$/.test(url)) return false;
    if (url.endsWith(".mjs")) return true;
    for (let folder = new URL(".", url); folder.pathname !== "/"; folder = new URL("..", folder)) {
      const file = fileURLToPath(new URL("package.json", folder));
      if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8")).type === "module";
    }
    return false;
  }

  const noted = new Set<string>();
  /** A package's folder has its version in its name, on disk and on servers. */
  function notePackage(specifier: string, url: string) {
    const version = /[/@](\d+\.\d+\.\d+[^/]*)\//.exec(url)?.[1];
    if (version === undefined || specifier.includes(version)) return;
    // A package once, however many of its modules are imported.
    const name = /^(?:\w+:\/?)?(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;
    if (noted.has(name)) return;
    noted.add(name);
    kernel.notePackage(name, version);
  }

  const hooks = {
    // deno-lint-ignore no-explicit-any
    resolve(specifier: string, context: any, next: any) {
      const { parentURL } = context;
      const parent = parentURL === undefined || parentURL === null ? "" : plain(parentURL);
      // A module keeps its own URL, but not another's version.
      const resolved = next(specifier, parent === "" ? context : { ...context, parentURL: parent });
      if (typeof resolved?.url !== "string") {
        // The notebook's own deno.json or package.json goes first.
        return Object.hasOwn(library, specifier)
          ? { url: library[specifier], shortCircuit: true }
          : resolved;
      }
      if (!isOwn(resolved.url)) {
        if (parent === "" || isOwn(parent)) notePackage(specifier, resolved.url);
        // With a hook in place, Deno cannot load an ES module for a require() (2.9.6: "Cannot resolve
        // module"). So it is loaded here without one, and require() finds it.
        if (parent !== "" && context.conditions?.includes("require") && isModule(resolved.url)) {
          registered.deregister();
          try {
            createRequire(parent)(specifier);
          } catch {
            // The package itself fails in the same way.
          } finally {
            registered = registerHooks(hooks);
          }
        }
        return resolved;
      }
      if (!fresh) look();
      const { url } = resolved;
      let module = loaded.get(url);
      if (module === undefined) {
        module = { stamp: stampOf(url), version: 0, importers: new Set() };
        loaded.set(url, module);
      }
      if (parent !== "") module.importers.add(parent);
      if (module.version === 0) return resolved;
      return { ...resolved, url: `${url}?${marker}${module.version}` };
    },
  };
  let registered = registerHooks(hooks);
}
