/**
 * Several processes that compute together, over the MPI that a cluster has.
 *
 * @module
 */

export {
  type Communicator,
  joinRanks,
  MpiCommunicator,
  type SumStatistics,
} from "./communicator.ts";
