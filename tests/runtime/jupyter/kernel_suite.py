"""PyPI's jupyter_kernel_test on the kernel "tunebook".

Left out by the suite itself, since it asks nothing: `test_pager`, as the kernel pages nothing (payloads are deprecated).
Not taken on: `IopubWelcomeTests`, for kernels that announce subscriptions; this one waits for them instead.
"""

import unittest

import jupyter_kernel_test


class TunebookTests(jupyter_kernel_test.KernelTests):
    kernel_name = "tunebook"
    language_name = "typescript"
    file_extension = ".ts"
    code_hello_world = "console.log('hello, world')"
    code_stderr = "console.error('oops')"
    completion_samples = [
        {"text": "consol", "matches": {"console"}},
        {"text": "Math.ceil(1).toFix", "matches": {"toFixed"}},
    ]
    complete_code_samples = ["1", "const a = {\n  b: 1 }", "function f() {\n}", "`x\ny`", "{ a: 1 }"]
    incomplete_code_samples = ["function f() {", "const a = {", "`abc", "f(1,", "/* comment"]
    invalid_code_samples = ["let let", "1 2 )", "a b c"]
    code_generate_error = "throw new Error('x')"
    code_execute_result = [
        {"code": "6 * 7", "result": "42"},
        {"code": "'a' + 'b'", "result": '"ab"'},
        {"code": "null", "result": "null"},
        {"code": "5n * 6n", "result": "30n"},
        {"code": "6 *  7", "result": "42"},
        {"code": "6 *  8", "result": "48"},
    ]
    code_display_data = [
        {"code": "await Deno.jupyter.display({'text/html': '<b>x</b>'}, {raw: true})", "mime": "text/html"},
        {"code": "await Deno.jupyter.display(Deno.jupyter.md`*y*`)", "mime": "text/markdown"},
    ]
    supported_history_operations = ("tail", "range", "search")
    code_history_pattern = "6 ?  8*"
    code_inspect_sample = "console"
    code_clear_output = "await Deno.jupyter.broadcast('clear_output', {wait: false})"


if __name__ == "__main__":
    unittest.main(verbosity=2)
