"""The adapters that come with the default model: that they fit it, and what the one for functions writes.

The sum of two numbers has to be right, in both languages. What else is asked is reported, since a small model fails at
some of it; no lesson has the product of three numbers or the difference of two.
"""

import ast
import json
import subprocess
import sys

import command_case
from command_case import Case, weft

TASKS = ("bug-detection", "function-from-comment", "refactor")
SUM = ("一个计算两个数之和的Python函数", "a Python function that computes the sum of two numbers", "add two numbers")
# What is asked, and calls with what they give.
OTHERS = {
    "the product of three numbers": {(2, 3, 4): 24, (5, -1, 2): -10},
    "一个计算三个数之积的Python函数": {(2, 3, 4): 24, (5, -1, 2): -10},
    "the difference of two numbers": {(7, 3): 4, (3, 7): -4},
    "一个计算两个数之差的Python函数": {(7, 3): 4, (3, 7): -4},
}


def problem_of(code, calls):
    """What is wrong with a function, or nothing."""
    try:
        functions = [node for node in ast.parse(code).body if isinstance(node, ast.FunctionDef)]
    except SyntaxError as error:
        return str(error)
    if len(functions) != 1:
        return f"{len(functions)} functions"
    if not ast.get_docstring(functions[0]):
        return "no docstring"
    asked = f"print([{functions[0].name}(*arguments) for arguments in {list(calls)}])"
    ran = subprocess.run([sys.executable, "-I", "-c", f"{code}\n{asked}"], capture_output=True, text=True, timeout=20)
    wanted = str(list(calls.values()))
    said = (ran.stdout or ran.stderr).strip().splitlines()[-1]
    return None if said == wanted else f"{said}, not {wanted}"


class Shipped(Case):
    def generate(self, description):
        result = weft("generate", description, "--json", "--model", command_case.MODEL)
        self.assertEqual(result.returncode, 0, result.stderr)
        candidates = json.loads(result.stdout)["candidates"]
        for candidate in candidates:
            self.assertEqual(set(candidate), {"code", "score", "parses"})
        print(f"\n{description}\n{candidates[0]['code']}")
        return candidates[0]["code"]

    def test_there_is_one_for_each_task_and_it_fits(self):
        for task in TASKS:
            with self.subTest(task):
                result = weft("adapters", "inspect", command_case.MODEL / "adapters" / task, "--json",
                              "--model", command_case.MODEL)
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertEqual(json.loads(result.stdout)["task"], task)

    def test_the_sum_of_two_numbers(self):
        for description in SUM:
            with self.subTest(description):
                self.assertIsNone(problem_of(self.generate(description), {(2, 3): 5, (-4, 1): -3}))

    def test_what_no_lesson_has(self):
        for description, calls in OTHERS.items():
            with self.subTest(description):
                print(problem_of(self.generate(description), calls) or "right")


if __name__ == "__main__":
    command_case.main({"shipped": Shipped})
