"""Hugging Face's own client, for python_test.ts.

peer.py find CACHE                      finds owner/model in a cache, offline, and says what it found
peer.py file CACHE FILE                 finds a file of owner/model in a cache, offline, and says where
peer.py download CACHE ENDPOINT FILE…   downloads files of owner/model from a hub
"""

import os
import sys

command, cache, *rest = sys.argv[1:]
os.environ["HF_HUB_DISABLE_TELEMETRY"] = os.environ["HF_HUB_DISABLE_XET"] = "1"
if command in ("find", "file"):
    os.environ["HF_HUB_OFFLINE"] = "1"
else:
    os.environ["HF_ENDPOINT"] = rest.pop(0)

from huggingface_hub import (  # noqa: E402 (the environment is read on import)
    _CACHED_NO_EXIST,
    hf_hub_download,
    scan_cache_dir,
    snapshot_download,
    try_to_load_from_cache,
)

if command == "find":
    print(snapshot_download("owner/model", cache_dir=cache, local_files_only=True))
    print(hf_hub_download("owner/model", "model.safetensors", revision="main", cache_dir=cache))
    assert try_to_load_from_cache("owner/model", "merges.txt", cache_dir=cache) is _CACHED_NO_EXIST
    report = scan_cache_dir(cache)
    assert not report.warnings, report.warnings
    (repository,) = report.repos
    (revision,) = repository.revisions
    assert revision.refs == {"main"}, revision.refs
    print(sorted(file.file_name for file in revision.files))
elif command == "file":
    print(hf_hub_download("owner/model", rest[0], cache_dir=cache))
else:
    for file in rest:
        hf_hub_download("owner/model", file, cache_dir=cache)
