"""tiktoken's GPT-2 encoding without a network, for the golden scripts that need it.

tiktoken fetches its ranks from the network. The environment variable R50K names the same file on this machine, which
is put where tiktoken's cache looks for it; tiktoken itself checks the file's SHA-256, so the ranks are the published
ones. text_test.ts writes it from our own vocabulary, which lib/text/gpt2_merges/make.ts makes from it. `r50k_base` and `gpt2` are one encoding under two names (tiktoken_ext/openai_public.py).
"""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

URL = "https://openaipublic.blob.core.windows.net/encodings/r50k_base.tiktoken"


def load():
    """The encoding, from the file that the environment variable R50K names."""
    cache = tempfile.mkdtemp()
    shutil.copy(os.environ["R50K"], Path(cache) / hashlib.sha1(URL.encode()).hexdigest())
    os.environ["TIKTOKEN_CACHE_DIR"] = cache
    import tiktoken  # reads the cache's place when it is imported

    return tiktoken.get_encoding("r50k_base")
