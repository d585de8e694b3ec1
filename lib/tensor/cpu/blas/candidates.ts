/**
 * Which libraries there may be: the system's, and those that packages of the active Python environment carry.
 *
 * @module
 */

import { join } from "@std/path/join";

/** Names of one library, of which the first that exists is taken. */
export type Candidate = readonly string[];

/** The system's libraries, those that should be used where they are as fast first. */
const SYSTEM: Readonly<Record<string, readonly Candidate[]>> = {
  darwin: [["/System/Library/Frameworks/Accelerate.framework/Accelerate"]],
  windows: [["libopenblas.dll", "openblas.dll"], ["mkl_rt.3.dll", "mkl_rt.2.dll"]],
  linux: [
    ["libdnnl.so.3", "libdnnl.so.2"],
    ["libopenblas.so.0", "libopenblas.so"],
    ["libmkl_rt.so.3", "libmkl_rt.so.2", "libmkl_rt.so"],
    ["libblis.so.4"],
  ],
};

/** A library in a Python environment: NumPy's and SciPy's OpenBLAS, MKL, BLIS or oneDNN. */
const PYTHON_LIBRARY =
  /^(lib(scipy_)?openblas(64_|p)?[-.\w]*|libmkl_rt|mkl_rt|libblis|libdnnl)(\.\d+)*\.(so|dylib|dll)(\.\d+)*$/;

/**
 * Lists the system's libraries.
 *
 * @returns Names and paths that the system's loader knows where there is such a library.
 */
export function systemCandidates(): readonly Candidate[] {
  return SYSTEM[Deno.build.os] ?? SYSTEM.linux;
}

/**
 * Looks for libraries in the Python environment that is active: the one that `VIRTUAL_ENV` or `CONDA_PREFIX` names.
 *
 * @returns Paths of files.
 */
export function pythonCandidates(): readonly Candidate[] {
  const roots = ["VIRTUAL_ENV", "CONDA_PREFIX"].flatMap((name) => Deno.env.get(name) || []);
  return roots.flatMap(libraryFolders).flatMap((folder) =>
    list(folder).filter((name) => PYTHON_LIBRARY.test(name)).map((name) => [join(folder, name)])
  );
}

/** Folders of an environment that hold such libraries. */
function libraryFolders(root: string): string[] {
  if (Deno.build.os === "windows") {
    const packages = join(root, "Lib", "site-packages");
    return [join(root, "Library", "bin"), ...packageFolders(packages)];
  }
  const folder = join(root, "lib");
  return [
    folder,
    ...list(folder).filter((name) => name.startsWith("python3"))
      .flatMap((name) => packageFolders(join(folder, name, "site-packages"))),
  ];
}

function packageFolders(packages: string): string[] {
  return ["numpy.libs", "scipy.libs", "numpy/.dylibs", "scipy/.dylibs"]
    .map((name) => join(packages, name));
}

/** Names in a folder, sorted; none if it is missing. */
function list(folder: string): string[] {
  try {
    return Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
  } catch {
    return [];
  }
}
