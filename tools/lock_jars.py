"""Write the lock file of a Java program: `lock_jars.py kafka GROUP:ARTIFACT:VERSION...`, the program itself first.

Maven resolves what the coordinates need at run time; what it fetched is pinned by SHA-256. The stack then
fetches exactly these files, with nothing left to resolve.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import tempfile
from pathlib import Path
from typing import Final

_LOCKS: Final = Path(__file__).parents[1] / "libs/cli/src/tickstream/cli/stack/locks"
_HEADING: Final = "# SHA-256 and Maven coordinates, the program first; written by tools/lock_jars.py."
_POM: Final = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tickstream</groupId><artifactId>lock</artifactId><version>1</version>
  <dependencies>{}</dependencies>
</project>
"""
_DEPENDENCY: Final = "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"


def main() -> None:
    """Resolve, fetch, hash, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("coordinates", nargs="+", metavar="GROUP:ARTIFACT:VERSION")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        resolved = resolve(arguments.coordinates, Path(directory))
    first = arguments.coordinates[0]
    lines = [f"{resolved.pop(first)}  {first}", *(f"{resolved[name]}  {name}" for name in sorted(resolved, key=_parts))]
    lock = _LOCKS / f"{arguments.program}.lock"
    lock.write_text("\n".join([_HEADING, *lines, ""]), encoding="utf-8")


def _parts(coordinates: str) -> list[str]:
    return coordinates.split(":")


def resolve(coordinates: list[str], work: Path) -> dict[str, str]:
    """The SHA-256 of each jar that the coordinates need at run time, themselves included."""
    dependencies = "".join(_DEPENDENCY.format(*one.split(":")) for one in coordinates)
    (work / "pom.xml").write_text(_POM.format(dependencies), encoding="utf-8")
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", "-Dmdep.useRepositoryLayout=true"]
    command = ["mvn", "-q", "-B", *goal, f"-DoutputDirectory={work / 'jars'}"]
    subprocess.run(command, cwd=work, check=True)  # noqa: S603 (a maintainer's own coordinates)
    hashes = {}
    for jar in (work / "jars").rglob("*.jar"):
        group, artifact, version = jar.parts[len((work / "jars").parts) : -3], jar.parts[-3], jar.parts[-2]
        hashes[f"{'.'.join(group)}:{artifact}:{version}"] = hashlib.sha256(jar.read_bytes()).hexdigest()
    return hashes


if __name__ == "__main__":
    main()
