import gymnasium as gym
import numpy as np
import pytest
from gymnasium.wrappers import AddRenderObservation, ResizeObservation

from hartsim.adapters.gymnasium.mujoco import model_of, mujoco_mask, screens_of
from hartsim.adapters.gymnasium.mujoco_paint import Painter, surfaces_of
from hartsim.errors import WorldError
from hartsim.types import Image
from tests.adapters.gymnasium.mujoco_envs import SIDE, StillLife, WithRenderer, closing_all

RED, GREEN, BLUE, WHITE = (220, 30, 20), (40, 200, 60), (30, 60, 210), (250, 250, 250)
QUARTERS = np.array([[RED, GREEN], [BLUE, WHITE]], np.uint8).repeat(64, 0).repeat(64, 1)
"""A picture that shows how it is turned, and whether it is mirrored."""

TILED = '<texture name="tiles" type="2d" builtin="flat" rgb1=".3 .3 .3" width="128" height="128"/>'
WRAPPED = '<texture name="wrap" type="cube" builtin="flat" rgb1=".3 .3 .3" width="128"/>'
SKY = '<texture name="sky" type="skybox" builtin="flat" rgb1=".1 .2 .3" width="128"/>'
FLOOR = '<geom name="floor" type="plane" size=".5 .5 .1" material="m"/>'
BOX = '<geom name="box" type="box" size=".5 .5 .5" material="m"/>'
PLAIN = (
    '<geom name="floor" type="plane" size="9 9 .1" rgba=".2 .3 .4 1"/>'
    '<body name="thing" pos="0 0 .1"><joint type="slide" axis="1 0 0"/>'
    '<geom name="box" type="box" size=".5 .5 .1" rgba=".9 .2 .4 .5"/>'
    '<site name="spot" pos="0 0 .2" size=".1" rgba="1 1 0 1"/></body>'
)


def material(texture: str) -> str:
    return f'<material name="m" texture="{texture}" specular="0"/>'


def quarters_seen(picture: Image, reach_px: int = 4) -> list[list[list[int]]]:
    """The colours to the left and right of the middle of a picture, above and below it."""
    spots = (SIDE // 2 - reach_px, SIDE // 2 + reach_px)
    return [[picture[row, column].tolist() for column in spots] for row in spots]


def shows(picture: Image, upper: tuple, lower: tuple) -> bool:
    return bool(np.abs(np.subtract(quarters_seen(picture), [upper, lower])).max() <= 4)


def differs(one: Image, other: Image) -> np.ndarray:
    return (one != other).any(-1)


def only(mask: np.ndarray, rows: slice, columns: slice) -> bool:
    expected = np.zeros_like(mask)
    expected[rows, columns] = True
    return bool((mask == expected).all())


@pytest.fixture
def still(tmp_path):
    """Makes still lifes."""

    def build(assets="", bodies="", camera="above", of=StillLife, **more):
        env = of(tmp_path, assets, bodies, camera, **more)
        env.reset(seed=0)
        return env

    with closing_all(build) as make:
        yield make


@pytest.fixture
def make():
    """Makes registered environments that mix no two things in a pixel."""

    def build(name, side=96, **more):
        env = gym.make(name, render_mode="rgb_array", width=side, height=side, **more)
        quality = env.unwrapped.model.vis.quality
        quality.offsamples, quality.shadowsize = 0, 64
        env.reset(seed=3)
        return env

    with closing_all(build) as make:
        yield make


def test_a_mask_is_exact_to_the_pixel(still):
    env = still(bodies=PLAIN)
    mask = mujoco_mask("geom=box")(env, env.render())
    half_px = (
        0.5 / 1.8 * SIDE / 2
    )  # its upper side is 1.8 m below the camera, which sees 90 degrees
    inside = np.abs(np.arange(SIDE) + 0.5 - SIDE / 2) < half_px
    site = mujoco_mask("body=thing")(env, env.render()) & ~mask
    assert (mask | site == inside[:, None] & inside).all()


def test_the_mask_of_a_body_holds_its_geoms_and_sites(still):
    env = still(bodies=PLAIN)
    geom, body, floor = (
        mujoco_mask(spec)(env, env.render()) for spec in ("geom=box", "body=thing", "body=world")
    )
    assert body[SIDE // 2, SIDE // 2]
    assert not geom[SIDE // 2, SIDE // 2]
    assert (floor == ~body).all()


def test_what_is_hidden_by_its_opacity_hides_nothing(still):
    env = still(bodies=PLAIN)
    before = mujoco_mask("geom=box")(env, env.render())
    env.model.site("spot").rgba = (1, 1, 0, -0.3)  # as robosuite does
    after = mujoco_mask("geom=box")(env, env.render())
    assert after.sum() > before.sum()
    assert (after == mujoco_mask("body=thing")(env, env.render())).all()


def test_background_is_where_nothing_is_drawn(make):
    env = make("Reacher-v5")
    picture = env.render()
    background = mujoco_mask("background")(env, picture)
    assert background.any()
    assert (background == ~mujoco_mask("geom=*")(env, picture)).all()
    assert (picture[background] == 0).all()


def test_names_of_a_mask_may_be_patterns(make):
    env = make("Reacher-v5")
    picture = env.render()
    sides = [mujoco_mask(f"geom=side{letter}")(env, picture) for letter in "NESW"]
    assert all(side.any() for side in sides)
    assert (mujoco_mask("geom=side*")(env, picture) == np.any(sides, axis=0)).all()


def test_a_mask_follows_the_state_that_was_drawn(make):
    env = make("Reacher-v5")
    mask = mujoco_mask("geom=link0,link1")
    before = mask(env, env.render())
    for _ in range(5):
        env.step(np.array([1.0, -1.0], np.float32))
    stale = mask(env, np.zeros((96, 96, 3), np.uint8))
    assert (stale == before).all()
    assert (mask(env, env.render()) != before).any()


def test_masks_leave_the_next_picture_as_it_would_be(make):
    env = make("Ant-v5")
    before = env.render()
    mujoco_mask("background")(env, before)
    assert (env.render() == before).all()


def test_a_mask_is_as_large_as_a_resized_observation(make):
    env = ResizeObservation(AddRenderObservation(make("Reacher-v5")), (48, 48))
    picture, _ = env.reset(seed=1)
    whole = mujoco_mask("geom=ground")(env, env.render())
    small = mujoco_mask("geom=ground")(env, picture)
    assert small.shape == (48, 48)
    assert abs(small.mean() - whole.mean()) < 0.02


def test_a_picture_larger_than_the_buffer_gets_the_nearest_pixels(still):
    env = still(bodies=PLAIN)
    screens_of(env) or env.render()
    side = 2 * screens_of(env)[0].context.offWidth
    large = mujoco_mask("geom=box")(env, np.zeros((side, side, 3), np.uint8))
    small = mujoco_mask("geom=box")(env, np.zeros((SIDE, SIDE, 3), np.uint8))
    assert (
        large[side // SIDE // 2 :: side // SIDE, side // SIDE // 2 :: side // SIDE] == small
    ).all()


def test_a_mask_draws_first_where_nothing_is_drawn_yet(still):
    env = still(bodies=PLAIN)
    assert not screens_of(env)
    assert mujoco_mask("geom=box")(env, np.zeros((SIDE, SIDE, 3), np.uint8)).any()


def test_masks_work_with_a_renderer_of_mujocos_own(still):
    one, other = still(bodies=PLAIN, of=WithRenderer), still(bodies=PLAIN)
    masks = [mujoco_mask("geom=box")(env, env.render()) for env in (one, other)]
    assert (masks[0] == masks[1]).all()


def test_each_environment_of_a_process_has_its_own_masks(make):
    reacher, ant = make("Reacher-v5"), make("Ant-v5")
    mask = mujoco_mask("geom=*")
    alone = mask(reacher, reacher.render())
    there = mask(ant, ant.render())
    assert (mask(reacher, np.zeros((96, 96, 3), np.uint8)) == alone).all()
    assert (mask(ant, np.zeros((96, 96, 3), np.uint8)) == there).all()
    assert (alone != there).any()


@pytest.mark.parametrize("spec", ["sky", "geom", "geom=", "background=floor", "site=a"])
def test_a_mask_that_is_none_is_refused_at_once(spec):
    with pytest.raises(ValueError, match="there are mujoco:background, mujoco:geom=NAME"):
        mujoco_mask(spec)


def test_names_without_any_match_are_answered_with_those_there_are(still):
    env = still(bodies=PLAIN)
    with pytest.raises(WorldError, match="no geom matches 'flor'; there are: box, floor"):
        mujoco_mask("geom=box,flor")(env, env.render())


def test_a_cut_picture_has_no_mask(still):
    env = still(bodies=PLAIN)
    with pytest.raises(
        WorldError, match="the picture is 32x64, but the environment is drawn at 64x"
    ):
        mujoco_mask("background")(env, env.render()[:32])


def test_an_environment_that_is_not_drawn_has_no_mask():
    env = gym.make("Reacher-v5")
    env.reset(seed=0)
    with pytest.raises(WorldError, match="nothing draws ReacherEnv; make it with render_mode='rgb"):
        mujoco_mask("background")(env, np.zeros((64, 64, 3), np.uint8))
    env.close()


def test_an_environment_without_mujoco_is_refused():
    env = gym.make("CartPole-v1")
    with pytest.raises(WorldError, match="CartPoleEnv shows no MuJoCo model"):
        surfaces_of(env)
    env.close()


def test_surfaces_say_what_wears_them_and_how_they_are_painted(make):
    known = surfaces_of(make("Ant-v5"))
    assert str(known["texplane"]) == "texplane: 2d 100x100, texture, worn by floor"
    assert str(known["skybox"]) == "skybox: skybox 100x100, texture"
    assert str(known["torso_geom"]) == "torso_geom: cube 128x128, slot, worn by torso_geom"
    assert [name for name, each in known.items() if each.fixed] == ["skybox", "texplane"]


def test_surfaces_say_why_they_cannot_be_painted(still):
    lone = '<texture name="lone" type="2d" builtin="flat" width="8" height="8"/>'
    grey = lone.replace("lone", "grey")
    env = still(TILED + lone + grey + SKY + material("tiles"), FLOOR)
    env.model.tex_adr[0], env.model.tex_nchannel[2] = -1, 1
    reasons = {name: each.reason for name, each in surfaces_of(env).items()}
    assert reasons == {
        "tiles": "its pixels are not in the model: embed='false' or passthrough",
        "lone": "nothing that is drawn wears it as its colour",
        "grey": "it has 1 channel, and no colours",
        "sky": "",
    }


def test_a_surface_that_is_none_or_cannot_be_painted_is_answered_with_all(make):
    env = make("Ant-v5")
    with pytest.raises(WorldError, match=r"no surface 'floor'.*skybox, texplane.*texgeom: nothing"):
        Painter(env, ["floor"])
    with pytest.raises(WorldError, match="'texgeom' cannot be painted: nothing that is drawn"):
        Painter(env, ["texgeom"])


@pytest.mark.parametrize("colourspace", ["linear", "sRGB"])
def test_a_flat_texture_shows_the_picture_upright_and_in_its_colours(still, colourspace):
    tiled = TILED.replace("/>", f' colorspace="{colourspace}"/>')
    env = still(tiled + material("tiles"), FLOOR)
    Painter(env, ["tiles"]).paint({"tiles": QUARTERS})
    assert shows(env.render(), (RED, GREEN), (BLUE, WHITE))


@pytest.mark.parametrize("camera", ["above", "+x", "-x", "+y", "-y"])
@pytest.mark.parametrize("plain", [False, True])
def test_every_side_of_a_box_shows_the_picture_upright(still, camera, plain):
    bodies = BOX.replace('material="m"', 'rgba=".2 .5 .1 1"') if plain else BOX
    env = still("" if plain else WRAPPED + material("wrap"), bodies, camera)
    name = "box" if plain else "wrap"
    Painter(env, [name]).paint({name: QUARTERS})
    assert shows(env.render(), (RED, GREEN), (BLUE, WHITE))


@pytest.mark.parametrize(("camera", "turns_over"), [("-y", 0), ("+y", 0), ("-x", 1), ("+x", 1)])
def test_pictures_round_the_sky_meet_at_their_edges(still, camera, turns_over):
    env = still(SKY, '<geom size=".01" pos="0 0 -9"/>', camera)
    Painter(env, ["sky"]).paint({"sky": QUARTERS})
    upper, lower = (
        ((RED, GREEN), (BLUE, WHITE)) if not turns_over else ((GREEN, RED), (WHITE, BLUE))
    )
    assert shows(env.render(), upper, lower)


def test_faces_that_are_all_given_go_in_as_they_are(still):
    env = still(WRAPPED + material("wrap"), BOX)
    faces = np.random.default_rng(0).integers(0, 256, (6 * 128, 128, 3), np.uint8)
    Painter(env, ["wrap"]).paint({"wrap": faces})
    assert (env.model.tex_data.reshape(faces.shape) == faces).all()


def test_paint_changes_the_pixels_of_its_surface_and_no_others(make):
    env = make("Ant-v5")
    before = env.render()
    floor = mujoco_mask("geom=floor")(env, before)
    Painter(env, ["texplane"]).paint({"texplane": QUARTERS})
    changed = differs(env.render(), before)
    assert not (changed & ~floor).any()
    assert (changed & floor).sum() > 0.9 * floor.sum()


def test_a_plain_colour_wears_a_picture_and_all_else_looks_as_before(make):
    env = make("Reacher-v5")
    before = env.render()
    link = mujoco_mask("geom=link0")(env, before)
    painter = Painter(env, ["link0"])
    assert (env.render() == before).all()
    painter.paint({"link0": QUARTERS})
    changed = differs(env.render(), before)
    assert changed.any()
    assert not (changed & ~link).any()


def test_the_camera_stays_where_it_was(make):
    env = make("Reacher-v5")
    env.render()
    for _ in range(9):
        env.step(np.array([1.0, 1.0], np.float32))
    before = env.render()
    Painter(env, ["link0"])
    assert (env.render() == before).all()


def test_what_an_environment_changes_in_its_model_is_seen_beside_paint(still):
    env = still(bodies=PLAIN)
    Painter(env, ["floor"]).paint({"floor": QUARTERS})
    before = env.render()
    box = mujoco_mask("geom=box")(env, before)
    env.model.geom("box").rgba = (0, 0, 1, 1)
    after = env.render()
    assert differs(after, before)[box].all()
    assert not differs(after, before)[~box].any()


def test_a_painted_colour_stays_as_transparent_as_it_was(still):
    env = still(bodies=PLAIN)
    Painter(env, ["box"]).paint({"box": np.full((8, 8, 3), 255, np.uint8)})
    box = env.render()[mujoco_mask("geom=box")(env, env.render())]
    floor = env.render()[0, 0]
    assert np.abs(box - (0.75 * 255 + 0.25 * floor)).max() < 2  # its far side shows through, too


def test_where_no_texture_can_be_added_the_mean_colour_is_worn(still):
    env = still(bodies=PLAIN, of=WithRenderer)
    env.fullpath = None
    known = surfaces_of(env)["floor"]
    assert (known.how, known.reason) == (
        "colour",
        "a plain colour, and the file of the model is not known",
    )
    colours = env.model.geom_rgba.copy()
    painter = Painter(env, ["floor"])
    painter.paint({"floor": QUARTERS})
    assert np.abs(env.render()[2, 2] - QUARTERS.mean((0, 1))).max() < 2
    painter.restore()
    assert (env.model.geom_rgba == colours).all()


def test_a_file_that_has_changed_since_gives_no_textures(still, tmp_path):
    env = still(bodies=PLAIN)
    (tmp_path / "model.xml").write_text("<mujoco/>")
    assert surfaces_of(env)["box"].reason.endswith("does not describe the model any more")
    (tmp_path / "model.xml").write_text("<mujoco")
    assert "its file cannot be read again" in surfaces_of(env)["box"].reason


def test_restore_puts_everything_back_bit_for_bit(make):
    env = make("Ant-v5")
    before, pixels = env.render(), env.unwrapped.model.tex_data.copy()
    renderer = env.unwrapped.mujoco_renderer
    painter = Painter(env, ["texplane", "skybox", "torso_geom"])
    painter.paint(dict.fromkeys(painter.surfaces, QUARTERS))
    assert differs(env.render(), before).any()
    painter.restore()
    assert (env.unwrapped.model.tex_data == pixels).all()
    assert env.unwrapped.mujoco_renderer is renderer
    assert (env.render() == before).all()


def test_a_restored_environment_can_be_painted_again(make):
    env = make("Reacher-v5")
    painter = Painter(env, ["ground"])
    painter.paint({"ground": QUARTERS})
    painted = env.render()
    painter.restore()
    painter.paint({"ground": QUARTERS})
    assert (env.render() == painted).all()


def test_contexts_that_open_later_show_the_paint_too(still):
    env = still(TILED + material("tiles"), FLOOR)
    Painter(env, ["tiles"]).paint({"tiles": QUARTERS})
    first = env.render()
    second, _ = env.mujoco_renderer.render("rgbd_tuple")
    assert len(screens_of(env)) == 2
    assert (first == second).all()
    assert shows(first, (RED, GREEN), (BLUE, WHITE))


def test_every_open_context_shows_new_paint(still):
    env = still(TILED + material("tiles"), FLOOR, of=WithRenderer)
    before = (
        env.render(),
        env.mujoco_renderer.render("rgb_array"),
        env.mujoco_renderer.render("rgbd_tuple")[0],
    )
    Painter(env, ["tiles"]).paint({"tiles": QUARTERS})
    after = (
        env.render(),
        env.mujoco_renderer.render("rgb_array"),
        env.mujoco_renderer.render("rgbd_tuple")[0],
    )
    assert len(screens_of(env)) == 3
    assert all(differs(one, other).any() for one, other in zip(before, after, strict=True))
    assert all(shows(picture, (RED, GREEN), (BLUE, WHITE)) for picture in after)


def test_the_simulation_does_not_notice_paint(make):
    plain, painted = make("Reacher-v5"), make("Reacher-v5")
    Painter(painted, ["ground", "link0"]).paint({"ground": QUARTERS})
    for number in range(20):
        action = np.array([np.sin(number), np.cos(number)], np.float32)
        steps = [env.step(action)[:2] for env in (plain, painted)]
        painted.render()
        assert (steps[0][0] == steps[1][0]).all()
        assert steps[0][1] == steps[1][1]


def test_two_environments_cannot_paint_one_model(still):
    one, other = still(TILED + material("tiles"), FLOOR), still(TILED + material("tiles"), FLOOR)
    other.model = one.model
    painter = Painter(one, ["tiles"])
    with pytest.raises(WorldError, match="another environment has the same model and paints it"):
        Painter(other, ["tiles"])
    painter.restore()
    Painter(other, ["tiles"])


def test_a_model_that_was_built_anew_is_refused(still):
    env = still(TILED + material("tiles"), FLOOR)
    painter = Painter(env, ["tiles"])
    env.model, env.data = env._initialize_simulation()
    with pytest.raises(WorldError, match="StillLife has built a new model, without its paint"):
        painter.paint({"tiles": QUARTERS})


@pytest.mark.parametrize(
    "picture", [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3)), np.zeros((0, 8, 3), np.uint8)]
)
def test_what_is_no_picture_is_refused(still, picture):
    env = still(TILED + material("tiles"), FLOOR)
    with pytest.raises(ValueError, match=r"the picture for 'tiles' is .*; paint takes uint8 RGB"):
        Painter(env, ["tiles"]).paint({"tiles": picture})


def test_a_library_that_keeps_its_contexts_elsewhere_is_named(still, monkeypatch):
    env = still(bodies=PLAIN)
    monkeypatch.setattr(env, "mujoco_renderer", object())
    with pytest.raises(WorldError, match="StillLife keeps what draws it where hartsim does not"):
        screens_of(env)


def test_the_model_of_robosuite_is_found_where_it_keeps_it(still):
    class Robosuite(gym.Env):
        sim = None

    inner, outer = still(bodies=PLAIN), Robosuite()
    outer.sim = type("MjSim", (), {"model": type("MjModel", (), {"_model": inner.model})})
    assert model_of(outer) is inner.model
