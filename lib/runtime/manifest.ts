// The manifest: how a notebook's outputs were produced, so that they can be reproduced and checked.

/** One fact that library code recorded while the notebook ran (device, seeds, hashes of data and weights). */
export interface ProvenanceEntry {
  /** What the entry is about, for example `"device"`, `"data"`, `"weights"`, `"seed"`. */
  kind: string;
  /** A fact by its name. */
  [fact: string]: unknown;
}

/** One run of a cell, in the order in which cells ran. */
export interface ManifestCell {
  /** The cell's id in the executed notebook. */
  id: string;
  /** The cell's execution count; null if it did not start. */
  executionCount: number | null;
  /** Wall time from sending the cell to its last output. */
  seconds: number;
  /** SHA-256 of its code; manifests up to Tunebook 0.1.0 lack it. */
  sha256?: string;
  /** Whether its state and outputs were taken from the cache instead of running it. */
  restored?: true;
}

/** How a notebook's outputs were produced. */
export interface Manifest {
  /** Version of Tunebook. */
  tunebook: string;
  /** SHA-256 over the library's own files, if it ran from a folder. */
  library?: string;
  /** Version of Deno. */
  deno: string;
  /** Version of V8. */
  v8: string;
  /** Version of TypeScript. */
  typescript: string;
  /** Operating system and processor, for example `"linux x86_64"`. */
  os: string;
  /** Logical processors. */
  cores: number;
  /** When the run started, in ISO 8601 and UTC. */
  startedAt: string;
  /** The notebook that was run. */
  notebook: {
    /** File name, without its folder. */
    name: string;
    /** SHA-256 of the notebook's code and text as given, without what a run adds. */
    sha256: string;
  };
  /** SHA-256 of the local modules that the cells import, by their paths. */
  modules?: Record<string, string>;
  /** The parameters that were set, by name. */
  parameters: Record<string, unknown>;
  /** The facts that library code recorded, in order. */
  provenance: ProvenanceEntry[];
  /** The cells that ran, in order. */
  cells: ManifestCell[];
  /**
   * SHA-256 of the executed notebook with all outputs and all of this manifest, this hash left out: says
   * that neither was changed since, unless somebody recomputed it. Missing while it runs.
   */
  record?: string;
}

/** The MIME type under which library code broadcasts {@linkcode ProvenanceEntry}s to the runner. */
export const PROVENANCE_MIME = "application/vnd.tunebook.provenance+json";
