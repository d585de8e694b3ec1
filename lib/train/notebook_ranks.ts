/**
 * Ranks of a notebook: its cells run in rank 0 alone, and the other ranks take part in each training that they begin.
 *
 * @module
 */

import { recordProvenance } from "../provenance.ts";
import type { Communicator } from "../mpi/communicator.ts";
import type { MpiCommunicator } from "../mpi/mpi_communicator.ts";
import type { Network } from "../model/mod.ts";
import { pick } from "../tensor/mod.ts";
import type { SftOptions } from "./options.ts";
import {
  assertSameFacts,
  describeHosts,
  isAgreed,
  leaveTogether,
  LeftByRank0,
  StoppedByRank,
} from "./ranks.ts";
import {
  type NetworkOutline,
  outlineNetwork,
  receiveNetwork,
  sendNetwork,
} from "./send_network.ts";
import type { LoopSettings } from "./settings.ts";

/** What rank 0 asks the others to do. */
type Request =
  | {
    readonly do: "train";
    readonly device: Readonly<Record<string, string | number | boolean>>;
    readonly network: NetworkOutline;
    readonly options: Partial<SftOptions>;
  }
  | { readonly do: "end" };

/** Options that concern rank 0 alone: it reads, writes, asks, samples and stops for all. */
const OWN_OPTIONS: readonly (keyof SftOptions)[] = [
  ...["sample", "checkpoint", "resume", "confirmOtherBits", "signal", "communicator"] as const,
];

// Kept with the process, not with this module: it may be loaded twice, by two addresses.
const LEADER = Symbol.for("tunebook.leader");
const shared = globalThis as unknown as { [LEADER]?: RankLeader };

/** Signals that launchers send to a rank's kernel too, which ends when its parent says so. */
const FOR_THE_PARENT: readonly Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1"];

/**
 * Joins the other ranks as the one whose trainings they share, which the kernel of `tunebook run` does before the first
 * cell.
 *
 * @param versions What all ranks must have alike.
 * @throws {TypeError} If no launcher started several.
 * @throws {RangeError} If other ranks have other versions.
 *
 * @example
 * ```ts
 * import { assertRejects } from "@std/assert";
 * import { leadRanks } from "tunebook/train";
 *
 * await assertRejects(() => leadRanks(), TypeError, "mpirun"); // this process is alone
 * ```
 */
export async function leadRanks(versions: Readonly<Record<string, string>> = {}): Promise<void> {
  const { joinRanks } = await import("../mpi/mpi_communicator.ts"); // when it is needed
  const communicator = await joinRanks();
  if (!communicator) {
    throw new TypeError("Cannot lead other ranks: expected to be started by mpirun or srun");
  }
  await compareVersions(communicator, versions);
  for (const signal of FOR_THE_PARENT) Deno.addSignalListener(signal, () => {});
  setRankLeader(new RankLeader(communicator));
  const { size, library } = communicator;
  await recordProvenance("ranks", { size, hosts: describeHosts(communicator), mpi: library });
}

/**
 * Checks that all ranks have the same programs.
 *
 * @param communicator The ranks.
 * @param versions Versions by name, beside Deno's and MPI's.
 * @throws {RangeError} If one has others.
 */
export async function compareVersions(
  communicator: MpiCommunicator,
  versions: Readonly<Record<string, string>>,
): Promise<void> {
  const { deno } = Deno.version;
  await assertSameFacts(communicator, "run a notebook", {
    ...versions,
    deno,
    mpi: communicator.library,
  });
}

/** The ranks that share this process's trainings; undefined if it shares none. */
export function rankLeader(): RankLeader | undefined {
  return shared[LEADER];
}

/**
 * Sets the ranks that share this process's trainings.
 *
 * @param leader Their leader; undefined if it shares none from now on.
 */
export function setRankLeader(leader: RankLeader | undefined): void {
  shared[LEADER] = leader;
}

/**
 * Ends the work of the ranks that {@linkcode leadRanks} joined, if it did.
 *
 * @example
 * ```ts
 * import { releaseRanks } from "tunebook/train";
 *
 * await releaseRanks(); // nothing to do: this process is alone
 * ```
 */
export async function releaseRanks(): Promise<void> {
  const leader = rankLeader();
  if (!leader) return;
  setRankLeader(undefined);
  const { joinRanks } = await import("../mpi/mpi_communicator.ts");
  const communicator = (await joinRanks())!;
  if (await leader.end()) await communicator[Symbol.asyncDispose]();
  else await communicator.fail("the notebook has ended in the middle of a step");
}

/** A training in whose loop other ranks are, until it is done. */
interface Followed {
  readonly done: boolean;
}

/** Rank 0 of a notebook. */
export class RankLeader {
  /** The ranks. */
  readonly communicator: Communicator;
  /** The training in whose loop the others are. */
  #followed: Followed | undefined;
  /** Whether they compute. */
  #together = false;
  /** Why they cannot be reached anymore. */
  #lost: unknown;

  /** @param communicator The ranks. */
  constructor(communicator: Communicator) {
    this.communicator = communicator;
  }

  /** Whether the other ranks are in a training's loop. */
  isFollowedIn(training: Followed): boolean {
    return this.#followed === training;
  }

  /**
   * Calls the other ranks into a training's loop.
   *
   * @param training The training.
   * @param model Its model.
   * @param settings Its settings.
   * @param begin What all do before the first step.
   */
  async call(
    training: Followed,
    model: Network,
    settings: LoopSettings,
    begin: () => Promise<void>,
  ): Promise<void> {
    const request: Request = {
      do: "train",
      device: model.device.facts,
      network: outlineNetwork(model),
      options: optionsForOthers(settings),
    };
    this.#assertFree();
    // Another loop, which is at rest, calls them again.
    if (this.#followed) await this.leave(this.#followed);
    await this.together(async () => {
      await this.communicator.broadcastText(JSON.stringify(request));
      this.#followed = training;
      await sendNetwork(this.communicator, model);
      await begin();
    });
  }

  /**
   * Does what the other ranks do at the same time.
   *
   * @param work It fails in all ranks for the same reason, or the others are lost.
   * @returns Its result.
   * @throws {TypeError} If they already do something else.
   */
  async together<T>(work: () => Promise<T>): Promise<T> {
    this.#assertFree();
    this.#together = true;
    try {
      return await work();
    } catch (error) {
      if (isAgreed(error)) this.#followed = undefined;
      else this.#lost = error;
      throw error;
    } finally {
      this.#together = false;
    }
  }

  #assertFree(): void {
    if (this.#lost !== undefined) {
      const reason = this.#lost instanceof Error ? this.#lost.message : String(this.#lost);
      throw new Error(
        `Cannot train with the other ranks anymore: a step failed in this one alone (${reason})`,
      );
    }
    if (this.#together) {
      throw new TypeError(
        "Cannot train twice at once with other ranks: expected the other training's step to end first",
      );
    }
  }

  /**
   * Lets the other ranks leave a training's loop.
   *
   * @param training The training; they have left it by themselves if it is done.
   */
  async leave(training: Followed): Promise<void> {
    if (this.#followed !== training || this.#lost !== undefined) return;
    this.#followed = undefined;
    if (!training.done) await leaveTogether(this.communicator);
  }

  /**
   * Ends the other ranks' work.
   *
   * @returns Whether they have heard: not if they are in the middle of a step.
   */
  async end(): Promise<boolean> {
    if (this.#lost !== undefined || this.#together) return false;
    if (this.#followed) await this.leave(this.#followed);
    const request: Request = { do: "end" };
    await this.communicator.broadcastText(JSON.stringify(request));
    return true;
  }
}

/** A training's options as other ranks get them. */
function optionsForOthers(settings: LoopSettings): Partial<SftOptions> {
  const entries = Object.entries(settings).filter(([name, value]) =>
    // Infinite numbers are defaults, which JSON lacks.
    !OWN_OPTIONS.includes(name as keyof SftOptions) && value !== Infinity
  );
  for (const [name, value] of entries) {
    if (typeof value !== "function") continue;
    throw new TypeError(
      `Cannot share a training with other ranks: "${name}" is a function, which they cannot be sent`,
    );
  }
  return Object.fromEntries(entries);
}

/**
 * Takes part in the trainings of the notebook in rank 0, until it ends.
 *
 * @param communicator The ranks.
 * @param train Takes part in one.
 */
export async function followRanks(
  communicator: Communicator,
  train: (network: Network, options: SftOptions) => Promise<void>,
): Promise<void> {
  while (true) {
    const request: Request = JSON.parse(await communicator.broadcastText(""));
    if (request.do === "end") return;
    const { device: { device: kind, blas }, network: outline, options } = request;
    const device = await pick(
      kind === "webgpu" ? { device: "webgpu" } : { device: "cpu", blas: blas !== "none" },
    );
    const network = await receiveNetwork(communicator, outline, device);
    try {
      await train(network, { ...options as SftOptions, communicator });
    } catch (error) {
      // Rank 0 shows what failed in all ranks, and continues.
      const isOver = error instanceof LeftByRank0 || error instanceof StoppedByRank;
      if (!isOver && !isAgreed(error)) throw error;
    } finally {
      for (const { adapter } of network.linears.values()) {
        for (const tensor of adapter?.parameters.values() ?? []) tensor.dispose();
      }
      for (const tensor of network.parameters.values()) tensor.dispose();
    }
  }
}
