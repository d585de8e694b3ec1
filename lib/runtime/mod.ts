// The runtime: notebook files, the kernel, running notebooks. It knows nothing of tensors or models.

export * from "./notebook.ts";
export * from "./manifest.ts";
