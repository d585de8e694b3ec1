"""What Python's libraries make of odd data files, for peer_test.ts: one JSON document out.

    python peer.py FOLDER   writes FOLDER/numbers.json and .parquet and texts.parquet; reads FOLDER/*.csv and *.tsv
"""

import json
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

folder = Path(sys.argv[1])
NUMBERS = [4.0, -0.0, 1e-7, 1e16, 1e22, 123456789.0, 0.1, 2.5e-5, 7, -3, 2**60 + 1]
ARGUMENTS = [{"a": 1.0, "b": [2.0, 3.5], "c": {"d": 0.0}, "n": 4}, {"a": 1e22, "b": [], "c": {"d": -5.0}, "n": 0}]
messages = [[{"role": "user", "content": "Go."},
             {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": one}}]}]
            for one in ARGUMENTS]
(folder / "numbers.json").write_text(json.dumps([{"instruction": "a", "output": one} for one in NUMBERS]))
(folder / "calls.json").write_text(json.dumps([{"messages": one} for one in messages]))
floats = [one for one in NUMBERS if isinstance(one, float)]
pq.write_table(pa.table({"instruction": ["a"] * len(floats), "output": floats}), folder / "numbers.parquet")
pq.write_table(pa.table({"messages": messages}), folder / "calls.parquet")
bytes_ = pa.array(["café".encode(), b"caf\xe9"], pa.binary())
pq.write_table(pa.table({"marked": ["\ufeffa", "b\ufeff"], "bytes": bytes_}), folder / "texts.parquet")


def rows(path: Path) -> list[dict]:
    table = pd.read_csv(path, dtype=str, keep_default_na=False, sep="\t" if path.suffix == ".tsv" else ",")
    return json.loads(table.to_json(orient="records"))


json.dump({
    "numbers": [str(one) for one in NUMBERS],
    "floats": [str(one) for one in floats],
    "calls": [json.dumps(one) for one in ARGUMENTS],
    "tables": {path.name: rows(path) for path in [*folder.glob("*.csv"), *folder.glob("*.tsv")]},
}, sys.stdout)
