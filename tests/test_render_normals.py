"""Vertex normals, against a naive sum over triangles."""

import numpy as np

from l2t.render.normals import vertex_normals


def naive(points, faces):
    out = np.zeros_like(points)
    for a, b, c in faces:
        for vertex in (a, b, c):
            out[vertex] += np.cross(points[b] - points[a], points[c] - points[a])
    return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-20)


def test_equals_the_naive_sum():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(30, 3)).astype(np.float32)
    faces = rng.integers(0, 30, (60, 3)).astype(np.int32)
    ours = vertex_normals(points, faces, np.empty_like(points))
    np.testing.assert_allclose(ours, naive(points, faces), atol=1e-5)


def test_counter_clockwise_faces_the_viewer():
    points = np.array([(0, 0, 0), (1, 0, 0), (0, 1, 0)], np.float32)
    ours = vertex_normals(points, np.array([(0, 1, 2)], np.int32), np.empty_like(points))
    np.testing.assert_allclose(ours, [(0, 0, 1)] * 3)


def test_a_point_without_area_has_no_normal():
    points = np.zeros((4, 3), np.float32)
    ours = vertex_normals(points, np.array([(0, 1, 2)], np.int32), np.empty_like(points))
    assert not ours.any()
