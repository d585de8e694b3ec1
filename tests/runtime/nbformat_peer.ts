// Finds a Python that has PyPI's nbformat, to judge the files that we write.

/** The interpreter's name; undefined where none has nbformat. */
export async function nbformatPython(): Promise<string | undefined> {
  for (const name of [Deno.env.get("TUNEBOOK_PYTHON") ?? "", "python3", "python"]) {
    if (name === "") continue;
    try {
      const { success } = await new Deno.Command(name, {
        args: ["-c", "import nbformat"],
        stdout: "null",
        stderr: "null",
      }).output();
      if (success) return name;
    } catch {
      // There is no such program.
    }
  }
}
