"""The paper's own datasets: whoever holds their licences trains and measures with two commands."""
