"""Releases an assignment of a course folder by nbgrader: python nbgrader_release.py COURSE ASSIGNMENT"""

import os
import sys

from nbgrader.apps import NbGraderAPI
from traitlets.config import Config

# nbgrader runs alembic by name, which lies beside this Python.
os.environ["PATH"] = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]

course, assignment = sys.argv[1:]
config = Config()
config.CourseDirectory.root = course
config.ClearSolutions.code_stub = {
    "typescript": '// YOUR CODE HERE\nthrow new Error("Not implemented");',
    "python": "# YOUR CODE HERE\nraise NotImplementedError()",
}
result = NbGraderAPI(config=config).generate_assignment(assignment)
if not result["success"]:
    sys.exit(f"{result['log']}\n{result['error']}")
