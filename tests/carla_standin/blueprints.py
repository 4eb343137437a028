"""What can be spawned: ids, attributes and sizes after the catalogues of CARLA 0.9.16."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.carla_standin.geometry import Triple

TYPES = ("bool", "int", "float", "string", "color")

VEHICLES = """
audi.a2 car 1 3.71 1.79 1.55
audi.etron car 1 4.86 2.03 1.65
audi.tt car 1 4.18 1.99 1.39
bmw.grandtourer car 1 4.61 2.24 1.67
chevrolet.impala car 1 5.36 2.03 1.41
citroen.c3 car 1 3.99 1.85 1.62
dodge.charger_2020 car 2 5.01 1.88 1.53
dodge.charger_police car 1 4.97 2.04 1.55
dodge.charger_police_2020 car 2 5.24 2.08 1.64
ford.crown car 2 5.37 1.80 1.58
ford.mustang car 1 4.72 1.89 1.30
jeep.wrangler_rubicon car 1 3.87 1.90 1.88
lincoln.mkz_2017 car 1 4.90 2.13 1.51
lincoln.mkz_2020 car 2 4.89 1.84 1.49
mercedes.coupe car 1 5.03 2.15 1.64
mercedes.coupe_2020 car 2 4.67 1.82 1.44
micro.microlino car 1 2.21 1.48 1.38
mini.cooper_s car 1 3.81 1.97 1.48
mini.cooper_s_2021 car 2 4.55 2.10 1.77
nissan.micra car 1 3.63 1.85 1.50
nissan.patrol car 1 4.60 1.93 1.85
nissan.patrol_2021 car 2 5.57 2.15 2.05
seat.leon car 1 4.19 1.82 1.47
tesla.cybertruck car 1 6.27 2.39 2.10
tesla.model3 car 1 4.79 2.16 1.49
toyota.prius car 1 4.51 2.01 1.52
ford.ambulance van 2 6.36 2.35 2.43
mercedes.sprinter van 2 5.92 1.99 2.56
volkswagen.t2 van 1 4.48 2.07 2.04
volkswagen.t2_2021 van 2 4.44 1.78 1.99
carlamotors.carlacola truck 1 5.20 2.61 2.47
carlamotors.european_hgv truck 2 7.94 2.89 3.47
carlamotors.firetruck truck 2 8.46 2.90 3.83
mitsubishi.fusorosa bus 2 10.27 3.94 4.25
harley-davidson.low_rider motorcycle 1 2.35 0.76 1.28
kawasaki.ninja motorcycle 1 2.04 0.80 1.16
vespa.zx125 motorcycle 1 1.81 0.52 1.24
yamaha.yzf motorcycle 1 2.21 0.87 1.25
bh.crossbike bicycle 1 1.50 0.86 1.61
diamondback.century bicycle 1 1.64 0.57 1.61
gazelle.omafiets bicycle 1 1.84 0.60 1.61
"""
"""Name, base type, generation, length, width and height in metres."""

SPECIAL: Mapping[str, str] = {
    "dodge.charger_police": "emergency",
    "dodge.charger_police_2020": "emergency",
    "ford.ambulance": "emergency",
    "carlamotors.firetruck": "emergency",
    "ford.crown": "taxi",
    "audi.etron": "electric",
    "tesla.model3": "electric",
    "tesla.cybertruck": "electric",
    "micro.microlino": "electric",
}

PROPS = """
advertisement 1.45 0.42 2.65; atm 0.88 0.72 1.9; barbeque 1.1 0.6 1.0; barrel 0.6 0.6 0.94
bench01 1.7 0.7 0.85; bench02 1.9 0.6 0.5; bench03 1.8 0.7 0.9; bikeparking 2.6 0.8 0.9
bike_helmet 0.3 0.22 0.2; bin 0.5 0.5 1.0; box01 0.74 0.74 0.6; box02 0.76 0.55 0.5
box03 0.6 0.45 0.4; briefcase 0.5 0.15 0.4; brokentile01 0.5 0.4 0.05; brokentile02 0.5 0.4 0.05
brokentile03 0.4 0.3 0.05; brokentile04 0.4 0.3 0.05; busstop 4.0 1.6 2.6; busstoplb 4.0 1.6 2.6
calibrator 1.0 0.1 1.6; chainbarrier 1.5 0.3 0.95; chainbarrierend 0.3 0.3 0.95
clothcontainer 1.4 1.2 2.1; clothesline 3.0 0.8 1.8; colacan 0.07 0.07 0.12
constructioncone 0.4 0.4 0.6; container 2.0 1.3 1.5; creasedbox01 0.7 0.7 0.5
creasedbox02 0.7 0.6 0.45; creasedbox03 0.6 0.5 0.3; dirtdebris01 2.3 2.2 0.2
dirtdebris02 2.6 2.2 0.25; dirtdebris03 1.9 1.8 0.3; doghouse 0.9 0.8 0.9; fountain 4.4 4.4 2.2
foodcart 2.4 1.3 2.3; garbage01 0.5 0.4 0.3; garbage02 0.4 0.4 0.2; garbage03 0.4 0.3 0.2
garbage04 0.3 0.3 0.15; garbage05 0.3 0.2 0.1; garbage06 0.3 0.2 0.1; gardenlamp 0.15 0.15 0.5
glasscontainer 1.4 1.2 1.6; gnome 0.3 0.3 0.6; guitarcase 1.1 0.4 0.2; haybale 1.5 1.2 1.2
haybalelb 1.5 1.2 1.2; ironplank 1.8 0.9 0.04; kiosk_01 2.8 2.2 2.9; mailbox 0.5 0.5 1.3
maptable 1.5 0.7 1.0; mobile 0.15 0.08 0.01; motorhelmet 0.3 0.25 0.25; omri-0 0.3 0.3 0.9
pergola 4.0 3.0 2.7; plantpot01 0.8 0.8 0.8; plantpot02 0.7 0.7 0.7; plantpot03 0.6 0.6 0.6
plantpot04 0.5 0.5 0.6; plantpot05 0.5 0.5 0.5; plantpot06 0.4 0.4 0.4; plantpot07 0.4 0.4 0.4
plantpot08 0.4 0.4 0.4; plasticbag 0.4 0.3 0.4; plasticchair 0.6 0.6 0.9; plastictable 0.9 0.9 0.75
platformgarbage01 2.0 1.2 1.0; purse 0.35 0.15 0.3; shoppingbag 0.35 0.2 0.4
shoppingcart 0.95 0.6 1.05; shoppingtrolley 0.45 0.4 1.0; slide 3.2 0.9 2.0
streetbarrier 1.24 0.4 1.06; streetfountain 0.5 0.5 1.1; streetsign 0.7 0.1 2.6
streetsign01 0.7 0.1 2.6; streetsign04 0.7 0.1 2.6; swing 3.4 1.8 2.3; swingcouch 2.2 1.4 1.8
table 1.4 0.8 0.75; trafficcone01 0.48 0.48 0.87; trafficcone02 0.4 0.4 0.72
trafficwarning 2.4 2.0 3.2; trampoline 3.6 3.6 2.4; trashbag 0.7 0.6 0.6; trashcan01 0.5 0.5 1.0
trashcan02 0.5 0.5 1.0; trashcan03 0.6 0.6 1.1; trashcan04 0.6 0.6 1.1; trashcan05 0.6 0.6 1.1
travelcase 0.6 0.35 0.8; vendingmachine 1.0 0.9 1.9; warningaccident 0.9 0.4 0.9
warningconstruction 0.9 0.4 0.9; wateringcan 0.35 0.2 0.35
"""
"""Name, length, width and height in metres."""

WALKERS, CHILDREN = 52, (9, 10, 11, 12, 13, 14, 48, 49)
WOMEN = frozenset((1, 4, 5, 8, 9, 11, 13, 16, 20, 21, 22, 23, 27, 31, 34, 37, 39, 41, 42, 44, 48))
COLOURS = ("107,0,0", "17,37,103", "180,180,180", "12,66,12", "10,10,10")


@dataclass(frozen=True)
class Attribute:
    """One attribute of a blueprint; the type is one of TYPES."""

    id: str
    type: str
    value: str
    choices: tuple[str, ...] = ()
    modifiable: bool = True
    restricted: bool = False


@dataclass(frozen=True)
class Blueprint:
    """What can be spawned; `size_m` is its bounding box."""

    uid: int
    id: str
    attributes: tuple[Attribute, ...]
    size_m: Triple = (0.0, 0.0, 0.0)

    def packed(self, base: int) -> list[Any]:
        """The blueprint as CARLA's definition of an actor; types of attributes count from base."""
        attributes = [
            [
                each.id,
                TYPES.index(each.type) + base,
                each.value,
                list(each.choices),
                each.modifiable,
                each.restricted,
            ]
            for each in self.attributes
        ]
        return [self.uid, self.id, self.id.replace(".", ","), attributes]


def _fixed(name: str, kind: str, value: str) -> Attribute:
    return Attribute(name, kind, value, modifiable=False)


def _role(name: str, *choices: str) -> Attribute:
    return Attribute("role_name", "string", name, choices)


def _floats(**values: float) -> list[Attribute]:
    return [Attribute(name, "float", str(value)) for name, value in values.items()]


def _ints(**values: int) -> list[Attribute]:
    return [Attribute(name, "int", str(value)) for name, value in values.items()]


def _camera() -> list[Attribute]:
    return [
        *_ints(image_size_x=800, image_size_y=600),
        *_floats(
            fov=90.0,
            lens_circle_falloff=5.0,
            lens_circle_multiplier=0.0,
            lens_k=-1.0,
            lens_kcube=0.0,
            lens_x_size=0.08,
            lens_y_size=0.08,
            sensor_tick=0.0,
        ),
    ]


def _optics() -> list[Attribute]:
    return [
        Attribute("enable_postprocess_effects", "bool", "True"),
        Attribute("exposure_mode", "string", "histogram", ("histogram", "manual"), restricted=True),
        *_ints(blade_count=5),
        *_floats(
            gamma=2.2,
            motion_blur_intensity=0.45,
            motion_blur_max_distortion=0.35,
            motion_blur_min_object_screen_size=0.1,
            bloom_intensity=0.675,
            lens_flare_intensity=0.1,
            fstop=1.4,
            min_fstop=1.2,
            iso=100.0,
            shutter_speed=200.0,
            focal_distance=1000.0,
            blur_amount=1.0,
            blur_radius=0.0,
            exposure_compensation=0.0,
            exposure_min_bright=10.0,
            exposure_max_bright=12.0,
            exposure_speed_up=3.0,
            exposure_speed_down=1.0,
            calibration_constant=16.0,
            slope=0.88,
            toe=0.55,
            shoulder=0.26,
            black_clip=0.0,
            white_clip=0.04,
            temp=6500.0,
            tint=0.0,
            chromatic_aberration_intensity=0.0,
            chromatic_aberration_offset=0.0,
        ),
    ]


def _lidar() -> list[Attribute]:
    return [
        *_ints(channels=32, points_per_second=56000),
        *_floats(
            range=10.0,
            rotation_frequency=10.0,
            upper_fov=10.0,
            lower_fov=-30.0,
            horizontal_fov=360.0,
            sensor_tick=0.0,
        ),
    ]


def _axes(stem: str) -> dict[str, float]:
    return {f"{stem}_{axis}": 0.0 for axis in "xyz"}


def _sensors() -> dict[str, list[Attribute]]:
    geo = {f"noise_{x}_{y}": 0.0 for x in ("alt", "lat", "lon") for y in ("bias", "stddev")}
    noise = _axes("noise_accel_stddev") | _axes("noise_gyro_bias") | _axes("noise_gyro_stddev")
    return {
        "sensor.camera.rgb": [*_camera(), *_optics()],
        "sensor.camera.depth": _camera(),
        "sensor.camera.semantic_segmentation": _camera(),
        "sensor.camera.instance_segmentation": _camera(),
        "sensor.camera.normals": _camera(),
        "sensor.camera.optical_flow": _camera(),
        "sensor.lidar.ray_cast": [
            *_lidar(),
            *_ints(noise_seed=0),
            *_floats(
                atmosphere_attenuation_rate=0.004,
                dropoff_general_rate=0.45,
                dropoff_intensity_limit=0.8,
                dropoff_zero_intensity=0.4,
                noise_stddev=0.0,
            ),
        ],
        "sensor.lidar.ray_cast_semantic": _lidar(),
        "sensor.other.collision": [],
        "sensor.other.lane_invasion": [],
        "sensor.other.gnss": [*_ints(noise_seed=0), *_floats(sensor_tick=0.0, **geo)],
        "sensor.other.imu": [*_ints(noise_seed=0), *_floats(sensor_tick=0.0, **noise)],
        "sensor.other.obstacle": [
            *_floats(distance=5.0, hit_radius=0.5, sensor_tick=0.0),
            Attribute("only_dynamics", "bool", "False"),
            Attribute("debug_linetrace", "bool", "False"),
        ],
        "sensor.other.radar": [
            *_ints(points_per_second=1500, noise_seed=0),
            *_floats(horizontal_fov=30.0, vertical_fov=30.0, range=100.0, sensor_tick=0.0),
        ],
    }


def _vehicle(line: str) -> tuple[str, list[Attribute], Triple]:
    name, base_type, generation, *size = line.split()
    two = base_type in ("motorcycle", "bicycle")
    attributes = [
        _role("autopilot", "autopilot", "scenario", "ego_vehicle"),
        Attribute("sticky_control", "bool", "True"),
        Attribute("terramechanics", "bool", "False"),
        Attribute("color", "color", COLOURS[len(name) % len(COLOURS)], COLOURS, restricted=False),
        _fixed("object_type", "string", ""),
        _fixed("base_type", "string", base_type),
        _fixed("special_type", "string", SPECIAL.get(name, "")),
        _fixed("generation", "int", generation),
        _fixed("number_of_wheels", "int", "2" if two else "4"),
        _fixed("has_lights", "bool", str(generation == "2" or base_type == "motorcycle").lower()),
        _fixed("has_dynamic_doors", "bool", str(generation == "2" and not two).lower()),
    ]
    if two:
        attributes.append(Attribute("driver_id", "int", "0", ("0", "1", "2")))
    length, width, height = (float(each) for each in size)
    return f"vehicle.{name}", attributes, (length, width, height)


def _walker(number: int) -> tuple[str, list[Attribute], Triple]:
    child = number in CHILDREN
    attributes = [
        _role("pedestrian"),
        Attribute("is_invincible", "bool", "true"),
        Attribute("speed", "float", "0.0", ("0.0", "1.4", "2.8")),
        Attribute("use_wheelchair", "bool", "false"),
        _fixed("can_use_wheelchair", "bool", str(number in (1, 5, 15)).lower()),
        _fixed("age", "string", "child" if child else "adult"),
        _fixed("gender", "string", "female" if number in WOMEN else "male"),
        _fixed("generation", "int", "1" if number < 15 else "2"),
    ]
    height = 1.3 if child else 1.86
    return f"walker.pedestrian.{number:04d}", attributes, (0.375, 0.375, height)


def _prop(entry: str) -> tuple[str, list[Attribute], Triple]:
    name, *size = entry.split()
    length, width, height = (float(each) for each in size)
    biggest = max(length, width, height)
    word = "small" if biggest < 0.7 else "medium" if biggest < 2 else "big"
    attributes = [_role("prop"), _fixed("size", "string", word)]
    return f"static.prop.{name}", attributes, (length, width, height)


@cache
def library() -> Mapping[str, Blueprint]:
    """All blueprints by id."""
    found: list[tuple[str, Sequence[Attribute], Triple]] = [
        ("controller.ai.walker", [_role("default")], (0.0, 0.0, 0.0)),
        ("util.actor.empty", [_role("default")], (0.0, 0.0, 0.0)),
    ]
    for name, attributes in _sensors().items():
        found.append((name, [_role("front"), *attributes], (0.0, 0.0, 0.0)))
    entries = [entry for line in PROPS.strip().splitlines() for entry in line.split(";")]
    found += [_prop(entry) for entry in entries]
    mesh = [_role("prop"), Attribute("mesh_path", "string", ""), *_floats(mass=0.0, scale=1.0)]
    found.append(("static.prop.mesh", mesh, (1.0, 1.0, 1.0)))
    friction = _floats(friction=3.5, extent_x=1.0, extent_y=1.0, extent_z=1.0)
    found.append(("static.trigger.friction", [_role("default"), *friction], (2.0, 2.0, 2.0)))
    found += [_vehicle(line) for line in VEHICLES.strip().splitlines()]
    found += [_walker(number) for number in range(1, WALKERS + 1)]
    return {
        name: Blueprint(uid, name, tuple(attributes), size)
        for uid, (name, attributes, size) in enumerate(found, 1)
    }
