// How a process learns that a launcher started it as one of several.

import { assertEquals } from "@std/assert";
import { findLaunch } from "../../lib/mpi/launch.ts";

const launched = (variables: Record<string, string>) => findLaunch((name) => variables[name]);

Deno.test("launchers tell rank and size by their variables", () => {
  const open = { OMPI_COMM_WORLD_RANK: "1", OMPI_COMM_WORLD_SIZE: "4", PMIX_RANK: "1" };
  assertEquals(launched(open), {
    launcher: "mpirun of Open MPI",
    family: "openmpi",
    rank: 1,
    size: 4,
  });
  const { launcher, rank, size, family } = launched({ PMI_RANK: "2", PMI_SIZE: "3" })!;
  assertEquals([launcher, rank, size, family], ["mpirun of MPICH, or srun", 2, 3, "mpich"]);
  assertEquals(launched({ PMIX_RANK: "0", SLURM_STEP_NUM_TASKS: "2" })?.family, undefined);
});

Deno.test("a process alone, or one that is told so, was not launched with others", () => {
  assertEquals(launched({}), undefined);
  assertEquals(launched({ PMI_RANK: "0", PMI_SIZE: "1" }), undefined);
  assertEquals(launched({ PMI_RANK: "0", PMI_SIZE: "2", TUNEBOOK_MPI: "none" }), undefined);
});
