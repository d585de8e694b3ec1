"""Runs nbgrader's own steps on a course folder, with the folder's nbgrader_config.py.

python nbgrader_course.py COURSE STEP...   where a step is "validate:PATH", "generate_assignment:ID" or "autograde:ID"

Prints JSON: what each step said, and the scores that stand in gradebook.db afterwards.
"""

import io
import json
import os
import sqlite3
import sys
import time

# nbgrader runs alembic by name, which lies beside this Python.
os.environ["PATH"] = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]

from nbgrader.apps import NbGraderAPI
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
        name, argument = step.split(":", 1)
        start = time.monotonic()
        said[step] = run(config, name, argument) | {"seconds": time.monotonic() - start}
    print(json.dumps({"said": said, "scores": scores("gradebook.db")}))


def run(config, step, argument):
    if step == "validate":
        stream = io.StringIO()
        validator = Validator(config=config)
        validator.stream = stream
        validator.validate_and_print(argument)
        return {"success": "Success!" in stream.getvalue(), "log": stream.getvalue()}
    api = NbGraderAPI(config=config)
    if step == "generate_assignment":
        result = api.generate_assignment(argument)
        return {"success": result["success"], "log": f"{result['log']}\n{result.get('error', '')}"}
    # As the command does, and not by NbGraderAPI.autograde, which takes one student.
    from nbgrader.converters import Autograde
    from nbgrader.converters.base import NbGraderException

    api.coursedir.assignment_id = argument
    converter = Autograde(coursedir=api.coursedir, parent=api)
    try:
        converter.start()
    except (NbGraderException, SystemExit) as error:
        return {"success": False, "log": repr(error)}
    return {"success": True, "log": ""}


def scores(path):
    if not os.path.exists(path):
        return []
    with sqlite3.connect(path) as db:
        keys = ["assignment", "notebook", "student", "gradeId", "points", "manual"]
        return [dict(zip(keys, row)) for row in db.execute(SCORES)]


main(*sys.argv[1:])
