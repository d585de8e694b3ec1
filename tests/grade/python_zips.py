"""Writes zips as Python's zipfile does: python python_zips.py NOTEBOOK FOLDER"""

import os
import sys
import zipfile

notebook, folder = sys.argv[1:]
with open(notebook, "rb") as file:
    data = file.read()


def write(name, entries, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(os.path.join(folder, name), "w", method) as archive:
        for entry, content in entries:
            archive.writestr(entry, content)


link = zipfile.ZipInfo("link.ipynb")
link.create_system = 3
link.external_attr = 0o120777 << 16
write("ada.zip", [("week1/", b""), ("week1/week1.ipynb", data), (link, "/etc/passwd")])
write("bob.zip", [("Übung/week1.ipynb", data), ("naïve 🎓.md", b"# x")], zipfile.ZIP_STORED)
write("cho.zip", [("week1.ipynb", data)], zipfile.ZIP_LZMA)
# Unknown sizes while it is written: data descriptors and zip64.
with open(os.path.join(folder, "eve.zip"), "wb") as raw:
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("week1.ipynb", "w", force_zip64=True) as entry:
            entry.write(data)
# A zip inside of the course system's zip.
with zipfile.ZipFile(os.path.join(folder, "all.zip"), "w") as outer:
    for name, canvas in [("ada", "lovelaceada_1234_1_"), ("bob", "angstromoharabob_1235_2_")]:
        outer.write(os.path.join(folder, name + ".zip"), canvas + "hand-in.zip")
