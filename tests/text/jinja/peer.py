"""Renders templates as transformers does: reads a file of [[template, variables], ...], writes each text, or
null where it fails."""

import json
import sys

from transformers.utils.chat_template_utils import _compile_jinja_template


def render(template, variables):
    try:
        return _compile_jinja_template(template).render(**variables)
    except Exception:  # whatever jinja2 refuses, it refuses
        return None


json.dump([render(*case) for case in json.load(open(sys.argv[1]))], sys.stdout)
