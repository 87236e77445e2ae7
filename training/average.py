"""The mean of two students: `python -m training.average FIRST SECOND --share 0.4 --out FOLDER`.

When the second was trained on from the first, the points between them are good students too, and
trade what the two do best (Wortsman et al. 2022, "Model soups").
"""

import argparse
from pathlib import Path

from torch import Tensor

from l2t.models.regressor import Regressor, RegressorConfig
from training.files import load_parts, save_module


def mean_of(first: dict[str, Tensor], second: dict[str, Tensor], share: float) -> dict[str, Tensor]:
    """(1 - share) * first + share * second, name by name."""
    return {name: (1 - share) * first[name] + share * second[name] for name in first}


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    parser.add_argument("--share", type=float, required=True, help="of the second, 0..1")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    (config, first), (other, second) = (load_parts(f, "student") for f in (args.first, args.second))
    if config != other:
        parser.error("the two students differ in size, styles or shapes")
    student = Regressor(RegressorConfig(**config))
    student.load_state_dict(mean_of(first, second, args.share))
    save_module(student, args.out, "student")


if __name__ == "__main__":
    main()
