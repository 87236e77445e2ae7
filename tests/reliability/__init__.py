"""How the real app behaves under crowds, faults and long days: figures for the README.

    python -m reliability --readme README.md     (PYTHONPATH=tests)

The tests of `tests/` hold what must be true; here it is measured on the whole app over HTTP.
"""
