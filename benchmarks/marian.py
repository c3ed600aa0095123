# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = ["pymarian==1.12.42"]
# ///
"""Marian's own command line, in an environment of its own: uv run benchmarks/marian.py train --help."""

import sys

import _pymarian

if __name__ == "__main__":
    sys.exit(_pymarian.main(sys.argv[1:]))
