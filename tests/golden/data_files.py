"""Data sets as pandas writes them -> data_files/ and data_files.json.

    pip install pandas==3.1.1 pyarrow==26.0.1
    python tests/golden/data_files.py

The same rows in JSON, JSON Lines, CSV and Parquet with every compression, also in gzip; and conversations, whose messages
are nested lists in Parquet. data_files.json holds the rows as pandas reads each file again, missing values as null.
"""

import gzip
import json
import platform
import sys
from importlib.metadata import version
from pathlib import Path

import pandas as pd

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
files = folder / "data_files"
files.mkdir(parents=True, exist_ok=True)

rows = [
    {"instruction": "Name a fruit.", "input": None, "output": "An apple."},
    {"instruction": 'Quote "this", please.', "input": "this, that", "output": '"this"'},
    {"instruction": "Two lines?", "input": "one\ntwo", "output": "1. one\n2. two\n"},
    {"instruction": "Übersetze: “naïve” 🦊", "input": "  spaces  ", "output": "日本語; \t tab"},
    {"instruction": "Carriage?", "input": "a\r\nb", "output": "\\n is not a line"},
    {"instruction": "Number", "input": "007", "output": "NA is not null"},
]
table = pd.DataFrame(rows)
table["id"] = [10, 11, 12, 13, 14, 2**40]
for name in ["snappy", "gzip", "brotli", "zstd", "lz4", None]:
    table.to_parquet(files / f"{name or 'plain'}.parquet", compression=name)
table.to_json(files / "records.json", orient="records", force_ascii=True)
table.to_json(files / "lines.jsonl", orient="records", lines=True, force_ascii=False)
table.to_csv(files / "table.csv", index=False)
table.to_csv(files / "index.csv")
table.to_csv(files / "table.tsv", index=False, sep="\t")
table.to_csv(files / "semicolons.csv", index=False, sep=";")
with gzip.GzipFile(files / "lines.jsonl.gz", "wb", mtime=0) as file:
    file.write((files / "lines.jsonl").read_bytes())
with gzip.GzipFile(files / "table.csv.gz", "wb", mtime=0) as file:
    file.write((files / "table.csv").read_bytes())

chats = pd.DataFrame([
    {"messages": [
        {"role": "user", "content": "Is it warm?", "weight": None},
        {"role": "assistant", "content": "Where?", "weight": 0.0},
        {"role": "user", "content": "In Oslo.", "weight": None},
        {"role": "assistant", "content": "No.", "weight": 1.0},
    ]},
    {"messages": [
        {"role": "user", "content": "Hi", "weight": None},
        {"role": "assistant", "content": "Hello", "weight": None},
    ]},
])
chats.to_parquet(files / "chats.parquet")

# Large enough for several pages and for rows that are read in parts.
many = pd.DataFrame({"prompt": [f"Say {i}." for i in range(9000)], "completion": [str(i) for i in range(9000)]})
many.to_parquet(files / "many.parquet", compression="zstd", row_group_size=2000)


def records(path: Path) -> list[dict]:
    read = pd.read_csv(path, dtype=str, keep_default_na=False, sep=SEPARATORS.get(path.name, ","))
    return json.loads(read.to_json(orient="records"))


SEPARATORS = {"table.tsv": "\t", "semicolons.csv": ";"}
golden = {
    "versions": {"python": platform.python_version(), "pandas": version("pandas"), "pyarrow": version("pyarrow")},
    "rows": json.loads(table.to_json(orient="records")),
    "chats": json.loads(chats.to_json(orient="records")),
    "csv": {path.name: records(path) for path in sorted([*files.glob("*.csv"), *files.glob("*.tsv")])},
}
(folder / "data_files.json").write_text(json.dumps(golden, ensure_ascii=False, indent=1) + "\n")
