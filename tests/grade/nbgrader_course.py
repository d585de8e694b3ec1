"""Runs nbgrader's own steps on a course folder, with the folder's nbgrader_config.py, in one process.

python nbgrader_course.py COURSE STEP...   where a step is one of
  validate:PATH                  as "nbgrader validate PATH"
  update:PATH                    as "nbgrader update PATH"
  generate_assignment:ID         as "nbgrader generate_assignment ID"
  autograde:ID                   as "nbgrader autograde ID"
  autograde:ID:STUDENT           for one student
  autograde:ID:STUDENT:quick     with a time limit of 4 s for a cell
  autograde:ID:STUDENT:stock     the same on Deno's own kernel, without the configuration

Prints JSON: what each step said, and the scores that stand in gradebook.db afterwards.
"""

import copy
import io
import json
import os
import sqlite3
import sys
import time

# nbgrader runs alembic by name, which lies beside this Python.
os.environ["PATH"] = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]

import nbformat
from nbgrader import nbgraderformat
from nbgrader.apps import NbGraderAPI
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException
from nbgrader.validator import Validator
from traitlets.config.loader import PyFileConfigLoader

SCORES = """
SELECT a.name, n.name, s.student_id, b.name, g.auto_score, g.needs_manual_grade
FROM grade g JOIN base_cell b ON g.cell_id = b.id JOIN notebook n ON b.notebook_id = n.id
JOIN assignment a ON n.assignment_id = a.id JOIN submitted_notebook sn ON g.notebook_id = sn.id
JOIN submitted_assignment s ON sn.assignment_id = s.id
"""


def main(course, *steps):
    os.chdir(course)
    config = PyFileConfigLoader("nbgrader_config.py", path=course).load_config()
    config.CourseDirectory.root = course
    said = {}
    for step in steps:
        name, *arguments = step.split(":")
        start = time.monotonic()
        result = STEPS[name](copy.deepcopy(config), *arguments)
        said[step] = result | {"seconds": time.monotonic() - start}
    print(json.dumps({"said": said, "scores": scores("gradebook.db")}))


def validate(config, path):
    validator = Validator(config=config)
    validator.stream = io.StringIO()
    validator.validate_and_print(path)
    log = validator.stream.getvalue()
    return {"success": "Success!" in log, "log": log}


def update(config, path):
    notebook = nbformat.read(path, nbformat.current_nbformat)
    nbgraderformat.write(nbgraderformat.MetadataValidator().upgrade_notebook_metadata(notebook), path)
    return {"success": True, "log": ""}


def generate_assignment(config, assignment):
    result = NbGraderAPI(config=config).generate_assignment(assignment)
    return {"success": result["success"], "log": f"{result['log']}\n{result.get('error', '')}"}


def autograde(config, assignment, student="*", how=""):
    colours = None
    if how == "stock":
        config.pop("Execute")
        config.Execute.kernel_name = "deno"
        colours = os.environ.pop("NO_COLOR", None)
    if how:
        config.Execute.timeout = 4
    api = NbGraderAPI(config=config)
    api.coursedir.assignment_id = assignment
    api.coursedir.student_id = student
    try:
        Autograde(coursedir=api.coursedir, parent=api).start()
    except (NbGraderException, SystemExit) as error:
        return {"success": False, "log": repr(error)}
    finally:
        if colours is not None:
            os.environ["NO_COLOR"] = colours
    return {"success": True, "log": ""}


def scores(path):
    if not os.path.exists(path):
        return []
    with sqlite3.connect(path) as db:
        keys = ["assignment", "notebook", "student", "gradeId", "points", "manual"]
        return [dict(zip(keys, row)) for row in db.execute(SCORES)]


STEPS = {
    "validate": validate,
    "update": update,
    "generate_assignment": generate_assignment,
    "autograde": autograde,
}

main(*sys.argv[1:])
