// An adapter whose device counts what is asked of it: what a step costs a GPU's driver, countable without a GPU.

/** What was asked of a GPU. */
export interface GpuCounts {
  dispatches: number;
  bindGroups: number;
  submits: number;
  buffers: number;
  /** Bytes of the largest buffer that was made. */
  largestBuffer: number;
  bufferWrites: number;
  errorScopes: number;
  /** Buffers that were mapped to be read. */
  reads: number;
  /** Waits for all that the queue holds. */
  waits: number;
}

const none = (): GpuCounts => ({
  dispatches: 0,
  bindGroups: 0,
  submits: 0,
  buffers: 0,
  largestBuffer: 0,
  bufferWrites: 0,
  errorScopes: 0,
  reads: 0,
  waits: 0,
});

/** Puts functions in the place of some of an object's methods, each of which gets the original. */
function intercept<T extends object>(
  object: T,
  methods: { [name in keyof T]?: (original: T[name]) => T[name] },
): T {
  for (const name of Object.keys(methods) as (keyof T)[]) {
    const original = object[name] as (...args: unknown[]) => unknown;
    const value = methods[name]!(original.bind(object) as T[typeof name]);
    Object.defineProperty(object, name, { value });
  }
  return object;
}

/**
 * Makes an adapter's device count.
 *
 * @param adapter The adapter, whose next device counts.
 * @param limits Limits of that device in place of the adapter's, which may be smaller.
 * @returns The adapter, and a function that gives the counts since its last call.
 */
export function countingAdapter(
  adapter: GPUAdapter,
  limits: Record<string, number> = {},
): { adapter: GPUAdapter; take: () => GpuCounts } {
  let counts = none();
  intercept(adapter, {
    requestDevice: (request) => async (descriptor) => {
      const requiredLimits = { ...descriptor?.requiredLimits, ...limits };
      const device = await request({ ...descriptor, requiredLimits });
      intercept(device.queue, {
        submit: (submit) => (buffers) => (counts.submits++, submit(buffers)),
        writeBuffer: (write) => (...args) => (counts.bufferWrites++, write(...args)),
        onSubmittedWorkDone: (wait) => () => (counts.waits++, wait()),
      });
      return intercept(device, {
        pushErrorScope: (push) => (filter) => (counts.errorScopes++, push(filter)),
        createBindGroup: (create) => (descriptor) => (counts.bindGroups++, create(descriptor)),
        createBuffer: (create) => (descriptor) => {
          counts.buffers++;
          counts.largestBuffer = Math.max(counts.largestBuffer, descriptor.size);
          return intercept(create(descriptor), {
            mapAsync: (map) => (...args) => (counts.reads++, map(...args)),
          });
        },
        createCommandEncoder: (create) => (descriptor) =>
          intercept(create(descriptor), {
            beginComputePass: (begin) => (descriptor) =>
              intercept(begin(descriptor), {
                dispatchWorkgroups: (dispatch) => (...args) => (
                  counts.dispatches++, dispatch(...args)
                ),
              }),
          }),
      });
    },
  });
  return {
    adapter,
    take() {
      const taken = counts;
      counts = none();
      return taken;
    },
  };
}
