"""Collects a course's downloads by nbgrader: python nbgrader_zip_collect.py COURSE ASSIGNMENT"""

import os
import sys

from nbgrader.apps.zipcollectapp import ZipCollectApp

course, assignment = sys.argv[1:]
# nbgrader runs alembic by name, which lies beside this Python.
os.environ["PATH"] = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
os.chdir(course)
app = ZipCollectApp.instance()
app.initialize([assignment, "--CourseDirectory.root=" + course])
# The form of nbgrader's documentation, which is Blackboard's.
app.config.FileNameCollectorPlugin.named_regexp = (
    r".*" + assignment + r"_(?P<student_id>\w+)_attempt_(?P<timestamp>[0-9\-]+)_(?P<file_id>.+)"
)
app.start()
