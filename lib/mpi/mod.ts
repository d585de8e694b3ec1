/**
 * Several processes that compute together, over the MPI that a cluster has.
 *
 * @module
 */

export type { Communicator, SumStatistics } from "./communicator.ts";
export { findLaunch, type Launch } from "./launch.ts";
export { joinRanks, MpiCommunicator } from "./mpi_communicator.ts";
export { RankFailure } from "./watch.ts";
