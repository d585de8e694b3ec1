/**
 * The GPUs of this machine, as WebGPU's adapters, and what each can do.
 *
 * @module
 */

/** What a person may want to know of an adapter. */
export interface AdapterDescription {
  /** Its name, such as `"NVIDIA H200"` or `"llvmpipe (LLVM 15.0.6, 256 bits)"`. */
  readonly name: string;
  /** Its manufacturer, according to the driver: a name or a number. */
  readonly vendor: string;
  /** Family of GPUs it belongs to, or `""` where the driver does not tell. */
  readonly architecture: string;
  /** Whether it computes on the CPU. */
  readonly software: boolean;
  /** What its memory can be used for. */
  readonly limits: {
    /** The most bytes of a buffer that a kernel can see at once. */
    readonly maxStorageBufferBindingSize: number;
    /** The most bytes of a buffer. */
    readonly maxBufferSize: number;
  };
  /** Optional features it has, such as `"shader-f16"`. */
  readonly features: readonly string[];
}

/** What to install where there is no adapter. */
export const INSTALL_HINT =
  'install a Vulkan driver ("apt-get install mesa-vulkan-drivers" brings a software one)';

/**
 * Whether an adapter computes on the CPU.
 *
 * @param adapter The adapter.
 * @returns Whether it does.
 */
export function isSoftware(adapter: GPUAdapter): boolean {
  return adapter.info.isFallbackAdapter ?? false;
}

/**
 * Describes an adapter.
 *
 * @param adapter The adapter.
 * @returns Its name and what it can do.
 */
export function describeAdapter(adapter: GPUAdapter): AdapterDescription {
  const { vendor, architecture, device, description } = adapter.info;
  return {
    name: description || [vendor, architecture, device].filter(Boolean).join(" ") || "unnamed GPU",
    vendor,
    architecture,
    software: isSoftware(adapter),
    // Deno gives some limits as bigint.
    limits: {
      maxStorageBufferBindingSize: Number(adapter.limits.maxStorageBufferBindingSize),
      maxBufferSize: Number(adapter.limits.maxBufferSize),
    },
    features: [...adapter.features].sort(),
  };
}

/**
 * Finds the best adapter: hardware, or a software one where that is asked for and there is no hardware.
 *
 * @param options Whether a software adapter will do.
 * @returns The adapter, or undefined where there is none.
 */
export async function findAdapter(
  options: { software?: boolean } = {},
): Promise<GPUAdapter | undefined> {
  if (!options.software && !mayHaveGpu()) return undefined;
  const best = await request({ powerPreference: "high-performance" });
  if (best && !isSoftware(best)) return best;
  if (!options.software) return undefined;
  return best ?? await request({ forceFallbackAdapter: true });
}

/**
 * Lists the adapters of this machine, hardware first.
 *
 * @returns A description of each; none where there is no driver.
 */
export async function describeAdapters(): Promise<AdapterDescription[]> {
  const found = new Map<string, AdapterDescription>();
  const requests: GPURequestAdapterOptions[] = [
    { powerPreference: "high-performance" },
    { powerPreference: "low-power" },
    { forceFallbackAdapter: true },
  ];
  for (const options of requests) {
    const adapter = await request(options);
    if (adapter) found.set(adapterKey(adapter), describeAdapter(adapter));
  }
  return [...found.values()].sort((a, b) => Number(a.software) - Number(b.software));
}

/**
 * Names an adapter and its driver, for what is remembered about them.
 *
 * @param adapter The adapter.
 * @returns The same text for the same adapter and driver.
 */
export function adapterKey(adapter: GPUAdapter): string {
  const { vendor, architecture, device, description } = adapter.info;
  return [vendor, architecture, device, description, ...driverVersions()].join("/");
}

/** Deno does not name the driver. Most come with the system's kernel; NVIDIA's has a version of its own. */
function driverVersions(): string[] {
  const readers = [
    () => Deno.osRelease(),
    () => Deno.readTextFileSync("/sys/module/nvidia/version").trim(),
  ];
  return readers.flatMap((read) => {
    try {
      return [read()];
    } catch {
      return []; // not present, or not allowed
    }
  });
}

/** Where Linux shows GPUs: DRM, NVIDIA, AMD, WSL, and those of boards and phones. */
const GPU_FILES = /^(dri|dxg|galcore|kfd|kgsl|mali|nvhost|nvidia|nvmap|pvr)/;

/**
 * Whether there may be a hardware GPU. Asking WebGPU takes 30 ms, in which it loads every driver, where there is no GPU;
 * on Linux every driver of hardware needs a file in `/dev`.
 */
function mayHaveGpu(): boolean {
  if (Deno.build.os !== "linux") return true;
  // Without the right to look, a person would be asked for it.
  const { state } = Deno.permissions.querySync({ name: "read", path: "/dev" });
  if (state !== "granted") return true;
  try {
    return [...Deno.readDirSync("/dev")].some(({ name }) => GPU_FILES.test(name));
  } catch {
    return true;
  }
}

async function request(options: GPURequestAdapterOptions): Promise<GPUAdapter | undefined> {
  // Without a desktop session Mesa complains on standard error of a folder that only windows need.
  const quiet = Deno.build.os === "linux" && !Deno.env.has("XDG_RUNTIME_DIR");
  if (quiet) Deno.env.set("XDG_RUNTIME_DIR", Deno.env.get("TMPDIR") ?? "/tmp");
  try {
    return await navigator.gpu?.requestAdapter(options) ?? undefined;
  } catch {
    return undefined; // a driver that cannot be loaded is like none
  } finally {
    if (quiet) Deno.env.delete("XDG_RUNTIME_DIR");
  }
}
