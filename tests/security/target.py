"""The page that is attacked, in a process of its own: `python target.py ADDRESS_FILE`.

Its environment holds secrets (see attacker.py) that must never be told; it has a small disk quota
and little patience. The time that each step of a take lasts is read from the file "pause" beside
ADDRESS_FILE. `L2T_TEST_UNGUARDED=1` leaves the guard out, to see what the attacks do without it.
"""

import os
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
for folder in (HERE.parent, HERE.parents[1]):
    sys.path.insert(0, str(folder))

QUOTA = 12_000_000  # bytes


def main(told: Path) -> None:
    from l2t.disk import Quota
    from l2t.ui import launch as module
    from l2t.ui.guard import connections, json_bodies, uploads

    json_bodies.SECONDS, uploads.IDLE, connections.PATIENCE = 2.0, 3.0, 4.0
    module.LOOK = 1.0

    cache = Path(os.environ["GRADIO_TEMP_DIR"])
    cache.mkdir(exist_ok=True)

    def guarded(*arguments, status=None, **more):
        ours = {"status": status or (lambda: served_status()), "quota": Quota(cache, QUOTA, 0)}
        return launch(*arguments, **(more | ours))

    launch, module.launch = module.launch, guarded
    if os.environ.get("L2T_TEST_UNGUARDED"):
        module.Guard = lambda app, *_: app
    from served import serve

    found = serve()
    served_status = found.service.status
    pause = told.with_name("pause")
    told.with_suffix(".part").write_text(found.address)
    told.with_suffix(".part").rename(told)
    while os.getppid() != 1:  # whoever started it is gone
        time.sleep(0.05)
        found.face.pause = float(pause.read_text()) if pause.exists() else 0.0


if __name__ == "__main__":
    main(Path(sys.argv[1]))
