"""Runs a notebook on the kernel "tunebook" by a Python client, several times, and checks that every output is in place.

    python clients.py nbclient|nbconvert|papermill COUNT FOLDER
"""

import subprocess
import sys
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

CELLS = [
    # A first cell, of which the stock kernel may lose everything.
    "for (let i = 0; i < 200; i++) console.log(i); 'end'",
    "for (let i = 0; i < 201; i++) console.log(i);",
    """console.log("a"); await Deno.jupyter.display({ "text/plain": "b" }, { raw: true });
console.error("c"); Deno.stdout.writeSync(new TextEncoder().encode("d")); 42""",
    "NaN",
    "const x: number = 1;",
    "setTimeout(() => { throw new Error('timer') }, 5); await new Promise((f) => setTimeout(f, 1000));",
]


def notebook(client):
    cells = [new_code_cell(source) for source in CELLS]
    if client == "papermill":
        cells.pop()  # It takes every error for the run's, whatever the cell's tags.
    else:
        cells[-1].metadata.tags = ["raises-exception"]
    nb = new_notebook(cells=cells)
    nb.metadata.kernelspec = {"name": "tunebook", "display_name": "Deno (Tunebook)", "language": "typescript"}
    return nb


def run(client, nb, folder):
    if client == "nbclient":
        from nbclient import NotebookClient

        NotebookClient(nb, timeout=120, kernel_name="tunebook").execute()
        return nb
    source, target = folder / "in.ipynb", folder / "out.ipynb"
    nbformat.write(nb, source)
    if client == "nbconvert":
        command = ["nbconvert", "--to", "notebook", "--execute", str(source), "--output", str(target)]
    else:
        command = ["papermill", "--no-progress-bar", "--log-level", "ERROR", "--cwd", str(folder), str(source), str(target)]
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return nbformat.read(target, 4)


def brief(output):
    if output.output_type == "stream":
        return (output.name, output.text)
    if output.output_type == "error":
        return ("error", output.ename, output.evalue)
    return (output.output_type, output.data["text/plain"])


def joined(outputs):
    """Outputs in short; text that follows on the same stream is one."""
    told = []
    for output in map(brief, outputs):
        if told and output[0] in ("stdout", "stderr") and told[-1][0] == output[0]:
            told[-1] = (output[0], told[-1][1] + output[1])
        else:
            told.append(output)
    return told


def lines(count):
    return "".join(f"{i}\n" for i in range(count))


EXPECTED = [
    [("stdout", lines(200)), ("execute_result", '"end"')],
    [("stdout", lines(201))],
    [("stdout", "a\n"), ("display_data", "b"), ("stderr", "c\n"), ("stdout", "d"), ("execute_result", "42")],
    [("execute_result", "NaN")],
    [],
    [("error", "Error", "timer")],
]


def main():
    client, count, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    for at in range(count):
        done = run(client, notebook(client), folder)
        nbformat.validate(done)
        assert len(done.cells) >= len(EXPECTED) - 1
        for index, (cell, expected) in enumerate(zip(done.cells, EXPECTED)):
            got = joined(cell.outputs)
            assert got == expected, f"run {at}, cell {index}: {str(got)[:500]}"
            assert cell.execution_count == index + 1, cell.execution_count
    print(f"{count} runs in place")


main()
