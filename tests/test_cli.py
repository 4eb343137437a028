import json
import os
import re
import subprocess
import sys

import pytest

import hartsim
from hartsim.cli import run
from hartsim.scenario.library import library_scenarios
from hartsim.scenario.load import load_scenario
from hartsim.scenario.samplers import full_grid

COMMANDS = [
    "generate",
    "augment",
    "coverage",
    "merge",
    "compile",
    "render",
    "lint",
    "import",
    "export",
    "gallery",
    "verify",
    "train",
    "train data",
    "train tokenizer",
    "train transformer",
    "train decoder",
    "train policy",
    "evaluate",
    "bench",
    "bench speed",
    "bench quality",
    "bank",
    "bank build",
    "bank show",
    "bank verify",
    "doctor",
    "scenarios",
    "scenarios list",
    "scenarios show",
    "scenarios new",
    "scenarios schema",
    "weights",
    "weights pull",
    "weights list",
    "weights verify",
    "weights where",
    "weights prompt",
]


@pytest.fixture(autouse=True)
def plain_wide_screen(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")


def test_the_version_is_the_package_s(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"hartsim {hartsim.__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_shows_an_example_of_it(capsys, command):
    assert run([*command.split(), "--help"]) == 0
    assert f"Example: hartsim {command}" in capsys.readouterr().out


def test_the_help_names_every_command(capsys):
    run(["--help"])
    shown = capsys.readouterr().out
    assert all(f" {command} " in shown for command in COMMANDS if " " not in command)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("generat x", "No such command 'generat'"),
        ("generate", "Missing argument"),
        ("generate x --cout 3", "No such option: --cout"),
        ("generate x --count 0", "--count"),
        ("generate x --count many", "--count"),
        ("generate x --seed -1", "--seed"),
        ("generate hart=tiny", "no scenario named, only settings (hart=tiny)"),
        ("generate x --shard 2/2", "--shard is '2/2', must be I/N"),
        ("generate x --shard half", "--shard is 'half', must be I/N"),
        ("generate x --routes texure", "no 'texure'; did you mean 'texture'?"),
        ("generate x hart=tny", "no 'tny'; did you mean 'tiny'?"),
        ("generate child_behind_vam", "child_behind_van"),
        ("augment none --route repaint --scenario deer_snow_road --out x", "none: no such folder"),
        ("augment none --route view --scenario deer_snow_road --out x", "'--route'"),
        ("augment none --route repaint --out x", "Missing option '--scenario'"),
        ("augment none --route repaint --scenario x --out=", "--out is empty, must name a folder"),
        ("augment x --route repaint --scenario clutter --out x", "'clutter' is a group of"),
        ("bank build hart=tiny", "no scenario named, only settings (hart=tiny)"),
        ("bank build driving --kinds textur", "no kind 'textur' of pictures; did you mean"),
        ("bank build driving --kinds=,", "no kind of pictures is asked for"),
        ("bank build driving --size 0", "--size"),
        ("bank show missing", "missing: no such folder"),
        ("bank show missing --sheet x.jpg", "--sheet is 'x.jpg', must be a .png file"),
        ("bank verify missing", "missing: no such folder"),
        ("compile child_behind_vam", "child_behind_van"),
        ("compile missing/file.yaml", "missing/file.yaml: no such file"),
        ("scenarios show child_behind_vam", "child_behind_van"),
        ("render x --out missing/x.png", "there is no folder 'missing'"),
        ("render x --out x.jpg", "must be a file name that ends in .png"),
        ("render deer render.device=cuda:7", "render.device is 'cuda:7', which is not here"),
        ("scenarios new x.txt", "must be a file name that ends in .yaml"),
        ("scenarios new missing/x.yaml", "there is no folder 'missing'"),
        ("verify missing", "missing: not a hartsim dataset"),
        ("coverage driving --by wether", "nothing to cover is called 'wether'; did you mean"),
        ("coverage driving --out x.png", "must be a file name that ends in .svg"),
        ("export voc data", "there is no export to 'voc'; there are coco and xosc"),
        ("render a deer", "put it in quotes: 'a deer'"),
        ("generate nosuch", "driving"),
        ("export coco missing", "missing"),
        ("gallery missing", "missing"),
        ("merge missing --out x", "missing"),
        ("train tokenizer --data missing --out x", "missing"),
    ],
)
def test_bad_input_ends_in_one_line_and_exit_code_2(capsys, line, complaint):
    assert run(line.split()) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert told.count("\n") == 1
    assert complaint in told


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("hart.weights=nowhere", "nowhere"),
        ("render.device=cuda:7", "cuda:7"),
        ("world.size_px=1024", "world.size_px is 1024"),
    ],
)
def test_what_cannot_be_painted_claims_no_folder(tmp_path, capsys, setting, complaint):
    out = tmp_path / "data"
    line = ["generate", "child_behind_van", "hart=tiny", "--out", str(out), setting]
    assert run(line) == 2
    assert complaint in capsys.readouterr().err
    assert not out.exists()


def test_a_file_whose_name_names_no_scenario_says_so(tmp_path, capsys):
    odd = tmp_path / "my deer.yaml"
    odd.write_text(library_scenarios()["deer_snow_road"].read_text())
    assert run(["compile", str(odd)]) == 2
    assert "'my deer' is no name" in capsys.readouterr().err
    odd.write_text("name: my_deer\n" + odd.read_text())
    assert run(["compile", str(odd)]) == 0


def test_a_scenario_that_is_no_text_is_not_shown(tmp_path, capsys):
    (tmp_path / "odd.yaml").write_bytes(b"\xff\xfe\x00\x81")
    assert run(["scenarios", "show", str(tmp_path / "odd.yaml")]) == 2
    assert "cannot be read as text" in capsys.readouterr().err


def test_brackets_in_an_error_are_shown_as_they_are(capsys):
    run(["generate", "x", "render.guidance=[1"])
    assert "'[1'" in capsys.readouterr().err


def test_a_scenario_file_may_have_an_equals_sign_in_its_name(tmp_path, capsys):
    odd = tmp_path / "speed=10.yaml"
    odd.write_text("neither: a scenario")
    assert run(["generate", str(odd)]) == 2
    assert "speed=10.yaml" in capsys.readouterr().err


def test_compile_prints_one_json_scene_a_line(capsys):
    assert run(["compile", "child_behind_van", "--count", "2", "--seed", "3", "--json"]) == 0
    scenes = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [scene["index"] for scene in scenes] == [0, 1]
    assert {scene["seed"] for scene in scenes} == {3}


def test_compile_without_json_shows_prompts_and_draws(capsys):
    assert run(["compile", "child_behind_van"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("child_behind_van-00000 (driving, seed 0)\n")
    assert "  view front: " in shown
    assert "  drawn " in shown


def test_coverage_counts_what_is_seen_and_names_what_is_not(capsys, tmp_path):
    picture = tmp_path / "pairs.svg"
    names = ["child_behind_van", "deer_snow_road", "lost_load_highway", "stopped_car_fog"]
    line = ["coverage", *names, "--by", "weather,hazard", "--count", "1"]
    assert run([*line, "--out", str(picture)]) == 0
    shown = capsys.readouterr().out
    assert "4 scenes; pairs never seen together: " in shown
    assert re.search(r"^hazard +\d of 7 \(\d+ %\)", shown, re.MULTILINE)
    assert picture.read_text().startswith("<svg")


def test_pairwise_draws_are_held_against_the_full_grid(capsys):
    line = ["coverage", "deer_snow_road", "--sampler", "pairwise", "--by"]
    assert run([*line, "scene.time_of_day,objects.oncoming.kind"]) == 0
    shown = capsys.readouterr().out
    assert "pairs never seen together: 0" in shown
    full = full_grid(load_scenario("deer_snow_road"), 3)
    assert full > 1000
    assert f"every combination of all that varies would take {full} scenes" in shown


def test_a_sentence_compiles_and_becomes_a_file(capsys, tmp_path):
    sentence = "a deer on an icy road, 20 m ahead, with a zeppelin"
    assert run(["compile", sentence, "--yaml"]) == 0
    told = capsys.readouterr()
    assert "not understood: zeppelin" in told.err
    path = tmp_path / "deer.yaml"
    path.write_text(told.out)
    assert load_scenario(path).scene.ground == "icy"
    assert run(["compile", sentence, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["setup"]["conditions"]["ground"] == "icy"


def test_a_scenario_goes_to_openscenario_and_back(capsys, tmp_path):
    assert run(["export", "xosc", "deer_snow_road", "--out", str(tmp_path)]) == 0
    written = capsys.readouterr().out.split()
    assert str(tmp_path / "deer_snow_road.xosc") == written[0]
    back = tmp_path / "back.yaml"
    assert run(["import", written[0], "--out", str(back)]) == 0
    again, deer = load_scenario(back), load_scenario("deer_snow_road")
    assert (again.hazards, again.scene, again.vary) == (deer.hazards, deer.scene, deer.vary)
    assert run(["import", str(back)]) == 2


def test_a_function_of_ones_own_reads_sentences(capsys, tmp_path, monkeypatch):
    answer = "task: driving\\nscene: {place: highway}\\nhazards: {d: {kind: dog, ahead_m: 9}}\\n"
    (tmp_path / "my_reader.py").write_text(f"def read(sentence, schema):\n    return '{answer}'\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert run(["compile", "ein Hund auf der Bahn", "--yaml", "--reader", "my_reader:read"]) == 0
    assert "kind: dog" in capsys.readouterr().out
    assert run(["compile", "ein Hund auf der Bahn", "--reader", "my_reader:nothing"]) == 2
    assert "must be MODULE:FUNCTION" in capsys.readouterr().err


def test_the_shipped_scenarios_are_listed(capsys):
    assert run(["scenarios", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    shown = [line.strip().split(":")[0] for line in lines if line.startswith("  ")]
    assert sorted(shown) == sorted(library_scenarios())
    assert "driving/animals" in lines
    assert lines[-1] == f"{len(shown)} scenarios"


def test_a_new_scenario_compiles_and_is_never_written_over(capsys, tmp_path):
    path = tmp_path / "mine.yaml"
    assert run(["scenarios", "new", str(path), "--like", "hand_and_knife"]) == 0
    assert run(["compile", str(path)]) == 0
    assert run(["scenarios", "new", str(path)]) == 2
    assert "there already" in capsys.readouterr().err


def test_the_schema_is_json(capsys):
    assert run(["scenarios", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "hartsim scenario"


def test_show_prints_the_file_itself(capsys):
    assert run(["scenarios", "show", "child_behind_van"]) == 0
    assert capsys.readouterr().out == library_scenarios()["child_behind_van"].read_text()


def command(*words: str, program: str = "from hartsim.cli import main; main()"):
    """The finished process of a command line of its own."""
    arguments = [sys.executable, "-W", "error", "-c", program, *words]
    return subprocess.run(arguments, capture_output=True, text=True, env={**os.environ})


@pytest.mark.parametrize("words", [["--help"], ["compile", "child_behind_van", "--json"]])
def test_help_and_compile_load_no_model_and_no_simulator(words):
    program = (
        "import sys; from hartsim.cli import run; code = run(sys.argv[1:]);"
        "print(*sys.modules, file=sys.stderr); sys.exit(code)"
    )
    done = command(*words, program=program)
    assert done.returncode == 0, done.stderr
    assert not {"torch", "mujoco", "cv2", "gymnasium"} & set(done.stderr.split())


def test_a_reader_that_leaves_early_causes_no_complaint():
    compile_ = f"{sys.executable} -c 'from hartsim.cli import main; main()' compile driving"
    line = f"{compile_} --count 50 --json | head -n 1"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


def test_an_interrupt_says_how_to_go_on():
    interrupted = (
        "import hartsim.cli as cli, hartsim.scenario.library as library\n"
        "def stop(names): raise KeyboardInterrupt\n"
        "library.find_scenarios = stop; cli.main()"
    )
    done = command("compile", "driving", program=interrupted)
    assert done.returncode == 130
    assert "the same command again goes on" in done.stderr


def test_the_doctor_names_a_remedy_for_what_is_missing(capsys):
    code = run(["doctor"])
    shown = capsys.readouterr().out
    assert code == (1 if re.search(r"\bmissing\b", shown) else 0)
    assert all(name in shown for name in ("Python", "PyTorch", "OpenGL", "hart-mini", "Disk"))
