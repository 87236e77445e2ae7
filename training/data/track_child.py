"""The tracker's own process: pictures on its standard input, MediaPipe's landmarks into an npz.

    python track_child.py WIDTH HEIGHT OUT.npz  <  rgb24 pictures, one after the other

Needs numpy and mediapipe and nothing of this project, so that any interpreter can run it; ends with
status 3 when mediapipe cannot be imported. OUT.npz: `points` (frames, 478, 3) float32 pixels (x
right, y down, z away from the camera in the scale of x), `found` (frames,) bool, `people` (frames,)
int16 (how many faces of about one size were seen; -1 where nobody counted).
"""

import sys

MISSING = 3  # exit status
COUNT_EVERY = 5  # pictures
SAME_SIZE = 0.5  # a face smaller than this share of the largest is background


def people_in(detector, picture) -> int:
    """Number of faces at least half as wide as the widest."""
    found = detector.process(picture).detections or []
    widths = [d.location_data.relative_bounding_box.width for d in found]
    return sum(width >= SAME_SIZE * max(widths) for width in widths)


def pictures(stream, width: int, height: int):
    """(height, width, 3) uint8 each, until the stream ends."""
    import numpy as np

    size = width * height * 3
    while len(data := stream.read(size)) == size:
        yield np.frombuffer(data, np.uint8).reshape(height, width, 3)


def main() -> int:
    sys.path.pop(0)  # the files beside this one are no packages of the tracker's
    width, height, out = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    try:
        import mediapipe as mp
        import numpy as np
    except ImportError as error:
        print(error, file=sys.stderr)
        return MISSING
    # Every picture for itself: the mode that follows a face smooths its lips and makes them late.
    mesh = mp.solutions.face_mesh.FaceMesh(static_image_mode=True, refine_landmarks=True)
    detector = mp.solutions.face_detection.FaceDetection(model_selection=0)
    scale = np.array([width, height, width], np.float32)
    points, people = [], []
    for number, picture in enumerate(pictures(sys.stdin.buffer, width, height)):
        faces = mesh.process(picture).multi_face_landmarks
        rows = [(p.x, p.y, p.z) for p in faces[0].landmark] if faces else np.full((478, 3), np.nan)
        points.append(np.asarray(rows, np.float32) * scale)
        people.append(people_in(detector, picture) if number % COUNT_EVERY == 0 else -1)
    points = np.array(points, np.float32).reshape(-1, 478, 3)
    np.savez(out, points=np.nan_to_num(points), found=np.isfinite(points[:, 0, 0]),
             people=np.array(people, np.int16))  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
