import json
import os
import subprocess
import sys

import pytest

from hartsim.errors import WorldError
from hartsim.worlds import backend

SHOW_PROBE = "from hartsim.worlds import backend; print(backend.probe())"


def python(code, **environment):
    known = {key: value for key, value in os.environ.items() if not key.startswith("MUJOCO")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=known | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_importing_the_worlds_imports_no_simulator():
    code = "import sys, hartsim.worlds, hartsim.worlds.embedded; print('mujoco' in sys.modules)"
    assert python(code) == "False"


def test_the_back_end_that_the_user_chose_is_kept():
    assert python(SHOW_PROBE, MUJOCO_GL="glfw") == "glfw"


def test_a_choice_of_the_user_that_does_not_draw_is_told_with_its_remedy():
    code = (
        "from hartsim.worlds import backend\nfrom hartsim.errors import WorldError\n"
        "try:\n    backend.trial()\nexcept WorldError as error:\n    print(error)"
    )
    message = python(code, MUJOCO_GL="of-nobody")
    assert message == "MUJOCO_GL=of-nobody does not start; run: unset MUJOCO_GL"


def test_a_memory_that_has_become_wrong_is_given_up(tmp_path):
    found = python(SHOW_PROBE, HARTSIM_CACHE=str(tmp_path))
    (file,) = tmp_path.iterdir()
    file.write_text(json.dumps({"backend": "osmesa"}))
    code = "from hartsim.worlds import backend; print(backend.trial())"
    if backend.works("osmesa"):
        pytest.skip("both back ends work here")
    assert python(code, HARTSIM_CACHE=str(tmp_path)) == found
    assert json.loads(file.read_text()) == {"backend": found}


def test_what_was_found_is_remembered_for_the_next_process(tmp_path):
    found = python(SHOW_PROBE, HARTSIM_CACHE=str(tmp_path))
    (file,) = tmp_path.iterdir()
    assert json.loads(file.read_text()) == {"backend": found}


def test_a_remembered_back_end_is_not_tried_again(tmp_path):
    python(SHOW_PROBE, HARTSIM_CACHE=str(tmp_path))
    (file,) = tmp_path.iterdir()
    file.write_text(json.dumps({"backend": "osmesa"}))
    assert python(SHOW_PROBE, HARTSIM_CACHE=str(tmp_path)) == "osmesa"


def test_a_broken_memory_is_not_believed(tmp_path):
    found = python(SHOW_PROBE, HARTSIM_CACHE=str(tmp_path))
    (file,) = tmp_path.iterdir()
    file.write_text("{")
    assert python(SHOW_PROBE, HARTSIM_CACHE=str(tmp_path)) == found


def test_without_any_opengl_the_error_names_the_command(monkeypatch, tmp_path):
    monkeypatch.setenv("HARTSIM_CACHE", str(tmp_path))
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    monkeypatch.setattr(backend, "CANDIDATES", ("nonsense",))
    with pytest.raises(WorldError, match="pip install --no-deps lavavu-osmesa"):
        backend.probe.__wrapped__()


def test_a_back_end_that_does_not_start_is_an_error_of_one_line():
    code = (
        "from hartsim.worlds.embedded import EmbeddedWorld\n"
        "from hartsim.errors import WorldError\n"
        "try:\n    EmbeddedWorld()\nexcept WorldError as error:\n    print(error)"
    )
    message = python(code, MUJOCO_GL="osmesa-of-nobody")
    assert "MUJOCO_GL=osmesa-of-nobody" in message
    assert "\n" not in message
