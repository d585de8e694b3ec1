/**
 * Whether a launcher started this process as one of several ranks: `mpirun` of Open MPI or MPICH, or `srun`. The
 * environment tells, so that an ordinary run loads no MPI.
 *
 * @module
 */

/** How a process was started as one of several. */
export interface Launch {
  /** The launcher, for messages. */
  readonly launcher: string;
  /** The number of this process, from 0. */
  readonly rank: number;
  /** How many ranks it started. */
  readonly size: number;
  /** The family of libraries that understands this launcher; undefined where several do. */
  readonly family: "openmpi" | "mpich" | undefined;
}

/** Variables with the number of ranks, by launcher. */
const SIZES: readonly (
  & Omit<Launch, "rank" | "size">
  & { readonly rank: string; readonly size: string }
)[] = [
  {
    launcher: "mpirun of Open MPI",
    family: "openmpi",
    rank: "OMPI_COMM_WORLD_RANK",
    size: "OMPI_COMM_WORLD_SIZE",
  },
  // Slurm's PMIx, which both families understand; its own variables have their number.
  {
    launcher: "srun with PMIx",
    family: undefined,
    rank: "PMIX_RANK",
    size: "SLURM_STEP_NUM_TASKS",
  },
  { launcher: "mpirun of MPICH, or srun", family: "mpich", rank: "PMI_RANK", size: "PMI_SIZE" },
];

/**
 * Finds out how this process was started.
 *
 * @param env The environment; by default this process's.
 * @returns The launch; undefined if it is alone, or `TUNEBOOK_MPI` is `none`.
 */
export function findLaunch(
  env: (name: string) => string | undefined = (name) => Deno.env.get(name),
): Launch | undefined {
  if (env("TUNEBOOK_MPI") === "none") return undefined;
  for (const { rank, size, ...launch } of SIZES) {
    const count = Number(env(size));
    const own = env(rank);
    if (own === undefined || !(count > 1)) continue;
    return { ...launch, rank: Number(own), size: count };
  }
}
