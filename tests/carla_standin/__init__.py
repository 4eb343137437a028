"""A stand-in for a CARLA server, to which the unmodified `carla` client connects.

`python -m tests.carla_standin --pictures flat` prints its port when it is ready. It shows how the
protocol behaves, not how Unreal draws: pictures come from hartsim's own street.

| module | knows |
|---|---|
| `knobs` | what can be asked of it, faults included, as flags of the command line |
| `faults` | what goes wrong with which call |
| `log` | every call that arrived, as lines of JSON |
| `wire` | how values are packed, in replies and in streams |
| `rpc` | the calls' connection |
| `textures` | textures in calls, decoded at once |
| `streaming` | the connections on which snapshots and sensors' data flow |
| `geometry` | CARLA's transforms as matrices |
| `blueprints` | what can be spawned |
| `maps` | towns: a ring road each, with spawn points |
| `actors` | actors, and how they move |
| `episode` | the world between two ticks |
| `recorder` | recordings and replays |
| `calls` | what each call does |
| `sensors`, `lidar` | what each sensor sends |
| `plain`, `rays` | pictures of a plain with boxes |
| `street`, `casting` | pictures of a street, and what actors look like there |
| `scenery` | which of the two is shown |
| `crowd` | what was there before |
| `server` | all of it together |
| `process` | servers, and clients, in processes of their own |
"""
