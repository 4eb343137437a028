"""Textures on the wire: decoded at once, and exactly."""

import hashlib
import time
from collections.abc import Callable
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.carla_standin import textures


def request(name: str, pixels: Any) -> bytes:
    """A call as the client packs it."""
    height, width = pixels.shape[:2]
    packer = msgpack.Packer(use_single_float=True)
    rows = pixels.reshape(-1, 4).tolist()
    body = [[False], ["wall", "door"], 2, [width, height, rows]]
    packed: bytes = packer.pack([0, 7, name, body])
    return packed


@given(st.binary(min_size=4, max_size=256), st.integers(0, 40))
def test_bytes_come_back_whatever_follows(data: bytes, extra: int) -> None:
    pixels = np.frombuffer(data[: len(data) // 4 * 4], np.uint8).reshape(1, -1, 4)
    packed = request(textures.BYTES, pixels)
    call, size = textures.next_call(bytearray(packed + b"\xcc" * extra))
    assert call is not None
    assert size == len(packed)
    assert call[3][1] == ["wall", "door"]
    np.testing.assert_array_equal(call[3][3], pixels)


@given(st.lists(st.sampled_from([0x00, 0x7F, 0x94, 0xCC, 0xFF]), min_size=8, max_size=8))
def test_half_a_texture_asks_for_more_and_no_more_than_there_is(values: list[int]) -> None:
    packed = request(textures.BYTES, np.array(values, np.uint8).reshape(1, 2, 4))
    for cut in range(1, len(packed)):
        call, needed = textures.next_call(bytearray(packed[:cut]))
        if needed == 0:
            # the name has not come yet
            assert textures.BYTES.encode() not in packed[:cut]
            continue
        assert call is None
        assert cut < needed <= len(packed)


def test_floats_come_back() -> None:
    pixels = np.random.default_rng(1).normal(size=(3, 5, 4)).astype(np.float32)
    packed = request(textures.FLOATS, pixels)
    call, size = textures.next_call(bytearray(packed))
    assert call is not None
    assert size == len(packed)
    np.testing.assert_array_equal(call[3][3], pixels)


def test_the_clients_texture_arrives_bit_for_bit(standin: Callable[..., Any]) -> None:
    carla = pytest.importorskip("carla")
    server = standin(pictures="plain")
    client = carla.Client("127.0.0.1", server.port)
    client.set_timeout(20.0)
    world = client.get_world()
    pixels = np.random.default_rng(2).integers(0, 256, (16, 24, 4), np.uint8)
    texture = carla.TextureColor(24, 16)
    for y, x in np.ndindex(16, 24):
        texture.set(x, y, carla.Color(*pixels[y, x].tolist()))
    where = carla.MaterialParameter.Diffuse
    world.apply_color_texture_to_object("BP_Apartment04_v05_Opt_2", where, texture)
    (call,) = server.calls("apply_color_texture_to_objects")
    names, parameter, seen = call["args"]
    assert (names, parameter) == (["BP_Apartment04_v05_Opt_2"], 2)
    assert seen["sha256"] == hashlib.sha256(pixels.tobytes()).hexdigest()


def test_a_large_texture_takes_no_seconds() -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (1024, 1024, 4), np.uint8)
    small = request(textures.BYTES, pixels[:1, :1])
    marked = np.stack([np.full(pixels.shape, 0xCC, np.uint8), pixels], -1)
    present = np.stack([pixels >= 128, np.ones(pixels.shape, bool)], -1)
    body = np.concatenate(
        [np.full((1024, 1024, 1), 0x94, np.uint8), marked.reshape(1024, 1024, 8)], 2
    )
    kept = np.concatenate([np.ones((1024, 1024, 1), bool), present.reshape(1024, 1024, 8)], 2)
    head = small[: small.index(b"\x93\x01\x01")]
    packed = head + msgpack.packb([1024, 1024])[1:].join([b"\x93", b"\xdd\x00\x10\x00\x00"])
    packed += body[kept].tobytes()
    begun = time.process_time()
    call, size = textures.next_call(bytearray(packed))
    assert time.process_time() - begun < 2.0
    assert call is not None
    assert size == len(packed)
    np.testing.assert_array_equal(call[3][3], pixels)
